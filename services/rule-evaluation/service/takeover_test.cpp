#include "services/rule-evaluation/service/takeover.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "common/runtime/topics.h"
#include "services/rule-evaluation/codec/rollup_codec.h"
#include "services/rule-evaluation/service/snapshot_port_for_tests.h"

namespace liveops::evaluation {
namespace {

namespace topic = runtime::topic;
using engine::AlarmState;

constexpr std::int32_t kPartition = 3;
constexpr std::int64_t kFormerEpoch = 5;

// One partition of alarms.v1, with a former owner's claim at kFormerEpoch.
class AlarmsLog final : public kafka::Producer {
 public:
  AlarmsLog() {
    while (std::ssize(records) < kFormerEpoch) Append("other", "", {});
    Append("claim/former", EncodeClaim({}, "former", 0), {});
  }
  void Claim(std::string_view owner, RealTime at) {
    const std::int64_t offset =
        Append("claim/" + std::string(owner), EncodeClaim({}, owner, 0), {});
    records[static_cast<std::size_t>(offset)].append_time = at;
  }
  void Say(const engine::Transition& t) {
    Append(t.alarm_id, EncodeTransition({}, t, kPartition), runtime::OwnerHeaders(kFormerEpoch));
  }
  void Produce(std::string_view, std::int32_t, std::string_view key, std::string value,
               const std::vector<kafka::Header>& headers, Delivered done) override {
    const std::int64_t offset = Append(key, value, headers);
    records.back().append_time = RealFromMs(1'800'000'000'000);  // later than all else
    done(kafka::Delivery{offset, {}});
  }
  bool Flush(Duration) override { return true; }
  bool connected() const override { return true; }
  std::size_t queued_bytes() const override { return 0; }

  std::vector<kafka::Record> records;

 private:
  std::int64_t Append(std::string_view key, std::string_view value,
                      const std::vector<kafka::Header>& headers) {
    kafka::Record record;
    record.topic = topic::kAlarms;
    record.partition = kPartition;
    record.offset = std::ssize(records);
    record.key = std::string(key);
    record.value = std::string(value);
    record.headers = headers;
    records.push_back(record);
    return record.offset;
  }
};

// Reads that log and one of rollups, and knows the ends of metrics.v1.
class Reader final : public kafka::AssignedConsumer {
 public:
  explicit Reader(const AlarmsLog& log) : log_(log) {}
  Status Assign(const std::vector<kafka::PartitionOffset>& partitions) override {
    if (partitions.empty()) return {};
    next_ = std::max<std::int64_t>(0, partitions.front().offset);
    of_rollups_ = partitions.front().topic == topic::kRollups;
    return {};
  }
  Result<std::optional<kafka::Record>> Poll(Duration) override {
    if (ReachedEnd({}, 0)) return std::optional<kafka::Record>();
    return std::optional<kafka::Record>(Log()[static_cast<std::size_t>(next_++)]);
  }
  bool ReachedEnd(std::string_view, std::int32_t) const override {
    return next_ >= std::ssize(Log());
  }
  std::int64_t KnownEnd(std::string_view, std::int32_t) const override { return -1; }
  Result<std::pair<std::int64_t, std::int64_t>> Watermarks(std::string_view of, std::int32_t,
                                                           Duration) override {
    if (of == topic::kRollups) return std::pair<std::int64_t, std::int64_t>(0, std::ssize(rollups));
    if (before_ends) std::exchange(before_ends, nullptr)();
    return std::pair<std::int64_t, std::int64_t>(0, end);
  }
  Result<std::int64_t> OffsetAt(std::string_view of, std::int32_t, RealTime, Duration) override {
    return of == topic::kRollups ? rollups_from : rebuild_from;
  }
  bool connected() const override { return true; }

  std::int64_t end = 100;             // of metrics.v1
  std::int64_t rebuild_from = 0;      // where two hours ago lies in it
  std::function<void()> before_ends;  // called once, when the ends are asked for
  std::vector<kafka::Record> rollups;
  std::int64_t rollups_from = 0;  // where two hours ago lies in them

