// The owner of a shard whose windows reach further back than a replay (ADR 10).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "common/runtime/topics.h"
#include "liveops/v1/metrics.pb.h"
#include "services/rule-evaluation/service/producer_for_tests.h"
#include "services/rule-evaluation/service/redis_snapshot_port.h"
#include "services/rule-evaluation/service/shard_owner.h"

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

class RollupOwnerTest : public testing::Test {
 protected:
  void Start(Takeover takeover) {
    producer_.sent.clear();
    owner_ = std::make_unique<ShardOwner>(
        kPartition, 1, std::move(takeover),
        OwnerPorts{producer_, writer_, table_, mailbox_, "evaluator-0", 42});
  }
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
  void Apply(const v1::ShardRecord& shard_record) {
    kafka::Record record;
    record.topic = runtime::topic::kMetrics;
    record.partition = kPartition;
    record.offset = offset_++;
    record.append_time = RealFromMs(now_ms_);
    record.value = shard_record.SerializeAsString();
    owner_->Apply(record, decoder_);
  }
  void Tick() {
    now_ms_ += 1000;
    v1::ShardRecord record;
    record.mutable_tick()->set_instance("ingest-0");
    record.mutable_tick()->set_session(1);
    record.mutable_tick()->set_steady_ms(now_ms_);
    record.mutable_tick()->set_accepting(true);
    Apply(record);
  }
  void Activate() {
    v1::ShardRecord record;
    record.mutable_plan()->set_service("shop");
    record.mutable_plan()->set_version(1);
    record.mutable_plan()->set_text(kPlan);
    Apply(record);
  }
  std::vector<std::size_t> RolledUp() const {
    std::vector<std::size_t> found;
    for (std::size_t i = 0; i < producer_.sent.size(); ++i) {
      if (producer_.sent[i].topic == runtime::topic::kRollups) found.push_back(i);
    }
    return found;
  }
  void Answer(std::size_t index, bool good) {
    const auto done = producer_.sent[index].done;
    good ? done(kafka::Delivery{77, {}}) : done(UnavailableError("broker"));
    for (const DeliveryNote& note : mailbox_->TakeNotes()) owner_->Answered(note);
  }

  FakeProducer producer_;
  runtime::Writer writer_{"evaluator-0", 9};
  redis::Client redis_{redis::Config{}};
  RedisSnapshotPort port_{redis_};
  SnapshotStore snapshots_{port_};
  AlarmTable table_{redis_, snapshots_};
  std::shared_ptr<Mailbox> mailbox_ = std::make_shared<Mailbox>();
  Decoder decoder_;
  std::unique_ptr<ShardOwner> owner_;
  std::int64_t offset_ = 0;
  std::int64_t now_ms_ = 1'800'000'000'000;
};

TEST_F(RollupOwnerTest, WritesWhatIsRolledUpUnderItsClaimAndKeepsItUntilItStands) {
  Start(FromLog());
  Tick();
  Activate();
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
  Start(std::move(takeover));
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
