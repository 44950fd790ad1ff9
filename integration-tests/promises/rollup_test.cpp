// Redis loses everything and every owner of the shards dies at once: windows of hours are whole
// again (ADR 10), by real processes on a real Kafka and Redis. Domain time runs 120 times as fast.
#include <gmock/gmock.h>

#include <fmt/format.h>

#include <fstream>
#include <sstream>
#include <thread>

#include "common/redis/redis.h"
#include "integration-tests/outages/ground.h"
#include "integration-tests/promises/evaluation_log.h"

namespace liveops::promises {
namespace {

using outages::Await;
using outages::Ground;
using outages::kFiring;
using stack::Service;
using std::chrono::seconds;

constexpr double kSpeed = 120;  // an hour is half a minute
constexpr Duration kWindow{4 * 3'600'000 / static_cast<int>(kSpeed)};
constexpr Duration kReplay{2 * 3'600'000 / static_cast<int>(kSpeed)};
constexpr Duration kPageWithin{45'000};
constexpr Duration kTakenOverWithin{45'000};
constexpr const char* kWhen = "max(x) by host over 4h > 0.5";

SteadyTime Now() { return std::chrono::steady_clock::now(); }

class Rollups : public Ground {
 public:
  static void SetUpTestSuite() {
    stack::StackOptions options;
    options.domain_speed = kSpeed;
    SetUpOn(options);
    if (HasFatalFailure()) return;
    auto second = Stack().AddReplica(Service::kRuleEvaluation);
    ASSERT_TRUE(second.ok()) << second.error().message;
  }

 protected:
  static stack::ServiceProcess& Replica(std::size_t n) {
    return Stack().service(Service::kRuleEvaluation, n);
  }
  static std::string StoryOf(const std::string& alarm_id) {
    const auto log = promises::InLog(Stack());
    return log.ok() ? Story(*log, alarm_id) : log.error().message;
  }
  static bool Logged(const stack::ServiceProcess& process, const std::string& words) {
    std::ifstream in(process.log_file());
    std::stringstream all;
    all << in.rdbuf();
    return all.str().find(words) != std::string::npos;
  }
};

TEST_F(Rollups, AWindowOfHoursIsWholeAgainAfterRedisAndAllOwnersAreLost) {
  const std::string service = "remembers";
  const std::string alarm = IdOf(service);
  Apply(service, PlanOf(service, kWhen));
  const auto emitter = Emit(service, "a", 1);
  ASSERT_TRUE(AwaitState(alarm, kFiring));
  std::this_thread::sleep_for(seconds(10));
  emitter->Set(0);
  const SteadyTime calm = Now();
  // What it fires for lies before all that will be replayed, and still in its window.
  std::this_thread::sleep_until(calm + kReplay + seconds(12));
  ASSERT_EQ(StoryOf(alarm), "FIRING crossed\n");

  Replica(0).Kill();
  Replica(1).Kill();
  redis::Config config;
  config.port = Stack().redis().port();
  ASSERT_TRUE(redis::Client(config).Run({"FLUSHALL"}).ok());
  // One of them takes all; the other comes back later.
  ASSERT_TRUE(Replica(1).Launch().ok());
  const Status serving = Replica(1).WaitServing(kTakenOverWithin);
  ASSERT_TRUE(serving.ok()) << serving.error().message;
  ASSERT_TRUE(Await(kTakenOverWithin, [] { return Logged(Replica(1), "windows_rebuilt"); }))
      << stack::TailOf(Replica(1).log_file(), 20);
  const SteadyTime rebuilt = Now();
  ASSERT_TRUE(Replica(0).Launch().ok());

  // It goes on firing until what it fires for leaves the window, and no longer: without what was
  // rolled up nothing would be known of the window for two hours more.
  EXPECT_LT(rebuilt, calm + kWindow - seconds(2)) << "the host was too slow to see anything";
  std::this_thread::sleep_until(calm + kWindow - seconds(3));
  EXPECT_EQ(StoryOf(alarm), "FIRING crossed\n");
  EXPECT_TRUE(Await(Duration(20'000), [&] {
    return StoryOf(alarm) == "FIRING crossed\nRESOLVED recovered\n";
  })) << StoryOf(alarm);
  const auto late = std::chrono::duration_cast<Duration>(Now() - (calm + kWindow));
  RecordProperty("resolved_after_the_window_ms", static_cast<int>(late.count()));
  const outages::Told told = ToldOf(service);
  EXPECT_EQ(told.opened, 1) << told.all;
}

}  // namespace
}  // namespace liveops::promises
