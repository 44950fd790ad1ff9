// Redis is memory that can be rebuilt: nothing waits for it at start, and what it remembers of
// pages survives a killed notifier.
#include <gmock/gmock.h>

#include <thread>

#include "integration-tests/outages/ground.h"

namespace liveops::outages {
namespace {

using ::testing::HasSubstr;

// Three times what is promised: a test host may be busy.
constexpr Duration kPageWithin{45'000};
constexpr Duration kServesWithin{45'000};
// A window that reaches into an outage proves no recovery: a short one is soon past it.
constexpr const char* kWhen = "last(x) by host over 5s > 0.5";

class RedisIsMemory : public Ground {
 protected:
  static void ExpectTold(const std::string& service, int slack, int opened, int resolves) {
    EXPECT_TRUE(Await(kPageWithin, [&] {
      const Told told = ToldOf(service);
      return told.slack >= slack && told.opened >= opened && told.resolves >= resolves;
    }));
    const Told told = ToldOf(service);
    EXPECT_EQ(told.slack, slack) << told.all;
    EXPECT_EQ(told.opened, opened) << told.all;
    EXPECT_EQ(told.triggers, opened) << told.all;
    EXPECT_EQ(told.resolves, resolves) << told.all;
  }
  static void ExpectState(const std::string& service, const std::string& state) {
    EXPECT_TRUE(AwaitState(IdOf(service), state))
        << service << ": " << Alarms()[IdOf(service)].state;
  }
};

// N2, N7. Before Redis is lost in this suite: after that the first answer is "cannot tell", and the
// page goes out.
TEST_F(RedisIsMemory, AFlappingAlarmPagesOnceAWindowAlsoWhenTheNotifierIsKilledInIt) {
  const std::string service = "flapping";
  Apply(service, PlanOf(service, kWhen, "dedup: 10min\n"));
  const auto emitter = Emit(service, "a", 1);
  ExpectTold(service, 1, 1, 0);
  const auto flap = [&] {
    emitter->Set(0);
    ExpectState(service, kOk);
    emitter->Set(1);
    ExpectState(service, kFiring);
  };
  flap();
  std::this_thread::sleep_for(Duration(3'000));
  ExpectTold(service, 2, 1, 1);  // the page and its resolve; the second episode waits
  ASSERT_FALSE(HasFailure());

  stack::ServiceProcess& notifier = Stack().service(stack::Service::kNotifier);
  notifier.Kill();
  ASSERT_TRUE(notifier.Launch().ok());
  const Status serving = notifier.WaitServing(kServesWithin);
  ASSERT_TRUE(serving.ok()) << serving.error().message;
  std::this_thread::sleep_for(Duration(8'000));  // a new owner decides nothing for 5 s
  ExpectTold(service, 2, 1, 1);
  flap();
  std::this_thread::sleep_for(Duration(3'000));
  ExpectTold(service, 2, 1, 1);

  // What waits is not lost: without a window it goes out at once.
  Apply(service, PlanOf(service, kWhen));
  ExpectTold(service, 3, 2, 1);
}

// N6.
TEST_F(RedisIsMemory, AbsentAtStartServicesServePagesLeaveAndTheTableIsWholeOnceItComes) {
  const std::string old = "before-redis-went";
  Apply(old, PlanOf(old, kWhen));
  const auto first = Emit(old, "a", 1);
  ExpectTold(old, 1, 1, 0);
  ExpectState(old, kFiring);
  ASSERT_FALSE(HasFailure());
  const std::string episode = Alarms()[IdOf(old)].episode;

  for (stack::ServiceProcess* service : Stack().services()) service->Stop();
  Stack().redis().Stop();
  const SteadyTime launched = std::chrono::steady_clock::now();
  for (stack::ServiceProcess* service : Stack().services()) ASSERT_TRUE(service->Launch().ok());
  for (stack::ServiceProcess* service : Stack().services()) {
    const Status serving = service->WaitServing(kServesWithin);
    ASSERT_TRUE(serving.ok()) << serving.error().message;
  }
  RecordProperty("serving_after_ms", SinceMs(launched));

  const std::string fresh = "while-redis-is-away";
  ApplyOnly(fresh, PlanOf(fresh, kWhen));
  const auto second = Emit(fresh, "a", 1);
  ExpectTold(fresh, 1, 1, 0);
  auto listed = Stack().Ctl("viewer-1", {"alarms", "list"});
  ASSERT_TRUE(listed.ok()) << listed.error().message;
  EXPECT_EQ(listed->status.code, 3) << listed->out << listed->err;
  EXPECT_EQ(listed->out, "");
  EXPECT_THAT(listed->err, HasSubstr("Redis"));

  const Status back = Stack().redis().Restart(Duration(30'000));
  ASSERT_TRUE(back.ok()) << back.error().message;
  const SteadyTime came = std::chrono::steady_clock::now();
  ExpectState(fresh, kFiring);
  ExpectState(old, kFiring);
  RecordProperty("listed_after_ms", SinceMs(came));
  EXPECT_EQ(Alarms()[IdOf(old)].episode, episode);
  std::this_thread::sleep_for(Duration(3'000));  // long enough for a wrong second page to show
  ExpectTold(old, 1, 1, 0);
  ExpectTold(fresh, 1, 1, 0);
}

}  // namespace
}  // namespace liveops::outages
