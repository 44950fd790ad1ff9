#include "services/ingest/codec/otlp_response.h"

#include "common/base/text.h"
#include "services/ingest/codec/rejection_sentence.h"

namespace liveops::ingest {

opentelemetry::proto::collector::metrics::v1::ExportMetricsServiceResponse OtlpResponse(
    const std::vector<admit::Rejection>& rejections) {
  opentelemetry::proto::collector::metrics::v1::ExportMetricsServiceResponse response;
  std::uint64_t rejected = 0;
  for (const admit::Rejection& r : rejections) rejected += r.points;
  if (rejected == 0) return response;
  auto* const partial = response.mutable_partial_success();
  partial->set_rejected_data_points(static_cast<std::int64_t>(rejected));
  partial->set_error_message(ScrubUtf8(RejectionSentence(rejections)));
  return response;
}

opentelemetry::proto::collector::trace::v1::ExportTraceServiceResponse OtlpTracesResponse(
    const std::vector<admit::Rejection>& rejections) {
  opentelemetry::proto::collector::trace::v1::ExportTraceServiceResponse response;
  std::uint64_t rejected = 0;
  for (const admit::Rejection& r : rejections) rejected += r.points;
  if (rejected == 0) return response;
  auto* const partial = response.mutable_partial_success();
  partial->set_rejected_spans(static_cast<std::int64_t>(rejected));
  partial->set_error_message(ScrubUtf8(RejectionSentence(rejections, "span")));
  return response;
}

}  // namespace liveops::ingest
