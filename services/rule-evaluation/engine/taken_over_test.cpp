#include <gtest/gtest.h>

#include "services/rule-evaluation/engine/shard_log.h"

namespace liveops::engine {
namespace {

using testing::kNine;
using testing::PlanOf;

// Alarms that fire by the log, in a shard that saw none of their series.
class TakenOverTest : public testing::ShardLog {
 protected:
  void Adopt(const std::string& name, const Labels& group) {
    Transition truth;
    truth.service = "shop";
    truth.name = name;
    truth.group = group;
    truth.alarm_id = AlarmId("shop", name, group);
    truth.state = AlarmState::kFiring;
    truth.episode = truth.since = truth.clock = InstantFromMs(kNine - 60'000);
    truth.value = truth.peak = 95;
    EXPECT_TRUE(shard_.Adopt(truth));
  }
  void TakeOver() {
    const std::string text = PlanOf(
        R"(  - {name: hot, when: 'last(cpu_utilization) by pod > 90%', severity: high, owner: on-call}
  - {name: max, when: 'last(cpu_utilization) > 90%', severity: high, owner: on-call}
  - {name: load, when: 'avg(load) over 5min > 90', severity: high, owner: on-call}
  - {name: errors, when: 5xx > 1%, severity: critical, owner: on-call}
  - {name: paths, when: 'ratio(http_5xx_count, http_request_count) by path > 1%', severity: high, owner: on-call}
  - {name: down, when: req/min < 10, no_data: fire, severity: critical, owner: on-call})");
    PlanActivationView plan;
    plan.service = "shop";
    plan.version = 3;
    plan.text = text;
    shard_.StartAt({plan});
    EXPECT_EQ(shard_.PlanVersion("shop"), 3u);
    Labels a;
    a.Set("pod", "a");
    Labels games;
    games.Set("path", "/games");
    Adopt("hot", a);
    Adopt("max", {});
    Adopt("load", {});
    Adopt("errors", {});
    Adopt("paths", games);
    Adopt("down", {});
    offset_ = 5000;
  }
  static std::string Lines(const std::vector<Transition>& told) {
    std::string lines;
    for (const Transition& t : told) {
      lines += std::to_string((ToMs(t.clock) - kNine) / 1000) + "s " + t.alarm_id + " " +
               AlarmStateName(t.state) + " " + t.reason + "\n";
    }
    return lines;
  }
};

TEST_F(TakenOverTest, WhatNeverReturnsFallsSilentAsIfItHadBeenSeen) {
  TakeOver();
  EXPECT_EQ(Lines(Until(100'000)), "");
  auto restored = Shard::Restore(shard_.Snapshot(), {}, {});
  ASSERT_TRUE(restored.ok());
  shard_ = std::move(*restored);
  const std::vector<Transition> told = Until(7'200'000);
  EXPECT_EQ(Lines(told),
            "125s shop/hot{pod=\"a\"} gone gone\n"
            "125s shop/max gone gone\n"
            "125s shop/down no_data silent\n"
            "3605s shop/load gone gone\n"
            "3605s shop/paths{path=\"/games\"} gone gone\n");
  EXPECT_EQ(Find("shop/errors")->state, AlarmState::kFiring);
  EXPECT_EQ(Find("shop/down")->state, AlarmState::kNoData);
  ASSERT_FALSE(told.empty());
  EXPECT_EQ(told[0].value, 95);
}

TEST_F(TakenOverTest, ItsSeriesMayReturnForTwoMinutesFromThenOn) {
  Until(0);
  Plan(
      0, 1,
      PlanOf("  - {name: max, when: last(cpu_utilization) > 90%, severity: high, owner: on-call}"));
  Until(200'000);
  Adopt("max", {});
  auto restored = Shard::Restore(shard_.Snapshot(), {}, {});
  ASSERT_TRUE(restored.ok());
  shard_ = std::move(*restored);
  EXPECT_EQ(Lines(Until(600'000)), "325s shop/max gone gone\n");
}

TEST_F(TakenOverTest, WhileThereIsDoubtItStaysOpen) {
  TakeOver();
  Until(60'000);
  TickView tick;
  tick.instance = "i";
  tick.session = 1;
  for (; at_ <= 400'000; at_ += 250) {
    tick.steady_ms = at_;
    tick.accepting = at_ > 300'000;
    EXPECT_TRUE(Apply(at_, tick).empty());
  }
  EXPECT_EQ(Lines(Until(500'000)),
            "427s shop/hot{pod=\"a\"} gone gone\n427s shop/max gone gone\n"
            "427s shop/down no_data silent\n");
}

TEST_F(TakenOverTest, WhereASeriesMayHaveBeenRefusedItStaysOpen) {
  ShardLimits limits;
  limits.series_max = 1;
  shard_ = Shard(TimeMap{}, limits);
  TakeOver();
  Until(10'000);
  Gauge(10'000, "b", 10, "memory_utilization");
  EXPECT_EQ(Lines(Until(600'000)), "");
}

}  // namespace
}  // namespace liveops::engine