 private:
  const std::vector<kafka::Record>& Log() const { return of_rollups_ ? rollups : log_.records; }

  const AlarmsLog& log_;
  std::int64_t next_ = 0;
  bool of_rollups_ = false;
};

// A group in which the partition is ours.
class Member final : public kafka::GroupConsumer {
 public:
  Result<std::optional<kafka::Record>> Poll(Duration) override {
    return std::optional<kafka::Record>();
  }
  Status Commit(std::int32_t, std::int64_t) override { return {}; }
  void CommitLater(std::int32_t, std::int64_t) override {}
  bool connected() const override { return true; }
  void Close() override {}
};

engine::Transition Fired(const std::string& alarm, std::int64_t source_offset) {
  engine::Transition t;
  t.alarm_id = alarm;
  t.service = "shop";
  t.name = alarm;
  t.episode = InstantFromMs(1);
  t.source_offset = source_offset;
  return t;
}

class TakeoverTest : public testing::Test {
 protected:
  // As the former owner would after the record at `offset`.
  Snapshot Cut(std::int64_t offset, const std::map<std::string, engine::Transition>& last = {}) {
    engine::Shard shard(config_.time_map, config_.limits);
    std::vector<engine::Transition> none;
    engine::RecordView record;
    record.offset = offset;
    record.append_time = RealFromMs(1'800'000'000'000);
    record.body = engine::TickView{};
    shard.Apply(record, none);
    Snapshot snapshot;
    snapshot.position = {takeovers_.installation(), kFormerEpoch, offset, kFormerEpoch + 1};
    LastWords words;
    for (const auto& [alarm, transition] : last) words.Set(alarm, transition);
    snapshot.sections = EncodeOwnerState(shard.Sections(), words.Freeze(), {}, kPartition);
    return snapshot;
  }
  Status Store(const Snapshot& s) { return store_.Save(kPartition, s.position, s.sections); }
  Result<Takeover> Take() {
    auto taken = takeovers_.Take(member_, reader_, {kPartition}, SteadyTime{}, stop_);
    return std::move(taken.at(kPartition));
  }

