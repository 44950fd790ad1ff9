#include "services/ingest/service/grpc_services.h"

#include <grpcpp/server_context.h>
#include <grpcpp/support/byte_buffer.h>

#include <chrono>
#include <utility>

#include "common/base/text.h"
#include "liveops/v1/ingest.grpc.pb.h"
#include "liveops/v1/status.grpc.pb.h"
#include "opentelemetry/proto/collector/metrics/v1/metrics_service.grpc.pb.h"
#include "services/ingest/codec/native.h"
#include "services/ingest/codec/otlp_response.h"
#include "services/ingest/service/grpc_logs.h"
#include "services/ingest/service/grpc_spans.h"
#include "services/ingest/service/raw_export.h"
#include "services/ingest/service/write_streams.h"

namespace liveops::ingest {
namespace {

namespace collector = opentelemetry::proto::collector::metrics::v1;

using IngestBase = v1::Ingest::WithRawCallbackMethod_Write<
    v1::Ingest::WithRawCallbackMethod_WriteStream<v1::Ingest::WithRawCallbackMethod_WriteSeries<
        v1::Ingest::WithCallbackMethod_ReportDeployment<
            v1::Ingest::WithCallbackMethod_Decommission<v1::Ingest::Service>>>>>;

auto Finishing(grpc::ServerUnaryReactor* reactor) {
  return [reactor](const Status& s) {
    reactor->Finish(s.ok() ? grpc::Status::OK : ToStatus(s.error()));
  };
}

class IngestService final : public IngestBase {
 public:
  IngestService(Core& core, std::size_t bytes_max) : core_(core), bytes_max_(bytes_max) {}

  grpc::ServerUnaryReactor* Write(grpc::CallbackServerContext* context,
                                  const grpc::ByteBuffer* buffer,
                                  grpc::ByteBuffer* response) override {
    auto* const reactor = context->DefaultReactor();
    RawRequest request;
    if (const Status s = request.Read(*buffer, bytes_max_); !s) {
      reactor->Finish(ToStatus(s.error()));
      return reactor;
    }
    const rpc::Peer peer = rpc::PeerOf(*context);
    core_.Write({request.source(), request.input()}, request.bytes(), peer, Traceparent(*context),
                [this, reactor, response, identity = peer.name,
                 sequence = request.source().sequence](const Result<WriteAnswer>& result) {
                  if (!result)
                    return reactor->Finish(ToStatus(result.error(), core_.RetryAfter(identity)));
                  *response = ToBuffer(*result, sequence);
                  reactor->Finish(grpc::Status::OK);
                });
    return reactor;
  }

  grpc::ServerReadReactor<grpc::ByteBuffer>* WriteStream(grpc::CallbackServerContext* context,
                                                         grpc::ByteBuffer* response) override {
    return NewWriteStream(core_, bytes_max_, *context, response);
  }

  grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* WriteSeries(
      grpc::CallbackServerContext* context) override {
    return NewWriteSeries(core_, bytes_max_, *context);
  }

  grpc::ServerUnaryReactor* ReportDeployment(grpc::CallbackServerContext* context,
                                             const v1::ReportDeploymentRequest* request,
                                             v1::ReportDeploymentResponse*) override {
    auto* const reactor = context->DefaultReactor();
    core_.ReportDeployment(*request, rpc::PeerOf(*context), Traceparent(*context),
                           Finishing(reactor));
    return reactor;
  }

  grpc::ServerUnaryReactor* Decommission(grpc::CallbackServerContext* context,
                                         const v1::DecommissionRequest* request,
                                         v1::DecommissionResponse*) override {
    auto* const reactor = context->DefaultReactor();
    core_.Decommission(*request, rpc::PeerOf(*context), Traceparent(*context), Finishing(reactor));
    return reactor;
  }

