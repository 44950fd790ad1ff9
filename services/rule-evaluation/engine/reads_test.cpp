// Rules over several services (ADR 11), each service on a shard of its own. That the values and the
// times are right, the random histories show (oracle/services_test.cpp).
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "common/base/hash.h"
#include "services/rule-evaluation/engine/shard.h"
#include "services/rule-evaluation/engine/timeline.h"

namespace liveops::engine {
namespace {

using ::testing::HasSubstr;
using testing::kNine;
using ::testing::Not;

constexpr std::int32_t kPartitions = 8;

std::string Lossy(const std::string& when, const std::string& more = "") {
  return testing::One("lossy", when, more);
}
const std::string kBoth =
    Lossy("sum(orders) - sum(charges{service=\"payments\"}) over 10s > 5 for 5s");

class ReadsTest : public ::testing::Test {
 protected:
  struct Node {
    Node(std::string name, ShardLimits given)
        : service(std::move(name)), limits(given), shard(TimeMap{}, given) {}
    std::string service;  // whose points it gets
    ShardLimits limits;
    Shard shard;
    std::int64_t offset = 0;
    bool held = false;
    std::deque<Readings> told;  // and not written yet
  };

  void SetUp() override {
    Add("shop", PartitionOf("shop", kPartitions));
    Add("payments", PartitionOf("payments", kPartitions));
    ASSERT_NE(nodes_[0].limits.partition, nodes_[1].limits.partition);
  }
  void Add(const std::string& service, std::int32_t partition) {
    ShardLimits limits;
    limits.partition = partition;
    limits.partitions = kPartitions;
    nodes_.emplace_back(service, limits);
  }
  template <typename Body>
  void Apply(Node& node, Body body) {
    RecordView record;
    record.offset = node.offset++;
    record.append_time = RealFromMs(kNine + at_);
    record.body = body;
    std::vector<Readings> told;
    node.shard.Apply(record, out_, told);
    readings_ += told.size();
    for (Readings& readings : told) node.told.push_back(std::move(readings));
  }
  void Write() {
    for (Node& node : nodes_) {
      while (!node.held && !node.told.empty()) {
        const Readings readings = std::move(node.told.front());
        node.told.pop_front();
        for (Node& home : nodes_) {
          if (home.limits.partition == readings.home_partition) Apply(home, ViewOf(readings));
        }
      }
    }
  }
  void Plan(std::uint64_t version, const std::string& plan_text,
            std::vector<ServiceRead> reads = {{"payments", 1, {}}}) {
    for (Node& node : nodes_) {
      PlanActivationView plan;
      plan.service = "shop";
      plan.version = version;
      plan.text = plan_text;
      plan.reads = reads;
      Apply(node, plan);
    }
    Write();
  }
  void Gauge(Node& node, std::string_view metric, double value, std::string_view pod = "a") {
    Labels of_pod;
    of_pod.Set("pod", pod);
    const std::string labels = of_pod.Encode();
    const SeriesView series{{1, Xxh64(node.service + labels + std::string(metric))},
                            SeriesKind::kGauge,
                            metric,
                            "",
                            labels};
    const std::uint32_t index = 0;
    const std::int64_t delta = 0;
    BatchView batch;
    batch.service = node.service;
    batch.base_time_ms = kNine + at_;
    batch.series = {&series, 1};
    batch.point_series = {&index, 1};
    batch.point_time_delta_ms = {&delta, 1};
    batch.point_value = {&value, 1};
    Apply(node, batch);
    Write();
  }
  // Each second a gauge of each, NaN = none; ticks in between.
  void Run(std::int64_t until, double orders, double charges) {
    for (; at_ <= until; at_ += 250) {
      for (Node& node : nodes_) {
        TickView tick;
        tick.instance = "i";
        tick.session = 1;
        tick.steady_ms = at_;
        Apply(node, tick);
      }
      Write();
      if (at_ % 1000 != 0) continue;
      if (orders == orders) Gauge(nodes_[0], "orders", orders);
      if (charges == charges) Gauge(nodes_[1], "charges", charges);
    }
  }
  const AlarmView& Shown() {
    views_ = nodes_[0].shard.Alarms();
    for (const AlarmView& v : views_) {
      if (v.alarm_id == "shop/lossy") return v;
    }
    static const AlarmView kNone;
    return kNone;
  }
  std::vector<Transition> Take() { return std::exchange(out_, {}); }

