// Objectives of slices of time.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "common/base/labels.h"
#include "common/plan/parse.h"
#include "services/rule-evaluation/engine/shard.h"
#include "services/rule-evaluation/engine/shard_log.h"
#include "services/rule-evaluation/engine/timeline.h"

namespace liveops::engine {
namespace {

using ::testing::HasSubstr;
using testing::kNine;
using ::testing::StartsWith;
using testing::Told;

std::string PlanOf(std::string_view slices, std::string_view more = "objective: 99%, over: 3d") {
  return fmt::format(R"(service: shop
owners:
  on-call: {{slack: "#oncall", pagerduty: oncall}}
metrics:
  latency: {{distribution: took, unit: ms, default: true}}
slos:
  - {{name: fast, {}, time_slices: {{{}}}, owner: on-call}}
)",
                     more, slices);
}

testing::Outcome Play(std::string_view plan, std::string_view text, std::string_view after = "") {
  return testing::Play({{{"a", std::string(plan)}, {"b", std::string(after)}},
                        "plan -2min a\n" + std::string(text),
                        {}});
}

// Of ten minutes one has no point, two are slow.
TEST(Slices, AreGoodBadOrNotCounted) {
  EXPECT_EQ(Told(PlanOf("good: p95 < 500ms"), R"(
series O observation took unit=ms
show -1s fast-fast-burn
1s..4min every 20s: O=100
show 4min3s fast-budget
4min1s..6min every 20s: O=600
show 6min3s fast-budget
7min1s..10min every 20s: O=100
show 7min3s fast-budget
show 10min3s fast-budget
end 10min10s)"),
            R"(
-1s fast-fast-burn is blind: no point of slo:slices seen since the plan came into force; no slice is over yet
4min3s fast-budget is ok: share of bad slices is 0 %, not above 1 %; the last slice of 1min, to 09:04:00, was good: p95 of took is 100 ms, below 500 ms; at most 100 % of the error budget of 3d is left (4min of 3d is known; 2 slices were neither good nor bad)
6min3s fast-budget is ok: the window reaches back before what is known; it proves nothing yet; the last slice of 1min, to 09:06:00, was bad: p95 of took is 600 ms, not below 500 ms; at most 95.4 % of the error budget of 3d is left (6min of 3d is known; 2 slices were neither good nor bad)
7min3s fast-budget is ok: the window reaches back before what is known; it proves nothing yet; the last slice of 1min, to 09:07:00, was not counted: points of took are missing, and their silence proves nothing yet; at most 95.4 % of the error budget of 3d is left (6min of 3d is known; 3 slices were neither good nor bad)
10min3s fast-budget is ok: the window reaches back before what is known; it proves nothing yet; the last slice of 1min, to 09:10:00, was good: p95 of took is 100 ms, below 500 ms; at most 95.4 % of the error budget of 3d is left (9min of 3d is known; 3 slices were neither good nor bad)
)");
}

// Whoever is paged is told on the close of the second bad minute, and what it cost.
TEST(Slices, APageNeedsTheLeastNumberOfBadOnes) {
  const auto outcome = Play(PlanOf("good: p95 < 500ms", "objective: 99.9%"), R"(
series O observation took unit=ms
1s..70min every 20s: O=100
70min1s..73min every 20s: O=900
73min1s..90min every 20s: O=100
end 90min)");
  EXPECT_EQ(outcome.fault, "");
  EXPECT_EQ(outcome.told, "1h12min2s fast-fast-burn firing crossed 3.333 %\n");
  ASSERT_EQ(outcome.transitions.size(), 1u);
  EXPECT_EQ(outcome.transitions[0].points, 60u);
  // Two of the 43.2 minutes.
  EXPECT_THAT(outcome.transitions[0].budget,
              StartsWith("at most 95.4 % of the month's error budget is left (1h of 30d is known"));
}

// Of a record that comes once its slice is over nothing is counted any more.
TEST(Slices, WhatComesLateDoesNotTurnOne) {
  const auto told = [](const char* delay) {
    return Told(PlanOf("good: max(took) in ms < 500ms"), fmt::format(R"(
series O observation took unit=ms
1s..3min every 20s: O=100
130s: O=900 @delay={} @emitter=slow
1min55s..4min every 20s: O=100
show 3min15s fast-budget
end 4min)",
                                                                     delay));
  };
  EXPECT_THAT(told("50s"), HasSubstr("to 09:03:00, was bad: greatest took is 900 ms"));
  EXPECT_THAT(told("53s"), HasSubstr("to 09:03:00, was good: greatest took is 100 ms"));
}

