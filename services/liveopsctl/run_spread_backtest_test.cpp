#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/liveopsctl/log_for_tests.h"

namespace liveops::ctl {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kPlan = R"(service: shop
spread: 3
owners: {on-call: {slack: "#oncall", pagerduty: oncall}}
alarms:
  - {name: hot, when: sum(cpu) over 10s > 250 for 1min, severity: critical, owner: on-call}
  - {name: part, when: max(cpu) over 10s > 120, severity: high, owner: on-call}
  - {name: dark, when: last(lihgt) < 1, page: false}
)";

// The log of a service that lies on three partitions, each with a host; none fires by itself.
class SpreadBacktests : public BacktestTest {
 protected:
  SpreadBacktests() : BacktestTest(kPlan) {
    kafka_.Spread(1, 3, -1000);
    Run(200'000, 50);
    kafka_.Append(kafka_.Reading("other", "cpu", 1), kafka_.PartitionAt(2));
    Run(400'000, 95);
    Run(500'000, 40);
  }
  // Of each host one reading a second, all of one batch.
  void Run(std::int64_t to_ms, double value) {
    kafka_.Run(to_ms, [&] {
      v1::Source source;
      for (int i = 0; i < 3; ++i) {
        v1::ShardRecord record = kafka_.Reading("shop", "cpu", value, "h" + std::to_string(i));
        if (i == 0) source = record.source();
        *record.mutable_source() = source;
        kafka_.Append(record, kafka_.PartitionAt(i));
      }
    });
  }
  std::string PartitionText(int i) const {
    return "partition " + std::to_string(kafka_.PartitionAt(i));
  }
};

TEST_F(SpreadBacktests, TellWhatAllPartitionsTogetherWouldHaveTold) {
  const Ran ran = Backtest();
  EXPECT_EQ(ran.code, kExitOk) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("1500 batch records and 1500 points of shop"));
  EXPECT_THAT(ran.out, HasSubstr("hot    page  1 time"));
  EXPECT_THAT(ran.out, HasSubstr("firing    hot    285 (> 250)"));
  EXPECT_THAT(ran.out, HasSubstr("resolved  hot    "));
  EXPECT_THAT(ran.out, Not(HasSubstr("firing    part")));
  EXPECT_THAT(ran.out, HasSubstr("Seen: 7501 records of 3 partitions, 2027-01-15T08:00:00Z to "
                                 "2027-01-15T08:08:19Z.\n  " +
                                 PartitionText(0) + ": 2500 records, offsets 0 to 2499\n"));
  EXPECT_THAT(ran.out, HasSubstr("  " + PartitionText(2) + ": 2501 records, offsets 0 to 2500\n"));
  EXPECT_THAT(ran.out, HasSubstr("as far as these clocks differ"));
  EXPECT_THAT(ran.out, HasSubstr("Other services in it: other (1 batch record)"));
  EXPECT_THAT(ran.out, HasSubstr("alarms whose metrics are not in it: dark"));
  EXPECT_EQ(opened_, 3);
}

TEST_F(SpreadBacktests, AsJsonHaveAPlaceForEachPartition) {
  const Ran ran = Backtest({"--json"});
  EXPECT_EQ(ran.code, kExitOk) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("\"log\":{\"records\":7501,\"unreadable\":0,\"partitions\":[{"
                                 "\"partition\":" +
                                 std::to_string(kafka_.PartitionAt(0)) +
                                 ",\"first_offset\":0,\"last_offset\":2499,\"records\":2500,"
                                 "\"unreadable\":0},"));
  EXPECT_THAT(ran.out, HasSubstr("\"begins_late\":false,\"ends_early\":false"));
}

TEST_F(SpreadBacktests, GoByWhereSeriesLieAndNotByWhatTheFileSays) {
  const std::string file = WriteFile("one.yaml", Replaced(kPlan, "spread: 3\n", ""));
  const Ran ran = Backtest(file, {});
  EXPECT_EQ(ran.code, kExitOk) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("firing    hot    285 (> 250)"));
  const std::string distinct = WriteFile(
      "distinct.yaml", Replaced(Replaced(kPlan, "spread: 3\n", ""), "max(cpu) over 10s > 120",
                                "'distinct(cpu, host) over 1min > 5'"));
  const Ran refused = Backtest(distinct, {});
  EXPECT_NE(refused.code, kExitOk);
  EXPECT_THAT(refused.err, HasSubstr("the series of shop lie over 3 partitions, and there the plan "
                                     "cannot be judged: "));
}

TEST_F(SpreadBacktests, DiffPlaysThemUnderTwoPlans) {
  const std::string after = WriteFile("new.yaml", Replaced(kPlan, "> 250", "> 300"));
  const Ran ran = Diff(plan_, after, "3d");
  EXPECT_EQ(ran.code, kExitOk) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("goes quiet  hot"));
  EXPECT_THAT(ran.out, HasSubstr("Pages: 1 by the old plan, 0 by the new one."));
  EXPECT_THAT(ran.out, HasSubstr("Seen: 7501 records of 3 partitions"));
}

