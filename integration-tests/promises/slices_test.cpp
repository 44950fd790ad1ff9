// An objective of time slices (ADR 12), by real processes on a real Kafka and Redis. Domain time
// runs 120 times as fast.
#include <fmt/format.h>

#include <thread>

#include "integration-tests/outages/ground.h"
#include "integration-tests/promises/evaluation_log.h"

namespace liveops::promises {
namespace {

using outages::Await;
using outages::Emitter;
using outages::Ground;
using stack::Service;
using std::chrono::seconds;

constexpr double kSpeed = 120;  // a slice is half a second
constexpr Duration kHour{3'600'000 / static_cast<int>(kSpeed)};
constexpr Duration kPageWithin{45'000};
constexpr Duration kTakenOverWithin{45'000};

class Slices : public Ground {
 public:
  static void SetUpTestSuite() {
    stack::StackOptions options;
    options.domain_speed = kSpeed;
    SetUpOn(options);
  }

 protected:
  static stack::ServiceProcess& Owner() { return Stack().service(Service::kRuleEvaluation); }
  static void BackAgain() {
    ASSERT_TRUE(Owner().Launch().ok());
    const Status serving = Owner().WaitServing(kTakenOverWithin);
    ASSERT_TRUE(serving.ok()) << serving.error().message;
  }
};

TEST_F(Slices, PageOnceAndResolveOnceThoughTheirOwnerIsKilledTwice) {
  const std::string service = "sliced";
  const std::string alarm = service + "/fast-fast-burn";
  const auto emitter =
      std::make_unique<Emitter>(Stack().plain_ingest(), service, "a", 100, /*observes=*/true);
  // Two bad slices of an hour's sixty are 3.3 %: too many.
  ApplyOnly(service, fmt::format(R"(service: {}
owners:
  on-call: {{title: On-call Engineer, slack: "#oncall", pagerduty: oncall}}
metrics:
  latency: {{distribution: x, unit: ms, default: true}}
slos:
  - {{name: fast, objective: 99%, over: 3d, owner: on-call, time_slices: {{good: p95 < 500ms, window: 1min}}}}
)",
                                 service));
  ASSERT_FALSE(HasFailure());
  const SteadyTime known = std::chrono::steady_clock::now();
  std::this_thread::sleep_for(seconds(10));
  Owner().Kill();
  BackAgain();
  ASSERT_FALSE(HasFatalFailure());
  // The long window is whole, of slices from before and after.
  std::this_thread::sleep_until(known + kHour + seconds(8));
  EXPECT_EQ(ToldOf(service).opened, 0) << ToldOf(service).all;

  emitter->Set(900);
  ASSERT_TRUE(Await(kPageWithin, [&] { return ToldOf(service).opened == 1; }))
      << ToldOf(service).all << Alarms()[alarm].state;
  Owner().Kill();
  emitter->Set(100);
  BackAgain();
  ASSERT_FALSE(HasFatalFailure());
  // Once the half hour before holds no bad slice: of six hours not enough is known.
  EXPECT_TRUE(Await(kHour + kPageWithin, [&] { return ToldOf(service).resolves == 1; }))
      << ToldOf(service).all << Alarms()[alarm].state;
  const outages::Told told = ToldOf(service);
  EXPECT_EQ(told.opened, 1) << told.all;
  EXPECT_EQ(told.resolves, 1) << told.all;

  const auto log = promises::InLog(Stack());
  ASSERT_TRUE(log.ok()) << log.error().message;
  EXPECT_EQ(Story(*log, alarm), "FIRING crossed\nRESOLVED recovered\n");
  const auto replayed = Replayed(Stack());
  ASSERT_TRUE(replayed.ok()) << replayed.error().message;
  SameToTheByte(OfAlarm(*log, alarm), OfAlarm(*replayed, alarm));
}

}  // namespace
}  // namespace liveops::promises
