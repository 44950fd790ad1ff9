#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"
#include "services/ingest/codec/otlp.h"

// OpenTelemetry's spans (https://opentelemetry.io/docs/specs/otel/trace/api/#span) as observations:
// of each span of kind SERVER or CONSUMER one, at its end, of how long it took in ms. Those two are
// where a request or a message enters a service, once each; the others are parts of them, or are
// another service's view of them.
//
//   service   resource attribute `service.name`, or "unknown_service"
//   metric    `traces.span.metrics.duration`, in ms: as the OpenTelemetry Collector's span metrics
//             connector calls it (github.com/open-telemetry/opentelemetry-collector-contrib,
//             connector/spanmetricsconnector)
//   labels    `span.name`    the operation: `http.route`, with the method before it, where there is
//                            one; else the span's name
//             `span.kind`    SPAN_KIND_SERVER, SPAN_KIND_CONSUMER
//             `status.code`  STATUS_CODE_UNSET, STATUS_CODE_OK, STATUS_CODE_ERROR; the last also
//                            where the HTTP status is 500 or more
//             `status.class` of HTTP: 2xx, 4xx, …
//             no other attribute, so that there are few series
namespace liveops::ingest {

inline constexpr std::string_view kSpanMetric = "traces.span.metrics.duration";

// A span that is counted.
struct CountedSpan {
  std::string service;
  std::string operation;
  std::string trace_id;     // 16 bytes, and
  std::string span_id;      // 8; or else not valid
  std::int64_t end_ms = 0;  // real
  double duration_ms = 0;
  bool error = false;
  std::string labels = {};  // of its point, as Labels::Encode writes them
};

struct OtlpSpans {
  OtlpBatches batches;             // rejections: kBadStart
  std::vector<CountedSpan> spans;  // by service and end, one for each point of the batches
  std::uint64_t others = 0;        // spans of other kinds, which nothing comes of
};

// Reads an ExportTraceServiceRequest. kInvalid: it is none. What it gives does not view `request`.
Result<OtlpSpans> ReadOtlpSpans(std::string_view request, std::size_t bytes_max);

}  // namespace liveops::ingest
