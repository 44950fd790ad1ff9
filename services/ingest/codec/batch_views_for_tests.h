#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "liveops/v1/metrics.pb.h"
#include "services/ingest/admit/admit.h"

// For tests: what libprotobuf made of a request, as admission reads it.
namespace liveops::ingest {

template <typename T>
inline std::span<const T> SpanOf(const google::protobuf::RepeatedField<T>& field) {
  return {field.data(), static_cast<std::size_t>(field.size())};
}

// Views into the message, which must outlive it unchanged.
class BatchViews {
 public:
  explicit BatchViews(const v1::MetricBatch& batch) {
    strings_.assign(batch.strings().begin(), batch.strings().end());
    series_.reserve(static_cast<std::size_t>(batch.series_size()));
    for (const v1::SeriesEntry& s : batch.series())
      series_.push_back({s.kind(), s.metric(), s.unit(), s.labels()});
    histograms_.reserve(static_cast<std::size_t>(batch.histograms_size()));
    for (const v1::HistogramPoint& h : batch.histograms()) {
      histograms_.push_back({h.series(), h.time_delta_ms(), h.duration_ms(), h.count(), h.sum(),
                             SpanOf(h.bounds()), SpanOf(h.bucket_counts())});
    }
    input_ = {batch.service(),
              strings_,
              series_,
              batch.base_time_ms(),
              SpanOf(batch.point_series()),
              SpanOf(batch.point_time_delta_ms()),
              SpanOf(batch.point_duration_ms()),
              SpanOf(batch.point_value()),
              histograms_};
  }
  const admit::BatchInput& input() const { return input_; }

 private:
  std::vector<std::string_view> strings_;
  std::vector<admit::SeriesInput> series_;
  std::vector<admit::HistogramInput> histograms_;
  admit::BatchInput input_;
};

}  // namespace liveops::ingest
