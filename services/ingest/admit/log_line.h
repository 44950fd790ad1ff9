#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/log_level.h"
#include "common/base/time.h"
#include "services/ingest/admit/admit.h"

// Log lines as they may enter their topic, as plain data. Unlike a point, a line is hardly ever
// refused: what is too long in it is cut, what is not UTF-8 replaced.
namespace liveops::admit {

struct LogLimits {
  std::size_t message_bytes = 8192;
  std::size_t attributes = 32;
  std::size_t attribute_name_bytes = 128;
  std::size_t attribute_value_bytes = 1024;
};

using LogAttributes = std::vector<std::pair<std::string, std::string>>;

struct LogLine {
  std::int64_t time_ms = 0;  // real; 0 = it does not say
  LogLevel level = LogLevel::kUnknown;
  std::string message;
  std::string endpoint;
  std::string trace_id;  // 16 bytes or none
  std::string span_id;   // 8 bytes or none
  std::string logger;
  LogAttributes attributes;
  std::uint32_t dropped_attributes = 0;
  double query_ms = 0;  // of a slow query's line; 0 = it is none
};

// Lines of one service that one process wrote.
struct LogGroup {
  std::string service;
  LogAttributes resource;
  std::vector<LogLine> lines;
};

// `text` as UTF-8 of at most so many bytes, cut with "…".
std::string LogText(std::string_view text, std::size_t bytes_max);

// Why the line is refused for good: kFuture, kTooOld. A line without a time gets the clock's, which
// is ingest's (real).
std::optional<Refusal> CheckLogTime(LogLine& line, const Limits& limits, RealTime clock);

// How long a query took, in ms, where the message is a database's line about a slow one:
//   PostgreSQL (log_min_duration_statement): `duration: 1234.567 ms  statement: …`, also with
//     `execute …:`, `bind …:` and `parse …:`; without a statement (log_duration) it is none.
//     https://www.postgresql.org/docs/current/runtime-config-logging.html
//   MySQL, MariaDB (slow query log): `# Query_time: 2.000123  Lock_time: …`, in seconds.
//     https://dev.mysql.com/doc/refman/8.0/en/slow-query-log.html
std::optional<double> SlowQueryMs(std::string_view message);

}  // namespace liveops::admit
