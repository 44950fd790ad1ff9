#include "services/ingest/admit/split.h"

#include <algorithm>
#include <map>
#include <utility>

namespace liveops::admit {
namespace {

constexpr std::uint32_t kNone = UINT32_MAX;

// The points of one partition, with the series and strings that they need.
class Builder {
 public:
  explicit Builder(const Admitted& in)
      : in_(in), series_(in.series.size(), kNone), strings_(in.strings.size(), kNone) {
    out_.base_time_ms = in.base_time_ms;
  }

  void Point(std::size_t i) {
    const std::uint64_t duration = in_.point_duration_ms.empty() ? 0 : in_.point_duration_ms[i];
    out_.point_series.push_back(SeriesIndex(in_.point_series[i]));
    out_.point_time_delta_ms.push_back(in_.point_time_delta_ms[i]);
    out_.point_duration_ms.push_back(duration);
    out_.point_value.push_back(in_.point_value[i]);
    any_duration_ |= duration != 0;
  }

  void HistogramPoint(const Histogram& histogram) {
    out_.histograms.push_back(histogram);
    out_.histograms.back().series = SeriesIndex(histogram.series);
  }

  Admitted Take() {
    if (!any_duration_) out_.point_duration_ms.clear();
    return std::move(out_);
  }

 private:
  std::uint32_t SeriesIndex(std::uint32_t series) {
    std::uint32_t& index = series_[series];
    if (index != kNone) return index;
    index = static_cast<std::uint32_t>(out_.series.size());
    Series copy = in_.series[series];
    copy.metric = StringIndex(copy.metric);
    copy.unit = StringIndex(copy.unit);
    out_.series.push_back(std::move(copy));
    return index;
  }

  std::uint32_t StringIndex(std::uint32_t text) {
    std::uint32_t& index = strings_[text];
    if (index != kNone) return index;
    index = static_cast<std::uint32_t>(out_.strings.size());
    out_.strings.push_back(in_.strings[text]);
    return index;
  }

  const Admitted& in_;
  std::vector<std::uint32_t> series_;   // index in the part, by index in the batch
  std::vector<std::uint32_t> strings_;  // likewise
  Admitted out_;
  bool any_duration_ = false;
};

// Which partition a point goes to.
class Placer {
 public:
  Placer(const Admitted& batch, std::string_view service, std::span<const SpreadStep> steps,
         const TimeMap& map, std::int32_t partitions)
      : batch_(batch), service_(service), partitions_(partitions) {
    eras_.push_back({INT64_MIN, 1, {}});
    for (const SpreadStep& step : steps) {
      eras_.push_back({ToMs(map.ToDomain(step.from)), step.spread, {}});
    }
    for (Era& era : eras_) era.partition_of.assign(batch.series.size(), kUnknown);
  }

  std::int32_t PartitionFor(std::uint32_t series, std::int64_t delta_ms) {
    const std::int64_t time_ms = batch_.base_time_ms + delta_ms;
    std::size_t i = eras_.size() - 1;
    while (time_ms < eras_[i].from_ms) --i;
    std::int32_t& partition = eras_[i].partition_of[series];
    if (partition == kUnknown) {
      partition = SpreadPartitionOf(service_, batch_.series[series].fingerprint, eras_[i].spread,
                                    partitions_);
    }
    return partition;
  }

 private:
  static constexpr std::int32_t kUnknown = -1;
  struct Era {
    std::int64_t from_ms = 0;  // domain
    int spread = 1;
    std::vector<std::int32_t> partition_of;  // by series
  };

  const Admitted& batch_;
  const std::string_view service_;
  const std::int32_t partitions_;
  std::vector<Era> eras_;
};

}  // namespace

std::vector<Part> Split(const Admitted& batch, std::string_view service,
                        std::span<const SpreadStep> steps, const TimeMap& map,
                        std::int32_t partitions) {
  Placer placer(batch, service, steps, map, partitions);
  std::map<std::int32_t, Builder> builders;
  const auto at = [&](std::int32_t partition) -> Builder& {
    return builders.try_emplace(partition, batch).first->second;
  };
  for (std::size_t i = 0; i < batch.point_value.size(); ++i) {
    at(placer.PartitionFor(batch.point_series[i], batch.point_time_delta_ms[i])).Point(i);
  }
  for (const Histogram& histogram : batch.histograms) {
    at(placer.PartitionFor(histogram.series, histogram.time_delta_ms)).HistogramPoint(histogram);
  }
  std::vector<Part> parts;
  for (auto& [partition, builder] : builders) parts.push_back({partition, builder.Take()});
  return parts;
}

}  // namespace liveops::admit
