#pragma once

#include <vector>

#include "opentelemetry/proto/collector/metrics/v1/metrics_service.pb.h"
#include "opentelemetry/proto/collector/trace/v1/trace_service.pb.h"
#include "services/ingest/admit/admit.h"

namespace liveops::ingest {

// A partial success where points were rejected; nothing is set where none were.
opentelemetry::proto::collector::metrics::v1::ExportMetricsServiceResponse OtlpResponse(
    const std::vector<admit::Rejection>& rejections);
// Likewise of spans.
opentelemetry::proto::collector::trace::v1::ExportTraceServiceResponse OtlpTracesResponse(
    const std::vector<admit::Rejection>& rejections);

}  // namespace liveops::ingest