TEST_F(SpreadBacktests, CheckLiveHoldsThePlanAgainstThemAll) {
  const std::string file = WriteFile("low.yaml", Replaced(kPlan, "> 250", "> 100"));
  const Ran ran = CheckLive(file);
  EXPECT_EQ(ran.code, kExitNo) << "dark is blind";
  EXPECT_THAT(ran.out, HasSubstr("hot    page    would fire"));
  EXPECT_THAT(ran.out, HasSubstr("part   page    quiet"));
  EXPECT_THAT(ran.out, HasSubstr("sum of cpu is 120"));
  EXPECT_THAT(ran.out, HasSubstr("dark  it cannot fire: lihgt was never seen"));
  EXPECT_THAT(ran.out, HasSubstr("Seen: 7501 records of 3 partitions"));
}

TEST_F(SpreadBacktests, SayWhichPartitionBeginsLateOrEndsEarly) {
  kafka_.Forget(100, kafka_.PartitionAt(1));  // 20 s
  kafka_.Lose(kafka_.PartitionAt(2));
  Run(600'000, 95);
  const Ran ran = Backtest({"--from", "2027-01-15T08:00:05Z"});
  EXPECT_EQ(ran.code, kExitOk) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("Partition " + std::to_string(kafka_.PartitionAt(1)) +
                                 " begins at 2027-01-15T08:00:20Z, later than the "
                                 "2027-01-15T08:00:05Z that was asked for"));
  EXPECT_THAT(ran.out, HasSubstr("Partition " + std::to_string(kafka_.PartitionAt(2)) +
                                 " ends at 2027-01-15T08:08:19Z: what the others hold after that "
                                 "was not looked at."));
  EXPECT_THAT(ran.out, HasSubstr("hot    page  1 time"));
  EXPECT_THAT(Backtest().out,
              HasSubstr("Partition " + std::to_string(kafka_.PartitionAt(1)) +
                        " begins at 2027-01-15T08:00:20Z: what the others hold before that was not "
                        "looked at."));
}

