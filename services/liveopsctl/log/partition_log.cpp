#include "services/liveopsctl/log/partition_log.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <tuple>
#include <utility>

#include "common/kafka/topics.h"
#include "common/runtime/topics.h"

namespace liveops::ctl {
namespace {

constexpr const char* kTopic = runtime::topic::kMetrics;

}  // namespace

Result<KafkaPorts> OpenKafka(const kafka::ClientConfig& config, Duration timeout) {
  const Result<std::int32_t> partitions = kafka::PartitionCount(config, kTopic, timeout);
  if (!partitions.ok()) {
    const Error& error = partitions.error();
    const bool away = error.code == ErrorCode::kUnavailable || error.code == ErrorCode::kTimeout;
    return Error{error.code, fmt::format("{} at {}: {}", away ? "no Kafka answers" : "Kafka",
                                         config.brokers, error.message)};
  }
  // Nobody waits for one record: many come at once.
  auto consumer =
      kafka::AssignedConsumer::Create(config, kafka::Gather{Duration(100), std::size_t{1} << 16});
  if (!consumer.ok()) return consumer.error();
  return KafkaPorts{std::move(*consumer), *partitions};
}

Result<PartitionLog> PartitionLog::Open(std::unique_ptr<kafka::AssignedConsumer> consumer,
                                        std::int32_t partition, Duration timeout) {
  PartitionLog log(std::move(consumer), timeout);
  log.span_.partition = partition;
  const auto ends = log.consumer_->Watermarks(kTopic, partition, timeout);
  if (!ends.ok()) return ends.error();
  std::tie(log.bounds_.low, log.bounds_.high) = *ends;
  if (log.bounds_.low >= log.bounds_.high)
    return NotFoundError(fmt::format("partition {} of {} is empty", partition, kTopic));
  const Result<RealTime> first = log.TimeOf(log.bounds_.low);
  if (!first.ok()) return first.error();
  const Result<RealTime> last = log.TimeOf(log.bounds_.high - 1);
  if (!last.ok()) return last.error();
  log.bounds_.first = *first;
  log.bounds_.last = *last;
  return log;
}

Result<bool> PartitionLog::Seek(std::optional<RealTime> from, std::optional<RealTime> to) {
  const auto offset_at = [&](RealTime t) {
    return consumer_->OffsetAt(kTopic, span_.partition, t, timeout_);
  };
  start_ = bounds_.low;
  end_ = bounds_.high;
  if (from) {
    const Result<std::int64_t> start = offset_at(*from);
    if (!start.ok()) return start.error();
    start_ = std::clamp(*start, bounds_.low, bounds_.high);
  }
  if (to) {
    const Result<std::int64_t> end = offset_at(*to + Duration(1));
    if (!end.ok()) return end.error();
    end_ = std::clamp(*end, bounds_.low, bounds_.high);
  }
  next_ = start_;
  if (start_ >= end_) return false;
  if (Status s = consumer_->Assign({{kTopic, span_.partition, start_}}); !s.ok()) return s.error();
  return true;
}

Result<RealTime> PartitionLog::TimeOf(std::int64_t offset) {
  if (Status s = consumer_->Assign({{kTopic, span_.partition, offset}}); !s.ok()) return s.error();
  const Result<kafka::Record> record = Take();
  if (!record.ok()) return record.error();
  return record->append_time;
}

// Waits; never gives nothing.
Result<kafka::Record> PartitionLog::Take() {
  const SteadyTime until = std::chrono::steady_clock::now() + timeout_;
  while (true) {
    auto record = consumer_->Poll(Duration(50));
    if (!record.ok()) return record.error();
    if (*record) return std::move(**record);
    if (std::chrono::steady_clock::now() > until) {
      return UnavailableError(fmt::format("partition {} of {} gave no record for {}",
                                          span_.partition, kTopic, FormatDuration(timeout_)));
    }
  }
}

Result<const engine::RecordView*> PartitionLog::Next() {
  while (next_ < end_) {
    Result<kafka::Record> record = Take();
    if (!record.ok()) return record.error();
    record_ = std::move(*record);
    next_ = record_.offset + 1;
    if (record_.offset >= end_) break;
    if (span_.records++ == 0) span_.first_offset = record_.offset;
    span_.last_offset = record_.offset;
    const auto view = decoder_->Decode(record_.offset, record_.append_time, record_.value);
    if (view.ok()) return *view;
    ++span_.unreadable;  // nor did the shard read it
  }
  next_ = end_;
  return nullptr;
}

}  // namespace liveops::ctl
