#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/log_level.h"

namespace liveops::plan {

// What is counted of every service's log lines, beside what its plan names.
inline constexpr const char* kLogEvents = "log_events";             // lines, by `level`
inline constexpr const char* kLogSlowQueries = "log_slow_queries";  // lines of slow queries

// Under `logs:`: the lines of the service that hold `match` are counted as the metric `name`.
struct LogCount {
  static constexpr std::size_t kCountsMax = 50;  // of a plan
  static constexpr std::size_t kMatchBytesMax = 200;

  std::string name;
  std::string match;              // see Contains
  std::optional<LogLevel> level;  // of at least this level; absent = of any
  friend bool operator==(const LogCount&, const LogCount&) = default;
};

// What a plan file (YAML) says under `logs:`; none where Parse (plan/parse.h) finds problems in it.
// Apart from Plan, since those who judge by a plan only see the samples that are made of it.
std::vector<LogCount> ParseLogCounts(std::string_view yaml);

// Whether the pattern stands anywhere in the text: its characters as they are, `*` for any number
// of characters, none among them. In time linear in both: each piece between stars is looked for
// from where the last one ended, and no pattern makes it go back.
bool Contains(std::string_view text, std::string_view pattern);

bool Counts(const LogCount& count, LogLevel level, std::string_view message);

}  // namespace liveops::plan
