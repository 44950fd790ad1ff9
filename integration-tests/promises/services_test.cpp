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
  static void ApplyOver(const std::string& service, const std::string& other) {
    Apply(service, PlanOf(service, fmt::format("sum(x) + sum(x{{service=\\\"{}\\\"}}) over 5s > "
                                               "6.5 for 20s",
                                               other)));
  }
};

TEST_F(Services, FireOnceWithWhatBothSayAndResolveOnceThoughTheOthersOwnerIsKilled) {
  const std::string checkout = ServiceInHalf(0, "checkout");
  const std::string payments = ServiceInHalf(1, "payments");
  const std::string alarm = checkout + "/hot";
  ApplyOver(checkout, payments);
  ASSERT_FALSE(HasFailure());
  const auto own = Emit(checkout, "c", 4);
  // The other has no plan, and says nothing yet: nothing is known of the sum.
  std::this_thread::sleep_for(Duration(6'000));
  EXPECT_EQ(ToldOf(checkout).opened, 0);
  const auto other = Emit(payments, "p", 5);
  ASSERT_TRUE(Await(kPageWithin, [&] { return StateOf(alarm) == "ALARM_STATE_PENDING"; }))
      << StateOf(alarm);
  KillInTheHold(checkout, PartitionOf(payments, Stack().options().partitions));
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

// What the other told meanwhile waits in the log for whoever takes the home's partition over.
TEST_F(Services, FireOnceAndResolveOnceThoughTheHomesOwnerIsKilled) {
  const std::string orders = ServiceInHalf(1, "orders");
  const std::string stock = ServiceInHalf(0, "stock");
  const std::string alarm = orders + "/hot";
  ApplyOver(orders, stock);
  ASSERT_FALSE(HasFailure());
  const auto own = Emit(orders, "o", 4);
  const auto other = Emit(stock, "s", 5);
  ASSERT_TRUE(Await(kPageWithin, [&] { return StateOf(alarm) == "ALARM_STATE_PENDING"; }))
      << StateOf(alarm);
  KillInTheHold(orders, PartitionOf(orders, Stack().options().partitions));
  ASSERT_FALSE(HasFatalFailure());
  own->Set(1);
  ResolvesOnce(orders);
  ToldByTheHomeAlone(orders, alarm, 9);
}

}  // namespace
}  // namespace liveops::promises
