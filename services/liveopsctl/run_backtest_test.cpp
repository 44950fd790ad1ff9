#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/liveopsctl/log_for_tests.h"

namespace liveops::ctl {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kPlan = R"(service: shop
owners: {on-call: {slack: "#oncall", pagerduty: oncall}}
alarms:
  - {name: hot, when: last(cpu) > 90 for 1min, severity: critical, owner: on-call}
  - {name: dark, when: last(lihgt) < 1, page: false}
)";

// The log itself, in place of a recording of it.
class LogBacktests : public BacktestTest {
 protected:
  LogBacktests() : BacktestTest(kPlan) {
    kafka_.Run(300'000, "cpu", 50);
    kafka_.Append(kafka_.Reading("other", "cpu", 1));
    kafka_.Run(500'000, "cpu", 95);
    kafka_.Run(600'000, "cpu", 40);
  }
};

TEST_F(LogBacktests, TellWhatThePlanWouldHaveToldAndWhatWasSeen) {
  const Ran ran = RunWords({"plan", "backtest", plan_, "--kafka", "broker:9092"});
  EXPECT_EQ(ran.code, kExitOk) << ran.err;
  EXPECT_EQ(asked_.brokers, "broker:9092");
  EXPECT_THAT(ran.out, HasSubstr("the log of shop\n"));
  EXPECT_THAT(ran.out, HasSubstr("600 batch records and 600 points of shop"));
  EXPECT_THAT(ran.out, HasSubstr("hot    page  1 time"));
  EXPECT_THAT(ran.out, HasSubstr("firing    hot"));
  EXPECT_THAT(ran.out, HasSubstr("resolved  hot"));
  EXPECT_THAT(ran.out, HasSubstr("Seen: 3001 records of partition "));
  EXPECT_THAT(ran.out,
              HasSubstr("offsets 0 to 3000, 2027-01-15T08:00:00Z to 2027-01-15T08:09:59Z"));
  EXPECT_THAT(ran.out, HasSubstr("Only what stands in the log was looked at"));
  EXPECT_THAT(ran.out, HasSubstr("alarms whose metrics are not in it: dark"));
  EXPECT_THAT(ran.out, HasSubstr("Other services in it: other (1 batch record)"));
  EXPECT_THAT(ran.out, Not(HasSubstr("later than")));
}

TEST_F(LogBacktests, SayWhenTheLogBeginsLaterThanAskedFor) {
  kafka_.Forget(500);
  const Ran ran = Backtest({"--from", "2027-01-15T08:00:10Z", "--to", "2027-01-15T08:02:00Z"});
  EXPECT_EQ(ran.code, kExitOk) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("The log begins at 2027-01-15T08:01:40Z, later than the "
                                 "2027-01-15T08:00:10Z that was asked for"));
  EXPECT_THAT(ran.out, HasSubstr("No alarm fired."));
  const Ran json = Backtest({"--from", "2027-01-15T08:00:10Z", "--json"});
  EXPECT_THAT(json.out, HasSubstr("\"first_offset\":500,\"last_offset\":3000"));
  EXPECT_THAT(json.out, HasSubstr("\"begins_late\":true"));
}

TEST_F(LogBacktests, DiffPlaysOneLogUnderTwoPlans) {
  const Ran ran = Diff(plan_, WriteFile("new.yaml", Replaced(kPlan, "> 90", "> 97")), "3d");
  EXPECT_EQ(ran.code, kExitOk) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("goes quiet  hot"));
  EXPECT_THAT(ran.out, HasSubstr("Pages: 1 by the old plan, 0 by the new one."));
  EXPECT_THAT(ran.out, HasSubstr("Seen: 3001 records"));
}

TEST_F(LogBacktests, AnInterruptEndsItWithWhatWasSeen) {
  interrupt_at_ = 1;
  const Ran ran = Backtest();
  EXPECT_EQ(ran.code, kExitNo);
  EXPECT_THAT(ran.out, HasSubstr("Seen: 1 record of partition"));
  EXPECT_THAT(ran.out, HasSubstr("Interrupted: the log goes on after that."));
}

TEST_F(LogBacktests, TheAddressMayStandInTheConfiguration) {
  const std::string config =
      WriteFile("c.yaml", "kafka: broker:9\nkafka_properties: {security.protocol: ssl}\n");
  EXPECT_EQ(RunWords({"plan", "backtest", plan_, "--last", "1h", "--config", config}).code,
            kExitOk);
  EXPECT_EQ(asked_.brokers, "broker:9");
  EXPECT_EQ(asked_.extra.at("security.protocol"), "ssl");
  const Ran none = RunWords({"plan", "backtest", plan_, "--last", "1h"});
  EXPECT_EQ(none.code, kExitUsage);
  EXPECT_THAT(none.err, HasSubstr("no address of Kafka: give --kafka HOST:PORT"));
}

TEST_F(LogBacktests, AKafkaThatIsAwayIsToldAsSuch) {
  open_kafka_ = [](const kafka::ClientConfig&) -> Result<KafkaPorts> {
    return UnavailableError("asking Kafka for its topics: no broker");
  };
  const Ran ran = Backtest();
  EXPECT_EQ(ran.code, kExitUnreachable);
  EXPECT_EQ(ran.out, "");
}

TEST_F(LogBacktests, ATimeOfWhichTheLogHasNothingIsToldAsSuch) {
  const Ran later = Backtest({"--from", "2028-01-01T00:00:00Z"});
  EXPECT_EQ(later.code, kExitNo);
  EXPECT_THAT(later.err, HasSubstr("the log of shop holds nothing of that time"));
}

}  // namespace
}  // namespace liveops::ctl
