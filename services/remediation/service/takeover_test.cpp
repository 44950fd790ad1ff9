// Crashes, hand-overs and zombies.
#include "services/remediation/service/keeper_test_support.h"

namespace liveops::remediation::testing_support {
namespace {

using ::testing::HasSubstr;

using TakeoverTest = KeeperTest;

TEST_F(TakeoverTest, ASuccessorProposesWhatTheFirstDidNot) {
  ApplyPlan();
  Scenario(v1::ALARM_STATE_FIRING, 0);
  auto replica = Start("remediation-0");
  Settle(*replica);
  EXPECT_THAT(Story(), ElementsAre("proposed"));
  // And one that comes later makes no second one.
  auto next = Start("remediation-1");
  Settle(*next);
  EXPECT_THAT(Story(), ElementsAre("proposed"));
}

TEST_F(TakeoverTest, ASuccessorWaitsOutTheLeaseBeforeItActs) {
  auto first = Proposed();
  auto second = Start("remediation-1");
  Approve(*second);
  Settle(*second);
  EXPECT_THAT(Story(), ElementsAre("proposed", "approved"));
  PassAndTick(*second, 4);
  EXPECT_EQ(tool.runs, 0);
  PassAndTick(*second, 1);
  EXPECT_EQ(tool.runs, 1);
}

TEST_F(TakeoverTest, AReleasedPartitionNeedsNoWait) {
  auto first = Proposed();
  for (std::int32_t p = 0; p < kPartitions; ++p) {
    const auto release = first->keeper.Revoked(p);
    ASSERT_TRUE(release);
    log.ProduceSync(topic::kRemediations, p, release->key, release->value,
                    runtime::OwnerHeaders(release->epoch))
        .ok();
  }
  auto second = Start("remediation-1");
  Approve(*second);
  Settle(*second);
  EXPECT_EQ(tool.runs, 1);
}

TEST_F(TakeoverTest, APausedOwnerThatWakesDoesNotRun) {
  auto first = Intended();
  auto second = Start("remediation-1");  // claims while the first one sleeps
  Settle(*first);                        // reads its intent, then the newer claim, then works
  EXPECT_EQ(tool.runs, 0);
  EXPECT_FALSE(first->keeper.NeedClaim().empty());
}

TEST_F(TakeoverTest, APauseBetweenReadBackAndEffectIsNoticedByTheClock) {
  auto first = Intended();
  Read(*first);  // it is the first intent: the job is posted
  ASSERT_EQ(first->jobs.queue.size(), 1u);
  Pass(11);  // longer than the lease, and nothing newer was read
  Settle(*first);
  EXPECT_EQ(tool.runs, 0);
  EXPECT_EQ(Story().back(), "refused");
}

TEST_F(TakeoverTest, AClaimDuringTheCheckStopsTheEffect) {
  auto first = Intended();
  Read(*first);
  tool.on_check = [&] {
    tool.on_check = nullptr;
    auto second = Start("remediation-1");
    Read(*first);
  };
  Settle(*first);
  EXPECT_EQ(tool.runs, 0);
}

TEST_F(TakeoverTest, CrashBeforeTheEffectEndsUnknownAndNeverRuns) {
  auto first = Intended();
  first.reset();
  auto second = Start("remediation-1");
  PassAndTick(*second, 10);
  PassAndTick(*second, 31);
  EXPECT_EQ(tool.read_backs, 0);  // 10 s lease + 30 s tool + 2 s
  PassAndTick(*second, 2);
  EXPECT_EQ(tool.read_backs, 1);
  EXPECT_EQ(tool.runs, 0);
  EXPECT_EQ(Story().back(), "unknown");
  EXPECT_THAT(second->keeper.Get(Id())->first.outcome->detail, HasSubstr("a person must look"));
}

TEST_F(TakeoverTest, CrashAfterTheEffectIsReadBackAndGoesOnToTheProbe) {
  auto first = Intended();
  tool.in_force = "good";  // it ran, and then the process died
  first.reset();
  auto second = Start("remediation-1");
  second->keeper.Tick();
  PassAndTick(*second, 43);
  PassAndTick(*second, 1);
  EXPECT_EQ(tool.runs, 0);
  EXPECT_EQ(Story().back(), "effect");
  EXPECT_TRUE(second->keeper.Get(Id())->first.effect->read_back);
  EXPECT_EQ(Probes(), 1);
  Probe(true);
  Settle(*second);
  EXPECT_EQ(Story().back(), "verified");
}

TEST_F(TakeoverTest, CrashBeforeTheProbeStartsItAgain) {
  auto first = Proposed();
  Approve(*first);
  Settle(*first);
  ASSERT_EQ(Probes(), 1);
  first.reset();
  auto second = Start("remediation-1");
  Settle(*second);
  EXPECT_EQ(Probes(), 2);  // the same probe id: the engine knows it already, or not
  EXPECT_EQ(tool.runs, 1);
}

TEST_F(TakeoverTest, AZombiesRecordsAreVoid) {
  auto first = Proposed();
  auto second = Start("remediation-1");
  Read(*second);
  // The first one has not read the newer claim and lets the proposal expire in its own name.
  Pass(901);
  first->keeper.Tick();
  EXPECT_EQ(Story().back(), "expired");
  Read(*second);
  EXPECT_EQ(second->keeper.Counters()["records_void"], 1);
  Settle(*second);
  EXPECT_EQ(second->keeper.Get(Id())->first.phase, Phase::kClosed);
}

TEST_F(TakeoverTest, AFailedAppendIsTriedAgain) {
  auto replica = Proposed();
  Approve(*replica);
  log.failing = true;
  Read(*replica);
  log.failing = false;
  EXPECT_THAT(Story(), ElementsAre("proposed", "approved"));
  PassAndTick(*replica, 1);
  EXPECT_THAT(Story(), ElementsAre("proposed", "approved", "intent", "effect"));
  EXPECT_EQ(tool.runs, 1);
}

TEST_F(TakeoverTest, AResultThatCouldNotBeWrittenIsKept) {
  auto replica = Intended();
  Read(*replica);
  log.failing = true;
  replica->jobs.RunAll();
  log.failing = false;
  EXPECT_EQ(Story().back(), "intent");
  PassAndTick(*replica, 1);
  EXPECT_EQ(Story().back(), "effect");
  EXPECT_EQ(tool.runs, 1);
}

}  // namespace
}  // namespace liveops::remediation::testing_support
