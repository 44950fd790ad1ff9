#include <algorithm>
#include <limits>
#include <map>
#include <set>

#include "services/remediation/service/keeper.h"
#include "services/remediation/service/keeper_test_support.h"

namespace liveops::remediation::testing_support {
namespace {

using ::testing::HasSubstr;

TEST_F(KeeperTest, TheWholeWay) {
  auto replica = Proposed();
  const Remediation proposed = replica->keeper.Get(Id())->first;
  EXPECT_EQ(proposed.proposed->requested_by, "kim");
  EXPECT_EQ(proposed.proposed->plan_version, 3u);
  EXPECT_EQ(proposed.proposed->expires, InstantFromMs(ToMs(log.now)) + Duration(900'000));
  EXPECT_EQ(*log.records.back().FindHeader("traceparent"), kTrace);
  EXPECT_NE(log.records.back().FindHeader("epoch"), nullptr);
  Approve(*replica);
  Settle(*replica);
  EXPECT_THAT(Story(), ElementsAre("proposed", "approved", "intent", "effect"));
  EXPECT_EQ(tool.runs, 1);
  EXPECT_EQ(Probes(), 1);
  const kafka::Record probe = log.records.back();
  v1::ShardRecord start;
  ASSERT_TRUE(start.ParseFromString(probe.value));
  EXPECT_EQ(probe.partition, PartitionOf("shop", kPartitions));
  EXPECT_EQ(start.probe().probe_id(), Id() + "/expect");
  EXPECT_EQ(start.probe().within_ms(), 300'000u);
  Probe(true);
  Settle(*replica);
  EXPECT_THAT(Story(), ElementsAre("proposed", "approved", "intent", "effect", "verified"));
  EXPECT_EQ(replica->keeper.Get(Id().substr(0, 4))->second.size(), 5u);
  EXPECT_TRUE(replica->keeper.List(true)->empty());
  EXPECT_EQ(Probes(), 1);
}

TEST_F(KeeperTest, ASpreadServiceIsProbedInAllItsPartitions) {
  ApplyPlan("kim", 3, std::string(kPlan) + "spread: 3\n");
  auto replica = Start("remediation-0");
  Scenario(v1::ALARM_STATE_FIRING, 0);
  Settle(*replica);
  Approve(*replica);
  Read(*replica);
  log.fails_at = (PartitionOf("shop", kPartitions) + 2) % kPartitions;
  Settle(*replica);
  EXPECT_EQ(Probes(), 2) << "one was not written";
  log.fails_at.reset();
  PassAndTick(*replica, 1);
  std::map<std::int32_t, std::set<std::string>> told;
  for (const kafka::Record& record : log.records) {
    v1::ShardRecord start;
    if (record.topic != topic::kMetrics || !start.ParseFromString(record.value)) continue;
    told[record.partition].insert(start.probe().probe_id());
  }
  ASSERT_EQ(told.size(), 3u);
  for (std::int32_t step = 0; step < 3; ++step) {
    EXPECT_THAT(told[(PartitionOf("shop", kPartitions) + step) % kPartitions],
                ElementsAre(Id() + "/expect"));
  }
  PassAndTick(*replica, 1);
  EXPECT_EQ(Probes(), 5);
  ApplyPlan("kim", 4, std::string(kPlan) + "spread: 2\n");
  Settle(*replica);
  PassAndTick(*replica, 1);
  EXPECT_EQ(Probes(), 5) << "it runs in both";
  ApplyPlan("kim", 5, std::string(kPlan) + "spread: 4\n");
  Settle(*replica);
  PassAndTick(*replica, 1);
  EXPECT_EQ(Probes(), 9) << "it must run in the fourth, too";
}

TEST_F(KeeperTest, WithdrawnWhenTheConditionEndsFirst) {
  auto replica = Proposed();
  Scenario(v1::ALARM_STATE_RESOLVED, 1);
  Settle(*replica);
  EXPECT_THAT(Story(), ElementsAre("proposed", "withdrawn"));
}

TEST_F(KeeperTest, ExpiresAndIsNotProposedAgainInTheSameEpisode) {
  auto replica = Proposed();
  PassAndTick(*replica, 899);
  EXPECT_THAT(Story(), ElementsAre("proposed"));
  PassAndTick(*replica, 2);
  EXPECT_THAT(Story(), ElementsAre("proposed", "expired"));
  PassAndTick(*replica, 60);
  EXPECT_THAT(Story(), ElementsAre("proposed", "expired"));
}

TEST_F(KeeperTest, RefusedWithAReasonWhenThereIsNothingToGoBackTo) {
  tool.resolve_error = ConflictError("revision 1 is in force and there is no earlier one");
  ApplyPlan();
  auto replica = Start("remediation-0");
  Scenario(v1::ALARM_STATE_FIRING, 0);
  Settle(*replica);
  EXPECT_THAT(Story(), ElementsAre("proposed", "refused"));
  EXPECT_THAT(replica->keeper.Get(Id())->first.outcome->detail, HasSubstr("no earlier one"));
}

TEST_F(KeeperTest, ResolvingIsTriedAgainWhileTheClusterIsAway) {
  tool.resolve_error = UnavailableError("connection refused");
  ApplyPlan();
  auto replica = Start("remediation-0");
  Scenario(v1::ALARM_STATE_FIRING, 0);
  Settle(*replica);
  EXPECT_TRUE(Story().empty());
  tool.resolve_error.reset();
  PassAndTick(*replica, 1);
  EXPECT_TRUE(Story().empty());
  PassAndTick(*replica, 2);
  EXPECT_THAT(Story(), ElementsAre("proposed"));
}

TEST_F(KeeperTest, APreconditionThatFailsRunsNothing) {
  auto replica = Proposed();
  Approve(*replica);
  tool.in_force = "newer";
  Settle(*replica);
  EXPECT_THAT(Story(), ElementsAre("proposed", "approved", "intent", "refused"));
  EXPECT_EQ(tool.runs, 0);
}

TEST_F(KeeperTest, ProbeThatTimesOutIsIneffective) {
  auto replica = Proposed();
  Approve(*replica);
  Settle(*replica);
  Probe(false);
  Settle(*replica);
  EXPECT_EQ(Story().back(), "ineffective");
}

TEST_F(KeeperTest, ToolThatFailsIsFailed) {
  tool.exit_code = 1;
  auto replica = Proposed();
  Approve(*replica);
  Settle(*replica);
  EXPECT_THAT(Story(), ElementsAre("proposed", "approved", "intent", "effect", "failed"));
  EXPECT_EQ(Probes(), 0);
}

TEST_F(KeeperTest, CoolDownRefusesTheNextEpisode) {
  auto replica = Proposed();
  Approve(*replica);
  Settle(*replica);
  Probe(true);
  Scenario(v1::ALARM_STATE_RESOLVED, 1);
  Settle(*replica);
  Pass(60);
  episode_ms += 60'000;
  Scenario(v1::ALARM_STATE_FIRING, 0);
  Settle(*replica);
  EXPECT_EQ(Story().back(), "refused");
  EXPECT_THAT(replica->keeper.Get(Id())->first.outcome->detail, HasSubstr("cool-down"));
  EXPECT_THAT(tool.avoided, ElementsAre("bad"));
}

// openclaw#24826: an approval was replayed. Here a second one is told what the first one did.
TEST_F(KeeperTest, ApprovalCallsGiveReasons) {
  auto replica = Proposed();
  const std::string digest = Digest(*replica);
  const auto refused = [&](const std::string& id, const std::string& d, const std::string& who) {
    return std::get<CallError>(replica->keeper.Approve(id, d, who));
  };
  EXPECT_EQ(refused("abc", digest, "alice").error.code, ErrorCode::kInvalid);
  EXPECT_EQ(refused("zzzzzz", digest, "alice").error.code, ErrorCode::kNotFound);
  EXPECT_TRUE(refused(Id(), "other", "alice").precondition);
  EXPECT_EQ(refused(Id(), digest, "kim").error.code, ErrorCode::kDenied);
  Approve(*replica);
  Settle(*replica);
  const CallResult second = replica->keeper.Approve(Id(), digest, "bob");
  ASSERT_TRUE(std::holds_alternative<CallAnswer>(second));
  EXPECT_TRUE(std::get<CallAnswer>(second).already);
  EXPECT_EQ(std::get<CallAnswer>(second).remediation.approved->by, "alice");
  EXPECT_TRUE(std::get<CallError>(replica->keeper.Deny(Id(), "bob", "no")).precondition);
  EXPECT_EQ(tool.runs, 1);
}

TEST_F(KeeperTest, WhoAppliedThePlanCannotApproveWhatItProposes) {
  auto replica = Proposed();
  Approve(*replica, "kim");  // past the call's own check: the log decides
  Settle(*replica);
  EXPECT_EQ(replica->keeper.Get(Id())->first.phase, Phase::kProposed);
  EXPECT_EQ(tool.runs, 0);
  Approve(*replica, "alice");
  Settle(*replica);
  EXPECT_EQ(tool.runs, 1);
}

TEST_F(KeeperTest, ARemedyOfAPlanThatNobodyIsKnownToHaveAppliedIsRefused) {
  ApplyPlan("");
  auto replica = Start("remediation-0");
  Scenario(v1::ALARM_STATE_FIRING, 0);
  Settle(*replica);
  for (int i = 0; i < 3; ++i) PassAndTick(*replica, 2);
  EXPECT_TRUE(Story().empty()) << "the name may yet be told";
  PassAndTick(*replica, 2);
  EXPECT_THAT(Story(), ElementsAre("proposed", "refused"));
  EXPECT_THAT(replica->keeper.Get(Id())->first.outcome->detail, HasSubstr("who applied version 3"));
}

TEST_F(KeeperTest, TheNameThatIsToldLateCountsAndIsNotLostAgain) {
  ApplyPlan("");
  auto replica = Start("remediation-0");
  Scenario(v1::ALARM_STATE_FIRING, 0);
  Settle(*replica);
  ApplyPlan("kim");
  ApplyPlan("");  // repeated by a build that does not keep it
  Read(*replica);
  PassAndTick(*replica, 2);
  EXPECT_THAT(Story(), ElementsAre("proposed"));
  EXPECT_EQ(replica->keeper.Get(Id())->first.proposed->requested_by, "kim");
}

TEST_F(KeeperTest, APlanThatChangedWhileItWasResolvedIsResolvedAnew) {
  ApplyPlan();
  auto replica = Start("remediation-0");
  Scenario(v1::ALARM_STATE_FIRING, 0);
  Read(*replica);
  ASSERT_EQ(replica->jobs.queue.size(), 1u);
  std::string other = kPlan;
  other.replace(other.find("deployment/shop"), 15, "deployment/till");
  ApplyPlan("lee", 4, other);
  Read(*replica);
  replica->jobs.RunAll();  // the answer to what version 3 asked for
  Read(*replica);
  EXPECT_TRUE(Story().empty());
  PassAndTick(*replica, 1);
  EXPECT_THAT(Story(), ElementsAre("proposed"));
  EXPECT_EQ(tool.resolves, 2);
  EXPECT_EQ(replica->keeper.Get(Id())->first.proposed->requested_by, "lee");
}

TEST_F(KeeperTest, TwoApprovalsOnOneTargetDoNotSlipThroughTheGuardrailsTogether) {
  std::string plan = kPlan;
  plan += R"(  - name: slow
    when: "5xx > 2% for 3min"
    do: {kubectl: [rollout, undo, deployment/shop]}
    approval: {from: on-call, within: 15min}
)";
  ApplyPlan("kim", 3, plan);
  Scenario(v1::ALARM_STATE_FIRING, 0);
  Scenario(v1::ALARM_STATE_FIRING, 0, "slow");
  auto first = Start("remediation-0");
  Settle(*first);
  ASSERT_THAT(Story(), ElementsAre("proposed", "proposed"));
  auto second = Start("remediation-1");  // must wait: both approvals stand when it may act
  Approve(*second);
  Approve(*second, "alice", "slow");
  Settle(*second);
  Pass(5);
  second->keeper.Tick();
  Settle(*second);
  EXPECT_EQ(tool.runs, 1);
  std::vector<std::string> story = Story();
  EXPECT_EQ(std::count(story.begin(), story.end(), "intent"), 1);
  EXPECT_EQ(std::count(story.begin(), story.end(), "refused"), 1);
}

TEST_F(KeeperTest, TheListEndsWithTheNewest) {
  auto replica = Proposed();
  const std::string first = Id();
  Scenario(v1::ALARM_STATE_RESOLVED, 1);
  Pass(60);
  episode_ms += 60'000;
  Scenario(v1::ALARM_STATE_FIRING, 0);
  Settle(*replica);
  const auto list = replica->keeper.List(false);
  ASSERT_EQ(list->size(), 2u);
  EXPECT_EQ(list->front().id, first);
  EXPECT_EQ(list->back().id, Id());
}

TEST_F(KeeperTest, ForgetsAMonthAfterTheEndWhatCannotBeProposedAgain) {
  constexpr int kDay = 24 * 3600;
  auto replica = Proposed();
  const std::string first = Id();
  ASSERT_TRUE(replica->keeper.Get(first).ok());
  PassAndTick(*replica, 901);
  ASSERT_EQ(Story().back(), "expired");
  PassAndTick(*replica, 31 * kDay);
  EXPECT_TRUE(replica->keeper.Get(first).ok()) << "its alarm still fires: it is not new";
  EXPECT_THAT(Story(), ElementsAre("proposed", "expired"));
  Scenario(v1::ALARM_STATE_RESOLVED, 1);
  Settle(*replica);
  PassAndTick(*replica, 3601);
  EXPECT_FALSE(replica->keeper.Get(first).ok());
  EXPECT_TRUE(replica->keeper.List(false)->empty());
  // One that reads the log anew forgets it likewise.
  auto other = Start("remediation-1");
  EXPECT_TRUE(other->keeper.List(false)->empty());
  EXPECT_THAT(Story(), ElementsAre("proposed", "expired"));
}

TEST_F(KeeperTest, ATimeThatCannotBeReckonedWithIsBuried) {
  auto replica = Proposed();
  v1::RemediationRecord record;
  record.set_remediation_id(Id());
  record.set_clock_ms(std::numeric_limits<std::int64_t>::max());
  record.mutable_approved()->set_digest(Digest(*replica));
  record.mutable_approved()->set_by("alice");
  record.mutable_approved()->set_expires_ms(record.clock_ms());
  log.ProduceSync(topic::kRemediations, PartitionOf("default/deployment/shop", kPartitions), Id(),
                  record.SerializeAsString())
      .ok();
  Settle(*replica);
  EXPECT_EQ(log.records.back().topic, topic::kDeadLetter);
  EXPECT_EQ(tool.runs, 0);
}

TEST_F(KeeperTest, ACallAnswersAfterItsRecordWasFolded) {
  auto replica = Proposed();
  const std::string digest = Digest(*replica);
  std::promise<void> appended;
  log.on_append = [&] { appended.set_value(); };
  std::thread reader([&] {
    appended.get_future().wait();
    Read(*replica);
  });
  const CallResult denied = replica->keeper.Deny(Id(), "bob", "not now");
  reader.join();
  ASSERT_TRUE(std::holds_alternative<CallAnswer>(denied));
  EXPECT_EQ(std::get<CallAnswer>(denied).remediation.denied->by, "bob");
  EXPECT_TRUE(std::get<CallError>(replica->keeper.Approve(Id(), digest, "alice")).precondition);
}

TEST_F(KeeperTest, PoisonIsBuriedAndTheRestGoesOn) {
  auto replica = Start("remediation-0");
  log.ProduceSync(topic::kRemediations, 1, "k", "\xff\xff garbage").ok();
  log.ProduceSync(topic::kAlarms, 1, "k", "\xff\xff garbage").ok();
  Settle(*replica);
  EXPECT_EQ(log.records.back().topic, topic::kDeadLetter);
  ApplyPlan();
  Scenario(v1::ALARM_STATE_FIRING, 0);
  Settle(*replica);
  EXPECT_THAT(Story(), ElementsAre("proposed"));
}

TEST_F(KeeperTest, AReplicaThatOwnsNothingOnlyAnswers) {
  auto owner = Proposed();
  auto other = Start("remediation-1", false);
  EXPECT_EQ(other->keeper.List(false)->size(), 1u);
  Pass(901);
  other->keeper.Tick();
  Settle(*other);
  EXPECT_THAT(Story(), ElementsAre("proposed"));
}

}  // namespace
}  // namespace liveops::remediation::testing_support
