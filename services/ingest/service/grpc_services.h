#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "services/ingest/service/log_intake.h"
#include "services/ingest/service/span_intake.h"

namespace grpc {
class Service;
}
namespace liveops::v1 {
class GetStatusResponse;
}

namespace liveops::ingest {

// The gRPC face of Core, SpanIntake and LogIntake: liveops.v1.Ingest, Emitters, Spans and Status,
// OTLP's MetricsService, TraceService and LogsService. No thread is held while a record is on its
// way. Messages may be gzip.
class GrpcServices {
 public:
  using FillStatus = std::function<void(v1::GetStatusResponse*)>;

  // `core`, `spans` and `logs` must outlive it, and the server that it is registered with must have
  // stopped before either ends.
  static std::unique_ptr<GrpcServices> Make(Core& core, SpanIntake& spans, LogIntake& logs,
                                            std::size_t message_bytes_max, FillStatus fill_status);
  virtual ~GrpcServices() = default;

  virtual std::vector<grpc::Service*> all() = 0;
  virtual std::vector<grpc::Service*> for_emitters() = 0;  // for the plain listener
};

}  // namespace liveops::ingest
