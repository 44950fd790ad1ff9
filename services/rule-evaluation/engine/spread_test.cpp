#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "services/rule-evaluation/engine/spread_log.h"

// A service on several shards (ADR 9), where it is not as on one. That it is so otherwise, the
// random histories show (oracle/spread_test.cpp).
namespace liveops::engine {
namespace {

using testing::SpreadLog;
using testing::SpreadPlan;

const std::string kHot =
    SpreadPlan(3,
               "  - {name: hot, when: 'max(cpu_utilization) over 10s > 90%', severity: high, "
               "owner: on-call}");

class SpreadTest : public SpreadLog {
 protected:
  // All three have a gauge, each second; that of `hot` is at `value`.
  void Gauges(std::int64_t from, std::int64_t to, int hot, double value) {
    for (std::int64_t at = from; at <= to; at += 1000) {
      Until(at);
      for (int i = 0; i < static_cast<int>(nodes_.size()); ++i) {
        Gauge(i, at, std::string(1, static_cast<char>('a' + i)), i == hot ? value : 10);
      }
    }
  }
};

TEST_F(SpreadTest, TheHomeJudgesWhatAllSay) {
  Make(3);
  Plan(0, 1, kHot);
  Gauges(0, 30'000, -1, 0);
  EXPECT_TRUE(Take().empty());
  Gauges(31'000, 60'000, 2, 95);
  const auto fired = Take();
  ASSERT_EQ(fired.size(), 1u);
  EXPECT_EQ(fired[0].alarm_id, "shop/hot");
  EXPECT_EQ(fired[0].value, 95);
  EXPECT_EQ(fired[0].window_end, InstantFromMs(testing::kNine + 31'000));
  ASSERT_EQ(fired[0].top.size(), 1u);
  EXPECT_EQ(fired[0].top[0].label, "pod=c");
  Gauges(61'000, 90'000, -1, 0);
  const auto over = Take();
  ASSERT_EQ(over.size(), 1u);
  EXPECT_EQ(over[0].state, AlarmState::kResolved);
  // The others have no alarm of their own to show.
  EXPECT_TRUE(nodes_[1].shard.Alarms().empty());
  EXPECT_TRUE(nodes_[2].shard.Alarms().empty());
}

TEST_F(SpreadTest, ASourceThatSaysNothingHoldsEveryVerdictBackAndIsNamed) {
  Make(3);
  Plan(0, 1, kHot);
  Gauges(0, 30'000, -1, 0);
  nodes_[2].held = true;
  Gauges(31'000, 32'000, 1, 95);
  EXPECT_THAT(Find("shop/hot")->explanation, ::testing::Not(::testing::HasSubstr("unknown")));
  Gauges(33'000, 60'000, 1, 95);
  EXPECT_TRUE(Take().empty());
  EXPECT_THAT(Find("shop/hot")->explanation,
              ::testing::HasSubstr(fmt::format("partition {} does not say", PartitionAt(2))));
  EXPECT_EQ(Find("shop/hot")->watermark, InstantFromMs(testing::kNine + 28'000));
  nodes_[2].held = false;
  Gauges(61'000, 61'000, 1, 95);
  const auto fired = Take();
  ASSERT_EQ(fired.size(), 1u);
  EXPECT_EQ(fired[0].window_end, InstantFromMs(testing::kNine + 31'000));
  EXPECT_EQ(Find("shop/hot")->explanation.find("unknown"), std::string::npos);
}

// Found by a random history: whose series speaks each minute observed nothing, but has not spoken
// since, and so what the other one observed still stands.
TEST_F(SpreadTest, WhoHasNoObservationsLetsThoseOfOthersStand) {
  Make(2);
  Plan(
      0, 1,
      SpreadPlan(2,
                 "  - {name: slow, when: 'max(http_request_duration_ms) over 10s > 500ms for 30s', "
                 "severity: high, owner: on-call}"));
  const auto observe = [&](std::int64_t at, double value) {
    Until(at);
    Point(0, at, SeriesKind::kObservation, "http_request_duration_ms", "a", value, "ms");
  };
  const auto nothing = [&](std::int64_t at) {
    Until(at);
    Histogram(1, at, "http_request_duration_ms", "b", "ms");
  };
  for (std::int64_t at = 1000; at <= 100'000; at += 1000) {
    observe(at, at < 95'000 ? 100 : 900);
    if (at % 30'000 == 10'000) nothing(at);
  }
  Until(150'000);
  const auto fired = Take();
  ASSERT_EQ(fired.size(), 1u);
  EXPECT_EQ(fired[0].window_end, InstantFromMs(testing::kNine + 125'000));
  EXPECT_EQ(fired[0].value, 900);
}

// Found by random histories: counters that left were not heard again.
TEST_F(SpreadTest, AGroupOfCountersThatLeftIsHeardAgain) {
  Make(2);
  Plan(0, 1,
       SpreadPlan(2,
                  "  - {name: busy, when: 'rate(http_request_count) by pod over 10s > 5', "
                  "severity: high, owner: on-call}"));
  const auto speak = [&](std::int64_t from, std::int64_t to) {
    for (std::int64_t at = from; at <= to; at += 1000) {
      Until(at);
      Point(1, at, SeriesKind::kCounterDelta, "http_request_count", "b", 10, "");
    }
  };
  speak(1000, 30'000);
  auto told = Take();
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0].state, AlarmState::kFiring);
  constexpr std::int64_t kLater = 4'200'000;
  Until(kLater);
  told = Take();
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0].state, AlarmState::kGone);
  speak(kLater + 1000, kLater + 30'000);
  told = Take();
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0].state, AlarmState::kFiring);
  EXPECT_NEAR(told[0].value, 10, 1e-9);
}

TEST_F(SpreadTest, AfterTenMinutesTheStepsAreJudgedWithoutIt) {
  Make(2);
  Plan(0, 1,
       SpreadPlan(2,
                  "  - {name: cold, when: 'sum(cpu_utilization) over 10s < 15%', "
                  "severity: high, owner: on-call}\n"
                  "  - {name: hot, when: 'max(cpu_utilization) over 10s > 90%', "
                  "severity: high, owner: on-call}"));
  Gauges(0, 30'000, 1, 95);
  auto fired = Take();
  ASSERT_EQ(fired.size(), 1u);
  EXPECT_EQ(fired[0].name, "hot");
  nodes_[1].held = true;
  // Of the one that is heard alone the sum is small, and none is hot: neither is known.
  Gauges(31'000, 640'000, 1, 95);
  EXPECT_EQ(Find("shop/hot")->state, AlarmState::kFiring);
  EXPECT_GT(Find("shop/hot")->watermark, InstantFromMs(testing::kNine + 31'000));
  EXPECT_TRUE(Take().empty());
  // What it says of steps that are judged already is dropped.
  nodes_[1].held = false;
  Gauges(641'000, 700'000, -1, 0);
  fired = Take();
  ASSERT_EQ(fired.size(), 1u);
  EXPECT_EQ(fired[0].state, AlarmState::kResolved);
}

TEST_F(SpreadTest, AChangeOfSpreadLeavesAlarmsOpenAndWindowsBeforeItUnknown) {
  Make(3);
  const std::string rules =
      "  - {name: hot, when: 'max(cpu_utilization) over 10s > 90%', severity: high, owner: "
      "on-call}";
  Plan(0, 1, SpreadPlan(1, rules));
  const auto whole = [&](std::int64_t from, std::int64_t to, double value) {
    for (std::int64_t at = from; at <= to; at += 1000) {
      Until(at);
      for (const char* pod : {"a", "b", "c"}) Gauge(0, at, pod, value);
    }
  };
  whole(0, 30'000, 95);
  const auto fired = Take();
  ASSERT_EQ(fired.size(), 1u);
  Plan(30'000, 2, SpreadPlan(3, rules), 60'000);
  EXPECT_EQ(nodes_[0].shard.PlanVersion("shop"), 2u);
  whole(31'000, 59'000, 10);
  EXPECT_TRUE(Take().empty());
  EXPECT_EQ(Find("shop/hot")->state, AlarmState::kFiring);
  Gauges(60'000, 69'000, -1, 0);
  EXPECT_TRUE(Take().empty());  // each window reaches back
  Gauges(70'000, 80'000, -1, 0);
  auto over = Take();
  ASSERT_EQ(over.size(), 1u);
  EXPECT_EQ(over[0].state, AlarmState::kResolved);
  EXPECT_EQ(over[0].episode, fired[0].episode);
  EXPECT_EQ(over[0].window_end, InstantFromMs(testing::kNine + 70'000));
  // And back: the home alone has them again, the others none.
  Plan(81'000, 3, SpreadPlan(1, rules), 90'000);
  whole(82'000, 110'000, 95);
  over = Take();
  ASSERT_EQ(over.size(), 1u);
  EXPECT_EQ(over[0].state, AlarmState::kFiring);
  // A greatest value that is seen is so, whatever else is not known.
  EXPECT_EQ(over[0].window_end, InstantFromMs(testing::kNine + 90'000));
  EXPECT_TRUE(nodes_[1].told.empty());
}

TEST_F(SpreadTest, AShardThatIsRebuiltWithoutASnapshotKnowsSinceWhen) {
  Make(2);
  Plan(0, 1,
       SpreadPlan(2,
                  "  - {name: cold, when: 'avg(cpu_utilization) over 10s < 5%', "
                  "severity: high, owner: on-call}"),
       30'000);
  const std::string text =
      SpreadPlan(2,
                 "  - {name: cold, when: 'avg(cpu_utilization) over 10s < 5%', severity: high, "
                 "owner: on-call}");
  for (Node& node : nodes_) {
    node.shard = Shard(TimeMap{}, node.limits);
    PlanActivationView plan;
    plan.service = "shop";
    plan.version = 1;
    plan.text = text;
    plan.spread_from = RealFromMs(testing::kNine + 30'000);
    node.shard.StartAt({plan});
  }
  for (std::int64_t at = 10'000; at <= 60'000; at += 1000) {
    Until(at);
    Gauge(0, at, "a", 1);
    Gauge(1, at, "b", 2);
  }
  const auto fired = Take();
  ASSERT_EQ(fired.size(), 1u);
  EXPECT_EQ(fired[0].window_end, InstantFromMs(testing::kNine + 40'000));
}

TEST_F(SpreadTest, TheHomeSaysOfWhichGroupsThereAreTooMany) {
  ShardLimits limits;
  limits.groups_of_rule_max = 2;
  Make(2, limits);
  const std::string by = SpreadPlan(
      2,
      "  - {name: hot, when: 'last(cpu_utilization) by pod over 10s > 90%', severity: high, "
      "owner: on-call}");
  Plan(0, 1, by);
  for (std::int64_t at = 0; at <= 20'000; at += 1000) {
    Until(at);
    for (const char* pod : {"a", "b", "c"}) Gauge(1, at, pod, 95);
  }
  const auto told = Take();
  ASSERT_EQ(told.size(), 3u);
  const auto more =
      std::find_if(told.begin(), told.end(), [](const auto& t) { return t.reason == "overflow"; });
  ASSERT_NE(more, told.end());
  EXPECT_EQ(more->alarm_id, "shop/hot");
  EXPECT_EQ(more->groups_refused, 1u);
}

TEST_F(SpreadTest, WhatASourceHasNoRoomForTheHomeIsTold) {
  Make(2);
  nodes_[1].limits.groups_max = 1;
  nodes_[1].limits.series_max = 3;
  nodes_[1].shard = Shard(TimeMap{}, nodes_[1].limits);
  Plan(0, 1,
       SpreadPlan(2,
                  "  - {name: hot, when: 'last(cpu_utilization) by pod over 10s > 90%', "
                  "severity: high, owner: on-call}"));
  for (std::int64_t at = 0; at <= 20'000; at += 1000) {
    Until(at);
    for (const char* pod : {"a", "b", "c", "d"}) Gauge(1, at, pod, 95);
  }
  std::vector<std::string> ids;
  for (const Transition& t : Take()) ids.push_back(t.alarm_id + " " + t.reason);
  EXPECT_THAT(ids,
              ::testing::UnorderedElementsAre("shop/hot{pod=\"a\"} crossed", "shop/hot overflow",
                                              "shop/limit:series overflow"));
}

TEST_F(SpreadTest, AProbeIsJudgedByWhatAllSay) {
  Make(2);
  Plan(0, 1,
       SpreadPlan(2,
                  "  - {name: hot, when: 'max(cpu_utilization) over 10s > 90%', "
                  "severity: high, owner: on-call}"));
  Gauges(0, 20'000, 1, 60);
  const ProbeStartView probe{"r/expect", "shop", "sum(cpu_utilization) over 10s < 50%",
                             Duration(120'000)};
  for (Node& node : nodes_) Apply(node, 20'000, probe);
  Gauges(21'000, 50'000, 1, 60);
  EXPECT_TRUE(Take().empty());
  Gauges(51'000, 70'000, 1, 20);
  const auto told = Take();
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0].reason, "true");
  EXPECT_EQ(told[0].probe_id, "r/expect");
  EXPECT_EQ(told[0].value, 30);
}

TEST_F(SpreadTest, WhatIsLargeComesInPartsOfWhichEachCountsOnce) {
  Make(2);
  Plan(0, 1,
       SpreadPlan(2,
                  "  - {name: busy, when: 'increase(jobs) by pod over 10s > 90', "
                  "severity: high, owner: on-call, min_count: 1}"));
  nodes_[1].held = true;
  for (std::int64_t at = 0; at <= 12'000; at += 4000) {
    Until(at);
    for (int i = 0; i < 3000; ++i) {
      const std::string pod = fmt::format("{:0>100}", i);
      Point(1, at, SeriesKind::kCounterDelta, "jobs", pod, i == 2999 ? 500 : 1, "");
    }
  }
  Until(20'000);
  std::vector<Readings> told(nodes_[1].told.begin(), nodes_[1].told.end());
  ASSERT_GT(told.back().parts, 1u);
  EXPECT_LT(told.back().groups.size(), 300u << 10);
  nodes_[1].told.clear();
  nodes_[1].held = false;
  // Of each step the last part first, and again.
  std::stable_sort(told.begin(), told.end(), [](const Readings& a, const Readings& b) {
    return a.step_end_ms != b.step_end_ms ? a.step_end_ms < b.step_end_ms : a.part > b.part;
  });
  for (const Readings& readings : told) {
    for (int i = 0; i < 2; ++i) Apply(nodes_[0], 20'000, ViewOf(readings));
  }
  const auto fired = Take();
  ASSERT_EQ(fired.size(), 1u);
  EXPECT_EQ(*fired[0].group.Find("pod"), fmt::format("{:0>100}", 2999));
  ASSERT_TRUE(Shard::Restore(nodes_[0].shard.Snapshot(), TimeMap{}, nodes_[0].limits).ok());
}

TEST_F(SpreadTest, WhatIsNoReadingOfTheRuleIsDropped) {
  Make(2);
  Plan(0, 1,
       SpreadPlan(2,
                  "  - {name: hot, when: 'max(cpu_utilization) over 10s > 90%', "
                  "severity: high, owner: on-call}"));
  nodes_[1].held = true;
  Gauges(0, 20'000, 1, 95);
  ASSERT_FALSE(nodes_[1].told.empty());
  const std::string before = nodes_[0].shard.Snapshot();
  const auto differs = [&](auto change) {
    Readings readings = nodes_[1].told.back();
    change(readings);
    Shard copy = std::move(*Shard::Restore(before, TimeMap{}, nodes_[0].limits));
    RecordView record;
    record.offset = nodes_[0].offset;
    record.append_time = RealFromMs(testing::kNine + 20'000);
    record.body = ViewOf(readings);
    std::vector<Transition> none;
    copy.Apply(record, none);
    const std::string after = copy.Snapshot();
    return after.find(readings.groups) != std::string::npos && !readings.groups.empty();
  };
  EXPECT_TRUE(differs([](Readings&) {}));
  EXPECT_FALSE(differs([](Readings& r) { r.windows ^= 1; }));
  EXPECT_FALSE(differs([](Readings& r) { r.rule = "cold"; }));
  EXPECT_FALSE(differs([](Readings& r) { r.service = "other"; }));
  EXPECT_FALSE(differs([](Readings& r) { r.source_partition = PartitionAt(5); }));
  EXPECT_FALSE(differs([](Readings& r) { r.part = r.parts; }));
  EXPECT_FALSE(differs([](Readings& r) { r.step_end_ms += 1; }));
  EXPECT_FALSE(differs([](Readings& r) { r.step_end_ms = 0; }));
  EXPECT_FALSE(differs([](Readings& r) { r.step_end_ms += 100 * 86'400'000LL; }));
}

}  // namespace
}  // namespace liveops::engine
