#include "services/rule-evaluation/codec/batch_reader.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "services/rule-evaluation/codec/ranges.h"

namespace liveops::evaluation {
namespace {

Error Malformed(std::string what) { return InvalidError("malformed metric batch: " + what); }

template <typename T>
bool AllSane(std::span<const T> times) {
  bool sane = true;
  for (const T t : times) sane &= Sane(t);
  return sane;
}

}  // namespace

BatchReader::Found BatchReader::Read(std::string_view record) {
  in_.ClearSource();
  in_.ClearBatch();
  Found found = Found::kOther;
  bool others = false;
  wire::Reader in(record);
  while (!in.AtEnd()) {
    std::uint32_t tag = 0;
    if (!in.Tag(tag)) return Found::kMalformed;
    const std::uint32_t field = wire::FieldOf(tag);
    if (wire::TypeOf(tag) != wire::Type::kBytes || field > kBodyLast) {
      if (!in.Skip(tag, wire::kNestedMax)) return Found::kMalformed;
      continue;
    }
    std::string_view message;
    if (!in.Bytes(message)) return Found::kMalformed;
    if (field == 1) {
      if (!in_.AddSource(message)) return Found::kMalformed;
    } else if (field == 2) {
      // The last body counts; a second one of the same kind adds to the first.
      if (found == Found::kOther) in_.ClearBatch();
      found = others ? Found::kMixed : Found::kBatch;
      if (!in_.AddBatch(message)) return Found::kMalformed;
    } else {
      found = Found::kOther;
      others = true;
    }
  }
  return found;
}

Status BatchReader::CheckSeries() {
  constexpr auto kFirst = static_cast<std::int32_t>(engine::SeriesKind::kCounterDelta);
  constexpr auto kLast = static_cast<std::int32_t>(engine::SeriesKind::kHistogramCumulative);
  const auto strings = in_.strings();
  series_.clear();
  for (const wire::SeriesEntry& entry : in_.series()) {
    if (entry.metric >= strings.size() || entry.unit >= strings.size()) {
      return Malformed("a series names string " +
                       std::to_string(std::max(entry.metric, entry.unit)) + " of " +
                       std::to_string(strings.size()));
    }
    if (entry.kind < kFirst || entry.kind > kLast) {
      return Malformed("series kind " + std::to_string(entry.kind) + " is not known");
    }
    series_.push_back({entry.fingerprint, static_cast<engine::SeriesKind>(entry.kind),
                       strings[entry.metric], strings[entry.unit], entry.labels});
  }
  return {};
}

Status BatchReader::CheckHistograms() {
  histograms_.clear();
  for (std::size_t i = 0; i < in_.histogram_count(); ++i) {
    const wire::HistogramPoint point = in_.histogram(i);
    const engine::HistogramView view = {point.series,       point.time_delta_ms, point.duration_ms,
                                        point.count,        point.sum,           point.bounds,
                                        point.bucket_counts};
    histograms_.push_back(view);
    if (view.series >= series_.size()) return Malformed("a histogram names an unknown series");
    if (view.bucket_counts.size() != view.bounds.size() + 1) {
      return Malformed("a histogram has " + std::to_string(view.bucket_counts.size()) +
                       " buckets for " + std::to_string(view.bounds.size()) + " bounds");
    }
    for (std::size_t b = 0; b < view.bounds.size(); ++b) {
      if (!std::isfinite(view.bounds[b]) || (b > 0 && view.bounds[b] <= view.bounds[b - 1])) {
        return Malformed("the bounds of a histogram do not ascend");
      }
    }
    if (!Sane(view.time_delta_ms) || !Sane(view.duration_ms)) {
      return Malformed("a histogram's time is out of range");
    }
  }
  return {};
}

Result<engine::BatchView> BatchReader::Check() {
  engine::BatchView view;
  view.service = in_.service();
  view.base_time_ms = in_.base_time_ms();
  view.point_series = in_.point_series();
  view.point_time_delta_ms = in_.point_time_delta_ms();
  view.point_duration_ms = in_.point_duration_ms();
  view.point_value = in_.point_value();
  for (const auto protocol : {engine::Protocol::kOtlp, engine::Protocol::kRemoteWrite,
                              engine::Protocol::kCloudWatch, engine::Protocol::kCost}) {
    if (in_.protocol() == static_cast<std::int32_t>(protocol)) view.protocol = protocol;
  }
  if (view.service.empty()) return Malformed("no service");
  const std::size_t points = view.point_series.size();
  if (view.point_time_delta_ms.size() != points || view.point_value.size() != points ||
      (!view.point_duration_ms.empty() && view.point_duration_ms.size() != points)) {
    return Malformed("its columns differ in length");
  }
  if (!Sane(view.base_time_ms)) return Malformed("its base time is out of range");
  if (Status s = CheckSeries(); !s.ok()) return s.error();
  if (Status s = CheckHistograms(); !s.ok()) return s.error();
  std::uint32_t highest = 0;
  for (const std::uint32_t index : view.point_series) highest = std::max(highest, index);
  if (points > 0 && highest >= series_.size()) return Malformed("a point names an unknown series");
  if (!AllSane(view.point_time_delta_ms)) return Malformed("a point's time is out of range");
  if (!AllSane(view.point_duration_ms)) return Malformed("a point's duration is out of range");
  view.series = series_;
  view.histograms = histograms_;
  return view;
}

}  // namespace liveops::evaluation
