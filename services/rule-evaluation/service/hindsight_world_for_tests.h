#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <iterator>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/hash.h"
#include "common/base/labels.h"
#include "common/runtime/ownership.h"
#include "common/runtime/topics.h"
#include "liveops/v1/metrics.pb.h"
#include "services/rule-evaluation/codec/decoder.h"
#include "services/rule-evaluation/service/hindsight.h"
#include "services/rule-evaluation/service/past_answer.h"

// For the tests of this folder: the past of service "shop", and who is asked about it.
namespace liveops::evaluation {

namespace topic = runtime::topic;

inline constexpr std::int32_t kPartitions = 16;
inline const std::int32_t kPartition = PartitionOf("shop", kPartitions);

// What a broker holds of the two topics, and what the shard's owner wrote when the samples came.
// Where a plan has sources besides, what those shards tell is written into the log as well.
class World {
 public:
  static constexpr std::int64_t kBegin = 1'800'000'000'000;

  struct Other {
    std::vector<std::int32_t> partitions;  // none is that of "shop"
    std::string service;                   // whose series lie there: in the last one
  };

  explicit World(const std::string& plan, std::optional<Other> other = {},
                 std::vector<engine::ServiceRead> reads = {})
      : owner_(TimeMap{}, LimitsOf(kPartition)) {
    if (other) {
      for (const std::int32_t partition : other->partitions)
        sources_.emplace_back(TimeMap{}, LimitsOf(partition));
      source_service_ = other->service;
    }
    Put(topic::kAlarms, "claim/1", EncodeClaim({}, "owner", 0), {});
    StoredPlan stored{"shop", 1, plan, "kim", 0, 0};
    stored.reads = reads;
    v1::ShardRecord activation;
    EXPECT_TRUE(activation.ParseFromString(EncodePlanActivation({}, stored)));
    Judge(0, activation);
    FeedAll(0, activation);
    PlanInForce in_force{"shop", 1, plan, kPartition, 0, At(0), "kim"};
    in_force.reads = std::move(reads);
    Put(topic::kAlarms, "plan/shop", EncodePlanInForce({}, in_force), runtime::OwnerHeaders(0));
  }
  static Instant At(std::int64_t ms) { return InstantFromMs(kBegin + ms); }

  // The gauge's reading each second, with its ticks, up to `to`; the sources' likewise, which say
  // nothing at all without one.
  void Run(std::int64_t to, double cpu, std::optional<double> other = {}) {
    for (; now_ < to; now_ += 250) {
      v1::ShardRecord tick;
      tick.mutable_tick()->set_instance("i");
      tick.mutable_tick()->set_session(1);
      tick.mutable_tick()->set_steady_ms(now_);
      tick.mutable_tick()->set_accepting(true);
      Judge(now_, tick);
      if (other) FeedAll(now_, tick);
      if (now_ % 1000 != 0) continue;
      Judge(now_, Reading("shop", "a", cpu));
      if (other) Feed(sources_.back(), now_, Reading(source_service_, "b", *other));
    }
  }
  // An alert that somebody else judges; `good_for`: ms, 0 = until it says otherwise.
  void Alert(const std::string& source, bool firing, std::int64_t good_for) {
    v1::ShardRecord record;
    v1::ExternalAlert& alert = *record.mutable_alert();
    alert.set_service("shop");
    alert.set_source(source);
    alert.set_name("Down");
    alert.set_summary("it is down");
    alert.set_link("https://prometheus.example/graph");
    alert.set_firing(firing);
    if (firing) since_ = kBegin + now_;
    alert.set_starts_ms(since_);
    alert.set_valid_until_ms(firing && good_for == 0 ? 0 : kBegin + now_ + good_for);
    Judge(now_, record);
  }
  // As retention does.
  void Forget(std::int64_t before) { low_ = before; }
  void Say(const engine::Transition& t, std::int64_t epoch) {
    Put(topic::kAlarms, t.alarm_id, EncodeTransition({}, t, kPartition),
        runtime::OwnerHeaders(epoch));
  }

  std::map<std::string, std::vector<kafka::Record>> logs;
  std::vector<engine::Transition> told;
  std::int64_t low_ = 0;

