#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "opentelemetry/proto/collector/metrics/v1/metrics_service.pb.h"
#include "services/ingest/admit/admit.h"

// OpenTelemetry's metrics (https://opentelemetry.io/docs/specs/otel/metrics/data-model/) as batches
// of one service each.
//
//   service      resource attribute `service.name`, or "unknown_service"
//   labels       all other resource attributes and all attributes of the point, which win where
//   both have a name kind         gauge; sum: delta (monotonic alone) or cumulative, a
//   non-monotonic cumulative sum being a gauge;
//                histogram with explicit bounds: delta or cumulative
//   not taken    exponential histograms, summaries, non-monotonic delta sums, unspecified
//   temporality: counted as
//                rejected, with a sentence
// A point flagged "no recorded value" is no point: counted apart.
namespace liveops::ingest {

using OtlpRequest = opentelemetry::proto::collector::metrics::v1::ExportMetricsServiceRequest;

// Points of one service, owning what is not in the request itself. Histograms' spans point into the
// request.
struct OtlpBatch {
  OtlpBatch() = default;
  OtlpBatch(const OtlpBatch&) = delete;  // its views must not move

  std::string service;
  std::vector<std::string_view> strings;  // of the request
  std::deque<std::string>
      labels;  // the bytes that `series` views; a deque, so that they stay where they are
  std::vector<admit::SeriesInput> series;
  std::int64_t base_time_ms = 0;
  std::vector<std::uint32_t> point_series;
  std::vector<std::int64_t> point_time_delta_ms;
  std::vector<std::uint64_t> point_duration_ms;
  std::vector<double> point_value;
  std::vector<admit::HistogramInput> histograms;

  admit::BatchInput input() const;
  std::uint64_t points() const { return point_value.size() + histograms.size(); }
};

struct OtlpBatches {
  // One a service, or several where one would not fit into a Kafka record (`bytes_max` of the
  // call).
  std::deque<OtlpBatch> batches;
  std::uint64_t no_value = 0;                    // points without a recorded value
  std::vector<admit::Rejection> rejections;      // kUnsupported, kBadStart
  std::map<std::string, std::uint64_t> refused;  // their points by service
};

// Views `request`, which must outlive the result unchanged.
OtlpBatches ReadOtlp(const OtlpRequest& request, std::size_t bytes_max);

// The sentence of a partial success, e.g. "3 data points refused: future (2), e.g. …; unsupported
// (1), e.g. …".
std::string RejectionSentence(const std::vector<admit::Rejection>& rejections);

}  // namespace liveops::ingest
