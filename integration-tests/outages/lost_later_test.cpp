// Kafka, Redis or a destination is lost while an alarm fires: nothing acknowledged is lost, nothing
// is resolved or paged falsely, and everything recovers by itself.
#include <gmock/gmock.h>

#include <csignal>
#include <thread>

#include "common/redis/redis.h"
#include "integration-tests/outages/ground.h"

namespace liveops::outages {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

constexpr int kUnavailable = 14;
// Three times what is promised: a test host may be busy. The true figures are recorded.
constexpr Duration kRefusedWithin{6'000};
constexpr Duration kPageWithin{45'000};
constexpr Duration kServesWithin{45'000};
constexpr Duration kStopsWithin{36'000};

class LostLater : public Ground {
 protected:
  void SetUp() override {
    Ground::SetUp();
    if (HasFatalFailure()) return;
    ASSERT_TRUE(Stack().sink().ClearFaults().ok());
  }

  static bool AwaitTold(const std::string& service, int slack, int opened, int resolves) {
    return Await(kPageWithin, [&] {
      const Told told = ToldOf(service);
      return told.slack == slack && told.opened == opened && told.resolves == resolves;
    });
  }

  // The page of one alarm, and nothing after it.
  static void ExpectTold(const std::string& service, int slack, int opened, int resolves) {
    const Told told = ToldOf(service);
    EXPECT_EQ(told.slack, slack) << told.all;
    EXPECT_EQ(told.opened, opened) << told.all;
    EXPECT_EQ(told.triggers, opened) << told.all;
    EXPECT_EQ(told.resolves, resolves) << told.all;
  }

  static std::unique_ptr<Emitter> Fire(const std::string& service) {
    // A window that reaches into an outage proves no recovery: a short one is soon past it.
    Apply(service, PlanOf(service, "last(x) by host over 5s > 0.5"));
    auto emitter = Emit(service, "a", 1);
    EXPECT_TRUE(AwaitTold(service, 1, 1, 0)) << ToldOf(service).all;
    EXPECT_TRUE(AwaitState(IdOf(service), kFiring)) << Alarms()[IdOf(service)].state;
    return emitter;
  }

  // The reading falls: one resolve, of the same alert.
  static void ExpectResolves(Emitter& emitter) {
    const std::set<std::string> before = ToldOf(emitter.service()).dedup_keys;
    EXPECT_THAT(before, SizeIs(1));
    emitter.Set(0);
    EXPECT_TRUE(AwaitTold(emitter.service(), 2, 1, 1)) << ToldOf(emitter.service()).all;
    EXPECT_EQ(ToldOf(emitter.service()).dedup_keys, before);
  }
};

// W1, I1, E3.
TEST_F(LostLater, KafkaLostNothingAcknowledgedIsLostNothingResolvedFalsely) {
  const auto emitter = Fire("kafka-lost");
  ASSERT_FALSE(HasFailure());

  Stack().kafka().Kill();
  const SteadyTime killed = std::chrono::steady_clock::now();
  std::this_thread::sleep_for(Duration(8'000));
  const SteadyTime restarted = std::chrono::steady_clock::now();
  std::vector<Heard> away;
  for (const Heard& heard : emitter->heard()) {
    if (heard.sent > killed) away.push_back(heard);
  }
  EXPECT_GE(away.size(), 10U);
  Duration slowest{0};
  for (const Heard& heard : away) {
    EXPECT_EQ(heard.code, kUnavailable) << heard.message;
    EXPECT_TRUE(heard.retry_info) << heard.message;
    slowest = std::max(slowest, heard.took);
  }
  EXPECT_LE(slowest, kRefusedWithin);
  RecordProperty("slowest_refusal_ms", static_cast<int>(slowest.count()));
  EXPECT_THAT(away.back().message, HasSubstr("Kafka"));
  EXPECT_EQ(Alarms()[IdOf("kafka-lost")].state, kFiring);

  const Status back = Stack().kafka().Restart(Duration(30'000));
  ASSERT_TRUE(back.ok()) << back.error().message;
  RecordProperty("kafka_answers_after_ms", SinceMs(restarted));
  EXPECT_TRUE(Await(kServesWithin, [&] {
    const std::vector<Heard> heard = emitter->heard();
    return heard.back().code == 0 && heard.back().sent > restarted;
  })) << emitter->heard().back().message;
  RecordProperty("first_acknowledged_after_ms", SinceMs(restarted));
  // Long enough for a wrong "silent", a wrong resolve or a second page to show.
  std::this_thread::sleep_for(Duration(6'000));
  EXPECT_EQ(Alarms()[IdOf("kafka-lost")].state, kFiring);
  ExpectTold("kafka-lost", 1, 1, 0);
  EXPECT_EQ(emitter->heard().back().code, 0) << emitter->heard().back().message;
  ExpectResolves(*emitter);

  emitter->Stop();
  const auto in_log = InLog("kafka-lost", emitter->session());
  ASSERT_TRUE(in_log.ok()) << in_log.error().message;
  int acknowledged = 0;
  for (const Heard& heard : emitter->heard()) {
    if (heard.code != 0) continue;
    ++acknowledged;
    EXPECT_TRUE(in_log->contains(heard.sequence)) << "lost: write " << heard.sequence;
  }
  for (const auto& [sequence, times] : *in_log) EXPECT_EQ(times, 1) << "write " << sequence;
  EXPECT_GE(acknowledged, 50);
}

// W1: a broker that holds its connections and does not answer is found out by time alone.
TEST_F(LostLater, KafkaFrozenWritesAreRefusedInTimeAndTakenAgainAfterwards) {
  const auto emitter = Fire("kafka-frozen");
  ASSERT_FALSE(HasFailure());
  Stack().kafka().process().Signal(SIGSTOP);
  const SteadyTime frozen = std::chrono::steady_clock::now();
  std::this_thread::sleep_for(Duration(6'000));
  std::vector<Heard> away;
  for (const Heard& heard : emitter->heard()) {
    if (heard.sent > frozen) away.push_back(heard);
  }
  Stack().kafka().process().Signal(SIGCONT);
  const SteadyTime thawed = std::chrono::steady_clock::now();
  ASSERT_GE(away.size(), 2U);
  Duration slowest{0};
  for (const Heard& heard : away) {
    EXPECT_EQ(heard.code, kUnavailable) << heard.message;
    EXPECT_TRUE(heard.retry_info) << heard.message;
    slowest = std::max(slowest, heard.took);
  }
  RecordProperty("slowest_refusal_ms", static_cast<int>(slowest.count()));
  EXPECT_LE(slowest, kRefusedWithin);
  EXPECT_TRUE(Await(kServesWithin, [&] {
    const std::vector<Heard> heard = emitter->heard();
    return heard.back().code == 0 && heard.back().sent > thawed;
  })) << emitter->heard().back().message;
  RecordProperty("first_acknowledged_after_ms", SinceMs(thawed));
  std::this_thread::sleep_for(Duration(3'000));
  EXPECT_EQ(Alarms()[IdOf("kafka-frozen")].state, kFiring);
  ExpectTold("kafka-frozen", 1, 1, 0);
  EXPECT_EQ(emitter->heard().back().code, 0) << emitter->heard().back().message;
}

// N6.
TEST_F(LostLater, RedisLostPagesStillLeaveAndTheTableComesBackWhole) {
  const auto first = Fire("redis-lost");
  const auto other = Fire("redis-stays");
  ASSERT_FALSE(HasFailure());
  // Alarms of earlier tests may close meanwhile; these two go on firing.
  std::map<std::string, Alarm> before;
  for (const char* service : {"redis-lost", "redis-stays"}) {
    before[IdOf(service)] = Alarms()[IdOf(service)];
  }

  Stack().redis().Kill();
  const auto second = Emit("redis-lost", "b", 1);
  EXPECT_TRUE(AwaitTold("redis-lost", 2, 2, 0)) << ToldOf("redis-lost").all;
  auto listed = Stack().Ctl("viewer-1", {"alarms", "list"});
  ASSERT_TRUE(listed.ok()) << listed.error().message;
  EXPECT_EQ(listed->status.code, 3) << listed->out << listed->err;
  EXPECT_EQ(listed->out, "");
  EXPECT_THAT(listed->err, HasSubstr("Redis"));

  const Status back = Stack().redis().Restart(Duration(10'000));
  ASSERT_TRUE(back.ok()) << back.error().message;
  std::map<std::string, Alarm> after;
  EXPECT_TRUE(Await(Duration(30'000),
                    [&] {
                      after = Alarms();
                      if (after["redis-lost/hot{host=\"b\"}"].state != kFiring) return false;
                      for (const auto& [id, alarm] : before) {
                        if (!after.contains(id)) return false;
                      }
                      return true;
                    }))
      << after.size() << " alarms are listed";
  for (const auto& [id, alarm] : before) {
    EXPECT_EQ(after[id].state, alarm.state) << id;
    EXPECT_EQ(after[id].episode, alarm.episode) << id;
  }
  std::this_thread::sleep_for(Duration(3'000));
  ExpectTold("redis-lost", 2, 2, 0);
}

// E2, E3.
TEST_F(LostLater, EmptyRedisAndAKilledEvaluatorTheStateIsRebuiltFromTheLog) {
  const auto emitter = Fire("redis-empty");
  ASSERT_FALSE(HasFailure());
  const std::string id = IdOf("redis-empty");
  const std::string episode = Alarms()[id].episode;

  redis::Config config;
  config.port = Stack().redis().port();
  redis::Client client(config);
  const auto flushed = client.Run({"FLUSHALL"});
  ASSERT_TRUE(flushed.ok()) << flushed.error().message;
  stack::ServiceProcess& evaluator = Stack().service(stack::Service::kRuleEvaluation);
  evaluator.Kill();
  ASSERT_TRUE(client.Run({"FLUSHALL"}).ok());  // what it had written meanwhile
  ASSERT_TRUE(evaluator.Launch().ok());
  const Status serving = evaluator.WaitServing(kServesWithin);
  ASSERT_TRUE(serving.ok()) << serving.error().message;

  EXPECT_TRUE(AwaitState(id, kFiring)) << Alarms()[id].state;
  EXPECT_EQ(Alarms()[id].episode, episode);
  std::this_thread::sleep_for(Duration(4'000));
  EXPECT_EQ(Alarms()[id].state, kFiring);
  EXPECT_EQ(Alarms()[id].episode, episode);
  ExpectTold("redis-empty", 1, 1, 0);
  ExpectResolves(*emitter);
  EXPECT_TRUE(AwaitState(id, kOk)) << Alarms()[id].state;
}

// E3, N2: a stop in the middle of an outage is a stop in order, and what comes up after it knows
// what was told.
TEST_F(LostLater, KafkaLostTheServicesStopInOrderAndGoOnAfterwards) {
  const auto emitter = Fire("stop-without-kafka");
  ASSERT_FALSE(HasFailure());
  const std::string id = IdOf("stop-without-kafka");
  const std::string episode = Alarms()[id].episode;

  Stack().kafka().Kill();
  std::this_thread::sleep_for(Duration(1'000));
  const SteadyTime told_to = std::chrono::steady_clock::now();
  for (stack::ServiceProcess* service : Stack().services()) service->process().Signal(SIGTERM);
  for (stack::ServiceProcess* service : Stack().services()) {
    SCOPED_TRACE(service->spec().instance);
    const auto left = told_to + kStopsWithin - std::chrono::steady_clock::now();
    const std::optional<stack::ExitStatus> ended =
        service->process().Wait(std::max(Duration(0), std::chrono::duration_cast<Duration>(left)));
    EXPECT_TRUE(ended.has_value()) << "has not ended 36 s after SIGTERM\n"
                                   << stack::TailOf(service->log_file(), 15);
    RecordProperty(service->spec().instance + "_ended_by_ms", SinceMs(told_to));
    if (ended) {
      EXPECT_TRUE(ended->clean()) << ended->ToString();
    } else {
      service->Kill();
    }
  }

  const Status back = Stack().kafka().Restart(Duration(30'000));
  ASSERT_TRUE(back.ok()) << back.error().message;
  const SteadyTime launched = std::chrono::steady_clock::now();
  for (stack::ServiceProcess* service : Stack().services()) ASSERT_TRUE(service->Launch().ok());
  for (stack::ServiceProcess* service : Stack().services()) {
    const Status serving = service->WaitServing(kServesWithin);
    ASSERT_TRUE(serving.ok()) << serving.error().message;
  }
  RecordProperty("serving_after_ms", SinceMs(launched));
  EXPECT_TRUE(AwaitState(id, kFiring)) << Alarms()[id].state;
  EXPECT_EQ(Alarms()[id].episode, episode);
  ExpectTold("stop-without-kafka", 1, 1, 0);
  ExpectResolves(*emitter);
}

TEST_F(LostLater, DestinationDownIsTriedAgainWithBackOffAndToldOnce) {
  stack::Fault fault;
  fault.provider = "slack";
  fault.count = 3;
  fault.status = 503;
  ASSERT_TRUE(Stack().sink().Inject(fault).ok());
  const std::string service = "slack-down";
  Apply(service, PlanOf(service, "last(x) by host over 5s > 0.5"));
  const SteadyTime begin = std::chrono::steady_clock::now();
  const auto emitter = Emit(service, "a", 1);
  EXPECT_TRUE(Await(kPageWithin, [&] { return ToldOf(service).opened == 1; }));
  const auto pagerduty_after = std::chrono::steady_clock::now() - begin;
  EXPECT_TRUE(AwaitTold(service, 1, 1, 0)) << ToldOf(service).all;
  std::this_thread::sleep_for(Duration(2'000));
  ExpectTold(service, 1, 1, 0);

  std::vector<std::int64_t> tries;
  auto ledger = Stack().sink().Ledger();
  ASSERT_TRUE(ledger.ok());
  std::int64_t opened_us = 0;
  for (const stack::LedgerEntry& entry : *ledger) {
    if (entry.body.find(service) == std::string::npos) continue;
    EXPECT_TRUE(entry.violations.empty()) << entry.violations.front();
    if (entry.provider == "slack") tries.push_back(entry.received_us);
    if (entry.effect == "opened") opened_us = entry.received_us;
  }
  ASSERT_EQ(tries.size(), 4U);
  // Jitter may shorten a pause; three of them must not be a burst.
  EXPECT_GE(tries[3] - tries[0], 1'000'000);
  EXPECT_GT(tries[3] - tries[2], tries[1] - tries[0]);
  EXPECT_LT(opened_us, tries[3]) << "PagerDuty waited for Slack";
  EXPECT_LT(pagerduty_after, std::chrono::seconds(15));
}

}  // namespace
}  // namespace liveops::outages
