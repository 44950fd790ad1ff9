#pragma once

#include <cstddef>
#include <memory>

#include "services/ingest/service/span_intake.h"

namespace grpc {
class Service;
}

namespace liveops::ingest {

// OTLP's TraceService, for emitters. `spans` must outlive it. Messages may be gzip.
std::unique_ptr<grpc::Service> NewOtlpTracesService(SpanIntake& spans, std::size_t bytes_max);

// liveops.v1.Spans, for operators. Likewise.
std::unique_ptr<grpc::Service> NewSpansService(const SpanIntake& spans);

}  // namespace liveops::ingest
