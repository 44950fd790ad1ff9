#include "services/rule-evaluation/service/shard_owner.h"

#include <gmock/gmock.h>
#include <google/protobuf/stubs/logging.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "common/runtime/topics.h"
#include "liveops/v1/alarms.pb.h"
#include "liveops/v1/metrics.pb.h"
#include "services/rule-evaluation/service/producer_for_tests.h"
#include "services/rule-evaluation/service/redis_snapshot_port.h"

namespace liveops::evaluation {
namespace {

constexpr std::int32_t kPartition = 3;
constexpr const char* kTrace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
constexpr const char* kPlan = R"(service: shop
owners:
  on-call: {slack: "#oncall"}
metrics:
  flips: {metric: flip, unit: "1"}
alarms:
  - {name: flipped, when: "last(flip) > 0.5", severity: critical, owner: on-call}
)";

class ShardOwnerTest : public testing::Test {
 protected:
  ShardOwnerTest() { Start({}); }

  // A fresh owner, with what its log already says.
  void Start(std::vector<engine::Transition> logged) {
    producer_.sent.clear();
    owner_.reset();
    Takeover takeover{OwnerState{engine::Shard(TimeMap{}, {}), {}, {}},
                      ReplayFilter(logged),
                      {},
                      epoch_,
                      "claim/1",
                      0,
                      1000,
                      false,
                      0};
    for (const engine::Transition& t : logged) takeover.state.last.Set(t.alarm_id, t);
    owner_ = std::make_unique<ShardOwner>(
        kPartition, ++ownership_, std::move(takeover),
        OwnerPorts{producer_, writer_, table_, mailbox_, "evaluator-0", 42});
    offset_ = 0;
    now_ms_ = 1'800'000'000'000;
  }

  void Apply(const v1::ShardRecord& shard_record, const char* trace = kTrace) {
    kafka::Record record;
    record.topic = runtime::topic::kMetrics;
    record.partition = kPartition;
    record.offset = offset_++;
    record.append_time = RealFromMs(now_ms_);
    record.key = "shop";
    record.value = shard_record.SerializeAsString();
    record.headers = {{runtime::kTraceHeader, trace}};
    owner_->Apply(record, decoder_);
  }

  void Tick() {
    now_ms_ += 250;
    steady_ms_ += 250;
    v1::ShardRecord record;
    record.mutable_tick()->set_instance("ingest-0");
    record.mutable_tick()->set_session(1);
    record.mutable_tick()->set_steady_ms(steady_ms_);
    record.mutable_tick()->set_accepting(true);
    Apply(record);
  }

  void Activate() {
    v1::ShardRecord record;
    record.mutable_plan()->set_service("shop");
    record.mutable_plan()->set_version(1);
    record.mutable_plan()->set_text(kPlan);
    record.mutable_plan()->set_applied_by(applied_by_);
    Apply(record);
  }

  void Flip(double value) {
    v1::ShardRecord record;
    record.mutable_source()->set_emitter("e");
    record.mutable_source()->set_session(1);
    record.mutable_source()->set_sequence(++sequence_);
    v1::MetricBatch& batch = *record.mutable_batch();
    batch.set_service("shop");
    batch.set_protocol(v1::PROTOCOL_NATIVE);
    batch.add_strings("flip");
    batch.add_strings("1");
    batch.set_base_time_ms(now_ms_);
    v1::SeriesEntry& series = *batch.add_series();
    series.set_fingerprint_lo(7);
    series.set_kind(v1::SERIES_KIND_GAUGE);
    series.set_metric(0);
    series.set_unit(1);
    batch.add_point_series(0);
    batch.add_point_time_delta_ms(0);
    batch.add_point_value(value);
    Apply(record);
  }

  void Cross() {
    for (int i = 0; i < 8; ++i) Tick();
    Activate();
    for (int i = 0; i < 4; ++i) Tick();
    Flip(0);
    for (int i = 0; i < 4; ++i) Tick();
    Flip(1);
  }

