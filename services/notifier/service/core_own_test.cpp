#include <gtest/gtest.h>

#include <algorithm>

#include "services/notifier/service/core_test_support.h"

namespace liveops::notifier {
namespace {

using namespace std::chrono_literals;

const std::int32_t kSlackPartition = PartitionOf("slack:#oncall", kPartitions);

// One critical alarm that goes to Slack alone, and a process that owns everything.
struct OwnTest : ::testing::Test {
  OwnTest() {
    world.Plan();
    world.Start();
  }
  void Fire() { world.Fire("deep", 1000, v1::SEVERITY_MEDIUM); }
  // A state, or the like, that an owner of an earlier epoch writes late.
  void ZombieWrites(const std::string& key, std::int64_t epoch, const std::string& value) {
    world.Append(kSlackPartition, key, value, runtime::OwnerHeaders(epoch));
  }
  std::string SomeState() const {
    v1::NotificationRecord record;
    record.mutable_state()->set_group("backend-api/deep@1000");
    record.mutable_state()->set_destination("slack:#oncall");
    return record.SerializeAsString();
  }
  // What compaction would keep of the key.
  const kafka::Record& LastOf(const std::string& key) const {
    const auto last = std::find_if(world.log.rbegin(), world.log.rend(),
                                   [&](const kafka::Record& r) { return r.key == key; });
    EXPECT_NE(last, world.log.rend());
    return *last;
  }
  bool ToldAgain() {
    world.Kill();
    world.Start();
    world.Advance(10s);
    return world.AnythingTo("slack");
  }
  World world;
};

const char* const kStateKey = "state/backend-api/deep@1000/slack:#oncall";

// posthog#80897: fenced before drained, finished work was discarded and Slack posted twice.
TEST_F(OwnTest, ARequestUnderWayWhenAnotherClaimIsReadIsRecordedUnderTheNextOne) {
  Fire();
  const SentMessage slack = world.Take("slack/oncall");
  world.Claim(kSlackPartition);
  world.ReadBack();
  ASSERT_TRUE(world.reclaims.contains(kSlackPartition));
  EXPECT_FALSE(world.core->Drained(kSlackPartition, world.now));
  const std::size_t before = world.log.size();
  world.Answer(slack, 200, "ok");
  EXPECT_EQ(world.log.size(), before) << "under the old claim it would be void";
  world.ClaimAnew(kSlackPartition);
  EXPECT_EQ(world.Told("slack:#oncall"), "firing=delivered");
  EXPECT_EQ(runtime::EpochOf(LastOf(kStateKey)), world.core->EpochOf(kSlackPartition));
  world.Advance(10s);
  EXPECT_FALSE(world.AnythingTo("slack"));
  EXPECT_FALSE(ToldAgain());
}

TEST_F(OwnTest, AnOutcomeThatWasWrittenBehindAnUnreadClaimIsWrittenAgain) {
  Fire();
  const SentMessage slack = world.Take("slack/oncall");
  world.Claim(kSlackPartition);
  world.core->OnTime(world.now);
  http::Outcome ok;
  ok.answered = true;
  ok.response.status = 200;
  ok.response.body = "ok";
  world.Run(world.core->OnAnswer(slack.token, ok, world.now, 0));  // the claim is not read yet
  world.ReadBack();
  world.ClaimAnew(kSlackPartition);
  EXPECT_EQ(world.Told("slack:#oncall"), "firing=delivered");
  EXPECT_FALSE(ToldAgain());
}

TEST_F(OwnTest, ARequestThatDoesNotEndHoldsTheClaimUpOnlySoLong) {
  Fire();
  world.Take("slack/oncall");
  world.Claim(kSlackPartition);
  world.ReadBack();
  world.Advance(kDrained - Duration(1));
  EXPECT_FALSE(world.core->Drained(kSlackPartition, world.now));
  world.Advance(Duration(1));
  world.ClaimAnew(kSlackPartition);
  EXPECT_EQ(world.Told("slack:#oncall"), "firing=unknown");
  world.Advance(5s);
  EXPECT_TRUE(world.Take("slack/oncall").Has("may be a repeat"));
}

TEST_F(OwnTest, WhatTheOtherOwnerDeliveredIsNotDoubted) {
  Fire();
  world.Answer(world.Take("slack/oncall"), 429, "", "1");
  const std::int64_t other = world.Claim(kSlackPartition);
  v1::NotificationRecord record;
  Delivered delivered;
  Told told;
  told.attempts = 2;
  delivered.Record(told);
  *record.mutable_state() =
      ToProto(delivered, "backend-api/deep@1000", {Channel::kSlack, "#oncall"}, "backend-api/deep",
              InstantFromMs(1000), false);
  ZombieWrites(kStateKey, other, record.SerializeAsString());
  world.ReadBack();
  world.ClaimAnew(kSlackPartition);
  EXPECT_EQ(world.Told("slack:#oncall"), "firing=delivered");
  world.Advance(60s);
  EXPECT_FALSE(world.AnythingTo("slack"));
}

TEST_F(OwnTest, ARetryAfterOutlivesTheClaim) {
  Fire();
  world.Answer(world.Take("slack/oncall"), 429, "", "60");
  world.Claim(kSlackPartition);
  world.ReadBack();
  world.ClaimAnew(kSlackPartition);
  world.Advance(59s);
  EXPECT_FALSE(world.AnythingTo("slack"));
  world.Advance(1s);
  EXPECT_TRUE(world.AnythingTo("slack"));
}

TEST_F(OwnTest, AnOwnEarlierClaimThatIsReadLateIsNoReasonToClaimAgain) {
  const std::int64_t timed_out = world.Claim(kSlackPartition, world.session);
  world.TakeOver(kSlackPartition);
  Fire();
  const SentMessage slack = world.Take("slack/oncall");
  world.Run(world.core->OnNotification(world.log[static_cast<std::size_t>(timed_out)], world.now));
  EXPECT_TRUE(world.reclaims.empty());
  world.Answer(slack, 200, "ok");
  EXPECT_EQ(world.Told("slack:#oncall"), "firing=delivered");
}

TEST_F(OwnTest, AnOwnerInDoubtLeavesNoRelease) {
  world.Claim(kSlackPartition);
  world.ReadBack();
  EXPECT_TRUE(world.core->Release(kSlackPartition).empty());
}

// --- attempts that do not come back ---

TEST_F(OwnTest, AnAttemptThatIsNeverReadBackMakesTheOwnerAskWhetherItStillIs) {
  world.settings.slack_pace.in_flight_max = 1;
  world.Kill();
  world.Start();
  world.Advance(5s);
  Fire();
  world.next_read[kSlackPartition] = 1'000'000;  // the consumer hears nothing
  world.Advance(4999ms);
  EXPECT_TRUE(world.reclaims.empty());
  EXPECT_EQ(world.core->NextWake(), world.now.steady + 1ms);
  world.Advance(1ms);
  ASSERT_TRUE(world.reclaims.contains(kSlackPartition));
  EXPECT_EQ(world.core->counters().lapsed, 1);
  world.next_read[kSlackPartition] = 0;
  world.ClaimAnew(kSlackPartition);
  const SentMessage slack = world.Take("slack/oncall");
  EXPECT_FALSE(slack.Has("may be a repeat")) << "it never left";
  world.Answer(slack, 200, "ok");
  EXPECT_EQ(world.Told("slack:#oncall"), "firing=delivered");
}

TEST_F(OwnTest, AnAttemptThatLapsedIsNoFailure) {
  Fire();
  for (int i = 1; i <= 8; ++i) {
    world.now.boot += 10s;
    while (world.core->counters().lapsed < i) ASSERT_TRUE(world.ReadNext());
  }
  const SentMessage slack = world.Take("slack/oncall");  // at once, without back-off
  EXPECT_FALSE(slack.Has("may be a repeat"));
  EXPECT_EQ(world.core->counters().failed, 0);
  world.Answer(slack, 200, "ok");
  EXPECT_EQ(world.core->Deliveries("")[0].told(0).attempts(), 1u);
}

TEST_F(OwnTest, AnAttemptThatIsReadBackLateUsesWhatIsLeftOfItsLease) {
  Fire();
  world.now.boot += 2s;
  const SentMessage slack = world.Take("slack/oncall");
  EXPECT_LT(slack.timeout, 2s);
  EXPECT_GE(slack.timeout, 1s);
  EXPECT_GT(slack.good_until, world.now.boot);
  EXPECT_EQ(slack.good_until + slack.timeout, world.now.boot + 2s) << "the lease's end";
  world.Answer(slack, 200, "ok");
  world.Resolve();
  EXPECT_EQ(world.Take("slack/oncall").timeout, kRequestTimeout);
}

// --- void records ---

TEST_F(OwnTest, AVoidRecordThatIsTheLastOfItsKeyIsFollowedByTheValidOne) {
  Fire();
  world.SlackOk();
  const std::int64_t old = world.core->EpochOf(kSlackPartition);
  world.Kill();
  world.Start();
  ZombieWrites(kStateKey, old, SomeState());
  world.ReadBack();
  EXPECT_EQ(runtime::EpochOf(LastOf(kStateKey)), world.core->EpochOf(kSlackPartition));
  ZombieWrites(kStateKey, old, "");
  ZombieWrites("state/unheard-of@1/slack:#oncall", old, SomeState());
  world.ReadBack();
  EXPECT_EQ(runtime::EpochOf(LastOf(kStateKey)), world.core->EpochOf(kSlackPartition));
  EXPECT_TRUE(LastOf("state/unheard-of@1/slack:#oncall").value.empty());
  EXPECT_FALSE(ToldAgain());
}

TEST_F(OwnTest, ANewOwnerRewritesWhatAVoidRecordHides) {
  Fire();
  world.SlackOk();
  const std::int64_t old = world.core->EpochOf(kSlackPartition);
  world.Kill();
  world.Claim(kSlackPartition);
  ZombieWrites(kStateKey, old, SomeState());
  world.Start();
  const kafka::Record last = LastOf(kStateKey);
  EXPECT_EQ(runtime::EpochOf(last), world.core->EpochOf(kSlackPartition));
  v1::NotificationRecord record;
  ASSERT_TRUE(record.ParseFromString(last.value));
  EXPECT_EQ(record.state().told_size(), 1);
}

TEST_F(OwnTest, AReleaseDoesNotTakeItsClaimAwayInCompaction) {
  const std::int64_t old = world.core->EpochOf(kSlackPartition);
  world.Kill();
  world.Start();
  const std::int64_t current = world.core->EpochOf(kSlackPartition);
  ZombieWrites(kStateKey, old, SomeState());
  world.Run(world.core->Release(kSlackPartition));
  Ledger ledger;
  for (const kafka::Record& record : world.log) {
    if (record.partition != kSlackPartition || &record != &LastOf(record.key)) continue;
    EXPECT_TRUE(ledger.Apply(record));
  }
  EXPECT_TRUE(ledger.entries().empty()) << "the zombie's record is still void";
  EXPECT_FALSE(ledger.LeaseMayRun(current + 1'000'000, 99));
}

TEST_F(OwnTest, AStateThatIsOwedIsNotWrittenBehindAnAttemptInFlight) {
  Fire();
  world.SlackOk();
  world.Resolve();  // its attempt is written
  world.Run(world.core->OnWriteFailed("slack:#oncall", "backend-api/deep@1000", false, world.now));
  const std::size_t before = world.log.size();
  world.Run(world.core->OnTime({world.now.steady + 1s, world.now.boot}));
  EXPECT_EQ(world.log.size(), before) << "it would say that no attempt is open";
  world.SlackOk();
  EXPECT_GT(world.log.size(), before);
}

// --- time ---

TEST_F(OwnTest, AfterATriggerOfUnknownOutcomeTheResolveIsSentAgainAlsoAcrossARestart) {
  Fire();
  world.NoAnswer(world.Take("slack/oncall"), false);
  world.Resolve();
  world.SlackOk();
  world.Advance(30s);
  EXPECT_FALSE(world.AnythingTo("slack"));
  EXPECT_EQ(world.core->Waiting(), 1u);
  world.Kill();
  world.Start();
  world.Advance(29s);
  EXPECT_FALSE(world.AnythingTo("slack"));
  world.Advance(2s);
  const SentMessage again = world.Take("slack/oncall");
  EXPECT_TRUE(again.Has("RESOLVED"));
  EXPECT_TRUE(again.Has("may be a repeat"));
  world.Answer(again, 200, "ok");
  EXPECT_EQ(world.core->Waiting(), 0u);
  world.Advance(600s);
  EXPECT_FALSE(world.AnythingTo("slack"));
}

TEST_F(OwnTest, APartitionThatDrainsWakesNobody) {
  Fire();
  world.Answer(world.Take("slack/oncall"), 429, "", "7");
  EXPECT_LE(world.core->NextWake(), world.now.steady + 7s);
  world.Run(world.core->StartDraining(kSlackPartition, world.now));
  EXPECT_GT(world.core->NextWake(), world.now.steady + 7s);
}

TEST_F(OwnTest, AfterAQuietTimeTheOwnClaimSaysWhatTimeItIs) {
  world.Kill();
  world.now.steady += 3h;
  world.clock_ms += 3 * 3'600'000;
  world.Start();
  EXPECT_EQ(world.core->DomainClock(world.now), InstantFromMs(world.clock_ms));
  world.Kill();
  world.clock_ms -= 3'600'000;
  world.Plan();
  world.clock_ms -= 60'000;  // a lagging partition
  world.Start();
  EXPECT_EQ(world.core->DomainClock(world.now), InstantFromMs(world.clock_ms + 60'000))
      << "a guess does not go back either";
}

}  // namespace
}  // namespace liveops::notifier