 private:
  Core& core_;
  const std::size_t bytes_max_;
};

class OtlpService final : public collector::MetricsService::WithRawCallbackMethod_Export<
                              collector::MetricsService::Service> {
 public:
  OtlpService(Core& core, std::size_t bytes_max) : core_(core), bytes_max_(bytes_max) {}

  grpc::ServerUnaryReactor* Export(grpc::CallbackServerContext* context,
                                   const grpc::ByteBuffer* buffer,
                                   grpc::ByteBuffer* response) override {
    return ExportRaw(*context, *buffer, bytes_max_, response, core_, OtlpResponse);
  }

 private:
  Core& core_;
  const std::size_t bytes_max_;
};

class EmittersService final : public v1::Emitters::CallbackService {
 public:
  explicit EmittersService(const Core& core) : core_(core) {}

  grpc::ServerUnaryReactor* ListEmitters(grpc::CallbackServerContext* context,
                                         const v1::ListEmittersRequest* request,
                                         v1::ListEmittersResponse* response) override {
    const SteadyTime now = std::chrono::steady_clock::now();
    response->set_instance(core_.settings().instance);
    for (const EmitterEntry& entry : core_.emitters().List(request->service(), now)) {
      Fill(entry, now, *response->add_emitters());
    }
    auto* const reactor = context->DefaultReactor();
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }

 private:
  static void Fill(const EmitterEntry& entry, SteadyTime now, v1::EmitterStatus& out) {
    out.set_identity(entry.name.identity);
    out.set_emitter(entry.name.emitter);
    out.set_protocol(entry.name.protocol);
    for (const std::string& service : entry.services) out.add_services(service);
    out.set_requests(entry.requests);
    out.set_bytes(entry.bytes);
    out.set_accepted_points(entry.accepted_points);
    out.set_points_per_s(entry.points_per_s);
    for (const auto& [reason, rejection] : entry.rejections) {
      FillRejections({rejection}, out.mutable_rejections());
    }
    out.set_refused_requests(entry.refused_requests);
    out.set_over_rate_requests(entry.over_rate_requests);
    out.set_last_problem(entry.problem);
    out.set_heard_ms_ago(std::chrono::duration_cast<Duration>(now - entry.heard).count());
  }

  const Core& core_;
};

class StatusService final : public v1::Status::CallbackService {
 public:
  explicit StatusService(GrpcServices::FillStatus fill) : fill_(std::move(fill)) {}

  grpc::ServerUnaryReactor* GetStatus(grpc::CallbackServerContext* context,
                                      const v1::GetStatusRequest*,
                                      v1::GetStatusResponse* response) override {
    fill_(response);
    auto* const reactor = context->DefaultReactor();
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }

 private:
  GrpcServices::FillStatus fill_;
};

class GrpcServicesImpl final : public GrpcServices {
 public:
  GrpcServicesImpl(Core& core, SpanIntake& spans, LogIntake& logs, std::size_t bytes_max,
                   FillStatus fill)
      : ingest_(core, bytes_max),
        otlp_(core, bytes_max),
        logs_(NewOtlpLogsService(logs, bytes_max)),
        traces_(NewOtlpTracesService(spans, bytes_max)),
        spans_(NewSpansService(spans)),
        emitters_(core),
        status_(std::move(fill)) {}
  std::vector<grpc::Service*> all() override {
    return {&ingest_, &otlp_, logs_.get(), traces_.get(), &emitters_, spans_.get(), &status_};
  }
  std::vector<grpc::Service*> for_emitters() override {
    return {&ingest_, &otlp_, logs_.get(), traces_.get()};
  }

 private:
  IngestService ingest_;
  OtlpService otlp_;
  const std::unique_ptr<grpc::Service> logs_;
  const std::unique_ptr<grpc::Service> traces_;
  const std::unique_ptr<grpc::Service> spans_;
  EmittersService emitters_;
  StatusService status_;
};

}  // namespace

std::unique_ptr<GrpcServices> GrpcServices::Make(Core& core, SpanIntake& spans, LogIntake& logs,
                                                 std::size_t message_bytes_max,
                                                 FillStatus fill_status) {
  return std::make_unique<GrpcServicesImpl>(core, spans, logs, message_bytes_max,
                                            std::move(fill_status));
}

}  // namespace liveops::ingest
