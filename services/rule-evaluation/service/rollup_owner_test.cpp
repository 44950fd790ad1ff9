// The owner of a shard whose windows reach further back than a replay (ADR 10).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <utility>
#include <vector>

#include "services/rule-evaluation/service/owner_world_for_tests.h"

namespace liveops::evaluation {
namespace {

constexpr std::int32_t kPartition = 3;
constexpr std::int64_t kEpoch = 5;
constexpr const char* kPlan = R"(service: shop
owners:
  on-call: {slack: "#oncall"}
alarms:
  - {name: busy, when: "avg(load) over 6h > 5", severity: critical, owner: on-call}
)";

class RollupOwnerTest : public OwnerWorld {
 protected:
  static Takeover FromLog() {
    return {OwnerState{engine::Shard(TimeMap{}, {}), {}, {}},
            ReplayFilter{},
            {},
            kEpoch,
            "claim/1",
            0,
            1,
            false,
            0,
            {}};
  }
  void Tick() { TickAfter(1000); }
  std::vector<std::size_t> RolledUp() const { return SentTo(runtime::topic::kRollups); }
};

TEST_F(RollupOwnerTest, WritesWhatIsRolledUpUnderItsClaimAndKeepsItUntilItStands) {
  Own(kPartition, FromLog());
  Tick();
  Activate(kPlan);
  for (int i = 0; i < 3590; ++i) Tick();
  EXPECT_TRUE(RolledUp().empty());
  for (int i = 0; i < 20; ++i) Tick();
  ASSERT_EQ(RolledUp().size(), 1u);
  const std::size_t first = RolledUp()[0];
  const FakeProducer::Sent sent = producer_.sent[first];
  EXPECT_EQ(sent.partition, kPartition);
  EXPECT_EQ(sent.key, "shop");
  kafka::Record written;
  written.headers = sent.headers;
  EXPECT_EQ(runtime::EpochOf(written), kEpoch);
  const auto rollup = DecodeRollup(sent.value, kPartition);
  ASSERT_TRUE(rollup.ok()) << rollup.error().message;
  EXPECT_EQ(rollup->rule, "busy");
  EXPECT_TRUE(rollup->last);
  EXPECT_LT(rollup->position, offset_);

  // A snapshot now, and a crash: what was not acknowledged would be lost.
  const std::size_t all = owner_->unconfirmed();
  EXPECT_FALSE(owner_->CanSnapshot());
  Answer(first, false);
  EXPECT_EQ(owner_->unconfirmed(), all);
  owner_->RetryFailed(std::chrono::steady_clock::now());
  ASSERT_EQ(RolledUp().size(), 2u);
  EXPECT_EQ(producer_.sent[RolledUp()[1]].value, sent.value);
  Answer(RolledUp()[1], true);
  EXPECT_LT(owner_->unconfirmed(), all);
  EXPECT_EQ(owner_->counters().rollups, 1u);
}

TEST_F(RollupOwnerTest, TakesNoSnapshotBeforeAllThatIsAwaitedWasTakenIn) {
  Takeover takeover = FromLog();
  takeover.state.shard.StartAt({{"shop", 1, kPlan}});
  takeover.state.shard.Await({{"shop", "busy", 7, 2, 0, true, 2, "of another plan"}});
  Own(kPartition, std::move(takeover));
  Tick();
  EXPECT_FALSE(owner_->CanSnapshot());
  Tick();
  Tick();
  Tick();
  EXPECT_TRUE(owner_->CanSnapshot());
  EXPECT_EQ(owner_->shard().rules_made_whole(), 0u);
}

}  // namespace
}  // namespace liveops::evaluation
