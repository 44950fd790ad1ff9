// What went wrong elsewhere, of which the source is named, played here.
#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "services/rule-evaluation/engine/shard_log.h"
#include "services/rule-evaluation/engine/timeline.h"

namespace liveops::engine {
namespace {

using testing::One;
using testing::Outcome;
using testing::PlanOf;
using testing::Told;

class FromTheField : public testing::ShardLog {};

// VictoriaMetrics#1686: what fired before a restart was pending after it, its hold began anew. Here
// with a snapshot and without one, where the log's last word is all that is left.
TEST_F(FromTheField, WhatFiresBeforeARestartFiresAfterIt) {
  const std::string plan = PlanOf(
      "  - {name: hot, when: last(cpu_utilization) by pod > 90% for 1min, severity: high, owner: "
      "on-call}");
  Until(0);
  Plan(0, 1, plan);
  std::vector<Transition> told;
  for (std::int64_t at = 0; at <= 70'000; at += 5000) {
    for (Transition& t : Until(at)) told.push_back(std::move(t));
    for (Transition& t : Gauge(at, "a", 95)) told.push_back(std::move(t));
  }
  ASSERT_EQ(told.size(), 1u);
  const Instant episode = told[0].episode;
  const auto fires = [&] {
    const AlarmView* alarm = Find("shop/hot{pod=\"a\"}");
    return alarm != nullptr && alarm->state == AlarmState::kFiring && alarm->episode == episode;
  };
  ASSERT_TRUE(fires());
  for (const bool snapshot : {true, false}) {
    if (snapshot) {
      auto restored = Shard::Restore(shard_.Snapshot(), TimeMap{}, ShardLimits{});
      ASSERT_TRUE(restored.ok());
      shard_ = std::move(*restored);
    } else {
      PlanActivationView in_force;
      in_force.service = "shop";
      in_force.version = 1;
      in_force.text = plan;
      shard_ = Shard(TimeMap{}, ShardLimits{});
      shard_.StartAt({in_force});
      shard_.Adopt(told[0]);
    }
    EXPECT_TRUE(fires()) << snapshot;
    for (const std::int64_t end = at_ + 120'000; at_ < end;) {
      EXPECT_TRUE(Until(at_ + 5000).empty()) << snapshot;
      EXPECT_TRUE(Gauge(at_, "a", 95).empty()) << snapshot;
    }
    EXPECT_TRUE(fires()) << snapshot;
  }
}

// VictoriaMetrics#865: a gap in the data cleared the alarm. Here the sender's, and the log's.
TEST(FromTheFieldScripts, AGapInTheDataClearsNothing) {
  const std::string plan = One("errors", "5xx > 1% for 1min", ", clear: \"< 0.5% for 2min\"");
  for (const char* ticks : {"", "ticks i 0s..3min\nticks i 20min..26min\n"}) {
    EXPECT_EQ(Told(plan, "series E delta http_5xx_count\nseries R delta http_request_count\n" +
                             std::string(ticks) +
                             "0s..3min every 5s: E=5 R=100\n"
                             "20min10s..22min every 5s: E=5 R=100\n"
                             "22min5s..26min every 5s: E=0 R=100\nend 26min"),
              R"(
1min errors firing crossed 5 %
24min58s errors resolved recovered 0 %
)") << ticks;
  }
}

// sql-flow#358: one fast clock made all honest rows late. The fast one is an hour ahead, or as far
// as may be; the honest ones come as late as they may.
TEST(FromTheFieldScripts, OneFastClockMakesNoHonestPointLate) {
  for (const char* ahead : {"1h", "9s"}) {
    testing::Script script;
    script.plans["p"] = One("errors", "5xx > 1%");
    script.text =
        "plan -2min p\nseries E delta http_5xx_count pod=a\n"
        "series R delta http_request_count pod=a\n"
        "series F delta http_request_count pod=fast\n"
        "0s..5min every 5s: F=100 @event=+" +
        std::string(ahead) +
        " @emitter=fast\n"
        "0s..3min every 5s: E=0 R=100 @delay=1900ms @emitter=honest\n"
        "3min5s..4min every 5s: E=50 R=100 @delay=1900ms @emitter=honest\nend 5min";
    const Outcome outcome = Play(script);
    EXPECT_EQ(outcome.fault, "");
    EXPECT_EQ(outcome.counters.points_late, 0u) << ahead;
    EXPECT_EQ(outcome.counters.points_future > 0, std::string_view(ahead) == "1h") << ahead;
    ASSERT_GE(outcome.transitions.size(), 1u) << ahead;
    EXPECT_EQ(outcome.told.substr(0, outcome.told.find(" crossed")), "3min6s900ms errors firing")
        << ahead;
  }
}

// prometheus#9260: a limit that was hit removed the active alerts. Here one of groups, then one of
// series.
TEST_F(FromTheField, ALimitThatIsHitRemovesNoActiveAlarm) {
  ShardLimits of_groups;
  of_groups.groups_of_rule_max = 2;
  ShardLimits of_series;
  of_series.series_max = 2;
  for (const ShardLimits& limits : {of_groups, of_series}) {
    shard_ = Shard(TimeMap{}, limits);
    offset_ = at_ = 0;
    Until(0);
    Plan(0, 1,
         PlanOf("  - {name: hot, when: 'last(cpu_utilization) by pod > 90%', severity: high, "
                "owner: on-call}"));
    EXPECT_EQ(Gauge(0, "a", 95).size(), 1u);
    EXPECT_EQ(Gauge(0, "b", 95).size(), 1u);
    for (std::int64_t at = 5000; at <= 900'000; at += 5000) {
      for (const Transition& t : Until(at)) {
        EXPECT_TRUE(t.group.empty() || t.state != AlarmState::kResolved) << t.alarm_id;
      }
      for (const char* pod : {"a", "b", "c", "d", "e"}) Gauge(at, pod, 95);
    }
    for (const char* pod : {"a", "b"}) {
      const AlarmView* alarm = Find("shop/hot{pod=\"" + std::string(pod) + "\"}");
      ASSERT_NE(alarm, nullptr) << pod;
      EXPECT_EQ(alarm->state, AlarmState::kFiring) << pod;
    }
  }
}

}  // namespace
}  // namespace liveops::engine
