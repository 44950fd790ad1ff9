#include "services/liveopsctl/render/samples.h"

#include <fmt/format.h>

#include "common/base/text.h"
#include "common/base/time.h"
#include "services/liveopsctl/render/json.h"
#include "services/liveopsctl/render/text.h"

namespace liveops::ctl {
namespace {

const char* KindWord(v1::SeriesKind kind) {
  switch (kind) {
    case v1::SERIES_KIND_COUNTER_DELTA:
      return "counter_delta";
    case v1::SERIES_KIND_COUNTER_CUMULATIVE:
      return "counter_cumulative";
    case v1::SERIES_KIND_GAUGE:
      return "gauge";
    case v1::SERIES_KIND_OBSERVATION:
      return "observation";
    case v1::SERIES_KIND_HISTOGRAM_DELTA:
      return "histogram_delta";
    case v1::SERIES_KIND_HISTOGRAM_CUMULATIVE:
      return "histogram_cumulative";
    default:
      return "unknown";
  }
}

std::string Says(const TailedSample& s) {
  const std::string value = FormatValue(s.value, s.unit);
  switch (s.kind) {
    case v1::SERIES_KIND_COUNTER_DELTA:
      return "+" + value;
    case v1::SERIES_KIND_COUNTER_CUMULATIVE:
      return value + " in all";
    case v1::SERIES_KIND_HISTOGRAM_DELTA:
    case v1::SERIES_KIND_HISTOGRAM_CUMULATIVE: {
      const std::uint64_t count = s.count.value_or(0);
      const bool all = s.kind == v1::SERIES_KIND_HISTOGRAM_CUMULATIVE;
      std::string out = fmt::format("{}{} observed{}", all ? "" : "+", count, all ? " in all" : "");
      if (count > 0) out += ", mean " + FormatValue(s.value / static_cast<double>(count), s.unit);
      return out;
    }
    default:
      return value;
  }
}

}  // namespace

std::string TimeOfDayMs(std::int64_t ms) {
  constexpr std::int64_t kDay = 86'400'000;
  const std::int64_t t = ((ms % kDay) + kDay) % kDay;
  return fmt::format("{:02}:{:02}:{:02}.{:03}", t / 3'600'000, t / 60'000 % 60, t / 1000 % 60,
                     t % 1000);
}

std::string RenderSample(const TailedSample& s) {
  const bool delta =
      s.kind == v1::SERIES_KIND_COUNTER_DELTA || s.kind == v1::SERIES_KIND_HISTOGRAM_DELTA;
  std::string line =
      fmt::format("{}  {}{}  {}", TimeOfDayMs(s.time_ms), s.metric, s.labels.ToString(), Says(s));
  if (delta && s.duration_ms > 0) {
    line += " in " + FormatDuration(Duration(static_cast<std::int64_t>(s.duration_ms)));
  }
  return Printable(line) + "\n";
}

std::string SampleJson(const TailedSample& s) {
  std::string labels;
  for (const auto& [name, value] : s.labels) {
    labels += (labels.empty() ? "" : ",") + JsonString(name) + ":" + JsonString(value);
  }
  std::string out = fmt::format(
      "{{\"time_ms\":{},\"append_ms\":{},\"metric\":{},\"kind\":\"{}\",\"unit\":{},\"labels\":{{{}}"
      "},"
      "\"value\":{}",
      s.time_ms, s.append_ms, JsonString(s.metric), KindWord(s.kind), JsonString(s.unit), labels,
      s.value);
  if (s.count) out += fmt::format(",\"count\":{}", *s.count);
  if (s.duration_ms > 0) out += fmt::format(",\"duration_ms\":{}", s.duration_ms);
  return out + "}\n";
}

}  // namespace liveops::ctl