TEST_F(SpreadBacktests, SayThatTheRulesBeganAnewWhereTheSpreadChanged) {
  EXPECT_THAT(Backtest().out, Not(HasSubstr("began anew")));
  kafka_.Spread(2, 2, 400'000);
  kafka_.Spread("other", 1, 2, 400'000);
  const Ran ran = Backtest();
  EXPECT_EQ(ran.code, kExitOk) << ran.err;
  EXPECT_THAT(
      ran.out,
      HasSubstr(
          "From 2027-01-15T08:06:40Z on the series of shop lie on 2 partitions in place of 3. "
          "The rules that read them began anew 2min\nbefore that, as they do live: windows "
          "that reach back before it are not judged.\n"));
  EXPECT_THAT(ran.out, Not(HasSubstr("series of other")));
  EXPECT_THAT(Backtest({"--json"}).out,
              HasSubstr("\"spread_changes\":[{\"service\":\"shop\",\"from_ms\":1800000400000,"
                        "\"partitions_before\":3,\"partitions\":2}]"));
  const std::string after = WriteFile("new.yaml", Replaced(kPlan, "> 250", "> 300"));
  EXPECT_THAT(Diff(plan_, after, "3d").out, HasSubstr("began anew"));
}

TEST_F(SpreadBacktests, AnEmptyPartitionIsToldAsSuch) {
  kafka_.Forget(2500, kafka_.PartitionAt(1));
  const Ran ran = Backtest();
  EXPECT_EQ(ran.code, kExitNo);
  EXPECT_EQ(ran.out, "");
  EXPECT_THAT(ran.err, HasSubstr(PartitionText(1) + " of liveops.metrics.v1 is empty"));
}

TEST_F(SpreadBacktests, AnInterruptEndsThemWithWhatWasSeen) {
  interrupt_at_ = 2;
  const Ran ran = Backtest();
  EXPECT_EQ(ran.code, kExitNo);
  EXPECT_THAT(ran.out, HasSubstr("Seen: 5001 records of 3 partitions"));
  EXPECT_THAT(ran.out, HasSubstr("Interrupted: the log goes on after that."));
}

TEST_F(SpreadBacktests, AKafkaThatGoesAwayBetweenTwoPartitionsIsToldAsSuch) {
  open_kafka_ = [this](const kafka::ClientConfig&) -> Result<KafkaPorts> {
    if (++opened_ > 2) return UnavailableError("no broker");
    return kafka_.Ports();
  };
  const Ran ran = Backtest();
  EXPECT_EQ(ran.code, kExitUnreachable);
  EXPECT_EQ(ran.out, "");
}

TEST_F(SpreadBacktests, AreRefusedWhereThereAreNotSoManyPartitions) {
  const std::string wide = WriteFile("wide.yaml", Replaced(kPlan, "spread: 3", "spread: 9"));
  const Ran ran = Backtest(wide, {});
  EXPECT_NE(ran.code, kExitOk);
  EXPECT_THAT(ran.err, HasSubstr("shop is spread over 9 partitions, the log of samples has 4"));
}

// A plan whose rule reads another service, that lies elsewhere.
class ReadingBacktests : public BacktestTest {
 protected:
  ReadingBacktests() : BacktestTest(Replaced(kText, "OTHER", Payments())) {
    Run(200'000, 1);
    Run(400'000, 5);
    Run(500'000, 1);
  }
  static std::string Payments() {
    for (int i = 0;; ++i) {
      std::string name = "payments-" + std::to_string(i);
      if (FakeKafka::PartitionAt(name, 0) == FakeKafka::PartitionAt("shop", 2)) return name;
    }
  }
  void Run(std::int64_t to_ms, double charges) {
    kafka_.Run(to_ms, [&] {
      kafka_.Append(kafka_.Reading("shop", "orders", 4));
      kafka_.Append(kafka_.Reading(payments_, "charges", charges), kafka_.PartitionAt(2));
    });
  }
  static constexpr const char* kText = R"(service: shop
owners: {on-call: {slack: "#oncall", pagerduty: oncall}}
alarms:
  - name: far
    when: 'sum(orders) + sum(charges{service="OTHER"}) over 10s > 8 for 1min'
    severity: high
    owner: on-call
)";

  const std::string payments_ = Payments();
};

TEST_F(ReadingBacktests, PlayTheLogsOfAllServicesThatItReads) {
  const Ran ran = Backtest();
  EXPECT_EQ(ran.code, kExitOk) << ran.err;
  EXPECT_THAT(ran.out,
              HasSubstr("1000 batch records and 1000 points of shop, " + payments_ + "\n"));
  EXPECT_THAT(ran.out, HasSubstr("far    page  1 time"));
  EXPECT_THAT(ran.out, HasSubstr("firing    far    9 (> 8)"));
  EXPECT_THAT(ran.out, HasSubstr("resolved  far    "));
  EXPECT_THAT(ran.out, HasSubstr("of 2 partitions"));
  EXPECT_THAT(ran.out, Not(HasSubstr("Metrics in it that nothing in the plan reads")));
}

TEST_F(ReadingBacktests, HearAllPartitionsOfAServiceThatIsRead) {
  kafka_.Spread(payments_, 1, 2, -1000);  // and of what it sends half lies elsewhere
  const auto send = [&](double charges) {
    return [this, charges] {
      kafka_.Append(kafka_.Reading("shop", "orders", 4));
      for (int i = 0; i < 2; ++i)
        kafka_.Append(kafka_.Reading(payments_, "charges", charges / 2, "h" + std::to_string(i)),
                      FakeKafka::PartitionAt(payments_, i));
    };
  };
  kafka_.Run(700'000, send(5));
  kafka_.Run(800'000, send(1));
  const Ran ran = Backtest({"--from", "2027-01-15T08:08:30Z"});
  EXPECT_EQ(ran.code, kExitOk) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("firing    far    9 (> 8)"));
  EXPECT_THAT(ran.out, HasSubstr("of 3 partitions"));
}

TEST_F(ReadingBacktests, DiffWithAPlanThatDoesNotPlaysForEachWhatItReads) {
  const std::string alone =
      WriteFile("alone.yaml",
                Replaced(Replaced(kText, " + sum(charges{service=\"OTHER\"})", ""), "> 8", "> 3"));
  const Ran ran = Diff(alone, plan_, "1h");
  EXPECT_EQ(ran.code, kExitOk) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("Pages: 1 by the old plan, 1 by the new one."));
  EXPECT_THAT(ran.out, HasSubstr("later   far "));
  EXPECT_THAT(ran.out, HasSubstr("of 2 partitions"));
}

TEST_F(ReadingBacktests, CheckLiveSaysWhoseMetricIsMissing) {
  const Ran good = CheckLive(plan_);
  EXPECT_EQ(good.code, kExitOk) << good.out << good.err;
  EXPECT_THAT(good.out, HasSubstr("charges{service=\"" + payments_ + "\"} 750ms ago"));
  // There is one of that name, of the other service.
  const std::string wrong = WriteFile(
      "wrong.yaml", Replaced(Replaced(kText, "OTHER", payments_), "sum(charges{", "sum(orders{"));
  const Ran ran = CheckLive(wrong);
  EXPECT_EQ(ran.code, kExitNo) << ran.out;
  EXPECT_THAT(ran.out, HasSubstr("orders{service=\"" + payments_ + "\"} was never seen"));
}

}  // namespace
}  // namespace liveops::ctl
