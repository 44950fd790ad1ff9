#include "services/rule-evaluation/engine/shard.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cmath>
#include <limits>
#include <random>

#include "services/rule-evaluation/engine/shard_log.h"

namespace liveops::engine {
namespace {

using testing::kNine;
using testing::PlanOf;

const std::string kPlan = PlanOf(
    R"(  - {name: hot, when: 'last(cpu_utilization) by pod > 90%', severity: high, owner: on-call}
  - {name: errors, when: 5xx > 1%, severity: critical, owner: on-call})");

using ShardTest = testing::ShardLog;

TEST_F(ShardTest, IgnoresARecordItHas) {
  Until(0);
  Plan(0, 1, kPlan);
  EXPECT_EQ(Gauge(0, "a", 95).size(), 1u);
  const std::string before = shard_.Snapshot();
  --offset_;
  EXPECT_TRUE(Gauge(0, "b", 95).empty());
  EXPECT_EQ(shard_.Snapshot(), before);
  EXPECT_EQ(shard_.PlanVersion("shop"), 1u);
  EXPECT_EQ(shard_.PlanVersion("other"), 0u);
}

TEST_F(ShardTest, BadColumnsAreIgnored) {
  Until(0);
  Plan(0, 1, kPlan);
  Labels pod;
  pod.Set("pod", "a");
  const std::string labels = pod.Encode();
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const double inf = std::numeric_limits<double>::infinity();
  const std::vector<SeriesView> series{
      {{1, 1}, SeriesKind::kGauge, "cpu_utilization", "%", labels},
      {{1, 2}, SeriesKind::kGauge, "cpu_utilization", "%", "\x09not labels"},
      {{1, 3}, static_cast<SeriesKind>(77), "cpu_utilization", "%", labels},
      {{1, 4}, SeriesKind::kHistogramDelta, "http_request_duration_ms", "ms", labels}};
  const std::vector<std::uint32_t> index{0, 0, 9, 4'000'000'000u, 1, 2, 3};
  const std::vector<std::int64_t> delta{0, 0, 0, 0, 0, 0, 0};
  const std::vector<double> value{nan, inf, 95, 95, 95, 95, 95};
  const std::vector<double> bounds{1, 2};
  const std::vector<std::uint64_t> counts{1, 2};
  const std::vector<HistogramView> histograms{
      {3, 0, 0, 3, 1, bounds, counts}, {99, 0, 0, 3, 1, bounds, counts}, {0, 0, 0, 3, 1, {}, {}}};
  BatchView batch;
  batch.service = "shop";
  batch.base_time_ms = kNine;
  batch.series = series;
  batch.point_series = index;
  batch.point_time_delta_ms = delta;
  batch.point_value = value;
  batch.histograms = histograms;
  EXPECT_TRUE(Apply(0, batch).empty());
  batch.point_value = std::span(value).first(3);
  EXPECT_TRUE(Apply(0, batch).empty());
  batch.point_value = value;
  const std::vector<std::uint64_t> durations{UINT64_MAX, UINT64_MAX};
  batch.point_duration_ms = durations;
  EXPECT_TRUE(Apply(0, batch).empty());
  batch.base_time_ms = INT64_MIN;
  batch.point_duration_ms = {};
  EXPECT_TRUE(Apply(0, batch).empty());
  const std::vector<std::int64_t> far(7, INT64_MAX);
  batch.base_time_ms = kNine;
  batch.point_time_delta_ms = far;
  EXPECT_TRUE(Apply(0, batch).empty());
}

TEST_F(ShardTest, LimitsRefuseTheNewcomerOnly) {
  ShardLimits limits;
  limits.series_max = 2;
  limits.groups_max = 3;  // one is that of "errors"
  shard_ = Shard(TimeMap{}, limits);
  Until(0);
  Plan(0, 1, kPlan);
  EXPECT_EQ(Gauge(0, "a", 95).size(), 1u);
  EXPECT_EQ(Gauge(0, "b", 95).size(), 1u);
  EXPECT_EQ(Gauge(0, "c", 95).size(), 1u);  // no series more, whose ever it is; which is told
  EXPECT_EQ(shard_.counters().series_refused, 1u);
  EXPECT_THAT(
      Find("shop/hot{pod=\"a\"}")->explanation,
      ::testing::EndsWith(
          "; 2 series are as many as a shard may have, and others of shop are not watched"));
  Until(3000);
  Gauge(3000, "a", 10);
  Until(20'000);
  EXPECT_EQ(Find("shop/hot{pod=\"a\"}")->state, AlarmState::kOk);
  EXPECT_EQ(Find("shop/hot{pod=\"b\"}")->state, AlarmState::kFiring);
}

TEST_F(ShardTest, APlanEditLosesNoOpenAlarmToALimit) {
  ShardLimits limits;
  limits.groups_max = 3;
  limits.groups_of_rule_max = 2;
  shard_ = Shard(TimeMap{}, limits);
  Until(0);
  Plan(0, 1, kPlan);
  Gauge(0, "a", 95);
  Gauge(0, "b", 95);
  std::string wider = kPlan;
  wider.replace(wider.find("by pod"), 6, "by pod over 5min");
  EXPECT_TRUE(Plan(0, 2, wider).empty());
  EXPECT_EQ(Find("shop/hot{pod=\"a\"}")->state, AlarmState::kFiring);
  EXPECT_EQ(Find("shop/hot{pod=\"b\"}")->state, AlarmState::kFiring);
}

TEST_F(ShardTest, TellsWhatChangedAndWhatIsGone) {
  Until(0);
  Plan(0, 1, kPlan);
  std::vector<std::string> gone;
  std::vector<AlarmView> changed = shard_.TakeChanged(gone);
  ASSERT_EQ(changed.size(), 2u);  // the placeholder of "hot", and "errors"
  EXPECT_EQ(changed[0].alarm_id, "shop/hot");
  EXPECT_EQ(changed[0].state, AlarmState::kBlind);
  EXPECT_TRUE(shard_.TakeChanged(gone).empty());
  Gauge(0, "a", 95);
  changed = shard_.TakeChanged(gone);
  ASSERT_EQ(changed.size(), 1u);
  EXPECT_EQ(changed[0].alarm_id, "shop/hot{pod=\"a\"}");
  EXPECT_EQ(changed[0].state, AlarmState::kFiring);
  EXPECT_EQ(gone, std::vector<std::string>{"shop/hot"});
  gone.clear();
  Until(5000);
  Gauge(5000, "a", 95);
  Until(120'000);  // its only series is silent: gone
  changed = shard_.TakeChanged(gone);
  EXPECT_EQ(gone, std::vector<std::string>{"shop/hot{pod=\"a\"}"});
}

TEST_F(ShardTest, RestoreRefusesWhatIsNoSnapshot) {
  Until(0);
  Plan(0, 1, kPlan);
  Gauge(0, "a", 95);
  const std::string good = shard_.Snapshot();
  ASSERT_TRUE(Shard::Restore(good, {}, {}).ok());
  EXPECT_FALSE(Shard::Restore("", {}, {}).ok());
  EXPECT_FALSE(Shard::Restore("something else", {}, {}).ok());
  for (std::size_t i = 0; i < good.size(); i += 3) {
    EXPECT_FALSE(Shard::Restore(good.substr(0, i), {}, {}).ok()) << i;
    std::string bad = good;
    bad[i] = static_cast<char>(bad[i] ^ 0x20);
    EXPECT_FALSE(Shard::Restore(bad, {}, {}).ok()) << i;
  }
  EXPECT_EQ(Shard::Restore(good.substr(0, 40), {}, {}).error().code, ErrorCode::kInvalid);
}

TEST_F(ShardTest, TheLogWins) {
  Until(0);
  Plan(0, 1, kPlan);
  const std::vector<Transition> fired = Gauge(0, "a", 95);
  ASSERT_EQ(fired.size(), 1u);
  EXPECT_FALSE(shard_.Adopt(fired[0]));
  Transition other = fired[0];
  other.episode -= Duration(500);
  EXPECT_TRUE(shard_.Adopt(other));
  EXPECT_FALSE(shard_.Adopt(other));
  EXPECT_EQ(Find("shop/hot{pod=\"a\"}")->episode, other.episode);
  other.state = AlarmState::kResolved;
  other.step = 1;
  EXPECT_TRUE(shard_.Adopt(other));
  EXPECT_EQ(Find("shop/hot{pod=\"a\"}")->state, AlarmState::kOk);
}

TEST_F(ShardTest, EntersTheLogInTheMiddle) {
  // Before: errors fires. The snapshot is lost; the plan in force and the last transition are
  // known.
  Transition truth;
  truth.alarm_id = "shop/errors";
  truth.service = "shop";
  truth.name = "errors";
  truth.state = AlarmState::kFiring;
  truth.episode = truth.since = truth.clock = InstantFromMs(kNine - 60'000);
  truth.value = truth.peak = 4;
  Transition removed = truth;
  removed.alarm_id = "shop/old";
  removed.name = "old";
  PlanActivationView plan;
  plan.service = "shop";
  plan.version = 3;
  plan.text = kPlan;
  shard_.StartAt({plan});
  EXPECT_TRUE(shard_.Adopt(truth));
  EXPECT_TRUE(shard_.Adopt(removed));
  offset_ = 5000;
  // What the plan in force does not know any more is closed.
  const std::vector<Transition> told = Until(0);
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0].alarm_id, "shop/old");
  EXPECT_EQ(told[0].state, AlarmState::kWithdrawn);
  EXPECT_EQ(told[0].step, 1u);
  // 5xx is 0 %, but the window is not whole until a minute has passed.
  std::vector<Transition> all;
  for (std::int64_t t = 0; t <= 120'000; t += 5000) {
    for (Transition& x : Until(t)) all.push_back(x);
    const std::vector<SeriesView> series{
        {{5, 1}, SeriesKind::kCounterDelta, "http_5xx_count", "", ""},
        {{5, 2}, SeriesKind::kCounterDelta, "http_request_count", "", ""}};
    const std::vector<std::uint32_t> index{0, 1};
    const std::vector<std::int64_t> delta{0, 0};
    const std::vector<double> value{0, 100};
    BatchView batch;
    batch.service = "shop";
    batch.base_time_ms = kNine + t;
    batch.series = series;
    batch.point_series = index;
    batch.point_time_delta_ms = delta;
    batch.point_value = value;
    for (Transition& x : Apply(t, batch)) all.push_back(x);
    if (t == 55'000) {
      EXPECT_TRUE(all.empty());
      EXPECT_EQ(Find("shop/errors")->state, AlarmState::kFiring);
    }
  }
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0].state, AlarmState::kResolved);
  EXPECT_EQ(all[0].episode, truth.episode);
  EXPECT_EQ(all[0].step, 1u);
  EXPECT_EQ(ToMs(all[0].clock), kNine + 62'000);
  EXPECT_EQ(all[0].peak, 4);
}

// Page latency rests on this: 500 groups, and a record judges one of them.
TEST_F(ShardTest, ASampleCostsMicroseconds) {
  Until(0);
  Plan(0, 1, kPlan);
  for (int i = 0; i < 500; ++i) Gauge(0, "p" + std::to_string(i), 10);
  Until(4000);
  const std::uint64_t judged = shard_.counters().judgements;
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < 2000; ++i) Gauge(4000, "p" + std::to_string(i % 500), 20);
  const auto spent = std::chrono::steady_clock::now() - begin;
  EXPECT_EQ(shard_.counters().judgements - judged, 2000u);
  EXPECT_LT(std::chrono::duration_cast<std::chrono::microseconds>(spent).count() / 2000, 100);
}

// The property behind crash safety, over histories that nobody thought of.
TEST(ShardProperty, SnapshotAndSuffixEqualAStraightRun) {
  const std::string plan = PlanOf(
      R"(  - {name: hot, when: 'last(cpu_utilization) by pod > 90%', clear: '< 80% for 10s', no_data: fire, severity: high, owner: on-call}
  - {name: avg, when: 'avg(cpu_utilization) over 20s > 60% for 10s', severity: high, owner: on-call}
  - {name: errors, when: 5xx > 10%, min_count: 5, severity: critical, owner: on-call}
  - {name: slow, when: p95 over 30s > 500ms, min_count: 5, severity: critical, owner: on-call}
  - {name: down, when: req/min < 100, no_data: fire, severity: critical, owner: on-call}
  - {name: jobs, when: 'count(jobs) by pod over 30s > 50', severity: low, owner: on-call})");
  std::size_t told = 0;
  for (int seed = 1; seed <= 12; ++seed) {
    std::mt19937 random(static_cast<unsigned>(seed));
    const auto pick = [&](int n) { return static_cast<int>(random() % static_cast<unsigned>(n)); };
    testing::Script script;
    script.plans["a"] = plan;
    script.plans["b"] = PlanOf(
        "  - {name: errors, when: 5xx > 20%, severity: low, owner: on-call}\n"
        "  - {name: hot, when: 'last(cpu_utilization) by pod > 90%', severity: high, "
        "owner: on-call}");
    std::string& text = script.text;
    text = R"(plan 0s a
series A gauge cpu_utilization pod=a unit=%
series B gauge cpu_utilization pod=b unit=1
series E delta http_5xx_count
series R delta http_request_count
series L observation http_request_duration_ms unit=ms
series H histogram http_request_duration_ms unit=ms
series J cumulative jobs pod=a
)";
    int jobs = 0;
    for (int i = 0; i < 150; ++i) {
      const int at = 1000 + pick(280'000);
      std::string line = std::to_string(at) + "ms:";
      if (pick(2) == 0) line += " A=" + std::to_string(pick(110));
      if (pick(4) == 0) line += " B=0." + std::to_string(10 + pick(90));
      if (pick(2) == 0) {
        line += " E=" + std::to_string(pick(4)) + " R=" + std::to_string(10 + pick(20));
      }
      if (pick(3) == 0) line += " L=" + std::to_string(pick(800));
      if (pick(6) == 0)
        line += " H=100:" + std::to_string(pick(9)) + ",700:" + std::to_string(pick(9)) + ",inf:1";
      if (pick(5) == 0)
        line += " J=" + std::to_string(jobs += pick(40)) + "/" + std::to_string(at - 500) + "ms";
      line += " @emitter=" + std::string(pick(2) == 0 ? "x" : "y");
      if (pick(4) == 0) line += " @delay=" + std::to_string(pick(4000)) + "ms";
      if (pick(30) == 0) line += " @event=+1h";
      if (pick(12) == 0) line += " @otlp";
      text += line + "\n";
    }
    if (seed % 3 == 0)
      text += "ticks i 0s..100s\nticks i " + std::to_string(103 + seed * 2) + "s..5min new\n";
    if (seed % 4 == 0) text += "broker 60s..90s +1h\nrefuse i 200s..210s\n";
    if (seed % 2 == 0) text += "plan 3min b\n";
    text +=
        "probe 70s p within=2min max(cpu_utilization) over 10s < 50% for 0s\ndeploy 50s 7\nend "
        "5min";
    const testing::Outcome outcome = Play(script);
    EXPECT_EQ(outcome.fault, "") << "seed " << seed;
    told += outcome.transitions.size();
  }
  EXPECT_GT(told, 100u);
}

}  // namespace
}  // namespace liveops::engine
