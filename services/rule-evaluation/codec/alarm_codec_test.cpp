#include "services/rule-evaluation/codec/alarm_codec.h"

#include <gmock/gmock.h>
#include <google/protobuf/stubs/logging.h>
#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <string>

#include "liveops/v1/alarms.pb.h"
#include "services/rule-evaluation/codec/explain.h"

namespace liveops::evaluation {
namespace {

constexpr engine::Source kSource{"evaluator-0", 11, 5};

engine::Transition Sample() {
  engine::Transition t;
  t.service = "backend-api";
  t.name = "error-rate";
  t.group = Labels({{"endpoint", "/games"}, {"zone", "a"}});
  t.alarm_id = "backend-api/error-rate{endpoint=\"/games\",zone=\"a\"}";
  t.purpose = engine::Purpose::kScenario;
  t.episode = InstantFromMs(1'000'123);
  t.step = 2;
  t.state = engine::AlarmState::kNoData;
  t.reason = "silent";
  t.severity = plan::Severity::kHigh;
  t.owner = "on-call";
  t.expression = "ratio(a, b) over 1min > 1% for 3min";
  t.value = 2.5;
  t.value_low = 2.25;
  t.threshold = 1;
  t.comparison = plan::Comparison::kGreaterEqual;
  t.unit = "%";
  t.window = Duration(60'000);
  t.hold = Duration(180'000);
  t.window_end = InstantFromMs(1'000'000);
  t.since = InstantFromMs(900'000);
  t.peak = 9;
  t.duration = Duration(4'000);
  t.points = 321;
  t.top = {{"endpoint=/games", 2.0, 0.8}};
  t.changes = {{"deployment revision 42 -> 43", InstantFromMs(800'000)}};
  t.plan_version = 4;
  t.clock = InstantFromMs(1'004'123);
  t.clock_real = RealFromMs(2'004'123);
  t.source_offset = 77;
  t.probe_id = "p";
  t.summary = "요약";
  t.runbook = "https://example.org/r";
  t.compared = "now 3 %, 1d ago 1 %";
  t.origin = "alertmanager";
  t.link = "https://prometheus/graph";
  t.heard = InstantFromMs(1'003'000);
  t.valid_until = InstantFromMs(1'300'000);
  return t;
}

TEST(AlarmCodec, TransitionsComeBackAsTheyWere) {
  const engine::Transition t = Sample();
  const auto event = DecodeAlarmRecord(EncodeTransition(kSource, t, 3));
  ASSERT_TRUE(event.ok()) << event.error().message;
  const auto& back = std::get<engine::Transition>(*event);
  // Equal bytes again: every field made the journey.
  EXPECT_EQ(EncodeTransition(kSource, back, 3), EncodeTransition(kSource, t, 3));
  EXPECT_EQ(back.alarm_id, t.alarm_id);
  EXPECT_EQ(back.group, t.group);
  EXPECT_EQ(back.purpose, t.purpose);
  EXPECT_EQ(back.episode, t.episode);
  EXPECT_EQ(back.step, t.step);
  EXPECT_EQ(back.state, t.state);
  EXPECT_EQ(back.severity, t.severity);
  EXPECT_EQ(back.comparison, t.comparison);
  EXPECT_TRUE(std::isnan(back.value_high));
  EXPECT_EQ(back.clock_real, t.clock_real);
  EXPECT_EQ(back.origin, t.origin);
  EXPECT_EQ(back.link, t.link);
  EXPECT_EQ(back.heard, t.heard);
  EXPECT_EQ(back.valid_until, t.valid_until);
  EXPECT_EQ(back.source_offset, t.source_offset);
  EXPECT_EQ(back.top.at(0).label, t.top.at(0).label);
  EXPECT_EQ(back.changes.at(0).time, t.changes.at(0).time);
}

TEST(AlarmCodec, TransitionCarriesItsIdAndPartition) {
  v1::AlarmRecord record;
  ASSERT_TRUE(record.ParseFromString(EncodeTransition(kSource, Sample(), 3)));
  EXPECT_EQ(record.transition().transition_id(), AsBytes(engine::TransitionId(Sample())));
  EXPECT_EQ(record.transition().source_partition(), 3);
  EXPECT_EQ(record.source().sequence(), 5u);
}

TEST(AlarmCodec, ClaimsReleasesAndPlansComeBack) {
  auto event = DecodeAlarmRecord(EncodeClaim(kSource, "evaluator-0", 99));
  ASSERT_TRUE(event.ok());
  EXPECT_EQ(std::get<ClaimEvent>(*event).owner, "evaluator-0");
  EXPECT_EQ(std::get<ClaimEvent>(*event).session, 11u);
  event = DecodeAlarmRecord(EncodeReleased(kSource, "evaluator-0"));
  ASSERT_TRUE(event.ok());
  EXPECT_EQ(std::get<ReleasedEvent>(*event).session, 11u);
  const PlanInForce plan{"s", 4, "service: s", 7, 123, InstantFromMs(55), "kim", RealFromMs(99)};
  event = DecodeAlarmRecord(EncodePlanInForce(kSource, plan));
  ASSERT_TRUE(event.ok());
  const auto& back = std::get<PlanInForce>(*event);
  EXPECT_EQ(back.service, plan.service);
  EXPECT_EQ(back.version, plan.version);
  EXPECT_EQ(back.text, plan.text);
  EXPECT_EQ(back.source_partition, plan.source_partition);
  EXPECT_EQ(back.source_offset, plan.source_offset);
  EXPECT_EQ(back.clock, plan.clock);
  EXPECT_EQ(back.spread_from, plan.spread_from);
  EXPECT_EQ(back.applied_by, plan.applied_by);
}

TEST(AlarmCodec, StoredPlansComeBack) {
  const StoredPlan plan{"s", 4, "service: s", "kim", 1234, -1};
  const auto back = DecodePlanRecord(EncodePlanRecord(kSource, plan));
  ASSERT_TRUE(back.ok());
  EXPECT_EQ(back->service, plan.service);
  EXPECT_EQ(back->version, plan.version);
  EXPECT_EQ(back->text, plan.text);
  EXPECT_EQ(back->applied_by, plan.applied_by);
  EXPECT_EQ(back->applied_unix_ms, plan.applied_unix_ms);
  EXPECT_FALSE(DecodePlanRecord("").ok());
}

TEST(AlarmCodec, NonsenseIsRefused) {
  EXPECT_FALSE(DecodeAlarmRecord("").ok());
  EXPECT_FALSE(DecodeAlarmRecord("garbage").ok());
  v1::AlarmRecord record;
  ASSERT_TRUE(record.ParseFromString(EncodeTransition(kSource, Sample(), 3)));
  const auto refused = [&](auto change) {
    v1::AlarmRecord copy = record;
    change(*copy.mutable_transition());
    return !DecodeAlarmRecord(copy.SerializeAsString()).ok();
  };
  EXPECT_TRUE(refused([](auto& t) { t.set_state(static_cast<v1::AlarmState>(99)); }));
  EXPECT_TRUE(refused([](auto& t) { t.clear_purpose(); }));
  EXPECT_TRUE(refused([](auto& t) { t.clear_severity(); }));
  EXPECT_TRUE(refused([](auto& t) { t.set_comparison("=>"); }));
  EXPECT_TRUE(refused([](auto& t) { t.clear_alarm_id(); }));
  EXPECT_FALSE(refused([](auto&) {}));
}

TEST(AlarmCodec, NoBytesMakeItFall) {
  google::protobuf::SetLogHandler(nullptr);  // its lines about our garbage would only puzzle
  const std::string good = EncodeTransition(kSource, Sample(), 3);
  std::mt19937 random(2);
  for (int i = 0; i < 20'000; ++i) {
    std::string bytes = good;
    for (int c = 0; c < 3; ++c) bytes[random() % bytes.size()] = static_cast<char>(random());
    if (random() % 4 == 0) bytes.resize(random() % bytes.size());
    const auto event = DecodeAlarmRecord(bytes);
    if (event.ok() && std::holds_alternative<engine::Transition>(*event)) {
      EXPECT_FALSE(std::get<engine::Transition>(*event).alarm_id.empty());
    }
    (void)DecodePlanRecord(bytes);
  }
}

TEST(Explain, SaysStateRuleValueWindowsAndLastTransition) {
  engine::AlarmView view;
  view.alarm_id = "s/a";
  view.service = "s";
  view.name = "a";
  view.state = engine::AlarmState::kFiring;
  view.expression = "ratio(a, b) over 1min > 1% for 3min";
  view.value = 2.5;
  view.threshold = 1;
  view.unit = "%";
  view.window = Duration(60'000);
  view.hold = Duration(180'000);
  view.since = InstantFromMs(1'000);
  view.watermark = InstantFromMs(8'000);
  view.clock = InstantFromMs(10'000);
  view.plan_version = 4;
  view.points = 50;
  const engine::Transition last = Sample();
  v1::AlarmStatus status;
  ASSERT_TRUE(status.ParseFromString(EncodeStatus(view, &last, 3)));
  EXPECT_EQ(status.state(), v1::ALARM_STATE_FIRING);
  EXPECT_EQ(status.last_transition().source_partition(), 3);
  std::string all;
  for (const std::string& line : ExplainLines(status)) all += line + "\n";
  for (const char* part :
       {"is firing", "ratio(a, b)", "plan version 4", "2.5", "Window: 1min", "3min", "50 events",
        "lost its data", "endpoint=/games", "revision 42 -> 43"}) {
    EXPECT_THAT(all, testing::HasSubstr(part));
  }
}

v1::AlarmStatus Ok(const char* expression, double value, std::uint64_t points) {
  v1::AlarmStatus s;
  s.set_alarm_id("s/a");
  s.set_state(v1::ALARM_STATE_OK);
  s.set_expression(expression);
  s.set_value(value);
  s.set_comparison(">");
  s.set_threshold(90);
  s.set_unit("%");
  s.set_window_ms(60'000);
  s.set_points(points);
  return s;
}

// What was missing, as `alarms explain --at` says it.
std::string Missing(const v1::AlarmStatus& status) {
  v1::PastAlarm past;
  *past.mutable_alarm() = status;
  std::string missing;
  for (const std::string& line : PastLines(past)) {
    if (line.starts_with("Missing") || line.starts_with("Its value")) missing += line;
  }
  return missing;
}

// It has no hold, and does not fire at the first true.
TEST(Explain, AQuorumIsToldAsWhatItIs) {
  const char* written = "last(m) over 1min > 90% for 3 of 5min";
  EXPECT_THAT(ExplainLines(Ok(written, 70, 0)),
              testing::Contains(
                  "Window: 1min; it fires when true at the ends of 3 of the last 5 minutes."));
  EXPECT_EQ(Missing(Ok(written, 70, 0)),
            "Missing for it to fire: a value 20 % higher, at the ends of 3 of the last 5 minutes.");
  EXPECT_THAT(ExplainLines(Ok("last(m) over 1min > 90% for 2 of 3h", 70, 0)),
              testing::Contains(testing::HasSubstr("2 of the last 3 hours")));
  EXPECT_THAT(ExplainLines(Ok("last(m) over 1min > 90% for 0s", 70, 0)),
              testing::Contains("Window: 1min; no hold: it fires at the first true."));
  EXPECT_EQ(Missing(Ok("last(m) over 1min > 90% for 0s", 70, 0)),
            "Missing for it to fire: a value 20 % higher.");
  EXPECT_EQ(Missing(Ok("last(m) over 1min > 90% for 0s", 90, 0)),
            "Its value is just at the threshold, which does not count as beyond it.");
}

TEST(Explain, AReadingRestsOnNoEvents) {
  EXPECT_THAT(ExplainLines(Ok("last(m) over 1min > 90% for 0s", 70, 0)),
              testing::Contains("Last value: 70 %; the rule is > 90 %."));
  EXPECT_THAT(
      ExplainLines(Ok("ratio(a, b) over 1min > 90% for 0s", 70, 31)),
      testing::Contains("Last value: 70 %; the rule is > 90 %; from 31 events in the window."));
}

}  // namespace
}  // namespace liveops::evaluation
