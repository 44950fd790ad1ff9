#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/notifier/service/core_test_support.h"

// Alerts that others judge: whose they are the plan in force says, and what nobody speaks of any
// more is told as stale.
namespace liveops::notifier {
namespace {

using namespace std::chrono_literals;

struct ForeignTest : ::testing::Test {
  void Becomes(std::uint32_t step, v1::AlarmState state) {
    v1::AlarmRecord record;
    v1::AlarmTransition& t = *record.mutable_transition();
    t.set_alarm_id("backend-api/alertmanager:Down");
    t.set_service("backend-api");
    t.set_name("alertmanager:Down");
    t.set_purpose(v1::PURPOSE_PAGE);
    t.set_episode_ms(1000);
    t.set_step(step);
    t.set_state(state);
    t.set_severity(v1::SEVERITY_CRITICAL);
    t.set_value(std::numeric_limits<double>::quiet_NaN());
    t.set_comparison(">");
    t.set_summary("Nobody answers");
    t.set_origin("alertmanager");
    t.set_link("https://prometheus.example/graph");
    t.set_heard_ms(1'770'195'912'000);
    t.set_clock_ms(world.clock_ms);
    world.Alarms(t.alarm_id(), record);
    if (!world.core) return;
    world.Advance(2s);
    world.ReadBack();
  }
  World world;
};

TEST_F(ForeignTest, WithoutAPlanNobodyIsToldAndThePlanSaysWhoIs) {
  world.Start();
  Becomes(0, v1::ALARM_STATE_FIRING);
  EXPECT_TRUE(world.sent.empty());
  world.Plan(std::string(kPlanText) + "foreign_alerts: {owner: backend}\n");
  world.ReadBack();
  const SentMessage told = world.Take("slack/backend");
  EXPECT_TRUE(told.Has("backend-api alertmanager:Down: Nobody answers"));
  EXPECT_TRUE(told.Has("<https://prometheus.example/graph|"));
  EXPECT_TRUE(world.sent.empty());
}

TEST_F(ForeignTest, LeftOutItIsTheOwnerOfTheWorstAlarm) {
  world.Plan();
  world.Start();
  Becomes(0, v1::ALARM_STATE_FIRING);
  EXPECT_TRUE(world.Take("slack/oncall").Has("On-call Engineer"));
  EXPECT_TRUE(world.Take("pagerduty").Has("\"judged_at\":\"https://prometheus.example/graph\""));
}

TEST_F(ForeignTest, StaleIsToldOnceUnderTheSameKeyAndIsNoResolve) {
  world.Plan();
  world.Start();
  Becomes(0, v1::ALARM_STATE_FIRING);
  world.SlackOk();
  world.PagerDutyOk();
  Becomes(1, v1::ALARM_STATE_STALE);
  const SentMessage stale = world.Take("pagerduty");
  EXPECT_TRUE(stale.Has("\"event_action\":\"trigger\""));
  EXPECT_TRUE(stale.Has(DedupKey("backend-api/alertmanager:Down", InstantFromMs(1000))));
  EXPECT_TRUE(
      stale.Has("CRITICAL, STALE: backend-api alertmanager:Down: not heard of again since "
                "2026-02-04 09:05:12 UTC"));
  world.Answer(stale, 202, "{}");
  world.SlackOk();
  world.Advance(600s);
  EXPECT_TRUE(world.sent.empty());
  Becomes(2, v1::ALARM_STATE_FIRING);
  world.SlackOk();
  world.PagerDutyOk();
  Becomes(3, v1::ALARM_STATE_RESOLVED);
  EXPECT_TRUE(world.Take("pagerduty").Has("\"event_action\":\"resolve\""));
  EXPECT_TRUE(world.Take("slack/oncall").Has("RESOLVED"));
}

}  // namespace
}  // namespace liveops::notifier
