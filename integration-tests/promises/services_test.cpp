// A rule over several services (ADR 11), by real processes on a real Kafka and Redis.
#include <fmt/format.h>

#include <thread>

#include "integration-tests/promises/two_evaluators.h"

namespace liveops::promises {
namespace {

using outages::Await;
using outages::Emitter;

class Services : public TwoEvaluators {
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
  KillInTheHold(checkout);
  ASSERT_FALSE(HasFatalFailure());
  other->Set(1);
  ResolvesOnce(checkout);

  ToldByTheHomeAlone(checkout, alarm, 9);
  const std::int32_t home = PartitionOf(checkout, Stack().options().partitions);
  const auto points = PointsIn(Stack(), home, payments);
  ASSERT_TRUE(points.ok()) << points.error().message;
  EXPECT_EQ(*points, 0u);
  PlayedTellsOnce(checkout, 9, 2);
}

}  // namespace
}  // namespace liveops::promises
