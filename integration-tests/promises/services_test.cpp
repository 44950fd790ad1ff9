// A rule over several services (ADR 11), by real processes on a real Kafka and Redis.
#include <gmock/gmock.h>

#include <fmt/format.h>

#include <thread>

#include "common/base/hash.h"
#include "integration-tests/outages/ground.h"
#include "integration-tests/promises/evaluation_log.h"

namespace liveops::promises {
namespace {

using outages::Await;
using outages::Emitter;
using outages::Ground;
using stack::Service;

constexpr Duration kTakenOverWithin{45'000};
constexpr Duration kPageWithin{60'000};

class Services : public Ground {
 public:
  static void SetUpTestSuite() {
    Ground::SetUpTestSuite();
    if (HasFatalFailure()) return;
    auto second = Stack().AddReplica(Service::kRuleEvaluation);
    ASSERT_TRUE(second.ok()) << second.error().message;
  }

 protected:
  // One whose partition is of the first half, or of the second: of two replicas, each owns one
  // half.
  static std::string ServiceInHalf(int half, const std::string& stem) {
    const std::int32_t all = Stack().options().partitions;
    for (int i = 0;; ++i) {
      std::string name = fmt::format("{}-{}", stem, i);
      if (PartitionOf(name, all) / (all / 2) == half) return name;
    }
  }
  static std::string StateOf(const std::string& alarm) { return Alarms()[alarm].state; }
};

TEST_F(Services, FireOnceWithWhatBothSayAndResolveOnceThoughTheOthersOwnerIsKilled) {
  const std::string checkout = ServiceInHalf(0, "checkout");
  const std::string payments = ServiceInHalf(1, "payments");
  const std::string alarm = checkout + "/hot";
  Apply(checkout,
        PlanOf(checkout, fmt::format("sum(x) + sum(x{{service=\\\"{}\\\"}}) over 5s > 6.5 for 20s",
                                     payments)));
  ASSERT_FALSE(HasFailure());
  const auto own = Emit(checkout, "c", 4);
  // The other has no plan, and says nothing yet: nothing is known of the sum.
  std::this_thread::sleep_for(Duration(6'000));
  EXPECT_EQ(ToldOf(checkout).opened, 0);
  const auto other = Emit(payments, "p", 5);
  ASSERT_TRUE(Await(kPageWithin, [&] { return StateOf(alarm) == "ALARM_STATE_PENDING"; }))
      << StateOf(alarm);
  const SteadyTime pending = std::chrono::steady_clock::now();
  std::this_thread::sleep_for(Duration(6'000));  // in the middle of the hold
  Stack().service(Service::kRuleEvaluation, 1).Kill();
  EXPECT_TRUE(Await(kPageWithin, [&] { return ToldOf(checkout).opened == 1; }));
  EXPECT_GE(outages::SinceMs(pending), 15'000) << "the hold was not kept";
  ASSERT_TRUE(Stack().service(Service::kRuleEvaluation, 1).Launch().ok());
  const Status serving = Stack().service(Service::kRuleEvaluation, 1).WaitServing(kTakenOverWithin);
  ASSERT_TRUE(serving.ok()) << serving.error().message;
  other->Set(1);
  EXPECT_TRUE(Await(kPageWithin, [&] { return ToldOf(checkout).resolves == 1; }));
  std::this_thread::sleep_for(Duration(4'000));
  EXPECT_EQ(ToldOf(checkout).opened, 1) << ToldOf(checkout).all;
  EXPECT_EQ(ToldOf(checkout).resolves, 1) << ToldOf(checkout).all;

  const auto log = promises::InLog(Stack());
  ASSERT_TRUE(log.ok()) << log.error().message;
  EXPECT_EQ(Story(*log, alarm), "FIRING crossed\nRESOLVED recovered\n");
  // All of it in the log of the plan's own service, and to the byte what one run through its
  // partition gives: it depends on no other.
  const std::int32_t home = PartitionOf(checkout, Stack().options().partitions);
  ASSERT_EQ(log->size(), 1u);
  const std::vector<promises::Told>& told = log->at(home);
  EXPECT_EQ(told.front().transition.value(), 9);
  const auto replayed = Replayed(Stack());
  ASSERT_TRUE(replayed.ok()) << replayed.error().message;
  ASSERT_EQ(replayed->size(), 1u);
  ASSERT_GE(replayed->at(home).size(), told.size());
  for (std::size_t i = 0; i < told.size(); ++i) {
    EXPECT_EQ(told[i].bytes, replayed->at(home)[i].bytes)
        << "told: " << told[i].transition.ShortDebugString()
        << "\nreplayed: " << replayed->at(home)[i].transition.ShortDebugString();
  }
  const auto points = PointsIn(Stack(), home, payments);
  ASSERT_TRUE(points.ok()) << points.error().message;
  EXPECT_EQ(*points, 0u);
}

}  // namespace
}  // namespace liveops::promises
