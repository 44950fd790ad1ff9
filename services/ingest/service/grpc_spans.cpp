#include "services/ingest/service/grpc_spans.h"

#include <grpcpp/server_context.h>
#include <grpcpp/support/byte_buffer.h>

#include <chrono>
#include <span>

#include "common/base/hash.h"
#include "common/base/text.h"
#include "common/rpc/server.h"
#include "liveops/v1/ingest.grpc.pb.h"
#include "opentelemetry/proto/collector/trace/v1/trace_service.grpc.pb.h"
#include "services/ingest/codec/otlp_response.h"
#include "services/ingest/service/raw_export.h"

namespace liveops::ingest {
namespace {

namespace collector = opentelemetry::proto::collector::trace::v1;

class TracesService final : public collector::TraceService::WithRawCallbackMethod_Export<
                                collector::TraceService::Service> {
 public:
  TracesService(SpanIntake& spans, std::size_t bytes_max) : spans_(spans), bytes_max_(bytes_max) {}

  grpc::ServerUnaryReactor* Export(grpc::CallbackServerContext* context,
                                   const grpc::ByteBuffer* buffer,
                                   grpc::ByteBuffer* response) override {
    return ExportRaw(*context, *buffer, bytes_max_, response, spans_, OtlpTracesResponse);
  }

 private:
  SpanIntake& spans_;
  const std::size_t bytes_max_;
};

std::string HexOf(std::string_view bytes) {
  return Hex(std::span(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()));
}

class SpansService final : public v1::Spans::CallbackService {
 public:
  explicit SpansService(const SpanIntake& spans) : spans_(spans) {}

  grpc::ServerUnaryReactor* ListSlowestSpans(grpc::CallbackServerContext* context,
                                             const v1::ListSlowestSpansRequest* request,
                                             v1::ListSlowestSpansResponse* response) override {
    const std::size_t each = request->each() == 0 ? SlowSpans::kEach : request->each();
    response->set_instance(spans_.instance());
    for (const CountedSpan& span : spans_.slowest().List(request->service(), request->operation(),
                                                         each, std::chrono::steady_clock::now())) {
      v1::SlowSpan& out = *response->add_spans();
      out.set_operation(ScrubUtf8(span.operation));
      out.set_trace_id(HexOf(span.trace_id));
      out.set_span_id(HexOf(span.span_id));
      out.set_duration_ms(span.duration_ms);
      out.set_end_ms(span.end_ms);
      out.set_error(span.error);
    }
    auto* const reactor = context->DefaultReactor();
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }

 private:
  const SpanIntake& spans_;
};

}  // namespace

std::unique_ptr<grpc::Service> NewOtlpTracesService(SpanIntake& spans, std::size_t bytes_max) {
  return std::make_unique<TracesService>(spans, bytes_max);
}

std::unique_ptr<grpc::Service> NewSpansService(const SpanIntake& spans) {
  return std::make_unique<SpansService>(spans);
}

}  // namespace liveops::ingest
