#pragma once

#include <gmock/gmock.h>

#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "common/base/hash.h"
#include "integration-tests/outages/ground.h"
#include "integration-tests/promises/evaluation_log.h"

namespace liveops::promises {

// A rule whose series lie in partitions of two owners, one of which is killed in its hold.
class TwoEvaluators : public outages::Ground {
 public:
  static void SetUpTestSuite() {
    Ground::SetUpTestSuite();
    if (HasFatalFailure()) return;
    auto second = Stack().AddReplica(stack::Service::kRuleEvaluation);
    ASSERT_TRUE(second.ok()) << second.error().message;
  }

 protected:
  static constexpr Duration kTakenOverWithin{45'000};
  static constexpr Duration kPageWithin{60'000};

  static std::string StateOf(const std::string& alarm) { return Alarms()[alarm].state; }

  // The alarm of the service is pending: the second replica dies, it fires, and the replica is
  // back.
  static void KillInTheHold(const std::string& service) {
    const SteadyTime pending = std::chrono::steady_clock::now();
    std::this_thread::sleep_for(Duration(6'000));  // in the middle of the hold
    stack::ServiceProcess& second = Stack().service(stack::Service::kRuleEvaluation, 1);
    second.Kill();
    EXPECT_TRUE(outages::Await(kPageWithin, [&] { return ToldOf(service).opened == 1; }));
    EXPECT_GE(outages::SinceMs(pending), 15'000) << "the hold was not kept";
    ASSERT_TRUE(second.Launch().ok());
    const Status serving = second.WaitServing(kTakenOverWithin);
    ASSERT_TRUE(serving.ok()) << serving.error().message;
  }

  // It resolves, and was told once and no more.
  static void ResolvesOnce(const std::string& service) {
    EXPECT_TRUE(outages::Await(kPageWithin, [&] { return ToldOf(service).resolves == 1; }));
    std::this_thread::sleep_for(Duration(4'000));
    EXPECT_EQ(ToldOf(service).opened, 1) << ToldOf(service).all;
    EXPECT_EQ(ToldOf(service).resolves, 1) << ToldOf(service).all;
  }

  // All of it stands in the log of the service's home, fired at this value, and is to the byte what
  // one run through the home's partition gives: it depends on no other.
  static void ToldByTheHomeAlone(const std::string& service, const std::string& alarm,
                                 double value) {
    const auto log = promises::InLog(Stack());
    ASSERT_TRUE(log.ok()) << log.error().message;
    EXPECT_EQ(Story(*log, alarm), "FIRING crossed\nRESOLVED recovered\n");
    const std::int32_t home = PartitionOf(service, Stack().options().partitions);
    ASSERT_EQ(log->size(), 1u);
    const std::vector<promises::Told>& told = log->at(home);
    EXPECT_EQ(told.front().transition.value(), value);
    const auto replayed = Replayed(Stack());
    ASSERT_TRUE(replayed.ok()) << replayed.error().message;
    ASSERT_EQ(replayed->size(), 1u);
    ASSERT_GE(replayed->at(home).size(), told.size());
    for (std::size_t i = 0; i < told.size(); ++i) {
      EXPECT_EQ(told[i].bytes, replayed->at(home)[i].bytes)
          << "told: " << told[i].transition.ShortDebugString()
          << "\nreplayed: " << replayed->at(home)[i].transition.ShortDebugString();
    }
  }
};

}  // namespace liveops::promises
