#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/liveopsctl/log_for_tests.h"

namespace liveops::ctl {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// What stands in the log already is not shown; each wait brings a second of it.
class Tails : public LogTest {
 protected:
  Tails() {
    kafka_.Run(10'000, "cpu", 1);
    meanwhile_ = [this] {
      if (++seconds_ % 5 == 0) kafka_.Run(10'000 + seconds_ * 200, "cpu", 42);
    };
  }
  Ran RunTail(const std::vector<std::string>& more) {
    return RunOnKafka({"tail", "--service", "shop"}, more);
  }
  int seconds_ = 0;
};

TEST_F(Tails, ShowsWhatArrivesFromNowOn) {
  const Ran ran = RunTail({"cpu", "--count", "2"});
  EXPECT_EQ(ran.code, kExitOk) << ran.err;
  EXPECT_EQ(ran.out, "08:00:10.000  cpu  42\n08:00:11.000  cpu  42\n");
}

TEST_F(Tails, AsJson) {
  const Ran ran = RunTail({"cpu", "--count", "1", "--json"});
  EXPECT_EQ(ran.code, kExitOk) << ran.err;
  EXPECT_EQ(ran.out,
            "{\"time_ms\":1800000010000,\"append_ms\":1800000010000,\"metric\":\"cpu\","
            "\"kind\":\"gauge\",\"unit\":\"1\",\"labels\":{},\"value\":42}\n");
}

TEST_F(Tails, SaysWhatComesInsteadAndTheNearestName) {
  interrupt_at_ = 200;
  const Ran ran = RunTail({"cpuu"});
  EXPECT_EQ(ran.code, kExitOk);
  EXPECT_EQ(ran.out, "");
  EXPECT_THAT(ran.err, HasSubstr("no \"cpuu\" came so far, but 1 other metric of \"shop\"; did you "
                                 "mean \"cpu\"?"));
}

TEST_F(Tails, SaysThatTheLabelsDoNotFit) {
  interrupt_at_ = 200;
  const Ran ran = RunTail({"cpu", "--label", "instance=b"});
  EXPECT_THAT(ran.err, HasSubstr("\"cpu\" comes, but no series of it has the labels"));
}

TEST_F(Tails, OtherServicesOfThePartitionAreNotShown) {
  meanwhile_ = [this] { kafka_.Append(kafka_.Reading("other", "cpu", 7)); };
  interrupt_at_ = 200;
  const Ran ran = RunTail({"cpu"});
  EXPECT_EQ(ran.out, "");
  EXPECT_THAT(ran.err, HasSubstr("nothing of the service \"shop\" came so far"));
}

TEST_F(Tails, NeedKafkasAddress) {
  const Ran ran = RunWords({"tail", "cpu", "--service", "shop"});
  EXPECT_EQ(ran.code, kExitUsage);
  EXPECT_THAT(ran.err, HasSubstr("no address of Kafka: give --kafka HOST:PORT"));
}

TEST_F(Tails, OfASpreadServiceAreThoseOfAllItsPartitions) {
  v1::PlanRecord plan;
  plan.set_text("service: shop\nspread: 9\nalarms: []\n");
  script_.plans[0] = plan;
  const Ran ran = RunTail({"cpu"});
  EXPECT_THAT(ran.err, HasSubstr("spread over 9 partitions, liveops.metrics.v1 has 4"));
  EXPECT_THAT(ran.out, Not(HasSubstr("cpu")));
}

TEST_F(AppTest, EmittersAreATable) {
  v1::ListEmittersResponse response;
  response.set_instance("ingest-0");
  v1::EmitterStatus& e = *response.add_emitters();
  e.set_identity("shop-0");
  e.set_emitter("api-0");
  e.set_protocol("native");
  e.add_services("shop");
  e.set_accepted_points(1200);
  e.set_points_per_s(20);
  e.set_heard_ms_ago(1500);
  v1::Rejection& rejection = *e.add_rejections();
  rejection.set_points(3);
  rejection.set_reason("future");
  rejection.set_example("cpu lies an hour ahead");
  script_.emitters = response;
  const Ran ran = RunWords({"emitters"});
  EXPECT_EQ(ran.code, kExitOk) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("to ingest-0, since it started:\n"));
  EXPECT_THAT(ran.out, HasSubstr("shop-0    api-0    native  shop      20        1200      3"));
  EXPECT_THAT(ran.out, HasSubstr("3 future: cpu lies an hour ahead"));
}

TEST_F(AppTest, NoEmitterOfAServiceIsNotNobody) {
  script_.emitters->set_instance("ingest-0");
  EXPECT_EQ(RunWords({"emitters"}).out, "nobody has sent anything to ingest-0 since it started\n");
  EXPECT_EQ(RunWords({"emitters", "--service", "shop"}).out,
            "nothing of shop was taken by ingest-0 since it started; who was refused is listed "
            "without --service\n");
}

TEST_F(AppTest, TheSlowestSpansAreATable) {
  script_.spans.set_instance("ingest-0");
  EXPECT_THAT(RunWords({"spans", "shop"}).out,
              HasSubstr("no span of shop that counts came to ingest-0 in the last minutes\n"));
  v1::SlowSpan& span = *script_.spans.add_spans();
  span.set_operation("GET /games");
  span.set_trace_id("5b8efff798038103d269b633813fc60c");
  span.set_span_id("eee19b7ec3c1b174");
  span.set_duration_ms(812.5);
  span.set_end_ms(1'770'000'000'000);
  span.set_error(true);
  const Ran ran = RunWords({"spans", "shop", "--operation", "GET /games", "--slowest", "2"});
  EXPECT_EQ(ran.code, kExitOk) << ran.err;
  EXPECT_EQ(script_.spans_asked.service(), "shop");
  EXPECT_EQ(script_.spans_asked.operation(), "GET /games");
  EXPECT_EQ(script_.spans_asked.each(), 2u);
  EXPECT_THAT(ran.out, HasSubstr("GET /games  812.5 ms  2026-02-02T02:40:00.000Z  error   "
                                 "5b8efff798038103d269b633813fc60c  eee19b7ec3c1b174"));
}

}  // namespace
}  // namespace liveops::ctl
