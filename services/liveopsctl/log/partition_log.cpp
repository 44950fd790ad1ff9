#include "services/liveopsctl/log/partition_log.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "common/base/hash.h"
#include "common/kafka/topics.h"
#include "common/runtime/time_map.h"
#include "common/runtime/topics.h"

namespace liveops::ctl {
namespace {

constexpr const char* kTopic = runtime::topic::kMetrics;
// Ticks come each 250 ms from each ingest: a log whose first record is this much later begins
// later.
constexpr Duration kLateSlack{2'000};

}  // namespace

Result<KafkaPorts> OpenKafka(const kafka::ClientConfig& config, Duration timeout) {
  const Result<std::int32_t> partitions = kafka::PartitionCount(config, kTopic, timeout);
  if (!partitions.ok()) return partitions.error();
  // Nobody waits for one record: many come at once.
  auto consumer =
      kafka::AssignedConsumer::Create(config, kafka::Gather{Duration(100), std::size_t{1} << 16});
  if (!consumer.ok()) return consumer.error();
  return KafkaPorts{std::move(*consumer), *partitions};
}

Result<PartitionLog> PartitionLog::Open(KafkaPorts ports, const LogQuery& query, Duration timeout) {
  PartitionLog log(std::move(ports), timeout);
  Result<TimeMap> map = runtime::ReadTimeMap(*log.ports_.consumer, timeout);
  if (!map.ok()) return map.error();
  log.map_ = *map;
  log.span_.partition = PartitionOf(query.service, log.ports_.partitions);
  if (Status s = log.FindStretch(query); !s.ok()) return s.error();
  if (Status s = log.ports_.consumer->Assign({{kTopic, log.span_.partition, log.start_}}); !s.ok())
    return s.error();
  log.next_ = log.start_;
  return log;
}

Status PartitionLog::FindStretch(const LogQuery& query) {
  kafka::AssignedConsumer& consumer = *ports_.consumer;
  const auto ends = consumer.Watermarks(kTopic, span_.partition, timeout_);
  if (!ends.ok()) return ends.error();
  const auto [low, high] = *ends;
  if (low >= high) {
    return NotFoundError(fmt::format("partition {} of {}, the one of {}, is empty", span_.partition,
                                     kTopic, query.service));
  }
  const auto offset_at = [&](Instant t) {
    return consumer.OffsetAt(kTopic, span_.partition, map_.ToReal(t), timeout_);
  };
  end_ = high;
  if (query.to) {
    const Result<std::int64_t> end = offset_at(*query.to + Duration(1));
    if (!end.ok()) return end.error();
    end_ = std::clamp(*end, low, high);
  }
  span_.wanted = query.from;
  if (query.last && end_ > low) {
    // By the log's own clock; this host's may be another.
    const Result<Instant> newest = TimeOf(end_ - 1);
    if (!newest.ok()) return newest.error();
    span_.wanted = *newest - *query.last;
  }
  start_ = low;
  if (span_.wanted) {
    const Result<std::int64_t> start = offset_at(*span_.wanted);
    if (!start.ok()) return start.error();
    start_ = std::clamp(*start, low, high);
  }
  if (start_ < end_) {
    span_.begins_at_low = start_ == low && low > 0;
    return {};
  }
  const Result<Instant> first = TimeOf(low);
  const Result<Instant> last = TimeOf(high - 1);
  if (!first.ok()) return first.error();
  if (!last.ok()) return last.error();
  return NotFoundError(
      fmt::format("the log of {} holds nothing of that time: it reaches from {} to {}",
                  query.service, FormatUtc(ToMs(*first)), FormatUtc(ToMs(*last))));
}

Result<Instant> PartitionLog::TimeOf(std::int64_t offset) {
  if (Status s = ports_.consumer->Assign({{kTopic, span_.partition, offset}}); !s.ok())
    return s.error();
  const auto record = Take();
  if (!record.ok()) return record.error();
  return map_.ToDomain((*record)->append_time);
}

// Waits; never gives nothing.
Result<std::optional<kafka::Record>> PartitionLog::Take() {
  const SteadyTime until = std::chrono::steady_clock::now() + timeout_;
  while (true) {
    auto record = ports_.consumer->Poll(Duration(50));
    if (!record.ok() || *record) return record;
    if (std::chrono::steady_clock::now() > until) {
      return UnavailableError(fmt::format("partition {} of {} gave no record for {}",
                                          span_.partition, kTopic, FormatDuration(timeout_)));
    }
  }
}

Result<const engine::RecordView*> PartitionLog::Next() {
  while (next_ < end_) {
    auto record = Take();
    if (!record.ok()) return record.error();
    record_ = std::move(*record);
    next_ = record_->offset + 1;
    if (record_->offset >= end_) break;
    const Instant at = map_.ToDomain(record_->append_time);
    if (span_.records++ == 0) {
      span_.first_offset = record_->offset;
      span_.begins_late = span_.begins_at_low && span_.wanted && at > *span_.wanted + kLateSlack;
    }
    span_.last_offset = record_->offset;
    const auto view = decoder_->Decode(record_->offset, record_->append_time, record_->value);
    if (view.ok()) return *view;
    ++span_.unreadable;  // nor did the shard read it
  }
  next_ = end_;
  return nullptr;
}

double PartitionLog::part() const {
  return static_cast<double>(next_ - start_) /
         static_cast<double>(std::max<std::int64_t>(1, end_ - start_));
}

}  // namespace liveops::ctl
