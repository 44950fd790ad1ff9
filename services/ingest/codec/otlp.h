#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <memory_resource>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"
#include "services/ingest/admit/admit.h"
#include "services/ingest/codec/exemplar.h"

// OpenTelemetry's metrics (https://opentelemetry.io/docs/specs/otel/metrics/data-model/) as batches
// of one service each.
//
//   service      resource attribute `service.name`, or "unknown_service"
//   labels       all other resource attributes and all attributes of the point, which win where
//                both have a name
//   kind         gauge; sum: delta (monotonic alone) or cumulative, a non-monotonic cumulative sum
//                being a gauge; histogram with explicit bounds, or exponential, which is laid on a
//                ladder (exponential_ladder.h): delta or cumulative
//   not taken    summaries, non-monotonic delta sums, unspecified temporality: counted as rejected,
//                with a sentence
// A point flagged "no recorded value" is no point: counted apart.
namespace liveops::ingest {

// Points of one service. It views the request and OtlpBatches::memory.
struct OtlpBatch {
  std::string service;
  std::vector<std::string_view> strings;
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
  // Labels, and numbers of histograms.
  std::unique_ptr<std::pmr::memory_resource> memory =
      std::make_unique<std::pmr::monotonic_buffer_resource>(std::size_t{64} << 10);
  // One a service, or several where one would not fit into a Kafka record (`bytes_max` of the
  // call).
  std::deque<OtlpBatch> batches;
  std::uint64_t no_value = 0;                    // points without a recorded value
  std::vector<admit::Rejection> rejections;      // kUnsupported, kBadStart, kBadHistogram
  std::map<std::string, std::uint64_t> refused;  // their points by service
  std::vector<Exemplar> exemplars;               // at most 1000
};

// Reads an ExportMetricsServiceRequest without libprotobuf; what that takes is taken, with the same
// result. Parts of which nothing is used (scopes) are not looked into, nor is an exemplar that is
// malformed a mistake. kInvalid: it is none. Views `request`, which must outlive the result
// unchanged.
Result<OtlpBatches> ReadOtlp(std::string_view request, std::size_t bytes_max);

}  // namespace liveops::ingest
