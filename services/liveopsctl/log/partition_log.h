#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

#include "common/base/result.h"
#include "common/base/time.h"
#include "common/kafka/kafka.h"
#include "services/liveopsctl/rehearse/backtest.h"
#include "services/rule-evaluation/codec/decoder.h"

// The log of samples, straight from Kafka: read by assign(), nothing is written.
namespace liveops::ctl {

// How to get at Kafka; tests give their own.
struct KafkaPorts {
  std::unique_ptr<kafka::AssignedConsumer> consumer;
  std::int32_t partitions = 0;  // of the topic
};
// kNotFound: there is no such topic. kUnavailable, kTimeout: no broker answers.
Result<KafkaPorts> OpenKafka(const kafka::ClientConfig& config, Duration timeout);

// What a partition held when it was opened. Times are append times: the clock of the broker that
// leads it.
struct PartitionBounds {
  std::int64_t low = 0;   // offset of the first record
  std::int64_t high = 0;  // and the one after the last
  RealTime first{};
  RealTime last{};
};

// A stretch of one partition, record by record, in memory that does not grow with it. One thread at
// a time.
class PartitionLog {
 public:
  // kNotFound: it is empty.
  static Result<PartitionLog> Open(std::unique_ptr<kafka::AssignedConsumer> consumer,
                                   std::int32_t partition, Duration timeout);
  const PartitionBounds& bounds() const { return bounds_; }

  // To be read: from the first record at or after `from` up to the last one at or before `to`;
  // nullopt = from the beginning, to the end, as the bounds say. False: there is none.
  Result<bool> Seek(std::optional<RealTime> from, std::optional<RealTime> to);

  // The next record; nullptr at the end of the stretch. It holds until the next call. kUnavailable:
  // none came for so long as `timeout`.
  Result<const engine::RecordView*> Next();

  std::int64_t length() const { return end_ - start_; }  // of the stretch, in offsets
  std::int64_t done() const { return next_ - start_; }
  // What was read so far.
  const rehearse::PartitionSpan& span() const { return span_; }

 private:
  PartitionLog(std::unique_ptr<kafka::AssignedConsumer> consumer, Duration timeout)
      : consumer_(std::move(consumer)), timeout_(timeout) {}
  Result<RealTime> TimeOf(std::int64_t offset);
  Result<kafka::Record> Take();

  std::unique_ptr<kafka::AssignedConsumer> consumer_;
  Duration timeout_;
  PartitionBounds bounds_;
  std::int64_t start_ = 0;
  std::int64_t end_ = 0;
  std::int64_t next_ = 0;
  rehearse::PartitionSpan span_;
  kafka::Record record_;  // what the view points into
  std::unique_ptr<evaluation::Decoder> decoder_ = std::make_unique<evaluation::Decoder>();
};

}  // namespace liveops::ctl
