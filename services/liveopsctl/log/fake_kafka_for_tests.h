#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "common/base/hash.h"
#include "common/base/labels.h"
#include "common/runtime/plan_record_for_tests.h"
#include "common/runtime/time_map.h"
#include "common/runtime/topics.h"
#include "liveops/v1/logs.pb.h"
#include "liveops/v1/metrics.pb.h"
#include "liveops/v1/operations.pb.h"
#include "services/liveopsctl/log/partition_log.h"

// For tests: what a broker holds of the log of one service, "shop" or another, and of others.
namespace liveops::ctl {

class FakeKafka {
 public:
  explicit FakeKafka(std::string service, double speed = 1) : service_(std::move(service)) {
    v1::ControlRecord control;
    control.mutable_domain_time()->set_real_origin_ms(kBegin);
    control.mutable_domain_time()->set_domain_origin_ms(kBegin);
    control.mutable_domain_time()->set_speed(speed);
    kafka::Record& record = Put(runtime::topic::kControls, 0, control.SerializeAsString(), kBegin);
    record.key = runtime::kDomainTimeKey;
  }
  static constexpr std::int64_t kBegin = 1'800'000'000'000;
  static constexpr std::int32_t kPartitions = 4;

  // The i-th of those of a service that is spread; 0 = its home.
  std::int32_t PartitionAt(int i) const { return PartitionAt(service_, i); }
  static std::int32_t PartitionAt(const std::string& service, int i) {
    return (PartitionOf(service, kPartitions) + i) % kPartitions;
  }

  // Ticks in all partitions, from where the last call ended up to `to_ms` after the beginning; and
  // what is done each second.
  void Run(std::int64_t to_ms, const std::function<void()>& each_second) {
    for (; now_ < to_ms; now_ += 250) {
      v1::ShardRecord tick;
      tick.mutable_tick()->set_instance("ingest");
      tick.mutable_tick()->set_session(1);
      tick.mutable_tick()->set_steady_ms(now_);
      tick.mutable_tick()->set_accepting(true);
      for (std::int32_t partition = 0; partition < kPartitions; ++partition)
        Append(tick, partition);
      if (now_ % 1000 == 0) each_second();
    }
  }
  // A gauge's reading in the home.
  void Run(std::int64_t to_ms, const std::string& metric, double value) {
    Run(to_ms, [&] { Append(Reading(service_, metric, value)); });
  }
  void Append(const v1::ShardRecord& record) { Append(record, PartitionAt(0)); }
  void Append(const v1::ShardRecord& record, std::int32_t partition) {
    if (lost_.contains(partition)) return;
    Put(runtime::topic::kMetrics, partition, record.SerializeAsString(),
        kBegin + now_ + ahead_[partition]);
  }
  // Of the series of that host; "" = without labels.
  v1::ShardRecord Reading(const std::string& service, const std::string& metric, double value,
                          const std::string& host = "") {
    v1::ShardRecord record;
    record.mutable_source()->set_emitter("e");
    record.mutable_source()->set_session(1);
    record.mutable_source()->set_sequence(++sequence_);
    v1::MetricBatch& batch = *record.mutable_batch();
    batch.set_service(service);
    batch.set_protocol(v1::PROTOCOL_NATIVE);
    batch.add_strings(metric);
    batch.add_strings("1");
    v1::SeriesEntry& series = *batch.add_series();
    Labels labels;
    if (!host.empty()) labels.Set("host", host);
    series.set_fingerprint_hi(1);
    series.set_fingerprint_lo(Xxh64(service + metric + host));
    series.set_kind(v1::SERIES_KIND_GAUGE);
    series.set_unit(1);
    series.set_labels(labels.Encode());
    batch.set_base_time_ms(kBegin + now_);
    batch.add_point_series(0);
    batch.add_point_time_delta_ms(0);
    batch.add_point_value(value);
    return record;
  }
  // That its series lie so from a time after the beginning on, in plans.v1.
  void Spread(std::uint64_t version, int spread, std::int64_t from_ms) {
    Spread(service_, version, spread, from_ms);
  }
  void Spread(const std::string& service, std::uint64_t version, int spread, std::int64_t from_ms) {
    const std::int64_t at = kBegin + from_ms;
    Put(runtime::topic::kPlans, 0, runtime::SpreadRecord(service, version, spread, at, at).value,
        at);
  }
  void Garbage(const char* topic = runtime::topic::kMetrics) {
    Put(topic, PartitionAt(0), "\x07garbage", kBegin + now_);
  }
  // A record of log lines.
  void Lines(const std::string& service,
             const std::vector<std::pair<v1::LogLevel, std::string>>& lines) {
    v1::LogBatch batch;
    batch.set_service(service);
    for (const auto& [level, message] : lines) {
      v1::LogRecord& line = *batch.add_records();
      line.set_time_ms(kBegin + now_);
      line.set_level(level);
      line.set_message(message);
    }
    Put(runtime::topic::kLogs, PartitionAt(0), batch.SerializeAsString(), kBegin + now_);
  }
  void Exemplar(const v1::Exemplar& exemplar, const std::string& service = "shop") {
    v1::LogBatch batch;
    batch.set_service(service);
    *batch.add_exemplars() = exemplar;
    Put(runtime::topic::kLogs, PartitionAt(0), batch.SerializeAsString(), exemplar.time_ms());
  }
  // As retention does: everything of the log before this offset.
  void Forget(std::int64_t before) { Forget(before, PartitionAt(0)); }
  void Forget(std::int64_t before, std::int32_t partition) { low_[partition] = before; }
  // From here on nothing reaches the partition, until it is there again.
  void Lose(std::int32_t partition) { lost_.insert(partition); }
  void Find(std::int32_t partition) { lost_.erase(partition); }
  // From here on its broker gives nothing that it holds.
  void Mute(std::int32_t partition) { muted_.insert(partition); }
  // So far its broker's clock is ahead of the others', from here on.
  void SetAhead(std::int32_t partition, std::int64_t ms) { ahead_[partition] = ms; }

