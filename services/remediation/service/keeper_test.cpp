#include "services/remediation/service/keeper.h"
#include "services/remediation/service/keeper_test_support.h"

namespace liveops::remediation::testing_support {
namespace {

using ::testing::HasSubstr;

TEST_F(KeeperTest, TheWholeWay) {
  auto replica = Proposed();
  const Remediation proposed = replica->keeper.Get(Id())->first;
  EXPECT_EQ(proposed.proposed->requested_by, "plan shop v3");
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

TEST_F(KeeperTest, ApprovalCallsGiveReasons) {
  auto replica = Proposed();
  const std::string digest = Digest(*replica);
  const auto refused = [&](const std::string& id, const std::string& d, const std::string& who) {
    return std::get<CallError>(replica->keeper.Approve(id, d, who));
  };
  EXPECT_EQ(refused("abc", digest, "alice").error.code, ErrorCode::kInvalid);
  EXPECT_EQ(refused("zzzzzz", digest, "alice").error.code, ErrorCode::kNotFound);
  EXPECT_TRUE(refused(Id(), "other", "alice").precondition);
  EXPECT_EQ(refused(Id(), digest, "plan shop v3").error.code, ErrorCode::kDenied);
  Approve(*replica);
  Settle(*replica);
  const CallResult second = replica->keeper.Approve(Id(), digest, "bob");
  ASSERT_TRUE(std::holds_alternative<CallAnswer>(second));
  EXPECT_TRUE(std::get<CallAnswer>(second).already);
  EXPECT_EQ(std::get<CallAnswer>(second).remediation.approved->by, "alice");
  EXPECT_TRUE(std::get<CallError>(replica->keeper.Deny(Id(), "bob", "no")).precondition);
  EXPECT_EQ(tool.runs, 1);
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
