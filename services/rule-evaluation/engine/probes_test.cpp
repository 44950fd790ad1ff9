#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "services/rule-evaluation/engine/spread_log.h"

// A probe and the plan by which it has a part in a shard, in either order.
namespace liveops::engine {
namespace {

using ::testing::HasSubstr;
using testing::kNine;
using ::testing::Not;
using testing::SpreadLog;
using testing::SpreadPlan;

constexpr std::string_view kExpression = "sum(cpu_utilization) over 10s < 50%";
constexpr std::string_view kAlarms =
    "  - {name: hot, when: 'max(cpu_utilization) over 10s > 90%', severity: high, owner: on-call}";

class ProbesTest : public SpreadLog {
 protected:
  void PlanOfNode(int node, std::int64_t at, std::uint64_t version, int spread = 3) {
    const std::string text = SpreadPlan(spread, kAlarms);
    PlanActivationView plan;
    plan.service = kService;
    plan.version = version;
    plan.text = text;
    Apply(nodes_[static_cast<std::size_t>(node)], at, plan);
  }
  void Probe(int node, std::int64_t at, std::string_view id = "r/expect",
             std::string_view expression = kExpression) {
    Apply(nodes_[static_cast<std::size_t>(node)], at,
          ProbeStartView{id, kService, expression, Duration(120'000)});
  }
  // A gauge of each, each second.
  void Gauges(std::int64_t from, std::int64_t to) {
    for (std::int64_t at = from; at <= to; at += 1000) {
      Until(at);
      for (int i = 0; i < static_cast<int>(nodes_.size()); ++i) {
        Gauge(i, at, std::string(1, static_cast<char>('a' + i)), 10);
      }
    }
  }
  // The names of the probes of which a node told readings that are not written yet.
  std::set<std::string> ToldBy(int node) {
    std::set<std::string> names;
    for (const Readings& r : nodes_[static_cast<std::size_t>(node)].told) {
      if (r.rule.starts_with("probe:")) names.insert(r.rule);
    }
    return names;
  }
  // The last one reads the probe 5 s before the plan by which series of the service lie there.
  void ProbeBeforePlan(bool restarts) {
    Make(3);
    PlanOfNode(0, 0, 1);
    PlanOfNode(1, 0, 1);
    Gauges(0, 20'000);
    for (int i = 0; i < 3; ++i) Probe(i, 20'000);
    Gauges(21'000, 22'000);
    if (restarts) Restart(nodes_[2]);
    Gauges(23'000, 25'000);
    PlanOfNode(2, 25'000, 1);
    if (restarts) Restart(nodes_[2]);
    Gauges(26'000, 45'000);
  }
  static void Restart(Node& node) {
    const std::string before = node.shard.Snapshot();
    auto restored = Shard::Restore(before, TimeMap{}, node.limits);
    ASSERT_TRUE(restored.ok()) << restored.error().message;
    EXPECT_EQ(restored->Snapshot(), before);
    node.shard = std::move(*restored);
  }
};

TEST_F(ProbesTest, OneThatComesBeforeThePlanBeginsWithThePlan) {
  ProbeBeforePlan(false);
  const auto told = Take();
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0].probe_id, "r/expect");
  EXPECT_EQ(told[0].reason, "true");
  EXPECT_EQ(told[0].value, 30);
  // The first window that all know: of the last one since the plan.
  EXPECT_EQ(told[0].window_end, InstantFromMs(kNine + 35'000));
}

TEST_F(ProbesTest, OneThatAwaitsThePlanIsPartOfTheSnapshot) {
  ProbeBeforePlan(false);
  const auto told = Take();
  const std::string whole = nodes_[2].shard.Snapshot();
  nodes_.clear();
  at_ = 0;
  ProbeBeforePlan(true);
  const auto again = Take();
  ASSERT_EQ(again.size(), 1u);
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(again[0].window_end, told[0].window_end);
  EXPECT_EQ(nodes_[2].shard.Snapshot(), whole);
}

// As on one shard: what is named is a group.
TEST_F(ProbesTest, AGroupOfWhichNothingComesInTimeHoldsItBack) {
  Make(2);
  PlanOfNode(0, 0, 1, 2);
  PlanOfNode(1, 0, 1, 2);
  Until(20'000);
  for (int i = 0; i < 2; ++i) {
    Probe(i, 20'000, "r/expect", "last(cpu_utilization) by pod over 10s < 50%");
  }
  for (std::int64_t at = 21'000; at <= 150'000; at += 1000) {
    Until(at);
    Gauge(0, at, "a", 10);
    Point(1, at, SeriesKind::kGauge, "cpu_utilization", "b", 10, "%", 30'000);
  }
  const auto told = Take();
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0].reason, "timed_out");
  EXPECT_EQ(told[0].alarm_id, "shop/probe:r/expect{pod=\"b\"}");
}

TEST_F(ProbesTest, OneThatIsOverDoesNotBegin) {
  for (const std::int64_t late : {-1000, 0}) {
    Make(3);
    nodes_[2].held = true;
    Gauges(0, 20'000);
    Probe(2, 20'000);
    const std::int64_t over = 20'000 + 120'000 + 600'000;
    Gauges(21'000, over + late - 1000);
    Until(over + late);
    PlanOfNode(2, over + late, 1);
    Gauges(over + late, over + late + 20'000);
    EXPECT_EQ(ToldBy(2).size(), late < 0 ? 1u : 0u) << late;
    nodes_.clear();
    at_ = 0;
  }
}

TEST_F(ProbesTest, OneThatIsOverIsForgottenThoughNoPlanComes) {
  Make(3);
  Until(20'000);
  Probe(2, 20'000);
  Until(600'000);
  EXPECT_THAT(nodes_[2].shard.Snapshot(), HasSubstr(kExpression));
  Until(1'200'000);  // at the ten minutes of the clock
  EXPECT_THAT(nodes_[2].shard.Snapshot(), Not(HasSubstr(kExpression)));
}

TEST_F(ProbesTest, SoManyAwaitAPlanAndTheNewestAreKept) {
  Make(3);
  nodes_[2].held = true;
  Gauges(0, 20'000);
  for (int i = 0; i < 70; ++i) Probe(2, 20'000, fmt::format("p{}", i));
  Restart(nodes_[2]);
  PlanOfNode(2, 20'000, 1);
  Gauges(21'000, 30'000);
  const std::set<std::string> told = ToldBy(2);
  EXPECT_EQ(told.size(), 64u);
  EXPECT_FALSE(told.contains("probe:p5"));
  EXPECT_TRUE(told.contains("probe:p6"));
  EXPECT_TRUE(told.contains("probe:p69"));
}

TEST_F(ProbesTest, OneThatIsRepeatedAwaitsThePlanOnce) {
  Make(3);
  nodes_[2].held = true;
  Until(20'000);
  for (int i = 0; i < 70; ++i) Probe(2, 20'000, i == 0 ? "first" : "again");
  PlanOfNode(2, 20'000, 1);
  Gauges(21'000, 30'000);
  EXPECT_EQ(ToldBy(2), (std::set<std::string>{"probe:first", "probe:again"}));
}

TEST_F(ProbesTest, OneThatCannotBeReadAwaitsNothing) {
  Make(3);
  Until(20'000);
  Probe(2, 20'000, "r/expect", "rato(a) < 1%");
  EXPECT_THAT(nodes_[2].shard.Snapshot(), Not(HasSubstr("rato(a)")));
  PlanOfNode(2, 20'000, 1);
  Until(40'000);
  EXPECT_TRUE(Take().empty());
}

TEST_F(ProbesTest, OneWhoseSeriesLieElsewhereForAWhileBeginsAnewWhenTheyAreBack) {
  Make(3);
  nodes_[2].held = true;
  PlanOfNode(2, 0, 1);
  Gauges(0, 20'000);
  Probe(2, 20'000);
  Gauges(21'000, 30'000);
  EXPECT_EQ(ToldBy(2).size(), 1u);
  PlanOfNode(2, 30'000, 2, 2);
  nodes_[2].told.clear();
  Gauges(31'000, 40'000);
  EXPECT_TRUE(ToldBy(2).empty());
  PlanOfNode(2, 40'000, 3);
  Gauges(41'000, 60'000);
  EXPECT_EQ(ToldBy(2).size(), 1u);
}

}  // namespace
}  // namespace liveops::engine