  KafkaPorts Ports() { return {std::make_unique<Reader>(*this), kPartitions}; }

 private:
  using Log = std::vector<kafka::Record>;

  class Reader final : public kafka::AssignedConsumer {
   public:
    explicit Reader(FakeKafka& kafka) : kafka_(kafka) {}
    Status Assign(const std::vector<kafka::PartitionOffset>& partitions) override {
      log_ = nullptr;
      if (partitions.empty()) return {};
      const kafka::PartitionOffset& first = partitions.front();
      log_ = &kafka_.LogOf(first.topic, first.partition);
      partition_ = first.partition;
      next_ = std::max(kafka_.Low(first.topic, first.partition), first.offset);
      return {};
    }
    Result<std::optional<kafka::Record>> Poll(Duration) override {
      if (log_ == nullptr || next_ >= std::ssize(*log_) || kafka_.muted_.contains(partition_))
        return std::optional<kafka::Record>();
      return std::optional<kafka::Record>((*log_)[static_cast<std::size_t>(next_++)]);
    }
    bool ReachedEnd(std::string_view, std::int32_t) const override {
      return log_ == nullptr || next_ >= std::ssize(*log_);
    }
    std::int64_t KnownEnd(std::string_view, std::int32_t) const override { return -1; }
    Result<std::pair<std::int64_t, std::int64_t>> Watermarks(std::string_view topic,
                                                             std::int32_t partition,
                                                             Duration) override {
      const std::int64_t high = std::ssize(kafka_.LogOf(topic, partition));
      return std::pair(kafka_.Low(topic, partition), high);
    }
    Result<std::int64_t> OffsetAt(std::string_view topic, std::int32_t partition, RealTime time,
                                  Duration) override {
      const Log& log = kafka_.LogOf(topic, partition);
      for (const kafka::Record& record : log) {
        if (record.offset >= kafka_.Low(topic, partition) && record.append_time >= time)
          return record.offset;
      }
      return static_cast<std::int64_t>(log.size());
    }
    bool connected() const override { return true; }

   private:
    FakeKafka& kafka_;
    const Log* log_ = nullptr;
    std::int32_t partition_ = 0;
    std::int64_t next_ = 0;
  };

  Log& LogOf(std::string_view topic, std::int32_t partition) {
    return logs_[{std::string(topic), partition}];
  }
  std::int64_t Low(std::string_view topic, std::int32_t partition) {
    return topic == runtime::topic::kMetrics ? low_[partition] : 0;
  }
  kafka::Record& Put(const std::string& topic, std::int32_t partition, std::string value,
                     std::int64_t at) {
    Log& log = LogOf(topic, partition);
    kafka::Record record;
    record.topic = topic;
    record.partition = partition;
    record.offset = std::ssize(log);
    record.append_time = RealFromMs(at);
    record.key = "k";
    record.value = std::move(value);
    log.push_back(std::move(record));
    return log.back();
  }

  std::string service_;
  std::map<std::pair<std::string, std::int32_t>, Log> logs_;
  std::map<std::int32_t, std::int64_t> low_;    // of the samples
  std::map<std::int32_t, std::int64_t> ahead_;  // ms
  std::set<std::int32_t> lost_;
  std::set<std::int32_t> muted_;
  std::int64_t now_ = 0;
  std::uint64_t sequence_ = 0;
};

}  // namespace liveops::ctl
