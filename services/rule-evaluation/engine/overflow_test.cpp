#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "services/rule-evaluation/engine/shard_log.h"

// A limit that is reached never silences: one page says how many more there are.
namespace liveops::engine {
namespace {

using testing::PlanOf;

const std::string kPlan = PlanOf(
    R"(  - {name: hot, when: 'last(cpu_utilization) by pod > 90%', severity: high, owner: on-call}
  - {name: errors, when: 5xx > 1%, severity: critical, owner: on-call})");

using OverflowTest = testing::ShardLog;

TEST_F(OverflowTest, ARuleThatHasTooManyGroupsSaysHowManyMoreThereAre) {
  ShardLimits limits;
  limits.groups_of_rule_max = 2;
  shard_ = Shard(TimeMap{}, limits);
  Until(0);
  Plan(0, 1, kPlan);
  Gauge(0, "a", 95);
  Gauge(0, "b", 95);
  const auto told = Gauge(0, "c", 95);
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0].alarm_id, "shop/hot");
  EXPECT_EQ(told[0].state, AlarmState::kFiring);
  EXPECT_EQ(told[0].reason, "overflow");
  EXPECT_EQ(told[0].groups_refused, 1u);
  EXPECT_EQ(told[0].value, 3);
  EXPECT_EQ(told[0].threshold, 2);
  EXPECT_EQ(Gauge(0, "d", 95).size(), 0u);  // told within the minute, once
  EXPECT_EQ(Gauge(0, "d", 95).size(), 0u);
  EXPECT_EQ(Find("shop/hot")->explanation,
            "2 alarms are as many as it may have, and 2 more groups are not watched");
  EXPECT_EQ(Find("shop/hot{pod=\"a\"}")->state, AlarmState::kFiring);
  std::vector<Transition> grown;
  for (std::int64_t at = 5000; at <= 65'000; at += 5000) {
    for (Transition& t : Until(at)) grown.push_back(t);
    for (const char* pod : {"a", "b", "c", "d"}) {
      for (Transition& t : Gauge(at, pod, 95)) grown.push_back(t);
    }
  }
  ASSERT_EQ(grown.size(), 1u);
  EXPECT_EQ(grown[0].step, 1u);
  EXPECT_EQ(grown[0].episode, told[0].episode);
  EXPECT_EQ(grown[0].groups_refused, 2u);

  // A snapshot keeps it; a log without one too.
  auto restored = Shard::Restore(shard_.Snapshot(), TimeMap{}, limits);
  ASSERT_TRUE(restored.ok());
  EXPECT_EQ(restored->Snapshot(), shard_.Snapshot());
  Shard from_log(TimeMap{}, limits);
  PlanActivationView plan;
  plan.service = "shop";
  plan.version = 1;
  plan.text = kPlan;
  from_log.StartAt({plan});
  EXPECT_TRUE(from_log.Adopt(grown[0]));
  EXPECT_FALSE(from_log.Adopt(grown[0]));

  // Nobody names the refused any more: it is over, and the others are as they were.
  std::vector<Transition> end;
  for (std::int64_t at = 70'000; at <= 80 * 60'000; at += 5000) {
    for (Transition& t : Until(at)) end.push_back(t);
    for (const char* pod : {"a", "b"}) {
      for (Transition& t : Gauge(at, pod, 95)) end.push_back(t);
    }
  }
  ASSERT_EQ(end.size(), 1u);
  EXPECT_EQ(end[0].alarm_id, "shop/hot");
  EXPECT_EQ(end[0].state, AlarmState::kResolved);
  EXPECT_EQ(Find("shop/hot"), nullptr);
}

TEST_F(OverflowTest, AShardWithoutRoomForMoreSeriesSaysHowManyMoreThereAre) {
  ShardLimits limits;
  limits.series_max = 2;
  shard_ = Shard(TimeMap{}, limits);
  Until(0);
  Plan(0, 1, kPlan);
  Gauge(0, "a", 95);
  Gauge(0, "b", 95);
  EXPECT_EQ(Find("shop/limit:series"), nullptr);
  const auto told = Gauge(0, "c", 95);
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0].alarm_id, "shop/limit:series");
  EXPECT_EQ(told[0].reason, "overflow");
  EXPECT_EQ(told[0].severity, plan::Severity::kCritical);  // that of the worst alarm
  EXPECT_EQ(told[0].owner, "on-call");
  EXPECT_EQ(told[0].unit, "series");
  EXPECT_EQ(told[0].groups_refused, 1u);
  EXPECT_EQ(told[0].threshold, 2);
  EXPECT_EQ(Gauge(0, "d", 95).size(), 0u);  // one page, and the number later
  EXPECT_EQ(Find("shop/limit:series")->explanation,
            "2 series are as many as a shard may have, and 2 more are not watched");
  EXPECT_EQ(Find("shop/hot{pod=\"a\"}")->state, AlarmState::kFiring);
  const auto restored = Shard::Restore(shard_.Snapshot(), TimeMap{}, limits);
  ASSERT_TRUE(restored.ok());
  EXPECT_EQ(restored->Snapshot(), shard_.Snapshot());
  // A plan that pages nobody has nobody to tell.
  const auto quiet = Plan(0, 2, PlanOf("  - {name: hot, when: CPU > 90%, page: false}"));
  EXPECT_TRUE(std::any_of(quiet.begin(), quiet.end(), [](const Transition& t) {
    return t.alarm_id == "shop/limit:series" && t.state == AlarmState::kWithdrawn;
  }));
}

}  // namespace
}  // namespace liveops::engine
