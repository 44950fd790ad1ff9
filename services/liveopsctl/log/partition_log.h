#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "common/base/result.h"
#include "common/base/time.h"
#include "common/kafka/kafka.h"
#include "services/liveopsctl/rehearse/backtest.h"
#include "services/rule-evaluation/codec/decoder.h"

// The log of a service's samples, straight from Kafka: read by assign(), nothing is written.
namespace liveops::ctl {

// How to get at Kafka; tests give their own.
struct KafkaPorts {
  std::unique_ptr<kafka::AssignedConsumer> consumer;
  std::int32_t partitions = 0;  // of the topic
};
// kNotFound: there is no such topic. kUnavailable, kTimeout: no broker answers.
Result<KafkaPorts> OpenKafka(const kafka::ClientConfig& config, Duration timeout);

// Times are domain times, as everywhere in alarms.
struct LogQuery {
  std::string service;
  std::optional<Instant> from;   // nullopt = from the beginning of what is kept
  std::optional<Instant> to;     // nullopt = to the end as it stands now
  std::optional<Duration> last;  // in place of `from`: so long before the end
};

// A stretch of one partition, record by record, in memory that does not grow with it. One thread at
// a time.
class PartitionLog {
 public:
  // kNotFound: the log holds nothing of the time that was asked for; the message says what it
  // holds.
  static Result<PartitionLog> Open(KafkaPorts ports, const LogQuery& query, Duration timeout);

  // The next record; nullptr at the end of the stretch. It holds until the next call. kUnavailable:
  // none came for so long as `timeout`.
  Result<const engine::RecordView*> Next();

  const TimeMap& time_map() const { return map_; }
  double part() const;  // done, 0 to 1
  // What was read so far.
  const rehearse::LogSpan& span() const { return span_; }

 private:
  PartitionLog(KafkaPorts ports, Duration timeout) : ports_(std::move(ports)), timeout_(timeout) {}
  Status FindStretch(const LogQuery& query);
  Result<Instant> TimeOf(std::int64_t offset);
  Result<std::optional<kafka::Record>> Take();

  KafkaPorts ports_;
  Duration timeout_;
  TimeMap map_;
  std::int64_t start_ = 0;
  std::int64_t end_ = 0;
  std::int64_t next_ = 0;
  rehearse::LogSpan span_;
  std::optional<kafka::Record> record_;  // what the view points into
  std::unique_ptr<evaluation::Decoder> decoder_ = std::make_unique<evaluation::Decoder>();
};

}  // namespace liveops::ctl