  static constexpr double kNothing = std::numeric_limits<double>::quiet_NaN();
  std::deque<Node> nodes_;
  std::int64_t at_ = 0;
  std::size_t readings_ = 0;
  std::vector<Transition> out_;
  std::vector<AlarmView> views_;
};

TEST_F(ReadsTest, TheHomeJudgesWhatBothSay) {
  Plan(1, kBoth);
  Run(30'000, 10, 8);
  EXPECT_TRUE(Take().empty());
  Run(60'000, 10, 3);
  const auto fired = Take();
  ASSERT_EQ(fired.size(), 1u);
  EXPECT_EQ(fired[0].alarm_id, "shop/lossy");
  EXPECT_EQ(fired[0].state, AlarmState::kFiring);
  EXPECT_EQ(fired[0].value, 7);
  Run(90'000, 10, 8);
  const auto over = Take();
  ASSERT_EQ(over.size(), 1u);
  EXPECT_EQ(over[0].state, AlarmState::kResolved);
  // The other service has no alarm of it to show.
  EXPECT_TRUE(nodes_[1].shard.Alarms().empty());
}

TEST_F(ReadsTest, AServiceThatNobodyKnowsLeavesItUnknownAndFalseToNobody) {
  Plan(1, Lossy("sum(charges{service=\"payments\"}) over 10s < 5"));
  Run(120'000, 10, kNothing);
  EXPECT_TRUE(Take().empty());
  EXPECT_EQ(Shown().state, AlarmState::kBlind);
  Run(150'000, 10, 1);
  const auto fired = Take();
  ASSERT_EQ(fired.size(), 1u);
  EXPECT_EQ(fired[0].state, AlarmState::kFiring);
}

TEST_F(ReadsTest, TheOthersShardThatSaysNothingHoldsTheVerdictBackAndIsNamed) {
  Plan(1, kBoth);
  Run(30'000, 10, 3);
  ASSERT_EQ(Take().size(), 1u);
  nodes_[1].held = true;
  Run(60'000, 10, 10);
  EXPECT_TRUE(Take().empty());  // above all it is not over
  EXPECT_THAT(Shown().explanation,
              HasSubstr(fmt::format("partition {}, where series of payments lie, does not say",
                                    nodes_[1].limits.partition)));
  nodes_[1].held = false;
  Run(62'000, 10, 10);
  const auto over = Take();
  ASSERT_EQ(over.size(), 1u);
  EXPECT_EQ(over[0].state, AlarmState::kResolved);
  EXPECT_LT(over[0].window_end, InstantFromMs(kNine + 50'000));
  EXPECT_THAT(Shown().explanation, Not(HasSubstr("does not say")));
}

TEST_F(ReadsTest, APlanThatReadsTheOtherNoLongerGoesOnAloneAndOneThatReadsItAgainWaits) {
  Plan(1, kBoth);
  Run(30'000, 10, 3);
  ASSERT_EQ(Take().size(), 1u);
  Plan(2, Lossy("sum(orders) over 10s > 5 for 5s"), {});
  EXPECT_EQ(nodes_[1].shard.PlanVersion("shop"), 2u);
  const std::size_t before = readings_;
  nodes_[1].held = true;  // nobody asks
  Run(60'000, 10, 3);
  EXPECT_EQ(readings_, before);
  EXPECT_TRUE(Take().empty());  // the episode goes on
  EXPECT_EQ(Shown().state, AlarmState::kFiring);
  Run(90'000, 1, 3);
  ASSERT_EQ(Take().size(), 1u);
  nodes_[1].held = false;
  Plan(3, kBoth);
  Run(120'000, 10, 3);
  const auto again = Take();
  ASSERT_EQ(again.size(), 1u);
  EXPECT_EQ(again[0].value, 7);
}

TEST_F(ReadsTest, TheOtherIsSpreadAndTheSameVersionReadsItThereToo) {
  const std::int32_t first = nodes_[1].limits.partition;
  Add("payments", (first + 1) % kPartitions);
  ASSERT_NE(nodes_[2].limits.partition, nodes_[0].limits.partition);
  Plan(1, kBoth);
  Run(30'000, 20, 3);
  ASSERT_EQ(Take().size(), 1u);
  const std::vector<ServiceRead> moved{{"payments", 2, RealFromMs(kNine + 40'000)}};
  Plan(1, kBoth, moved);
  EXPECT_EQ(nodes_[0].shard.PlanReads("shop"), moved);
  for (; at_ <= 90'000;) {
    Run(at_, 20, 3);
    Gauge(nodes_[2], "charges", 16, "b");
  }
  const auto over = Take();
  ASSERT_EQ(over.size(), 1u);  // 20 - 3 - 16
  EXPECT_EQ(over[0].state, AlarmState::kResolved);
  EXPECT_EQ(over[0].value, 1);
}

TEST_F(ReadsTest, OnOnePartitionItIsAConditionLikeAnyOther) {
  nodes_.clear();
  ShardLimits one;
  nodes_.emplace_back("shop", one);
  Plan(1, kBoth);
  for (; at_ <= 30'000;) {
    Run(at_, 10, kNothing);
    nodes_[0].service = "payments";
    Gauge(nodes_[0], "charges", 3);
    nodes_[0].service = "shop";
    Gauge(nodes_[0], "charges", 9);  // of its own: not what is read
  }
  const auto fired = Take();
  ASSERT_EQ(fired.size(), 1u);
  EXPECT_EQ(fired[0].value, 7);
  EXPECT_EQ(readings_, 0u);
}

TEST_F(ReadsTest, PointsOfTheOtherThatWereRefusedMakeItsSilenceProveNothing) {
  Plan(1, Lossy("sum(charges{service=\"payments\"}) over 10s > 5", ", no_data: fire"));
  Run(60'000, 10, 9);
  ASSERT_EQ(Take().size(), 1u);
  const std::pair<std::string_view, std::uint64_t> refused{"payments", 3};
  for (const std::int64_t from = at_; at_ <= from + 40'000;) {
    Run(at_, 10, kNothing);
    TickView tick;
    tick.instance = "i";
    tick.session = 1;
    tick.steady_ms = at_;
    tick.refused_points = {&refused, 1};
    Apply(nodes_[1], tick);
  }
  EXPECT_TRUE(Take().empty());
  EXPECT_EQ(Shown().state, AlarmState::kFiring);
  Run(at_ + 60'000, 10, kNothing);
  const auto silent = Take();
  ASSERT_EQ(silent.size(), 1u);
  EXPECT_NE(silent[0].state, AlarmState::kResolved);
}

TEST_F(ReadsTest, SeriesOfTheOtherThatWereDecommissionedLeaveTheirGroup) {
  Plan(1, Lossy("max(charges{service=\"payments\"}) by pod over 10s > 5"));
  Run(30'000, 10, 9);
  ASSERT_EQ(Take().size(), 1u);
  Labels pod;
  pod.Set("pod", "a");
  const std::string labels = pod.Encode();
  DecommissionView marker;
  marker.service = "payments";
  marker.labels = labels;
  Apply(nodes_[1], marker);
  Run(60'000, 10, kNothing);
  const auto gone = Take();
  ASSERT_EQ(gone.size(), 1u);
  EXPECT_EQ(gone[0].state, AlarmState::kGone);
}

TEST_F(ReadsTest, ASnapshotThatIsBeingCutHoldsTheRuleAsItWasBeforeTheOthersPoint) {
  Plan(1, kBoth);
  Run(30'000, 10, 3);
  Shard& shard = nodes_[1].shard;
  const std::vector<std::string> before = shard.Sections();
  shard.BeginCut();
  at_ -= 249;  // nothing is due meanwhile
  Gauge(nodes_[1], "charges", 4);
  ASSERT_NE(shard.Sections(), before);
  ASSERT_EQ(shard.ContinueCut(SIZE_MAX), Shard::CutState::kWhole);
  EXPECT_EQ(shard.TakeCut(), before);
}

TEST_F(ReadsTest, ARestartOfEitherLeavesTheSameState) {
  Plan(1, kBoth);
  for (int i = 0; i < 240; ++i) {
    Run(at_, 10, i < 160 ? 3 : 9);
    for (Node& node : nodes_) {
      const std::string before = node.shard.Snapshot();
      auto restored = Shard::Restore(before, TimeMap{}, node.limits);
      ASSERT_TRUE(restored.ok()) << restored.error().message;
      EXPECT_EQ(restored->Snapshot(), before);
      node.shard = std::move(*restored);
    }
  }
  Run(90'000, 10, 9);
  const auto told = Take();
  ASSERT_EQ(told.size(), 2u);
  EXPECT_EQ(told[0].state, AlarmState::kFiring);
  EXPECT_EQ(told[1].state, AlarmState::kResolved);
}

}  // namespace
}  // namespace liveops::engine