class SliceLog : public testing::ShardLog {
 protected:
  const AlarmView& Budget() { return *Find("shop/fast-budget"); }
  // Slices counted, and bad ones.
  std::pair<double, double> Counted() {
    const AlarmView& view = Budget();
    const double all = view.budget ? view.budget->events : 0;
    return {all, all > 0 ? std::round(view.value * all / 100) : 0};
  }
  using Pair = std::pair<double, double>;
};

const std::string kCool = "good: max(cpu_utilization) in % < 80%";

TEST_F(SliceLog, AnEditThatLeavesThemAloneKeepsWhatWasCounted) {
  Until(0);
  Plan(0, 1, PlanOf(kCool));
  for (std::int64_t at = 1000; at <= 300'000; at += 10'000) {
    Until(at);
    Gauge(at, "a", at < 130'000 ? 90 : 10);
  }
  Until(303'000);
  EXPECT_EQ(Counted(), Pair(5, 3));
  // Another objective of the same slices, in other words.
  Plan(303'000, 2,
       PlanOf("window: 60s, good: max(cpu_utilization) over 1min < 80%",
              "objective: 98%, over: 3d, page: high"));
  Until(363'000);
  EXPECT_EQ(Counted(), Pair(5, 3));
  EXPECT_NEAR(Budget().budget->objective, 0.98, 1e-12);
  // Other slices: what was counted says nothing of them.
  for (const char* other :
       {"good: max(cpu_utilization) < 70%", "good: max(cpu_utilization) < 70%, window: 30s"}) {
    Plan(at_, shard_.PlanVersion("shop") + 1, PlanOf(other));
    EXPECT_EQ(Counted(), Pair(0, 0)) << other;
  }
  for (std::int64_t at = at_ + 1000; at <= 483'000; at += 10'000) {
    Until(at);
    Gauge(at, "a", 75);
  }
  Until(486'000);
  EXPECT_EQ(Counted(), Pair(3, 3));
}

TEST_F(SliceLog, OfATimeThatIsNotWhollyKnownNothingIsCounted) {
  Until(0);
  Plan(0, 1, PlanOf(kCool));
  const auto run = [&](std::int64_t to, double value) {
    for (std::int64_t at = at_; at <= to; at += 10'000) {
      Until(at);
      Gauge(at, "a", value);
    }
    Until(to + 3000);
  };
  run(240'000, 10);
  EXPECT_EQ(Counted(), Pair(4, 0));
  // Nobody wrote for 30 s.
  at_ = 285'000;
  run(420'000, 10);
  // Of 4 to 5 min a part is not known.
  EXPECT_EQ(Counted(), Pair(6, 0));
  EXPECT_EQ(Budget().budget->not_counted, 1);
  // A series that should be there is missing: it might be hot.
  Gauge(at_, "b", 20);
  run(480'000, 10);
  EXPECT_EQ(Counted(), Pair(7, 0));
  run(540'000, 10);
  EXPECT_EQ(Counted(), Pair(7, 0));
  EXPECT_EQ(Budget().budget->not_counted, 2);
}

// An emitter cannot count, and what it sends under the name is its own.
TEST_F(SliceLog, NobodyElseCounts) {
  Until(0);
  Plan(0, 1, PlanOf(kCool));
  const plan::Plan plan = plan::Parse(PlanOf(kCool)).plan;
  Labels labels;
  for (const plan::LabelMatch& match : plan.slos.at(0).bad.operands[1].matches)
    labels.Set(match.name, match.value);
  const std::string theirs = labels.Encode();
  const SeriesView series[] = {{{7, 1}, SeriesKind::kCounterDelta, "slo:slices", "1", theirs},
                               {{7, 2}, SeriesKind::kSlices, "slo:bad_slices", "1", theirs}};
  const std::uint32_t index[] = {0, 1};
  const std::int64_t delta[] = {0, 0};
  const double value[] = {50, 50};
  BatchView batch;
  batch.service = "shop";
  batch.base_time_ms = kNine + 1000;
  batch.series = series;
  batch.point_series = index;
  batch.point_time_delta_ms = delta;
  batch.point_value = value;
  Until(1000);
  Apply(1000, batch);
  Until(63'000);
  EXPECT_EQ(Budget().state, AlarmState::kBlind);
}

// However far one record takes the clock, each slice is counted before what looks at it.
TEST_F(SliceLog, AClockThatLeapsJudgesThemInTheirOrder) {
  using Found = std::vector<std::pair<double, double>>;
  const auto run = [&](bool gradually) {
    shard_ = Shard(TimeMap{}, ShardLimits{});
    offset_ = 0;
    Plan(0, 1, PlanOf(kCool + ", window: 10s", "objective: 98%, over: 3d"));
    Found found;
    std::mt19937 random(7);
    std::int64_t at = 1000;
    while (at < 8'000'000) {
      Gauge(at, "a", at > 5'000'000 ? 90 : 10);
      // Without ticks nobody says that the log stood still.
      if (random() % 10 == 0) found.push_back(Counted());
      const std::int64_t next = at + 5000 + static_cast<std::int64_t>(random() % 60) * 1000;
      for (at += 250; gradually && at < next; at += 250) Gauge(at, "x", 1, "another");
      at = next;
    }
    EXPECT_EQ(shard_.counters().points_late, 0u);
    EXPECT_EQ(Find("shop/fast-fast-burn")->state, AlarmState::kFiring);
    return found;
  };
  const Found found = run(false);
  EXPECT_GT(found.back().second, 50);
  EXPECT_EQ(found, run(true));
}

// A log at 500 times the speed, with snapshots, that somebody adds up by himself.
class SliceSums : public testing::ShardLog, public ::testing::WithParamInterface<std::uint32_t> {
 protected:
  SliceSums() : ShardLog(AtSpeed(500)) {}
};

TEST_P(SliceSums, AgreeWithASum) {
  constexpr std::int64_t kDay = 86'400'000;
  constexpr std::int64_t kMinute = 60'000;
  constexpr std::int64_t kOver = 3 * kDay;
  std::mt19937 random(GetParam());
  Tick(0);
  Plan(0, 1, PlanOf("good: max(m) < 50, window: 5min", "objective: 95%, over: 3d"));
  std::map<std::int64_t, double> worst;  // by slice's end
  double level = 10;
  int checks = 0;
  int spent = 0;
  for (std::int64_t at = 2 * kMinute; at < 7 * kDay; at += 2 * kMinute) {
    if (random() % 300 == 0) level = static_cast<double>(random() % 60);
    const double value = level + static_cast<double>(random() % 20);
    Say(at, SeriesKind::kGauge, {{"m", {}, value}});
    const std::int64_t end = (kNine + at + 5 * kMinute - 1) / (5 * kMinute) * (5 * kMinute);
    const auto [it, fresh] = worst.emplace(end, value);
    it->second = std::max(it->second, value);
    Tick(at + kMinute);
    if (random() % 1000 == 0) Restart();
    if (at < 3'600'000 || random() % 40 != 0) continue;
    for (const AlarmView& view : shard_.Alarms()) {
      if (view.name != "fast-budget") continue;
      constexpr std::int64_t kPane = kOver / 30;
      const std::int64_t upto = ToMs(view.watermark);
      const std::int64_t from = (upto + kPane - 1) / kPane * kPane - kOver;
      double all = 0;
      double bad = 0;
      for (const auto& [end_of, max] : worst) {
        // The first slice began before the plan.
        if (end_of <= std::max(from, kNine + 5 * kMinute - 1) || end_of > upto) continue;
        all += 1;
        bad += max < 50 ? 0 : 1;
      }
      ASSERT_TRUE(view.budget) << at;
      EXPECT_EQ(view.budget->events, all) << at;
      EXPECT_NEAR(view.value, bad * 100 / all, 1e-9) << at;
      EXPECT_EQ(view.budget->not_counted, 0) << at;
      const double allowed = 0.05 * static_cast<double>(kOver / (5 * kMinute));
      if (from >= kNine) {
        ++checks;
        // Of the present pane the rest is still to come.
        const double whole = static_cast<double>(kOver / (5 * kMinute));
        EXPECT_NEAR(view.budget->left, 1 - bad / all * whole / allowed, 1e-9) << at;
        spent += view.budget->left < 0 ? 1 : 0;
      }
    }
    if (HasFailure()) return;
  }
  EXPECT_GT(checks, 20);
  EXPECT_GT(spent, 0);
}

INSTANTIATE_TEST_SUITE_P(Seeded, SliceSums, ::testing::Values(1, 2, 3));

}  // namespace
}  // namespace liveops::engine