 private:
  static engine::ShardLimits LimitsOf(std::int32_t partition) {
    engine::ShardLimits limits;
    limits.partition = partition;
    limits.partitions = kPartitions;
    return limits;
  }
  v1::ShardRecord Reading(const std::string& service, const std::string& pod, double cpu) {
    v1::ShardRecord record;
    record.mutable_source()->set_emitter("e" + pod);
    record.mutable_source()->set_session(1);
    record.mutable_source()->set_sequence(++sequences_[pod]);
    v1::MetricBatch& batch = *record.mutable_batch();
    batch.set_service(service);
    batch.set_protocol(v1::PROTOCOL_NATIVE);
    batch.add_strings("cpu");
    batch.add_strings("1");
    v1::SeriesEntry& series = *batch.add_series();
    series.set_fingerprint_hi(1);
    series.set_fingerprint_lo(Xxh64(service + pod));
    series.set_kind(v1::SERIES_KIND_GAUGE);
    series.set_metric(0);
    series.set_unit(1);
    Labels labels;
    labels.Set("pod", pod);
    series.set_labels(labels.Encode());
    batch.set_base_time_ms(kBegin + now_);
    batch.add_point_series(0);
    batch.add_point_time_delta_ms(0);
    batch.add_point_value(cpu);
    return record;
  }
  void Judge(std::int64_t at, const v1::ShardRecord& message) {
    kafka::Record& record = Put(topic::kMetrics, "k", message.SerializeAsString(), {});
    record.append_time = RealFromMs(kBegin + at);
    std::vector<engine::Transition> told_now;
    const auto view = decoder_.Decode(record.offset, record.append_time, record.value);
    ASSERT_TRUE(view.ok()) << view.error().message;
    owner_.Apply(**view, told_now);
    for (engine::Transition& t : told_now) {
      Say(t, 0);
      told.push_back(std::move(t));
    }
  }
  void FeedAll(std::int64_t at, const v1::ShardRecord& message) {
    for (engine::Shard& source : sources_) Feed(source, at, message);
  }
  void Feed(engine::Shard& source, std::int64_t at, const v1::ShardRecord& message) {
    const std::string bytes = message.SerializeAsString();
    std::vector<engine::Transition> none;
    std::vector<engine::Readings> readings;
    const auto view = decoder_.Decode(source_offset_++, RealFromMs(kBegin + at), bytes);
    ASSERT_TRUE(view.ok()) << view.error().message;
    source.Apply(**view, none, readings);
    for (const engine::Readings& told_there : readings) {
      ASSERT_EQ(told_there.home_partition, kPartition);
      v1::ShardRecord record;
      ASSERT_TRUE(record.ParseFromString(EncodeReadings({}, told_there)));
      Judge(at, record);
    }
  }
  kafka::Record& Put(const std::string& to, const std::string& key, const std::string& value,
                     const std::vector<kafka::Header>& headers) {
    std::vector<kafka::Record>& log = logs[to];
    kafka::Record record;
    record.topic = to;
    record.partition = kPartition;
    record.offset = std::ssize(log);
    record.key = key;
    record.value = value;
    record.headers = headers;
    log.push_back(std::move(record));
    return log.back();
  }

  engine::Shard owner_;
  std::deque<engine::Shard> sources_;
  std::string source_service_;
  std::int64_t source_offset_ = 0;  // of any of them
  Decoder decoder_;
  std::int64_t now_ = 250;
  std::int64_t since_ = 0;                          // the alert
  std::map<std::string, std::uint64_t> sequences_;  // by pod
};

class Reader final : public kafka::AssignedConsumer {
 public:
  explicit Reader(World& world) : world_(world) {}
  Status Assign(const std::vector<kafka::PartitionOffset>& partitions) override {
    topic_.clear();
    if (partitions.empty()) return {};
    EXPECT_EQ(partitions.front().partition, kPartition);
    topic_ = partitions.front().topic;
    next_ = std::max<std::int64_t>(Low(topic_), partitions.front().offset);
    return {};
  }
  Result<std::optional<kafka::Record>> Poll(Duration) override {
    if (ReachedEnd(topic_, kPartition)) return std::optional<kafka::Record>();
    return std::optional<kafka::Record>(world_.logs[topic_][static_cast<std::size_t>(next_++)]);
  }
  bool ReachedEnd(std::string_view, std::int32_t) const override {
    return next_ >= std::ssize(world_.logs[topic_]);
  }
  std::int64_t KnownEnd(std::string_view, std::int32_t) const override { return -1; }
  Result<std::pair<std::int64_t, std::int64_t>> Watermarks(std::string_view of, std::int32_t,
                                                           Duration) override {
    return std::pair(Low(of), std::ssize(world_.logs[std::string(of)]) + 0L);
  }
  Result<std::int64_t> OffsetAt(std::string_view of, std::int32_t, RealTime time,
                                Duration) override {
    const auto& log = world_.logs[std::string(of)];
    for (const kafka::Record& record : log) {
      if (record.offset >= Low(of) && record.append_time >= time) return record.offset;
    }
    return std::ssize(log) + 0L;
  }
  bool connected() const override { return true; }

 private:
  std::int64_t Low(std::string_view of) const { return of == topic::kMetrics ? world_.low_ : 0; }

  World& world_;
  std::string topic_;
  std::int64_t next_ = 0;
};

class HindsightWorld : public ::testing::Test {
 protected:
  template <typename... Args>
  explicit HindsightWorld(Args&&... args) : world_(std::forward<Args>(args)...) {
    hindsight_.Open(TimeMap{});
  }
  PastAlarm Look(const std::string& alarm, std::int64_t at) {
    Result<PastAlarm> past = hindsight_.Look(alarm, World::At(at), {});
    EXPECT_TRUE(past.ok()) << past.error().message;
    return past.ok() ? std::move(*past) : PastAlarm{};
  }
  std::string Lines(const PastAlarm& past) {
    v1::PastAlarm message;
    FillPast(past, message);
    std::string text;
    for (const std::string& line : message.lines()) text += line + "\n";
    return text;
  }
  World world_;
  Hindsight hindsight_{{}, [this]() -> Result<std::unique_ptr<kafka::AssignedConsumer>> {
                         return std::unique_ptr<kafka::AssignedConsumer>(new Reader(world_));
                       }};
};

}  // namespace liveops::evaluation
