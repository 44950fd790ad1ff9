#include "services/liveopsctl/cli/source.h"

#include <fmt/format.h>

#include "services/liveopsctl/cli/values.h"

namespace liveops::ctl {
namespace {

template <typename T, typename U>
Status Take(const char* option, const Result<T>& read, U& into) {
  if (!read.ok()) return InvalidError(fmt::format("{}: {}", option, read.error().message));
  into = *read;
  return {};
}

Status ReadTimes(const SourceWords& words, PlayedSource& source) {
  if (!words.from.empty()) {
    if (Status s = Take("--from", ParseRfc3339(words.from), source.from_ms); !s.ok()) return s;
  }
  if (!words.to.empty()) {
    if (Status s = Take("--to", ParseRfc3339(words.to), source.to_ms); !s.ok()) return s;
  }
  if (!words.last.empty()) {
    if (Status s = Take("--last", ParseDuration(words.last), source.last); !s.ok()) return s;
  }
  if (source.last && source.last->count() <= 0)
    return InvalidError("--last: it must be longer than 0");
  return {};
}

}  // namespace

Status ReadSource(const SourceWords& words, SourceUse use, PlayedSource& source) {
  if (Status s = ReadTimes(words, source); !s.ok()) return s;
  const bool times = source.from_ms || source.to_ms || source.last;
  const bool log = times || !source.kafka.empty();
  if (use == SourceUse::kLive) return {};
  if (use == SourceUse::kNone)
    return log ? Status(InvalidError("plan check: --kafka and --last need --live")) : Status();
  const char* command = use == SourceUse::kBacktest ? "plan backtest" : "plan diff";
  if (source.data.empty() && !log) {
    return InvalidError(fmt::format(
        "{}: --data is required, or --kafka, --from or --last for the log of the samples",
        command));
  }
  if (!source.data.empty() && log) {
    return InvalidError(
        fmt::format("{}: --data is a recording; --kafka, --from, --to and --last are of the log of "
                    "the samples",
                    command));
  }
  if (source.from_ms && source.last)
    return InvalidError(fmt::format("{}: --from and --last exclude each other", command));
  if (source.from_ms && source.to_ms && *source.from_ms >= *source.to_ms)
    return InvalidError(fmt::format("{}: --from must be before --to", command));
  return {};
}

}  // namespace liveops::ctl
