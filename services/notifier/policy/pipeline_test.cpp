#include "services/notifier/policy/pipeline.h"

#include <gtest/gtest.h>

#include "services/notifier/policy/route.h"

namespace liveops::notifier {
namespace {

using namespace std::chrono_literals;

const SteadyTime kStart{1000s};
const Instant kNow = InstantFromMs(1'700'000'000'000);
const Destination kSlack{Channel::kSlack, "#oncall"};
const Destination kPagerDuty{Channel::kPagerDuty, "oncall"};

struct World {
  Desired desired;
  Delivered delivered;
  Situation situation;
  Pace pace{PaceLimits{}};
  Instant now = kNow;
  SteadyTime steady = kStart;
  Destination destination = kSlack;

  World() {
    desired.group = "backend-api/error-rate@1";
    desired.phase = Phase::kFiring;
  }
  Step Next() const {
    return NextStep(destination, desired, delivered, situation, pace, now, steady);
  }
  std::string Word() const { return StepReasonName(Next().reason); }
  void Tell(Notice notice, Outcome outcome, std::uint32_t attempts = 1) {
    Told told;
    told.notice = notice;
    told.outcome = outcome;
    told.attempts = attempts;
    told.step = notice == Notice::kResolved ? desired.step : 0;
    delivered.Record(told);
  }
};

TEST(Pipeline, OnlyTheOwnerActsAndOnlyWhenHistoryIsRead) {
  World world;
  world.situation.standing = Standing::kNotOwner;
  EXPECT_EQ(world.Word(), "not-owner");
  world.situation.standing = Standing::kCatchingUp;
  EXPECT_EQ(world.Word(), "catching-up");
  world.situation.standing = Standing::kReady;
  EXPECT_EQ(world.Word(), "due");
}

TEST(Pipeline, ANewOwnerWaitsForTheLeaseButRecordsWhatNeedsNoRequest) {
  World world;
  world.situation.standing = Standing::kLeaseRunning;
  world.situation.ready_at = kStart + 5s;
  EXPECT_EQ(world.Next().verdict, Verdict::kWait);
  EXPECT_EQ(world.Next().until, kStart + 5s);
  world.desired.phase = Phase::kResolved;
  EXPECT_EQ(world.Next().verdict, Verdict::kRecord);
  EXPECT_EQ(world.Word(), "superseded");
}

// alertmanager#4108: both replicas retried through a receiver's outage, then both sent. One attempt
// is under way at a time, and only where this process is the owner.
TEST(Pipeline, OneAttemptAtATime) {
  World world;
  world.situation.in_flight = true;
  EXPECT_EQ(world.Word(), "attempt-under-way");
  world.desired.phase = Phase::kResolved;
  EXPECT_EQ(world.Word(), "attempt-under-way");
}

TEST(Pipeline, AMissingWebhookIsRecordedNotDropped) {
  World world;
  world.situation.configured = false;
  EXPECT_EQ(world.Next().verdict, Verdict::kRecord);
  EXPECT_EQ(world.Word(), "not-configured");
}

TEST(Pipeline, DedupWindowHoldsOnlyTheFirstPageOfARefire) {
  World world;
  EXPECT_EQ(world.Word(), "due");  // no window in the plan
  world.desired.dedup = Duration(600'000);
  EXPECT_EQ(world.Word(), "due");  // the first episode never asks: Redis cannot delay it
  world.desired.refire = true;
  EXPECT_EQ(world.Next().verdict, Verdict::kAskDedup);
  world.situation.dedup = {DedupView::State::kAsking, kStart, {}};
  EXPECT_EQ(world.Word(), "dedup-asking");
  world.situation.dedup = {DedupView::State::kFree, kStart, {}};
  EXPECT_EQ(world.Word(), "due");
  world.situation.dedup = {DedupView::State::kHeld, kStart, kNow + Duration(1000)};
  EXPECT_EQ(world.Word(), "dedup-window");
  EXPECT_EQ(world.Next().until_domain, kNow + Duration(1000));
}

// worldmonitor#4990: a Redis error was read as "duplicate" and every alert dropped.
TEST(Pipeline, WithoutAnAnswerFromTheDedupTableThePageGoesOut) {
  World world;
  world.desired.dedup = Duration(600'000);
  world.desired.refire = true;
  world.situation.dedup = {DedupView::State::kCannotTell, kStart, {}};
  EXPECT_EQ(world.Word(), "due");
  world.situation.dedup = {DedupView::State::kAsking, kStart, {}};
  world.steady = kStart + kDedupPatience;
  EXPECT_EQ(world.Word(), "due");
}

TEST(Pipeline, APageThatADedupWindowHeldGoesOutWhenItEndsOrIsSupersededByTheResolve) {
  World world;
  world.desired.dedup = Duration(600'000);
  world.desired.refire = true;
  world.situation.dedup = {DedupView::State::kHeld, kStart, kNow + Duration(1000)};
  world.now = kNow + Duration(1000);
  EXPECT_EQ(world.Word(), "due");
  world.now = kNow;
  world.desired.phase = Phase::kResolved;
  EXPECT_EQ(world.Word(), "superseded");
}

// alertmanager#226: the PagerDuty incident stayed open because the resolve fell into a silence.
TEST(Pipeline, AResolveIsNeverHeldByAWindow) {
  World world;
  world.destination = kPagerDuty;
  world.Tell(Notice::kFiring, Outcome::kDelivered);
  world.desired.phase = Phase::kResolved;
  world.desired.step = 1;
  world.desired.dedup = Duration(600'000);
  world.desired.refire = true;
  world.situation.dedup = {DedupView::State::kHeld, kStart, kNow + Duration(600'000)};
  EXPECT_EQ(world.Word(), "due");
  EXPECT_EQ(world.Next().notice.notice, Notice::kResolved);
}

TEST(Pipeline, TheSecondResolveWaitsUntilNothingCanOvertakeItAnyMore) {
  World world;
  world.destination = kPagerDuty;
  world.desired.phase = Phase::kResolved;
  world.desired.step = 1;
  world.Tell(Notice::kFiring, Outcome::kUnknown);
  world.Tell(Notice::kResolved, Outcome::kDelivered);
  world.delivered.told.back().clock = kNow;
  EXPECT_EQ(world.Word(), "resolve-again-later");
  EXPECT_EQ(world.Next().until_domain, kNow + 60s);
  EXPECT_FALSE(world.Next().DestinationWaits());
  world.now = kNow + 60s;
  EXPECT_EQ(world.Next().verdict, Verdict::kSend);
  EXPECT_EQ(world.Next().notice.notice, Notice::kResolved);
}

TEST(Pipeline, ARepeatBacksOff) {
  World world;
  world.Tell(Notice::kFiring, Outcome::kFailed, 1);
  EXPECT_EQ(world.Word(), "repeat-after-failure");  // after a restart: at once
  world.situation.last_attempt = kStart;
  EXPECT_EQ(world.Word(), "back-off");
  world.steady = *world.Next().until;
  EXPECT_EQ(world.Word(), "repeat-after-failure");
  EXPECT_EQ(world.Next().notice.number, 2u);
}

TEST(Pipeline, PaceComesLast) {
  World world;
  world.pace.Finished(kStart, Health::kThrottled, Duration(7000));
  EXPECT_EQ(world.Word(), "retry-after");
  EXPECT_EQ(world.Next().until, kStart + 7s);
  EXPECT_TRUE(world.Next().DestinationWaits());
  world.desired.phase = Phase::kResolved;  // what needs no request does not wait
  EXPECT_EQ(world.Word(), "superseded");
  EXPECT_FALSE(world.Next().DestinationWaits());
}

TEST(Pace, OneMessageASecondWithAShortBurst) {
  PaceLimits limits;
  limits.per_second = 1;
  limits.burst = 2;
  limits.in_flight_max = 100;
  Pace pace(limits);
  SteadyTime now = kStart;
  int sent = 0;
  for (int tick = 0; tick <= 1000; ++tick, now += 10ms) {
    while (pace.Ask(now).free()) {
      pace.Started(now);
      ++sent;
    }
    EXPECT_EQ(pace.Ask(now).reason, PaceReason::kRateLimit);
  }
  EXPECT_EQ(sent, 12);  // the burst and one in each of ten seconds
}

TEST(Pace, TheWaitThatItNamesIsEnough) {
  PaceLimits limits;
  limits.per_second = 3;
  limits.in_flight_max = 100;
  Pace pace(limits);
  SteadyTime now = kStart;
  for (int i = 0; i < 50; ++i) {
    const auto decision = pace.Ask(now);
    if (!decision.free()) now = *decision.until;
    ASSERT_TRUE(pace.Ask(now).free()) << i;
    pace.Started(now);
  }
}

TEST(Pace, RetryAfterIsObeyedAndTheLongestCounts) {
  Pace pace{PaceLimits{}};
  pace.Finished(kStart, Health::kThrottled, Duration(9000));
  pace.Finished(kStart, Health::kThrottled, Duration(1000));
  EXPECT_EQ(pace.Ask(kStart + 8999ms).reason, PaceReason::kRetryAfter);
  EXPECT_TRUE(pace.Ask(kStart + 9s).free());
  pace.Finished(kStart + 9s, Health::kThrottled, std::nullopt);
  EXPECT_EQ(pace.Ask(kStart + 38s).reason, PaceReason::kRetryAfter);
  EXPECT_TRUE(pace.Ask(kStart + 39s).free());
}

TEST(Pace, TheCircuitOpensProbesOnceAndCloses) {
  Pace pace{PaceLimits{}};
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(pace.Ask(kStart).free());
    pace.Started(kStart);
    pace.Finished(kStart, Health::kFailed, std::nullopt);
  }
  EXPECT_EQ(pace.Ask(kStart).reason, PaceReason::kCircuitOpen);
  SteadyTime now = kStart + 2s;
  ASSERT_TRUE(pace.Ask(now).free());
  pace.Started(now);
  EXPECT_EQ(pace.Ask(now).reason, PaceReason::kCircuitProbing);
  pace.Finished(now, Health::kFailed, std::nullopt);
  EXPECT_EQ(pace.Ask(now + 3999ms).reason, PaceReason::kCircuitOpen);  // twice as long
  now += 4s;
  ASSERT_TRUE(pace.Ask(now).free());
  pace.Started(now);
  pace.Finished(now, Health::kAnswered, std::nullopt);
  EXPECT_TRUE(pace.Ask(now).free());
  EXPECT_EQ(pace.failures_in_a_row(), 0);
}

TEST(Pace, RequestsThatEndAfterTheCircuitOpenedDoNotLengthenIt) {
  Pace pace{PaceLimits{}};
  for (int i = 0; i < 8; ++i) pace.Started(kStart);
  for (int i = 0; i < 8; ++i) pace.Finished(kStart, Health::kFailed, std::nullopt);
  EXPECT_TRUE(pace.Ask(kStart + 2s).free());
}

TEST(BackOff, DoublesUpToAMinute) {
  EXPECT_EQ(BackOff(1, 0), Duration(500));
  EXPECT_EQ(BackOff(2, 0), Duration(1000));
  EXPECT_EQ(BackOff(4, 0), Duration(4000));
  EXPECT_EQ(BackOff(100, 0), Duration(60'000));
  EXPECT_LE(BackOff(100, 255), Duration(75'000));
}

TEST(Priority, CriticalFirstThenTheOlder) {
  const Priority critical{plan::Severity::kCritical, kNow, "b"};
  const Priority older{plan::Severity::kLow, kNow - Duration(1), "a"};
  const Priority low{plan::Severity::kLow, kNow, "a"};
  EXPECT_LT(critical, older);
  EXPECT_LT(older, low);
}

plan::Plan SomePlan() {
  plan::Plan plan;
  plan.service = "backend-api";
  plan.owners = {{"on-call", "On-call Engineer", "#oncall", "oncall"},
                 {"backend", "Backend Team", "#backend", ""},
                 {"nobody", "Nobody", "", ""},
                 {"pager", "Pager only", "", "pager"}};
  return plan;
}

TEST(Route, BySeverityAndOwner) {
  const plan::Plan plan = SomePlan();
  const auto route = [&](const char* owner, plan::Severity severity) {
    const Route r = RouteOf(&plan, owner, severity);
    std::string out = r.reason == RouteReason::kRouted ? "" : RouteReasonName(r.reason);
    for (const Destination& d : r.destinations) out += (out.empty() ? "" : " ") + d.Id();
    return out;
  };
  EXPECT_EQ(route("on-call", plan::Severity::kCritical), "pagerduty:oncall slack:#oncall");
  EXPECT_EQ(route("on-call", plan::Severity::kHigh), "pagerduty:oncall slack:#oncall");
  EXPECT_EQ(route("on-call", plan::Severity::kMedium), "slack:#oncall");
  EXPECT_EQ(route("on-call", plan::Severity::kLow), "slack:#oncall");
  EXPECT_EQ(route("backend", plan::Severity::kCritical), "slack:#backend");
  EXPECT_EQ(route("stranger", plan::Severity::kHigh), "the plan in force has no such owner");
  EXPECT_EQ(route("nobody", plan::Severity::kHigh), "the owner has no destination for it");
  EXPECT_EQ(route("pager", plan::Severity::kLow), "the owner has no destination for it");
  EXPECT_EQ(RouteOf(nullptr, "on-call", plan::Severity::kHigh).reason, RouteReason::kNoPlan);
}

TEST(Destination, IdAndBack) {
  EXPECT_EQ(kSlack.Id(), "slack:#oncall");
  EXPECT_EQ(ParseDestination("pagerduty:oncall"), kPagerDuty);
  EXPECT_EQ(ParseDestination("slack:#oncall"), kSlack);
  EXPECT_FALSE(ParseDestination("smoke:signal"));
  EXPECT_FALSE(ParseDestination("slack:"));
  EXPECT_FALSE(ParseDestination("slack"));
}

}  // namespace
}  // namespace liveops::notifier
