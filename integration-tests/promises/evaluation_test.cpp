// What rule-evaluation promises (E1 to E6), by real processes on a real Kafka and Redis. The cases
// share one stack and come in this order: the last looks back on what all of them left in the log.
#include <gmock/gmock.h>

#include <fmt/chrono.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <thread>

#include "common/base/hash.h"
#include "integration-tests/outages/ground.h"
#include "integration-tests/promises/evaluation_log.h"

namespace liveops::promises {
namespace {

using outages::Await;
using outages::Emitter;
using outages::Ground;
using outages::kFiring;
using outages::kOk;
using stack::Service;

// Three times what is promised: a test host may be busy.
constexpr Duration kTakenOverWithin{45'000};
constexpr Duration kPageWithin{45'000};
constexpr std::int64_t kHourMs = 3'600'000;
// So long a wrong transition has to show itself.
constexpr Duration kShows{8'000};

// Programs whose wall clock a case moves.
constexpr const char* kPrograms[] = {"java", "liveops-ingest", "liveops-rule-evaluation",
                                     "liveops-notifier", "liveops-remediation"};

std::string Alarm(const std::string& name, const std::string& when, const std::string& more = "") {
  return fmt::format("  - {{name: {}, when: \"{}\", severity: critical, owner: on-call{}}}\n", name,
                     when, more);
}

std::string PlanWith(const std::string& service, const std::vector<std::string>& alarms) {
  return fmt::format(R"(service: {}
owners:
  on-call: {{title: On-call Engineer, slack: "#oncall", pagerduty: oncall}}
alarms:
{})",
                     service, fmt::join(alarms, ""));
}

class Evaluation : public Ground {
 public:
  static void SetUpTestSuite() {
    clocks_ = outages::FolderOf("clocks");
    std::filesystem::create_directories(clocks_);
    for (const char* program : kPrograms) SetClock(program, 0);
    setenv("LIVEOPS_CLOCK_DIR", clocks_.c_str(), 1);
    setenv("LD_PRELOAD", JUMPING_CLOCK, 1);
    Ground::SetUpTestSuite();
    unsetenv("LD_PRELOAD");
    if (HasFatalFailure()) return;
    auto second = Stack().AddReplica(Service::kRuleEvaluation);
    ASSERT_TRUE(second.ok()) << second.error().message;
  }
  static void TearDownTestSuite() {
    Ground::TearDownTestSuite();
    std::filesystem::remove_all(clocks_);
  }

 protected:
  // In place: the programs have mapped the file.
  static void SetClock(const std::string& program, std::int64_t ms) {
    const std::string file = clocks_ + "/" + program;
    std::fstream out(file, std::ios::in | std::ios::out | std::ios::binary);
    if (!out) out.open(file, std::ios::out | std::ios::binary);
    out.write(reinterpret_cast<const char*>(&ms), sizeof ms);
    ASSERT_TRUE(out.flush());
  }
  static stack::ServiceProcess& Replica(std::size_t n) {
    return Stack().service(Service::kRuleEvaluation, n);
  }
  static bool AwaitOpened(const std::string& service) {
    return Await(kPageWithin, [&] { return ToldOf(service).opened == 1; });
  }
  static bool AwaitResolved(const std::string& service) {
    return Await(kPageWithin, [&] { return ToldOf(service).resolves == 1; });
  }
  // A service whose partition another replica owns than the other's: `range` gives each a half.
  static std::string InHalf(const std::string& stem, bool upper) {
    for (int i = 0;; ++i) {
      const std::string name = fmt::format("{}-{}", stem, i);
      if ((PartitionOf(name, Stack().options().partitions) >= Stack().options().partitions / 2) ==
          upper) {
        return name;
      }
    }
  }
  static std::string StoryOf(const std::string& alarm_id) {
    const auto log = promises::InLog(Stack());
    return log.ok() ? Story(*log, alarm_id) : log.error().message;
  }

 private:
  static std::string clocks_;
};

std::string Evaluation::clocks_;

TEST_F(Evaluation, E2ACrashInMidWindowChangesNothingAndAnotherReplicaGoesOn) {
  const std::string names[] = {InHalf("held", false), InHalf("held", true)};
  std::vector<std::unique_ptr<Emitter>> emitters;
  for (const std::string& name : names) {
    Apply(name, PlanOf(name, "last(x) by host over 5s > 0.5 for 20s"));
    emitters.push_back(Emit(name, "a", 1));
  }
  ASSERT_FALSE(HasFailure());
  const SteadyTime begin = std::chrono::steady_clock::now();
  std::this_thread::sleep_for(Duration(8'000));  // in the middle of the hold
  Replica(1).Kill();
  const SteadyTime killed = std::chrono::steady_clock::now();
  for (const std::string& name : names) EXPECT_TRUE(AwaitOpened(name)) << name;
  RecordProperty("both_told_after_the_kill_ms", outages::SinceMs(killed));
  EXPECT_GE(outages::SinceMs(begin), 19'000) << "the hold was not kept";
  EXPECT_LE(std::chrono::steady_clock::now() - killed, kTakenOverWithin);
  ASSERT_TRUE(Replica(1).Launch().ok());
  const Status serving = Replica(1).WaitServing(kTakenOverWithin);
  ASSERT_TRUE(serving.ok()) << serving.error().message;
  for (std::size_t i = 0; i < 2; ++i) {
    emitters[i]->Set(0);
    EXPECT_TRUE(AwaitResolved(names[i])) << names[i];
    EXPECT_EQ(StoryOf(IdOf(names[i])), "FIRING crossed\nRESOLVED recovered\n");
  }
}

TEST_F(Evaluation, E3SilenceOfThePipelineNeitherFiresNorResolves) {
  const std::string hot = "fires-on";
  const std::string down = "is-up";
  Apply(hot, PlanOf(hot, "last(x) by host over 5s > 0.5"));
  Apply(down, PlanWith(down, {Alarm("hot", "last(x) by host over 5s > 5", ", no_data: fire")}));
  const auto fires = Emit(hot, "a", 1);
  const auto is_up = Emit(down, "a", 1);
  ASSERT_TRUE(AwaitOpened(hot));
  std::this_thread::sleep_for(Duration(3'000));  // both have said how often they speak

  stack::ServiceProcess& ingest = Stack().service(Service::kIngest);
  ingest.Kill();
  std::this_thread::sleep_for(Duration(20'000));  // longer than either window and 3 intervals
  EXPECT_EQ(StoryOf(IdOf(hot)), "FIRING crossed\n");
  EXPECT_EQ(StoryOf(IdOf(down)), "");
  ASSERT_TRUE(ingest.Launch().ok());
  const Status serving = ingest.WaitServing(kTakenOverWithin);
  ASSERT_TRUE(serving.ok()) << serving.error().message;
  std::this_thread::sleep_for(kShows);
  EXPECT_EQ(StoryOf(IdOf(hot)), "FIRING crossed\n");
  EXPECT_EQ(StoryOf(IdOf(down)), "");

  // With the pipeline whole, the same silence is told.
  is_up->Stop();
  EXPECT_TRUE(AwaitOpened(down)) << ToldOf(down).all;
}

TEST_F(Evaluation, E4AnHoursJumpOfAnyHostsClockCausesNoTransition) {
  const std::string hot = "fires-under-jumps";
  const std::string held = "holds-under-jumps";
  Apply(hot, PlanOf(hot, "last(x) by host over 5s > 0.5"));
  Apply(held, PlanOf(held, "last(x) by host over 5s > 0.5 for 10min"));  // pending all the while
  const auto fires = Emit(hot, "a", 1);
  const auto holds = Emit(held, "a", 1);
  ASSERT_TRUE(AwaitOpened(hot));
  for (const char* program : kPrograms) {
    for (const std::int64_t jump : {kHourMs, -kHourMs, std::int64_t{0}}) {
      SetClock(program, jump);
      std::this_thread::sleep_for(Duration(4'000));
      EXPECT_EQ(StoryOf(IdOf(hot)), "FIRING crossed\n") << program << " by " << jump;
      EXPECT_EQ(StoryOf(IdOf(held)), "") << program << " by " << jump;
    }
  }
  // The broker's clock did jump: it stands in the log.
  const auto latest = LatestAppend(Stack(), hot);
  ASSERT_TRUE(latest.ok()) << latest.error().message;
  EXPECT_GT(*latest, WallClockNow() + Duration(kHourMs / 2));
  // One event from the future makes no honest event late.
  const auto in_an_hour = std::chrono::floor<std::chrono::seconds>(
      std::chrono::system_clock::now() + std::chrono::hours(1));
  const auto answer =
      Stack().Ctl("operator-1", {"send", "--service", hot, "--label", "host=a", "--time",
                                 fmt::format("{:%FT%TZ}", fmt::gmtime(in_an_hour)), "x=0"});
  ASSERT_TRUE(answer.ok()) << answer.error().message;
  EXPECT_THAT(answer->out + answer->err, ::testing::HasSubstr("future"));
  std::this_thread::sleep_for(kShows);
  EXPECT_EQ(StoryOf(IdOf(hot)), "FIRING crossed\n");
  // And the honest ones still count, in time.
  fires->Set(0);
  EXPECT_TRUE(AwaitResolved(hot)) << ToldOf(hot).all;
}

TEST_F(Evaluation, E5APlanEditKeepsTheStateOfWhatItDidNotChange) {
  const std::string service = "edited";
  const std::string kept = Alarm("hot", "last(x) by host over 5s > 0.5 for 20s");
  const std::string removed = Alarm("goes", "last(x) by host over 5s > 0.5");
  const std::string added = Alarm("comes", "last(x) by host over 5s > 7");
  Apply(service, PlanWith(service, {kept, removed}));
  const auto emitter = Emit(service, "a", 1);
  const SteadyTime begin = std::chrono::steady_clock::now();
  ASSERT_TRUE(AwaitOpened(service));  // the one without a hold
  std::this_thread::sleep_for(begin + std::chrono::seconds(10) - std::chrono::steady_clock::now());
  Apply(service, PlanWith(service, {kept, added}));
  EXPECT_TRUE(AwaitResolved(service)) << ToldOf(service).all;
  EXPECT_TRUE(Await(kPageWithin, [&] { return ToldOf(service).opened == 2; }));
  const int fired_after = outages::SinceMs(begin);
  RecordProperty("fired_after_ms", fired_after);
  EXPECT_GE(fired_after, 19'000);
  EXPECT_LT(fired_after, 29'000) << "the edit began the hold anew";
  EXPECT_EQ(StoryOf(IdOf(service)), "FIRING crossed\n");
  EXPECT_EQ(StoryOf(service + "/goes{host=\"a\"}"), "FIRING crossed\nWITHDRAWN removed\n");
  EXPECT_EQ(StoryOf(service + "/comes{host=\"a\"}"), "");
}

TEST_F(Evaluation, E6WhatAZombieWritesChangesNothing) {
  const std::string names[] = {InHalf("fenced", false), InHalf("fenced", true)};
  std::vector<std::unique_ptr<Emitter>> emitters;
  for (const std::string& name : names) {
    Apply(name, PlanOf(name, "last(x) by host over 5s > 0.5"));
    emitters.push_back(Emit(name, "a", 0));
  }
  ASSERT_FALSE(HasFailure());
  // Paused long enough to lose its partitions; meanwhile the other owner tells what happens.
  Replica(1).process().Signal(SIGSTOP);
  for (auto& emitter : emitters) emitter->Set(1);
  for (const std::string& name : names) EXPECT_TRUE(AwaitOpened(name)) << name;
  Replica(1).process().Signal(SIGCONT);
  for (const std::string& name : names) {
    // The one that never changed hands since the suite's crash has had two owners as well.
    const Status written = WriteAsZombie(Stack(), IdOf(name));
    EXPECT_TRUE(written.ok()) << written.error().message;
  }
  std::this_thread::sleep_for(kShows);
  for (const std::string& name : names) {
    EXPECT_EQ(StoryOf(IdOf(name)), "FIRING crossed\n");
    const outages::Told told = ToldOf(name);
    EXPECT_EQ(told.opened, 1) << told.all;
    EXPECT_EQ(told.resolves, 0) << told.all;
    EXPECT_TRUE(AwaitState(IdOf(name), kFiring)) << Alarms()[IdOf(name)].state;
  }
  // A process that was fenced may end by itself; a fresh one takes part again.
  if (!Replica(1).process().running()) {
    ASSERT_TRUE(Replica(1).Launch().ok());
    const Status serving = Replica(1).WaitServing(kTakenOverWithin);
    ASSERT_TRUE(serving.ok()) << serving.error().message;
  }
  for (std::size_t i = 0; i < 2; ++i) {
    emitters[i]->Set(0);
    EXPECT_TRUE(AwaitResolved(names[i])) << ToldOf(names[i]).all;
    EXPECT_EQ(StoryOf(IdOf(names[i])), "FIRING crossed\nRESOLVED recovered\n");
  }
}

// After a crash, a pause, an hour's jumps and an edit: what stands in the log is to the byte what
// one run through each partition gives.
TEST_F(Evaluation, E1AReplayOfTheLogGivesTheSameBytes) {
  const auto log = promises::InLog(Stack());
  ASSERT_TRUE(log.ok()) << log.error().message;
  const auto replayed = Replayed(Stack());
  ASSERT_TRUE(replayed.ok()) << replayed.error().message;
  std::size_t compared = 0;
  for (const auto& [partition, told] : *log) {
    const auto it = replayed->find(partition);
    ASSERT_NE(it, replayed->end()) << "partition " << partition;
    SameToTheByte(told, it->second);
    compared += told.size();
  }
  EXPECT_GE(compared, 10U);
}

}  // namespace
}  // namespace liveops::promises
