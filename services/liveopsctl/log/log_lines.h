#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/log_level.h"
#include "liveops/v1/logs.pb.h"
#include "services/liveopsctl/log/partition_log.h"

namespace liveops::ctl {

struct LineQuery {
  std::string service;
  LogLevel level = LogLevel::kUnknown;  // at least
  std::string match;                    // as plan::Contains; "" = every line
};

// The log lines of a service, straight from logs.v1: nobody else keeps them. Nothing is written.
// One thread at a time.
class LogLines {
 public:
  // So much is looked through for the last lines, and no more.
  static constexpr std::size_t kRecordsMax = 20'000;
  static constexpr std::size_t kBytesMax = 128u << 20;

  // kUnavailable, kTimeout: no broker answers.
  static Result<LogLines> Open(KafkaPorts ports, LineQuery query, Duration timeout);

  // The newest lines that fit, oldest first, in the order of the log; at most `count`.
  Result<std::vector<v1::LogRecord>> Last(std::size_t count);
  // Whether all that is kept was looked through, or as many lines as were asked for found.
  bool whole() const { return whole_; }

  // What was appended since Last, or since Open: the lines that fit of one record; none when none
  // came for `wait`.
  Result<std::vector<v1::LogRecord>> Next(Duration wait);

  // The service's exemplars that were appended from one time to the other (domain time), and a
  // little after; of at most kRecordsMax records.
  Result<std::vector<v1::Exemplar>> ExemplarsBetween(Instant from, Instant until);

  const TimeMap& time_map() const { return map_; }

 private:
  LogLines(KafkaPorts ports, LineQuery query, Duration timeout)
      : ports_(std::move(ports)), query_(std::move(query)), timeout_(timeout) {}
  void Pick(const kafka::Record& record, std::vector<v1::LogRecord>& out) const;
  // Calls `take` with the records from one offset to before another.
  Status ForEach(std::int64_t from, std::int64_t to,
                 const std::function<void(const kafka::Record&)>& take);
  // The lines of these records.
  Result<std::vector<v1::LogRecord>> Between(std::int64_t from, std::int64_t to);

  KafkaPorts ports_;
  LineQuery query_;
  Duration timeout_;
  TimeMap map_;
  std::int32_t partition_ = 0;
  std::int64_t low_ = 0;
  std::int64_t end_ = 0;  // of what stood there when it was opened
  std::size_t bytes_ = 0;
  bool whole_ = true;
};

}  // namespace liveops::ctl
