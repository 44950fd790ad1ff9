// A service that is spread over partitions (ADR 9), by real processes on a real Kafka and Redis.
#include <gmock/gmock.h>

#include <fmt/format.h>

#include <set>
#include <thread>

#include "common/base/hash.h"
#include "common/base/spread.h"
#include "integration-tests/outages/ground.h"
#include "integration-tests/promises/evaluation_log.h"

namespace liveops::promises {
namespace {

using outages::Await;
using outages::Emitter;
using outages::Ground;
using stack::Service;

constexpr int kSpread = 3;
constexpr Duration kTakenOverWithin{45'000};
constexpr Duration kPageWithin{60'000};

class Spread : public Ground {
 public:
  static void SetUpTestSuite() {
    Ground::SetUpTestSuite();
    if (HasFatalFailure()) return;
    auto second = Stack().AddReplica(Service::kRuleEvaluation);
    ASSERT_TRUE(second.ok()) << second.error().message;
  }

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
  static std::string StateOf(const std::string& alarm) { return Alarms()[alarm].state; }
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
  const SteadyTime pending = std::chrono::steady_clock::now();
  std::this_thread::sleep_for(Duration(6'000));  // in the middle of the hold
  Stack().service(Service::kRuleEvaluation, 1).Kill();
  EXPECT_TRUE(Await(kPageWithin, [&] { return ToldOf(service).opened == 1; }));
  EXPECT_GE(outages::SinceMs(pending), 15'000) << "the hold was not kept";
  ASSERT_TRUE(Stack().service(Service::kRuleEvaluation, 1).Launch().ok());
  const Status serving = Stack().service(Service::kRuleEvaluation, 1).WaitServing(kTakenOverWithin);
  ASSERT_TRUE(serving.ok()) << serving.error().message;
  for (auto& emitter : emitters) emitter->Set(0);
  EXPECT_TRUE(Await(kPageWithin, [&] { return ToldOf(service).resolves == 1; }));
  std::this_thread::sleep_for(Duration(4'000));
  EXPECT_EQ(ToldOf(service).opened, 1) << ToldOf(service).all;
  EXPECT_EQ(ToldOf(service).resolves, 1) << ToldOf(service).all;

  const auto log = promises::InLog(Stack());
  ASSERT_TRUE(log.ok()) << log.error().message;
  EXPECT_EQ(Story(*log, alarm), "FIRING crossed\nRESOLVED recovered\n");
  // All of it in the home's log, and to the byte what one run through the home's partition gives:
  // it depends on no other.
  const std::int32_t home = PartitionOf(service, Stack().options().partitions);
  ASSERT_EQ(log->size(), 1u);
  const std::vector<promises::Told>& told = log->at(home);
  EXPECT_EQ(told.front().transition.value(), 8);
  const auto replayed = Replayed(Stack());
  ASSERT_TRUE(replayed.ok()) << replayed.error().message;
  ASSERT_EQ(replayed->size(), 1u);
  ASSERT_GE(replayed->at(home).size(), told.size());
  for (std::size_t i = 0; i < told.size(); ++i) {
    EXPECT_EQ(told[i].bytes, replayed->at(home)[i].bytes)
        << "told: " << told[i].transition.ShortDebugString()
        << "\nreplayed: " << replayed->at(home)[i].transition.ShortDebugString();
  }
  // And no part of it could have fired by itself.
  std::set<std::int32_t> partitions;
  for (int i = 0; i < kSpread; ++i) {
    const std::int32_t partition = (home + i) % Stack().options().partitions;
    const auto points = PointsIn(Stack(), partition, service);
    ASSERT_TRUE(points.ok()) << points.error().message;
    if (*points > 0) partitions.insert(partition);
  }
  EXPECT_EQ(partitions.size(), static_cast<std::size_t>(kSpread));
}

}  // namespace
}  // namespace liveops::promises