  // What stands in alarms.v1 of all that was produced, by key.
  std::vector<std::string> Keys() const {
    std::vector<std::string> keys;
    for (const auto& sent : producer_.sent) keys.push_back(sent.key);
    return keys;
  }

  // The producer's answer, and the log read back.
  void Acknowledge(std::size_t index, std::int64_t offset) {
    producer_.sent[index].done(kafka::Delivery{offset, {}});
    for (const DeliveryNote& note : mailbox_->TakeNotes()) owner_->Answered(note);
  }
  void ReadBack(std::size_t index, std::int64_t offset) {
    kafka::Record record;
    record.offset = offset;
    record.key = producer_.sent[index].key;
    record.value = producer_.sent[index].value;
    record.headers = producer_.sent[index].headers;
    owner_->ReadBack(record);
  }

  std::int64_t epoch_ = 50;
  std::int64_t offset_ = 0;
  std::int64_t now_ms_ = 0;
  std::int64_t steady_ms_ = 0;
  std::uint64_t sequence_ = 0;
  std::string applied_by_ = "kim";
  std::uint64_t ownership_ = 0;
  FakeProducer producer_;
  runtime::Writer writer_{"evaluator-0", 9};
  redis::Client redis_{redis::Config{}};  // never used: the table's thread is not started
  RedisSnapshotPort port_{redis_};
  SnapshotStore store_{port_};
  AlarmTable table_{redis_, store_};
  std::shared_ptr<Mailbox> mailbox_ = std::make_shared<Mailbox>();
  Decoder decoder_;
  std::unique_ptr<ShardOwner> owner_;
};

TEST_F(ShardOwnerTest, TellsThePlanInForceAndTheCrossing) {
  Cross();
  ASSERT_THAT(Keys(), testing::ElementsAre("plan/shop", "shop/flipped"));
  const FakeProducer::Sent& page = producer_.sent[1];
  EXPECT_EQ(page.topic, runtime::topic::kAlarms);
  kafka::Record record;
  record.headers = page.headers;
  EXPECT_EQ(runtime::EpochOf(record), epoch_);
  const std::string* trace = record.FindHeader(runtime::kTraceHeader);
  ASSERT_NE(trace, nullptr);
  EXPECT_EQ(trace->substr(0, 35), std::string(kTrace).substr(0, 35)) << "the same trace";
  EXPECT_NE(*trace, kTrace) << "a span of its own";
  v1::AlarmRecord alarm;
  ASSERT_TRUE(alarm.ParseFromString(page.value));
  EXPECT_EQ(alarm.transition().state(), v1::ALARM_STATE_FIRING);
  EXPECT_EQ(alarm.transition().source_partition(), kPartition);
  EXPECT_EQ(alarm.transition().source_offset(), offset_ - 1) << "by the record that crossed";
  EXPECT_EQ(alarm.source().emitter(), "evaluator-0");
  const auto plan = DecodeAlarmRecord(producer_.sent[0].value);
  ASSERT_TRUE(plan.ok());
  EXPECT_EQ(std::get<PlanInForce>(*plan).source_offset, 8);
  EXPECT_EQ(std::get<PlanInForce>(*plan).applied_by, "kim");
}

TEST_F(ShardOwnerTest, WhoAppliedThePlanIsTakenFromTheLibraryWhenTheLogDoesNotSay) {
  applied_by_ = "";  // as a build wrote it that did not keep the name
  Cross();
  for (int i = 0; i < 1000; ++i) Tick();
  ASSERT_TRUE(owner_->live());
  producer_.sent.clear();
  owner_->ConsiderPlan({"shop", 1, "service: shop\n", "eve", 0, 5}, {});
  owner_->ConsiderPlan({"shop", 1, kPlan, "", 0, 5}, {});
  EXPECT_THAT(Keys(), testing::IsEmpty()) << "another text; nobody's name";
  owner_->ConsiderPlan({"shop", 1, kPlan, "kim", 0, 5}, {});
  owner_->ConsiderPlan({"shop", 1, kPlan, "kim", 0, 5}, {});
  ASSERT_THAT(Keys(), testing::ElementsAre("plan/shop")) << "once";
  const auto plan = DecodeAlarmRecord(producer_.sent[0].value);
  ASSERT_TRUE(plan.ok());
  EXPECT_EQ(std::get<PlanInForce>(*plan).applied_by, "kim");
  EXPECT_EQ(std::get<PlanInForce>(*plan).version, 1u);
}

TEST_F(ShardOwnerTest, AReplayWritesNothingThatStandsInTheLog) {
  Cross();
  const auto logged = DecodeAlarmRecord(producer_.sent[1].value);
  ASSERT_TRUE(logged.ok());
  steady_ms_ = 0;
  sequence_ = 0;
  Start({std::get<engine::Transition>(*logged)});
  Cross();
  EXPECT_THAT(Keys(), testing::ElementsAre("plan/shop"));
  EXPECT_EQ(owner_->counters().known, 1u);
  EXPECT_EQ(owner_->counters().contradictions, 0u);
  EXPECT_EQ(owner_->counters().adopted, 0u);
}

TEST_F(ShardOwnerTest, TheLogWinsOverAReplayThatDiffers) {
  Cross();
  auto logged = DecodeAlarmRecord(producer_.sent[1].value);
  ASSERT_TRUE(logged.ok());
  auto truth = std::get<engine::Transition>(*logged);
  truth.episode = truth.episode - Duration(60'000);  // another build fired a minute earlier
  truth.source_offset = 10;
  steady_ms_ = 0;
  sequence_ = 0;
  Start({truth});
  Cross();
  EXPECT_THAT(Keys(), testing::ElementsAre("plan/shop")) << "it fires already, as the log says";
  EXPECT_EQ(owner_->counters().adopted, 1u);
}

TEST_F(ShardOwnerTest, ASnapshotWaitsForTheReadBack) {
  Cross();
  EXPECT_FALSE(owner_->CanSnapshot());
  Acknowledge(0, epoch_ + 1);
  Acknowledge(1, epoch_ + 2);
  EXPECT_FALSE(owner_->CanSnapshot()) << "acknowledged, but perhaps under a newer claim";
  ReadBack(0, epoch_ + 1);
  ReadBack(1, epoch_ + 2);
  EXPECT_TRUE(owner_->CanSnapshot());
}

TEST_F(ShardOwnerTest, ASnapshotInSlicesIsDroppedWhenAnotherOwnerCameBetween) {
  Cross();
  for (int i = 0; i < 2; ++i) Acknowledge(i, epoch_ + 1 + i);
  for (int i = 0; i < 2; ++i) ReadBack(i, epoch_ + 1 + i);
  owner_->BeginSnapshot({});
  EXPECT_TRUE(owner_->cutting());
  EXPECT_FALSE(owner_->CanSnapshot()) << "one at a time";
  kafka::Record claim;
  claim.offset = epoch_ + 3;
  claim.key = "claim/2";
  claim.value = EncodeClaim({}, "evaluator-1", 0);
  owner_->ReadBack(claim);
  EXPECT_FALSE(owner_->cutting());
  owner_->CutSlice(1 << 20);  // nothing is handed over
  owner_->Reclaimed(epoch_ + 4, {});
  EXPECT_TRUE(owner_->CanSnapshot());
}

TEST_F(ShardOwnerTest, ANewerClaimMakesItClaimAnewAndWriteAgain) {
  Cross();
  Acknowledge(0, epoch_ + 1);
  ReadBack(0, epoch_ + 1);
  kafka::Record claim;
  claim.offset = epoch_ + 2;
  claim.key = "claim/2";
  claim.value = EncodeClaim({}, "evaluator-1", 0);
  owner_->ReadBack(claim);
  EXPECT_TRUE(owner_->superseded());
  Acknowledge(1, epoch_ + 3);
  ReadBack(1, epoch_ + 3);
  EXPECT_EQ(owner_->unconfirmed(), 1u) << "void: it lies behind the newer claim";
  producer_.sent.clear();
  owner_->Reclaimed(epoch_ + 4, {});
  EXPECT_FALSE(owner_->superseded());
  ASSERT_THAT(Keys(), testing::ElementsAre("shop/flipped"));
  kafka::Record again;
  again.headers = producer_.sent[0].headers;
  EXPECT_EQ(runtime::EpochOf(again), epoch_ + 4);
  claim.offset = epoch_ + 4;
  owner_->ReadBack(claim);
  EXPECT_FALSE(owner_->superseded()) << "its own claim";
  Acknowledge(0, epoch_ + 5);
  ReadBack(0, epoch_ + 5);
  EXPECT_EQ(owner_->unconfirmed(), 0u);
}

TEST_F(ShardOwnerTest, ItsReleaseDoesNotTakeItsClaimAwayInCompaction) {
  producer_.sent.clear();
  owner_->Release();
  EXPECT_THAT(Keys(), testing::ElementsAre("released/1"));
}

TEST_F(ShardOwnerTest, AZombiesRecordIsWrittenOver) {
  Cross();
  Acknowledge(0, epoch_ + 1);
  Acknowledge(1, epoch_ + 2);
  ReadBack(0, epoch_ + 1);
  ReadBack(1, epoch_ + 2);
  const FakeProducer::Sent page = producer_.sent[1];
  kafka::Record zombie;
  zombie.offset = epoch_ + 3;
  zombie.key = page.key;
  zombie.value = page.value;
  zombie.headers = runtime::OwnerHeaders(epoch_ - 10);
  producer_.sent.clear();
  owner_->ReadBack(zombie);
  EXPECT_THAT(Keys(), testing::ElementsAre("shop/flipped"));
  EXPECT_EQ(owner_->counters().rewritten, 1u);
}

TEST_F(ShardOwnerTest, PoisonGoesToTheDeadLettersAndTheShardGoesOn) {
  kafka::Record record;
  record.topic = runtime::topic::kMetrics;
  record.partition = kPartition;
  record.offset = offset_++;
  record.key = "x";
  record.value = "garbage";
  google::protobuf::SetLogHandler(nullptr);  // its lines about our garbage would only puzzle
  owner_->Apply(record, decoder_);
  ASSERT_EQ(producer_.sent.size(), 1u);
  EXPECT_EQ(producer_.sent[0].topic, runtime::topic::kDeadLetter);
  EXPECT_EQ(owner_->next_offset(), 1);
  producer_.sent.clear();
  Cross();
  EXPECT_THAT(Keys(), testing::ElementsAre("plan/shop", "shop/flipped"));
}

TEST_F(ShardOwnerTest, APlanThatDoesNotParseIsRefusedOnceAndTheOldOneStays) {
  for (int i = 0; i < 1000; ++i) Tick();
  producer_.sent.clear();
  ASSERT_TRUE(owner_->live());
  owner_->ConsiderPlan({"shop", 2, "service: shop\nnonsense: 1\n", "kim", 0, 5}, {});
  EXPECT_THAT(Keys(), testing::IsEmpty());
  EXPECT_EQ(owner_->counters().plans_refused, 1u);
  owner_->ConsiderPlan({"shop", 2, "service: shop\nnonsense: 1\n", "kim", 0, 5}, {});
  EXPECT_EQ(owner_->counters().plans_refused, 1u);
  const SteadyTime now = SteadyTime{} + std::chrono::hours(1);
  owner_->ConsiderPlan({"shop", 3, kPlan, "kim", 0, 6}, now);
  ASSERT_THAT(Keys(), testing::ElementsAre("shop"));
  EXPECT_EQ(producer_.sent[0].topic, runtime::topic::kMetrics);
  owner_->ConsiderPlan({"shop", 3, kPlan, "kim", 0, 6}, now);
  EXPECT_EQ(producer_.sent.size(), 1u) << "one is on its way";
}

}  // namespace
}  // namespace liveops::evaluation
