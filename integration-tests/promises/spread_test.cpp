// A service that is spread over partitions (ADR 9), by real processes on a real Kafka and Redis.
#include <fmt/format.h>

#include <set>

#include "common/base/spread.h"
#include "integration-tests/promises/two_evaluators.h"

namespace liveops::promises {
namespace {

using outages::Await;
using outages::Emitter;

constexpr int kSpread = 3;

class Spread : public TwoEvaluators {
 protected:
  // One whose home is the last partition of the first half: of two replicas, one owns the home, and
  // the other the two sources.
  static std::string ServiceOverBothHalves() {
    const std::int32_t all = Stack().options().partitions;
    for (int i = 0;; ++i) {
      std::string name = fmt::format("spread-{}", i);
      if (PartitionOf(name, all) == all / 2 - 1) return name;
    }
  }
};

TEST_F(Spread, FiresOnceWithWhatAllShardsHaveAndResolvesOnceThoughOneOwnerIsKilled) {
  const std::string service = ServiceOverBothHalves();
  const std::string alarm = service + "/hot";
  Apply(service,
        PlanOf(service, "sum(x) over 5s > 6.5 for 20s", fmt::format("spread: {}\n", kSpread)));
  ASSERT_FALSE(HasFailure());
  // Each has a part of the hosts, and none enough of them.
  std::vector<std::unique_ptr<Emitter>> emitters;
  for (int i = 0; i < 8; ++i) emitters.push_back(Emit(service, fmt::format("h{}", i), 1));
  ASSERT_TRUE(Await(kSpreadLead + kPageWithin, [&] {
    return StateOf(alarm) == "ALARM_STATE_PENDING";
  })) << StateOf(alarm);
  const std::int32_t home = PartitionOf(service, Stack().options().partitions);
  KillInTheHold(service, home + 1);
  ASSERT_FALSE(HasFatalFailure());
  for (auto& emitter : emitters) emitter->Set(0);
  ResolvesOnce(service);

  ToldByTheHomeAlone(service, alarm, 8);
  // And no part of it could have fired by itself.
  std::set<std::int32_t> partitions;
  for (int i = 0; i < kSpread; ++i) {
    const std::int32_t partition = (home + i) % Stack().options().partitions;
    const auto points = PointsIn(Stack(), partition, service);
    ASSERT_TRUE(points.ok()) << points.error().message;
    if (*points > 0) partitions.insert(partition);
  }
  EXPECT_EQ(partitions.size(), static_cast<std::size_t>(kSpread));
  PlayedTellsOnce(service, 8, kSpread);
}

}  // namespace
}  // namespace liveops::promises
