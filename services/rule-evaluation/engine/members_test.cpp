// A group's members leave in one pass, however many they are: counted is how often one is given
// another place in the rule's index.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <string>
#include <type_traits>
#include <vector>

#include "common/base/hash.h"
#include "services/rule-evaluation/engine/activate.h"
#include "services/rule-evaluation/engine/timeline.h"

namespace liveops::engine {
namespace {

using testing::kNine;
using testing::One;

constexpr int kPods = 10'000;  // half of them in zone a, half in zone b

class ManyMembers : public ::testing::Test {
 protected:
  // As Shard::Apply does, of which a test sees no work.
  template <typename Body>
  void Apply(const Body& body) {
    RecordView record;
    record.offset = s_.position + 1;
    record.append_time = RealFromMs(kNine + now_);
    record.body = body;
    s_.position = record.offset;
    AdvanceClock(s_, record);
    JudgeDue(s_, told_);
    if constexpr (std::is_same_v<Body, TickView>) ApplyTick(s_, body);
    if constexpr (std::is_same_v<Body, BatchView>) ApplyBatch(s_, record.offset, false, body);
    if constexpr (std::is_same_v<Body, PlanActivationView>) ActivatePlan(s_, body, told_);
    if constexpr (std::is_same_v<Body, DecommissionView>) ApplyDecommission(s_, body, told_);
    JudgeTouched(s_, told_);
  }
  void Tick() {
    TickView tick;
    tick.instance = "i";
    tick.session = 1;
    tick.steady_ms = now_;
    Apply(tick);
  }
  void Until(std::int64_t to) {
    for (; now_ < to; now_ += 1000) Tick();
  }
  // Two points of each pod, 5 s apart, under an alarm that this fires.
  void Say(SeriesKind kind, const std::string& when) {
    Tick();
    PlanActivationView plan;
    plan.service = "shop";
    plan.version = 1;
    const std::string text = One("hot", when);
    plan.text = text;
    Apply(plan);
    std::vector<std::string> labels;
    for (int pod = 0; pod < kPods; ++pod) {
      Labels of;
      of.Set("pod", fmt::format("p{}", pod));
      of.Set("zone", pod % 2 == 0 ? "a" : "b");
      labels.push_back(of.Encode());
    }
    std::vector<SeriesView> series;
    std::vector<std::uint32_t> index;
    for (const std::string& bytes : labels) {
      series.push_back({{1, Xxh64(bytes)}, kind, "jobs", "", bytes});
      index.push_back(static_cast<std::uint32_t>(index.size()));
    }
    const std::vector<std::int64_t> deltas(kPods);
    const std::vector<double> values(kPods, 95);
    BatchView batch;
    batch.service = "shop";
    batch.series = series;
    batch.point_series = index;
    batch.point_time_delta_ms = deltas;
    batch.point_value = values;
    for (const std::int64_t at : {5000, 10'000}) {
      Until(at);
      batch.base_time_ms = kNine + now_;
      Apply(batch);
    }
    Until(20'000);
    ASSERT_EQ(s_.rules.begin()->second->members.size(), static_cast<std::size_t>(kPods));
    Expect({"firing crossed"});
  }
  void Decommission(const char* zone) {
    Labels of;
    of.Set("zone", zone);
    const std::string labels = of.Encode();
    DecommissionView view;
    view.service = "shop";
    view.labels = labels;
    Apply(view);
  }
  void Expect(const std::vector<std::string>& lines) {
    std::vector<std::string> told;
    for (const Transition& t : told_) {
      told.push_back(std::string(AlarmStateName(t.state)) + " " + t.reason);
    }
    EXPECT_EQ(told, lines);
  }
  std::size_t members() const { return s_.rules.begin()->second->members.size(); }

  State s_{TimeMap{}, ShardLimits{}};
  std::vector<Transition> told_;
  std::int64_t now_ = 0;
};

TEST_F(ManyMembers, AllWhoAreDecommissionedLeaveInOnePass) {
  Say(SeriesKind::kCounterDelta, "rate(jobs) > 10");
  Decommission("a");
  EXPECT_EQ(members(), static_cast<std::size_t>(kPods)) << "what they counted counts";
  Decommission("b");
  Expect({"firing crossed", "gone decommissioned"});
  EXPECT_EQ(members(), 0u);
  EXPECT_LE(s_.members_indexed, static_cast<std::uint64_t>(kPods));
}

TEST_F(ManyMembers, OfGaugesHalfLeaveInOnePassAndThenTheOthers) {
  Say(SeriesKind::kGauge, "max(jobs) > 90");
  Decommission("a");
  EXPECT_EQ(members(), static_cast<std::size_t>(kPods) / 2);
  EXPECT_LE(s_.members_indexed, static_cast<std::uint64_t>(kPods));
  Decommission("b");
  Expect({"firing crossed", "gone decommissioned"});
  EXPECT_EQ(members(), 0u);
  EXPECT_LE(s_.members_indexed, static_cast<std::uint64_t>(kPods));
}

TEST_F(ManyMembers, AllWhoFellSilentLeaveInOnePass) {
  Say(SeriesKind::kGauge, "max(jobs) > 90");
  Until(180'000);
  Expect({"firing crossed", "gone gone"});
  EXPECT_EQ(members(), 0u);
  EXPECT_LE(s_.members_indexed, static_cast<std::uint64_t>(kPods));
}

}  // namespace
}  // namespace liveops::engine
