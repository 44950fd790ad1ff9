#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "services/notifier/service/core_test_support.h"

namespace liveops::notifier {
namespace {

using namespace std::chrono_literals;

struct CoreTest : ::testing::Test {
  CoreTest() { world.Plan(); }
  World world;
};

TEST_F(CoreTest, APageLeavesOnlyAfterItsAttemptWasReadBack) {
  world.Start();
  world.Fire();
  EXPECT_TRUE(world.sent.empty());
  world.ReadBack();
  EXPECT_EQ(world.sent.size(), 2u);  // Slack and PagerDuty
  world.SlackOk();
  world.PagerDutyOk();
  EXPECT_EQ(world.Told("slack:#oncall"), "firing=delivered");
  EXPECT_EQ(world.Told("pagerduty:oncall"), "firing=delivered");
  world.Resolve();
  EXPECT_TRUE(world.Take("slack/oncall").Has("RESOLVED"));
  EXPECT_TRUE(world.Take("pagerduty").Has("\"event_action\":\"resolve\""));
}

TEST_F(CoreTest, MediumGoesToSlackAlone) {
  world.Start();
  world.Fire("deep", 1000, v1::SEVERITY_MEDIUM);
  EXPECT_TRUE(world.AnythingTo("slack"));
  EXPECT_FALSE(world.AnythingTo("pagerduty"));
}

TEST_F(CoreTest, HistoryDoesNotPage) {
  world.Fire("old", 500);
  world.Resolve("old", 500);
  world.Fire("deep", 1000);
  world.Start();
  world.ReadBack();
  EXPECT_EQ(world.sent.size(), 2u);  // of "deep" alone
  EXPECT_TRUE(world.sent[0].Has("deep"));
  EXPECT_TRUE(world.sent[1].Has("deep"));
  EXPECT_EQ(world.Told("slack:#oncall", "backend-api/old"), "resolved=superseded");
}

// forta-node#607: claimed before sent, and the crash between lost the message.
TEST_F(CoreTest, AProcessKilledBetweenRequestAndOutcomeLeavesAnUnknownThatIsToldAgain) {
  world.Start();
  world.Fire();
  const SentMessage first = world.Take("pagerduty");
  world.Kill();
  world.Start();
  world.ReadBack();
  EXPECT_TRUE(world.sent.empty()) << "the lease of the last owner still runs";
  world.Advance(4999ms);
  EXPECT_TRUE(world.sent.empty());
  world.Advance(1ms);
  EXPECT_TRUE(world.Take("slack/oncall").Has("may be a repeat"));
  const SentMessage second = world.Take("pagerduty");
  EXPECT_FALSE(second.Has("may be a repeat"));
  const auto key = [](const SentMessage& m) {
    return m.body.substr(m.body.find("\"dedup_key\":"), 80);
  };
  EXPECT_EQ(key(second), key(first));
}

TEST_F(CoreTest, WhatWasRecordedIsNotSentAgainAfterAKill) {
  world.Start();
  world.Fire();
  world.SlackOk();
  world.PagerDutyOk();
  world.Kill();
  world.Start();
  world.Advance(60s);
  EXPECT_TRUE(world.sent.empty());
}

TEST_F(CoreTest, AnOwnerThatLetGoInOrderLeavesNoLease) {
  world.Start();
  for (std::int32_t p = 0; p < kPartitions; ++p) {
    world.Run(world.core->Release(p));
  }
  world.Kill();
  world.Fire();
  world.Start();
  EXPECT_TRUE(world.AnythingTo("slack"));
}

// grafana#68162: a resolve lost for good by a restart before the flush.
TEST_F(CoreTest, AResolveThatCameWhileNobodyWasThereIsSent) {
  world.Start();
  world.Fire();
  world.SlackOk();
  world.PagerDutyOk();
  world.Kill();
  world.Resolve();
  world.Start();
  world.Advance(5s);
  EXPECT_TRUE(world.Take("slack/oncall").Has("RESOLVED"));
  EXPECT_TRUE(world.Take("pagerduty").Has("\"event_action\":\"resolve\""));
}

// alertmanager#4108: two replicas retried through an outage, then both sent.
TEST_F(CoreTest, AnAttemptBehindANewerClaimIsNotSent) {
  world.Start();
  world.Fire();
  for (std::int32_t p = 0; p < kPartitions; ++p) {
    // The claim got into the log before the attempt did.
    const auto attempt =
        std::find_if(world.log.begin(), world.log.end(), [&](const kafka::Record& record) {
          return record.partition == p && record.key.starts_with("attempt/");
        });
    if (attempt == world.log.end()) continue;
    v1::NotificationRecord claim;
    claim.mutable_claim()->set_owner("another");
    kafka::Record record = *attempt;
    record.key = "claim/another";
    record.value = claim.SerializeAsString();
    record.headers.clear();
    const kafka::Record late = *attempt;
    world.Run(world.core->OnNotification(record, world.now));
    kafka::Record moved = late;
    moved.offset = record.offset + 1;
    world.Run(world.core->OnNotification(moved, world.now));
    EXPECT_TRUE(world.reclaims.contains(p));
  }
  EXPECT_FALSE(world.reclaims.empty());
  EXPECT_TRUE(world.sent.empty());
}

TEST_F(CoreTest, APausedProcessDoesNotUseAnAttemptThatLapsed) {
  world.Start();
  world.Fire();
  const std::size_t attempts = world.log.size();
  world.now.boot += 3s;  // suspended: the steady clock did not see it
  while (world.core->counters().lapsed < 2) world.ReadNext();
  EXPECT_TRUE(world.sent.empty());
  EXPECT_GT(world.log.size(), attempts) << "tried anew, under a fresh attempt";
  const SentMessage again = world.Take("slack/oncall");
  EXPECT_FALSE(again.Has("may be a repeat")) << "it surely was not sent";
}

// posthog#80897: fenced before drained, finished work was discarded and Slack posted twice.
TEST_F(CoreTest, WorkUnderWayIsRecordedBeforeThePartitionGoes) {
  world.Start();
  world.Fire();
  const SentMessage slack = world.Take("slack/oncall");
  const std::int32_t p = PartitionOf("slack:#oncall", kPartitions);
  world.Run(world.core->StartDraining(p, world.now));
  EXPECT_EQ(world.core->RequestsUnderWay(p), 1);
  world.Answer(slack, 200, "ok");
  EXPECT_EQ(world.core->RequestsUnderWay(p), 0);
  EXPECT_EQ(world.Told("slack:#oncall"), "firing=delivered");
  world.Kill();
  world.Start();
  world.Advance(10s);
  EXPECT_FALSE(world.AnythingTo("slack/oncall"));
}

TEST_F(CoreTest, AnAttemptThatDidNotLeaveBeforeThePartitionWentIsNoDoubt) {
  world.Start();
  world.Fire();
  for (std::int32_t p = 0; p < kPartitions; ++p) {
    world.Run(world.core->StartDraining(p, world.now));
  }
  world.Kill();
  world.Start();
  world.Advance(5s);
  EXPECT_FALSE(world.Take("slack/oncall").Has("may be a repeat"));
}

// alertmanager#2111, signoz#12891: a 429 was taken as permanent.
TEST_F(CoreTest, A429WaitsAsLongAsItSaysAndThenTellsTheLatestState) {
  world.Start();
  world.Fire("deep", 1000, v1::SEVERITY_MEDIUM);
  world.Answer(world.Take("slack/oncall"), 429, "", "7");
  world.Advance(6999ms);
  EXPECT_FALSE(world.AnythingTo("slack"));
  world.Advance(1ms);
  EXPECT_FALSE(world.Take("slack/oncall").Has("may be a repeat"));
}

TEST_F(CoreTest, AFiringThatIsOverBeforeAnythingArrivedIsRecordedAsSuperseded) {
  world.Start();
  world.Fire("deep", 1000, v1::SEVERITY_MEDIUM);
  world.Answer(world.Take("slack/oncall"), 429, "", "7");
  world.Resolve();
  world.Advance(10s);
  EXPECT_FALSE(world.AnythingTo("slack"));
  EXPECT_EQ(world.Told("slack:#oncall"), "firing=failed resolved=superseded");
}

TEST_F(CoreTest, AfterATriggerOfUnknownOutcomeTheResolveStillGoesOut) {
  world.Start();
  world.Fire();
  world.NoAnswer(world.Take("pagerduty"), false);
  world.Resolve();
  world.Advance(1s);
  EXPECT_TRUE(world.Take("pagerduty").Has("\"event_action\":\"resolve\""));
}

TEST_F(CoreTest, ADestinationWithoutWebhookIsDeadLetteredInSightAndToldOnceItHasOne) {
  world.settings.slack_webhooks.clear();
  world.Start();
  world.Fire("deep", 1000, v1::SEVERITY_MEDIUM);
  EXPECT_EQ(world.Told("slack:#oncall"), "firing=rejected");
  ASSERT_EQ(world.dead_letters.size(), 1u);
  EXPECT_EQ(world.dead_letters[0], "not configured: slack.webhooks has no entry \"#oncall\"");
  world.Kill();
  world.settings.slack_webhooks = {{"#oncall", "https://slack/oncall-hook"}};
  world.Start();
  world.Advance(5s);
  EXPECT_TRUE(world.AnythingTo("slack/oncall"));
}

TEST_F(CoreTest, A4xxIsFinalAndInSight) {
  world.Start();
  world.Fire("deep", 1000, v1::SEVERITY_MEDIUM);
  world.Answer(world.Take("slack/oncall"), 404, "no_service");
  world.Advance(600s);
  EXPECT_FALSE(world.AnythingTo("slack"));
  EXPECT_EQ(world.Told("slack:#oncall"), "firing=rejected");
  EXPECT_EQ(world.dead_letters.size(), 1u);
}

TEST_F(CoreTest, TheFirstAcknowledgementReachesPagerDuty) {
  world.Start();
  world.Fire();
  world.PagerDutyOk();
  world.SlackOk();
  world.Ack("alice");
  world.Ack("bob");
  const SentMessage ack = world.Take("pagerduty");
  EXPECT_TRUE(ack.Has("\"event_action\":\"acknowledge\""));
  EXPECT_TRUE(ack.Has("alice"));
  world.Answer(ack, 202);
  EXPECT_FALSE(world.AnythingTo("pagerduty"));
}

TEST_F(CoreTest, AProposalIsTheSameAlertInPagerDutyAndAMessageOfItsOwnInSlack) {
  world.Start();
  world.Fire();
  world.PagerDutyOk();
  world.SlackOk();
  world.Propose();
  const SentMessage pagerduty = world.Take("pagerduty");
  EXPECT_TRUE(pagerduty.Has("\"event_action\":\"trigger\""));
  EXPECT_TRUE(pagerduty.Has("liveopsctl remediations approve 0123abcd"));
  EXPECT_TRUE(pagerduty.Has(DedupKey("backend-api/deep", InstantFromMs(1000))));
  world.Answer(pagerduty, 202);
  const SentMessage slack = world.Take("slack/oncall");
  EXPECT_TRUE(slack.Has("liveopsctl remediations approve 0123abcd"));
  world.Answer(slack, 200, "ok");
  world.Resolve();
  world.PagerDutyOk();
  world.SlackOk();
  world.Verified();
  EXPECT_FALSE(world.AnythingTo("pagerduty"));
  EXPECT_TRUE(world.Take("slack/oncall").Has("it helped"));
}

TEST_F(CoreTest, ATriggerThatWasNotSentYetContainsTheProposal) {
  world.Fire();
  world.Propose();
  world.Start();
  const SentMessage pagerduty = world.Take("pagerduty");
  EXPECT_TRUE(pagerduty.Has("liveopsctl remediations approve 0123abcd"));
  world.Answer(pagerduty, 202);
  EXPECT_FALSE(world.AnythingTo("pagerduty"));
}

TEST_F(CoreTest, AProposalThatNoPageCarriesGoesToItsApprover) {
  world.Start();
  world.Propose("backend-api/not-firing");
  EXPECT_TRUE(world.Take("slack/oncall").Has("liveopsctl remediations approve 0123abcd"));
  EXPECT_FALSE(world.AnythingTo("pagerduty"));
}

TEST_F(CoreTest, ATransitionOfAnOwnerThatHadLostTheShardIsVoid) {
  world.Start();
  v1::AlarmRecord claim;
  claim.mutable_claim()->set_owner("new");
  world.Alarms("claim/1", claim);  // its offset is the epoch
  world.Transition("deep", 1000, 0, v1::ALARM_STATE_FIRING, v1::SEVERITY_CRITICAL, "on-call", 0);
  EXPECT_FALSE(world.AnythingTo("slack"));
  world.Transition("deep", 1000, 0, v1::ALARM_STATE_FIRING, v1::SEVERITY_CRITICAL, "on-call", 1);
  EXPECT_TRUE(world.AnythingTo("slack"));
}

TEST_F(CoreTest, CriticalGoesFirstWhenNotAllCanGo) {
  world.settings.slack_pace.per_second = 1;
  world.settings.slack_pace.burst = 1;
  world.Start();
  world.Fire("a", 1000, v1::SEVERITY_LOW);
  world.Fire("b", 1001, v1::SEVERITY_LOW);
  world.Fire("c", 1002, v1::SEVERITY_CRITICAL);
  EXPECT_TRUE(world.Take("slack/oncall").Has("backend-api a"));
  EXPECT_FALSE(world.AnythingTo("slack"));
  world.Advance(1s);
  EXPECT_TRUE(world.Take("slack/oncall").Has("backend-api c"));
  world.Advance(1s);
  EXPECT_TRUE(world.Take("slack/oncall").Has("backend-api b"));
}

TEST_F(CoreTest, ADestinationThatIsDownSlowsNoOther) {
  world.Start();
  for (int i = 0; i < 5; ++i) {
    world.Fire("a" + std::to_string(i), 1000 + i);
    while (world.AnythingTo("slack")) world.NoAnswer(world.Take("slack/oncall"), true);
    world.PagerDutyOk();
  }
  EXPECT_TRUE(world.sent.empty());
  EXPECT_EQ(world.core->Waiting(), 5u);
}

TEST_F(CoreTest, ClosedGroupsAreForgottenAfterAWeekWithTombstones) {
  world.Start();
  world.Fire("deep", world.clock_ms);
  const std::int64_t episode = world.clock_ms;
  world.SlackOk();
  world.PagerDutyOk();
  world.Resolve("deep", episode);
  world.SlackOk();
  world.PagerDutyOk();
  EXPECT_EQ(world.core->registry().size(), 1u);
  world.Advance(kKeepClosed - Duration(60'000));
  EXPECT_EQ(world.tombstones, 0);
  world.Advance(Duration(180'000));
  EXPECT_EQ(world.core->registry().size(), 0u);
  EXPECT_EQ(world.tombstones, 4);  // attempt and state of two destinations
  EXPECT_TRUE(world.core->Deliveries("").empty());
}

TEST_F(CoreTest, AnUnreadableRecordIsBuriedOnceByTheOwnerAndTheRestGoesOn) {
  kafka::Record bad;
  bad.topic = runtime::topic::kOperations;
  bad.partition = 2;
  bad.offset = 41;
  bad.value = "\xff\xff\xff";
  bad.key = "x";
  world.operations.push_back(bad);
  world.Start();
  EXPECT_TRUE(world.buried.empty()) << "it was, when it was new";
  EXPECT_EQ(world.core->counters().poison, 1);
  world.Run(world.core->OnOperations(bad, world.now));
  ASSERT_EQ(world.buried.size(), 1u);
  EXPECT_EQ(world.buried[0].topic, runtime::topic::kOperations);
  EXPECT_EQ(world.buried[0].partition, 2);
  EXPECT_EQ(world.buried[0].offset, 41);
  EXPECT_EQ(world.buried[0].value, bad.value);
  world.core->OnLost(2);
  world.Run(world.core->OnOperations(bad, world.now));
  EXPECT_EQ(world.buried.size(), 1u) << "that is the other owner's to do";
  EXPECT_EQ(world.core->counters().poison, 3);
  world.Fire();
  EXPECT_TRUE(world.AnythingTo("slack") || world.AnythingTo("pagerduty"));
}

TEST_F(CoreTest, AnOwnerThatStillCatchesUpBuriesNothing) {
  runtime::Writer writer("notifier", 1);
  Core core(world.settings, TimeMap{}, kPartitions, writer);
  core.OnOwned(2, 0, Ledger{}, world.now);
  kafka::Record bad;
  bad.topic = runtime::topic::kAlarms;
  bad.partition = 2;
  bad.value = "\xff\xff\xff";
  world.Run(core.OnAlarms(bad, world.now));
  EXPECT_TRUE(world.buried.empty());
  EXPECT_THAT(world.logged, ::testing::Contains("record_unreadable"));
}

TEST_F(CoreTest, AWriteThatFailedIsMadeAgain) {
  world.Start();
  world.Fire("deep", 1000, v1::SEVERITY_MEDIUM);
  world.log.clear();  // the attempt never reached the log
  world.Run(world.core->OnWriteFailed("slack:#oncall", "backend-api/deep@1000", true, world.now));
  world.next_read.clear();
  world.ReadBack();
  EXPECT_TRUE(world.sent.empty());
  for (int i = 0; i < 40; ++i) world.Append(0, "filler", "", {});  // offsets behind the claims
  world.Advance(1s);
  EXPECT_TRUE(world.AnythingTo("slack"));
}

}  // namespace
}  // namespace liveops::notifier