  TakeoverConfig config_;
  AlarmsLog log_;
  Reader reader_{log_};
  Member member_;
  runtime::Writer writer_{"evaluator-0", 1};
  MemoryPort port_;
  SnapshotStore store_{port_};
  Takeovers takeovers_{config_, log_, writer_, store_};
  std::atomic<bool> stop_{false};
};

TEST_F(TakeoverTest, ASnapshotStoredWhileRedisIsAskedIsUsed) {
  // The former owner goes on until its last snapshot, while we wait for Redis.
  port_.before_manifest = [&] {
    reader_.end = 150;
    ASSERT_TRUE(Store(Cut(149)).ok());
  };
  const auto taken = Take();
  ASSERT_TRUE(taken.ok()) << taken.error().message;
  EXPECT_TRUE(taken->from_snapshot);
  EXPECT_EQ(taken->start, 150);
  EXPECT_EQ(taken->end, 150);
}

TEST_F(TakeoverTest, ANewerSnapshotThanTheUnusableOneStays) {
  Snapshot damaged = Cut(40);
  damaged.sections = {"?"};
  ASSERT_TRUE(Store(damaged).ok());
  reader_.before_ends = [&] { ASSERT_TRUE(Store(Cut(60)).ok()); };
  const auto taken = Take();
  ASSERT_TRUE(taken.ok()) << taken.error().message;
  EXPECT_FALSE(taken->from_snapshot);
  const auto kept = store_.Load(kPartition, takeovers_.installation());
  ASSERT_TRUE(kept.ok() && kept->has_value());
  EXPECT_EQ((*kept)->position.offset, 60);
}

TEST_F(TakeoverTest, AnUnusableSnapshotGoes) {
  ASSERT_TRUE(Store(Cut(reader_.end)).ok());  // the log was cut
  const auto taken = Take();
  ASSERT_TRUE(taken.ok()) << taken.error().message;
  EXPECT_FALSE(taken->from_snapshot);
  EXPECT_TRUE(port_.manifests.empty());
}

TEST_F(TakeoverTest, TheLogsLastWordsAreKnownWhereverTheyWereSaid) {
  // "old" was said before the snapshot, "new" after its last record.
  const engine::Transition old = Fired("old", 10);
  ASSERT_TRUE(Store(Cut(40, {{"old", old}})).ok());
  log_.Say(Fired("new", 70));
  auto taken = Take();
  ASSERT_TRUE(taken.ok()) << taken.error().message;
  ASSERT_TRUE(taken->from_snapshot);
  EXPECT_EQ(taken->filter.last_offset(), 70);
  EXPECT_TRUE(taken->state.last.contains("old"));
  EXPECT_TRUE(taken->state.last.contains("new"));
  // A replay that resolves "old" is held to what the log says of it.
  engine::Transition resolved = Fired("old", 50);
  resolved.step = 1;
  resolved.state = AlarmState::kResolved;
  EXPECT_EQ(taken->filter.Judge(resolved), ReplayFilter::Verdict::kContradicted);
  EXPECT_EQ(taken->filter.Judge(Fired("new", 70)), ReplayFilter::Verdict::kKnown);
  const auto truths = taken->filter.Settle(70, taken->state.last);
  ASSERT_EQ(truths.size(), 1u);
  EXPECT_EQ(truths[0].alarm_id, "old");
  EXPECT_EQ(truths[0].state, AlarmState::kFiring);
}

TEST_F(TakeoverTest, WithoutASnapshotTheLastWordsComeFromTheLog) {
  log_.Say(Fired("old", 10));
  log_.Say(Fired("new", 70));
  reader_.rebuild_from = 30;
  const auto taken = Take();
  ASSERT_TRUE(taken.ok()) << taken.error().message;
  EXPECT_FALSE(taken->from_snapshot);
  EXPECT_EQ(taken->start, 30);
  EXPECT_EQ(taken->filter.last_offset(), 70);
  EXPECT_TRUE(taken->state.last.contains("old"));
  EXPECT_TRUE(taken->state.last.contains("new"));
}

TEST_F(TakeoverTest, WithoutASnapshotWhatTheOwnersRolledUpIsAwaited) {
  const auto roll = [&](std::int64_t epoch, std::int64_t round, std::int64_t at_ms) {
    engine::Rollup part{"shop", "a", 7, round, 0, true, round, ""};
    kafka::Record record;
    record.topic = topic::kRollups;
    record.partition = kPartition;
    record.offset = std::ssize(reader_.rollups);
    record.append_time = RealFromMs(at_ms);
    record.value = EncodeRollup({}, part, kPartition);
    record.headers = runtime::OwnerHeaders(epoch);
    reader_.rollups.push_back(record);
  };
  const auto awaited = [&] {
    const auto taken = Take();
    EXPECT_TRUE(taken.ok()) << taken.error().message;
    return taken->state.shard.rollups_awaited();
  };
  reader_.rebuild_from = 30;
  EXPECT_EQ(awaited(), 0u);
  roll(kFormerEpoch, 40, 1000);
  EXPECT_EQ(awaited(), 1u);
  reader_.rollups_from = 1;  // it is older than what is replayed
  EXPECT_EQ(awaited(), 0u);

  // One that wakes after another has claimed the partition writes nothing that counts.
  const std::int64_t newer = std::ssize(log_.records);
  log_.Claim("newer", RealFromMs(2000));
  roll(kFormerEpoch, 50, 3000);
  EXPECT_EQ(awaited(), 0u);
  roll(newer, 50, 3000);
  EXPECT_EQ(awaited(), 1u);

  // It speaks of records that the log does not have.
  reader_.end = 50;
  EXPECT_EQ(awaited(), 0u);
  reader_.end = 100;

  // From the log's beginning on nothing is missing.
  reader_.rebuild_from = 0;
  EXPECT_EQ(awaited(), 0u);
}

}  // namespace
}  // namespace liveops::evaluation
