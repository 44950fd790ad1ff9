#pragma once

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <chrono>
#include <nlohmann/json.hpp>
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

  // The alarm of the service is pending: the second replica, which owns this partition, dies, it
  // fires, and the replica is back.
  static void KillInTheHold(const std::string& service, std::int32_t owned) {
    const SteadyTime pending = std::chrono::steady_clock::now();
    std::this_thread::sleep_for(Duration(6'000));  // in the middle of the hold
    stack::ServiceProcess& second = Stack().service(stack::Service::kRuleEvaluation, 1);
    const auto owner = OwnerOf(Stack(), owned);
    ASSERT_TRUE(owner.ok()) << owner.error().message;
    EXPECT_EQ(*owner, second.spec().instance);
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
  // one run through the home's partition gives: it depends on no other. So it can still be asked
  // why it fired.
  static void ToldByTheHomeAlone(const std::string& service, const std::string& alarm,
                                 double value) {
    const auto log = promises::InLog(Stack());
    ASSERT_TRUE(log.ok()) << log.error().message;
    const std::vector<Told> told = OfAlarm(*log, alarm);
    EXPECT_EQ(Story(*log, alarm), "FIRING crossed\nRESOLVED recovered\n");
    const std::int32_t home = PartitionOf(service, Stack().options().partitions);
    ASSERT_TRUE(log->contains(home));
    ASSERT_EQ(OfAlarm({{home, log->at(home)}}, alarm).size(), told.size());
    ASSERT_FALSE(told.empty());
    const v1::AlarmTransition& fired = told.front().transition;
    EXPECT_EQ(fired.value(), value);
    const auto replayed = Replayed(Stack());
    ASSERT_TRUE(replayed.ok()) << replayed.error().message;
    SameToTheByte(told, OfAlarm(*replayed, alarm));
    const std::string past = ExplainedAt(alarm, fired.clock_ms() + 500);
    EXPECT_THAT(past, ::testing::HasSubstr(alarm + "  FIRING at "));
    EXPECT_THAT(past, ::testing::HasSubstr(fmt::format("Last value: {}; the rule is > {}.", value,
                                                       fired.threshold())));
    EXPECT_THAT(past, ::testing::HasSubstr("Nothing was missing: it was open."));
    EXPECT_THAT(past, ::testing::Not(::testing::HasSubstr("The replay saw less")));
    EXPECT_THAT(past, ::testing::HasSubstr("After, by the log: it resolved at "));
  }

  // The same is told by who plays the logs of so many partitions under the plan that was applied:
  // fired once at this value, and resolved.
  static void PlayedTellsOnce(const std::string& service, double value, std::size_t partitions) {
    const std::string plan = Stack().Path(service + ".yaml");
    const nlohmann::json played = AskOfTheLog({"plan", "backtest", plan, "--json"});
    ASSERT_EQ(played["transitions"].size(), 2u) << played;
    EXPECT_EQ(played["transitions"][0]["state"], "firing") << played;
    EXPECT_EQ(played["transitions"][0]["value"], value) << played;
    EXPECT_EQ(played["transitions"][1]["state"], "resolved") << played;
    EXPECT_EQ(played["pages"], 1) << played;
    EXPECT_EQ(played["log"]["partitions"].size(), partitions) << played;
    EXPECT_EQ(played["log"]["ends_early"], false) << played;

    const std::string higher = Stack().Path(service + ".higher.yaml");
    auto text = stack::ReadFile(plan);
    ASSERT_TRUE(text.ok()) << text.error().message;
    ASSERT_TRUE(stack::WriteFile(higher, text->replace(text->find("> 6.5"), 5, "> 99")).ok());
    const nlohmann::json diff =
        AskOfTheLog({"plan", "diff", plan, higher, "--last", "1h", "--json"});
    EXPECT_EQ(diff["pages_old"], 1) << diff;
    EXPECT_EQ(diff["pages_new"], 0) << diff;
    const nlohmann::json live = AskOfTheLog({"plan", "check", plan, "--live", "--json"});
    EXPECT_EQ(live["alarms"][0]["fired"], 1) << live;
    EXPECT_EQ(live["alarms"][0]["now"], "ok") << live;
  }

 private:
  static nlohmann::json AskOfTheLog(std::vector<std::string> words) {
    words.insert(words.end(), {"--kafka", Stack().kafka().address()});
    const auto ran = Stack().Ctl("viewer-1", words, Duration(60'000));
    if (!ran.ok()) {
      ADD_FAILURE() << ran.error().message;
      return {};
    }
    EXPECT_EQ(ran->status.code, 0) << ran->err << ran->out;
    return nlohmann::json::parse(ran->out, nullptr, false);
  }
};

}  // namespace liveops::promises
