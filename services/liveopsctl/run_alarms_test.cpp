#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/liveopsctl/log_for_tests.h"

namespace liveops::ctl {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

// An alarm on the latency of spans that fires, and what the log of exemplars holds.
class ExplainTraces : public LogTest {
 protected:
  static constexpr std::int64_t kClock = FakeKafka::kBegin + 100'000;

  ExplainTraces() {
    v1::ExplainAlarmResponse response;
    response.mutable_alarm()->set_alarm_id("shop/slow");
    response.mutable_alarm()->set_state(v1::ALARM_STATE_FIRING);
    v1::AlarmTransition& last = *response.mutable_alarm()->mutable_last_transition();
    last.set_service("shop");
    last.set_state(v1::ALARM_STATE_FIRING);
    last.set_expression("p95(traces.span.metrics.duration) over 1min > 500ms for 0s");
    last.set_window_ms(60'000);
    last.set_since_ms(kClock);
    last.set_clock_ms(kClock);
    script_.explain = response;
    kafka_.Exemplar(Took(900, kClock - 70'000));
    kafka_.Exemplar(Took(400, kClock - 50'000));
    kafka_.Exemplar(Took(700, kClock - 1'000), "bank");
    kafka_.Exemplar(Took(600, kClock - 1'000));
  }
  static v1::Exemplar Took(double ms, std::int64_t time_ms) {
    v1::Exemplar out;
    out.set_time_ms(time_ms);
    out.set_metric("traces.span.metrics.duration");
    out.set_value(ms);
    out.set_unit("ms");
    out.set_span_id(std::string("\0\xff", 2));
    out.set_trace_id(std::string(2, static_cast<char>(ms / 100)));
    out.add_labels()->set_name("span.name");
    out.mutable_labels(0)->set_value("GET /a");
    return out;
  }
};

TEST_F(ExplainTraces, StandBelowTheExplanation) {
  const Ran ran = RunOnKafka({"alarms", "explain", "shop/slow"});
  EXPECT_EQ(ran.code, kExitOk) << ran.err;
  EXPECT_EQ(asked_.brokers, "b:9");
  EXPECT_THAT(ran.out, HasSubstr("shop/slow"));
  EXPECT_THAT(ran.out, EndsWith("Traces\n"
                                "  0606  GET /a  600 ms  2027-01-15T08:01:39.000Z\n"
                                "  0404  GET /a  400 ms  2027-01-15T08:00:50.000Z\n"));
}

TEST_F(ExplainTraces, StandInJson) {
  const Ran ran = RunWords({"alarms", "explain", "shop/slow", "--kafka", "b:9", "--json"});
  EXPECT_EQ(ran.code, kExitOk) << ran.err;
  EXPECT_THAT(ran.out, StartsWith("{\"alarm\":{"));
  EXPECT_THAT(
      ran.out,
      EndsWith(",\"traces\":["
               "{\"trace_id\":\"0606\",\"span_id\":\"00ff\",\"operation\":\"GET /a\",\"value\":600,"
               "\"unit\":\"ms\",\"failed\":false,\"time_ms\":\"1800000099000\"},"
               "{\"trace_id\":\"0404\",\"span_id\":\"00ff\",\"operation\":\"GET /a\",\"value\":400,"
               "\"unit\":\"ms\",\"failed\":false,\"time_ms\":\"1800000050000\"}]}\n"));
  EXPECT_THAT(RunWords({"alarms", "explain", "shop/slow", "--json"}).out,
              Not(HasSubstr("\"traces\":")))
      << "nobody looked";
}

TEST_F(ExplainTraces, OfTheWordThatStoodThen) {
  script_.past->set_alarm_id("shop/slow");
  script_.past->mutable_alarm()->set_state(v1::ALARM_STATE_FIRING);
  *script_.past->mutable_before() = script_.explain->alarm().last_transition();
  const std::vector<std::string> words = {
      "alarms", "explain", "shop/slow", "--at", "2027-01-15T08:03:00Z", "--kafka", "b:9"};
  EXPECT_THAT(RunWords(words).out, HasSubstr("Traces\n  0606  GET /a  600 ms"));
  script_.past->mutable_before()->set_state(v1::ALARM_STATE_RESOLVED);
  EXPECT_THAT(RunWords(words).out, Not(HasSubstr("Traces")));
}

TEST_F(ExplainTraces, AreNoCauseToFail) {
  const Ran nowhere = RunWords({"alarms", "explain", "shop/slow"});
  EXPECT_EQ(nowhere.code, kExitOk) << "nobody says where Kafka is";
  EXPECT_THAT(nowhere.out, Not(HasSubstr("Traces")));
  EXPECT_EQ(nowhere.err, "");
  open_kafka_ = [](const kafka::ClientConfig&) -> Result<KafkaPorts> {
    return UnavailableError("no broker answers");
  };
  const Ran away = RunOnKafka({"alarms", "explain", "shop/slow"});
  EXPECT_EQ(away.code, kExitOk);
  EXPECT_THAT(away.err, HasSubstr("traces were not looked up: no broker answers"));
}

TEST_F(ExplainTraces, OfAnAlarmThatIsOverAreNotLookedUp) {
  script_.explain->mutable_alarm()->mutable_last_transition()->set_state(v1::ALARM_STATE_RESOLVED);
  open_kafka_ = [](const kafka::ClientConfig&) -> Result<KafkaPorts> {
    ADD_FAILURE();
    return UnavailableError("");
  };
  EXPECT_EQ(RunOnKafka({"alarms", "explain", "shop/slow"}).code, kExitOk);
}

}  // namespace
}  // namespace liveops::ctl
