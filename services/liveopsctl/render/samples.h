#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "common/base/labels.h"
#include "liveops/v1/metrics.pb.h"

// One sample of the log as text. Pure.
namespace liveops::ctl {

struct TailedSample {
  std::int64_t time_ms = 0;    // real: when it was measured
  std::int64_t append_ms = 0;  // real: when the broker took it
  v1::SeriesKind kind = v1::SERIES_KIND_GAUGE;
  std::string metric;
  std::string unit;
  Labels labels;
  double value = 0;                    // a histogram's: the sum of what it observed
  std::optional<std::uint64_t> count;  // a histogram's
  std::uint64_t duration_ms = 0;       // that it covers; 0 = not said
};

// `09:15:00.250  requests{code="500"}  +12 in 5s`, with a line end.
std::string RenderSample(const TailedSample& sample);

// Of the day, in UTC: "09:15:00.250".
std::string TimeOfDayMs(std::int64_t ms);

// {"time_ms","append_ms","metric","kind","unit","labels":{…},"value"[,"count"][,"duration_ms"]},
// with a line end.
std::string SampleJson(const TailedSample& sample);

}  // namespace liveops::ctl
