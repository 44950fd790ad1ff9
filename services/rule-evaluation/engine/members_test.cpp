// A group's members leave in one pass, however many they are: counted is how often one is given
// another place in the rule's index.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <string>
#include <variant>
#include <vector>

#include "services/rule-evaluation/engine/activate.h"
#include "services/rule-evaluation/engine/shard_log.h"

namespace liveops::engine {
namespace {

using testing::One;

constexpr int kPods = 10'000;  // half of them in zone a, half in zone b

class ManyMembers : public testing::ShardLog {
 protected:
  // As Shard::Apply does, of which a test sees no work.
  void Put(const RecordView& record, std::vector<Transition>& out) override {
    s_.position = record.offset;
    AdvanceClock(s_, record);
    JudgeDue(s_, out);
    if (const auto* tick = std::get_if<TickView>(&record.body)) ApplyTick(s_, *tick);
    if (const auto* batch = std::get_if<BatchView>(&record.body))
      ApplyBatch(s_, record.offset, true, *batch);
    if (const auto* plan = std::get_if<PlanActivationView>(&record.body))
      ActivatePlan(s_, *plan, out);
    if (const auto* left = std::get_if<DecommissionView>(&record.body))
      ApplyDecommission(s_, *left, out);
    JudgeTouched(s_, out);
  }
  // Two points of each pod, 5 s apart, under an alarm that this fires.
  void Begin(SeriesKind kind, const std::string& when) {
    Tick(0);
    Plan(0, 1, One("hot", when));
    std::vector<Said> said;
    for (int pod = 0; pod < kPods; ++pod) {
      said.push_back(
          {"jobs", Labels({{"pod", fmt::format("p{}", pod)}, {"zone", pod % 2 == 0 ? "a" : "b"}}),
           95});
    }
    for (const std::int64_t at : {5000, 10'000}) {
      Until(at);
      Say(at, kind, said);
    }
    Until(20'000);
    ASSERT_EQ(members(), static_cast<std::size_t>(kPods));
    Expect({"firing crossed"});
  }
  void Decommission(const std::string& zone) {
    const std::string labels = Labels({{"zone", zone}}).Encode();
    DecommissionView view;
    view.service = "shop";
    view.labels = labels;
    Apply(at_, view);
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
};

TEST_F(ManyMembers, AllWhoAreDecommissionedLeaveInOnePass) {
  Begin(SeriesKind::kCounterDelta, "increase(jobs) > 10");
  Decommission("a");
  EXPECT_EQ(members(), static_cast<std::size_t>(kPods)) << "what they counted counts";
  Decommission("b");
  Expect({"firing crossed", "gone decommissioned"});
  EXPECT_EQ(members(), 0u);
  EXPECT_LE(s_.members_indexed, static_cast<std::uint64_t>(kPods));
}

TEST_F(ManyMembers, OfGaugesHalfLeaveInOnePassAndThenTheOthers) {
  Begin(SeriesKind::kGauge, "max(jobs) > 90");
  Decommission("a");
  EXPECT_EQ(members(), static_cast<std::size_t>(kPods) / 2);
  EXPECT_LE(s_.members_indexed, static_cast<std::uint64_t>(kPods));
  Decommission("b");
  Expect({"firing crossed", "gone decommissioned"});
  EXPECT_EQ(members(), 0u);
  EXPECT_LE(s_.members_indexed, static_cast<std::uint64_t>(kPods));
}

TEST_F(ManyMembers, AllWhoFellSilentLeaveInOnePass) {
  Begin(SeriesKind::kGauge, "max(jobs) > 90");
  Until(180'000);
  Expect({"firing crossed", "gone gone"});
  EXPECT_EQ(members(), 0u);
  EXPECT_LE(s_.members_indexed, static_cast<std::uint64_t>(kPods));
}

}  // namespace
}  // namespace liveops::engine
