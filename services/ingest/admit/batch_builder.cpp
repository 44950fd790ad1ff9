#include "services/ingest/admit/batch_builder.h"

#include <utility>

namespace liveops::admit {

std::uint32_t BatchBuilder::Text(std::string_view text) {
  for (std::uint32_t back = 1; back <= 2 && back <= strings_.size(); ++back) {
    const std::size_t at = strings_.size() - back;  // the last metric or its unit, often
    if (strings_[at] == text) return static_cast<std::uint32_t>(at);
  }
  if (!strings_.empty() && text.empty()) return 0;
  bytes_ += text.size() + sizeof(std::string_view);
  strings_.push_back(texts_.emplace_back(text));
  return static_cast<std::uint32_t>(strings_.size() - 1);
}

std::uint32_t BatchBuilder::Series(SeriesKind kind, std::string_view metric, std::string_view unit,
                                   const Labels& labels) {
  const std::uint32_t name = Text(metric);
  const std::string& encoded = texts_.emplace_back(labels.Encode());
  series_.push_back({static_cast<int>(kind), name, Text(unit), encoded});
  bytes_ += encoded.size() + sizeof(SeriesInput);
  return static_cast<std::uint32_t>(series_.size() - 1);
}

void BatchBuilder::Point(std::uint32_t series, double value, std::uint64_t covered_ms,
                         std::int64_t after_ms) {
  point_series_.push_back(series);
  time_deltas_.push_back(after_ms);
  durations_.push_back(covered_ms);
  values_.push_back(value);
  bytes_ += 28;
}

void BatchBuilder::HistogramPoint(std::uint32_t series, std::uint64_t count, double sum,
                                  std::vector<double> bounds, std::vector<std::uint64_t> counts,
                                  std::uint64_t covered_ms, std::int64_t after_ms) {
  bytes_ += 16 * bounds.size() + sizeof(HistogramInput);
  const std::vector<double>& kept_bounds = bounds_.emplace_back(std::move(bounds));
  const std::vector<std::uint64_t>& kept_counts = counts_.emplace_back(std::move(counts));
  histograms_.push_back({series, after_ms, covered_ms, count, sum, kept_bounds, kept_counts});
}

BatchInput BatchBuilder::Input(RealTime time) const {
  BatchInput input;
  input.service = service_;
  input.strings = strings_;
  input.series = series_;
  input.base_time_ms = ToMs(time);
  input.point_series = point_series_;
  input.point_time_delta_ms = time_deltas_;
  input.point_duration_ms = durations_;
  input.point_value = values_;
  input.histograms = histograms_;
  return input;
}

}  // namespace liveops::admit
