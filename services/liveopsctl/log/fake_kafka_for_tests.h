#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/base/hash.h"
#include "common/base/labels.h"
#include "common/runtime/time_map.h"
#include "common/runtime/topics.h"
#include "liveops/v1/logs.pb.h"
#include "liveops/v1/metrics.pb.h"
#include "liveops/v1/operations.pb.h"
#include "services/liveopsctl/log/partition_log.h"

// For tests: what a broker holds of the log of one service, "shop" or another.
namespace liveops::ctl {

class FakeKafka {
 public:
  explicit FakeKafka(std::string service, double speed = 1) : service_(std::move(service)) {
    v1::ControlRecord control;
    control.mutable_domain_time()->set_real_origin_ms(kBegin);
    control.mutable_domain_time()->set_domain_origin_ms(kBegin);
    control.mutable_domain_time()->set_speed(speed);
    kafka::Record& record = Put(runtime::topic::kControls, control.SerializeAsString(), kBegin);
    record.key = runtime::kDomainTimeKey;
  }
  static constexpr std::int64_t kBegin = 1'800'000'000'000;
  static constexpr std::int32_t kPartitions = 4;

  // A gauge's reading each second and the ticks, from where the last call ended up to `to_ms` after
  // the beginning.
  void Run(std::int64_t to_ms, const std::string& metric, double value) {
    for (; now_ < to_ms; now_ += 250) {
      v1::ShardRecord tick;
      tick.mutable_tick()->set_instance("ingest");
      tick.mutable_tick()->set_session(1);
      tick.mutable_tick()->set_steady_ms(now_);
      tick.mutable_tick()->set_accepting(true);
      Append(tick);
      if (now_ % 1000 == 0) Append(Reading(service_, metric, value));
    }
  }
  void Append(const v1::ShardRecord& record) {
    Put(runtime::topic::kMetrics, record.SerializeAsString(), kBegin + now_);
  }
  v1::ShardRecord Reading(const std::string& service, const std::string& metric, double value) {
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
    series.set_fingerprint_hi(1);
    series.set_fingerprint_lo(Xxh64(metric));
    series.set_kind(v1::SERIES_KIND_GAUGE);
    series.set_unit(1);
    series.set_labels(Labels().Encode());
    batch.set_base_time_ms(kBegin + now_);
    batch.add_point_series(0);
    batch.add_point_time_delta_ms(0);
    batch.add_point_value(value);
    return record;
  }
  void Garbage(const char* topic = runtime::topic::kMetrics) {
    Put(topic, "\x07garbage", kBegin + now_);
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
    Put(runtime::topic::kLogs, batch.SerializeAsString(), kBegin + now_);
  }
  void Exemplar(const v1::Exemplar& exemplar, const std::string& service = "shop") {
    v1::LogBatch batch;
    batch.set_service(service);
    *batch.add_exemplars() = exemplar;
    Put(runtime::topic::kLogs, batch.SerializeAsString(), exemplar.time_ms());
  }
  // As retention does: everything of the log before this offset.
  void Forget(std::int64_t before) { low_ = before; }
  std::size_t size() { return logs_[runtime::topic::kMetrics].size(); }

  KafkaPorts Ports() { return {std::make_unique<Reader>(*this), kPartitions}; }

 private:
  class Reader final : public kafka::AssignedConsumer {
   public:
    explicit Reader(FakeKafka& kafka) : kafka_(kafka) {}
    Status Assign(const std::vector<kafka::PartitionOffset>& partitions) override {
      topic_.clear();
      if (partitions.empty()) return {};
      topic_ = partitions.front().topic;
      const std::int32_t wanted =
          topic_ == runtime::topic::kControls ? 0 : PartitionOf(kafka_.service_, kPartitions);
      if (partitions.front().partition != wanted) return InternalError("another partition");
      next_ = std::max(Low(topic_), partitions.front().offset);
      return {};
    }
    Result<std::optional<kafka::Record>> Poll(Duration) override {
      const auto& log = kafka_.logs_[topic_];
      if (next_ >= std::ssize(log)) return std::optional<kafka::Record>();
      return std::optional<kafka::Record>(log[static_cast<std::size_t>(next_++)]);
    }
    bool ReachedEnd(std::string_view, std::int32_t) const override {
      return next_ >= std::ssize(kafka_.logs_[topic_]);
    }
    std::int64_t KnownEnd(std::string_view, std::int32_t) const override { return -1; }
    Result<std::pair<std::int64_t, std::int64_t>> Watermarks(std::string_view topic, std::int32_t,
                                                             Duration) override {
      const std::int64_t high = std::ssize(kafka_.logs_[std::string(topic)]);
      return std::pair(Low(topic), high);
    }
    Result<std::int64_t> OffsetAt(std::string_view topic, std::int32_t, RealTime time,
                                  Duration) override {
      const auto& log = kafka_.logs_[std::string(topic)];
      for (const kafka::Record& record : log) {
        if (record.offset >= Low(topic) && record.append_time >= time) return record.offset;
      }
      return static_cast<std::int64_t>(log.size());
    }
    bool connected() const override { return true; }

   private:
    std::int64_t Low(std::string_view topic) const {
      return topic == runtime::topic::kMetrics ? kafka_.low_ : 0;
    }
    FakeKafka& kafka_;
    std::string topic_;
    std::int64_t next_ = 0;
  };

  kafka::Record& Put(const std::string& topic, std::string value, std::int64_t at) {
    std::vector<kafka::Record>& log = logs_[topic];
    kafka::Record record;
    record.topic = topic;
    record.offset = std::ssize(log);
    record.append_time = RealFromMs(at);
    record.key = "k";
    record.value = std::move(value);
    log.push_back(std::move(record));
    return log.back();
  }

  std::string service_;
  std::map<std::string, std::vector<kafka::Record>> logs_;
  std::int64_t low_ = 0;
  std::int64_t now_ = 0;
  std::uint64_t sequence_ = 0;
};

}  // namespace liveops::ctl
