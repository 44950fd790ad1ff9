#include "services/ingest/service/grpc_services.h"

#include <google/protobuf/arena.h>
#include <grpcpp/server_context.h>
#include <grpcpp/support/byte_buffer.h>

#include <mutex>
#include <utility>

#include "common/base/text.h"
#include "liveops/v1/ingest.grpc.pb.h"
#include "liveops/v1/status.grpc.pb.h"
#include "opentelemetry/proto/collector/metrics/v1/metrics_service.grpc.pb.h"
#include "services/ingest/codec/native.h"

namespace liveops::ingest {
namespace {

namespace collector = opentelemetry::proto::collector::metrics::v1;

constexpr Duration kRetryAfter(1000);
constexpr std::size_t kStreamPendingMax = 32;  // requests of one stream on their way to Kafka

std::string Traceparent(const grpc::CallbackServerContext& context) {
  const auto& metadata = context.client_metadata();
  const auto found = metadata.find("traceparent");
  return found == metadata.end() ? "" : std::string(found->second.data(), found->second.size());
}

grpc::ByteBuffer ToBuffer(const google::protobuf::MessageLite& message) {
  const std::string bytes = message.SerializeAsString();
  const grpc::Slice slice(bytes);
  return grpc::ByteBuffer(&slice, 1);
}

// A message of its own arena, so that a large request is freed at once.
template <typename T>
class Parsed {
 public:
  Status Parse(const grpc::ByteBuffer& buffer, std::size_t bytes_max) {
    const Result<std::string> bytes = rpc::MessageBytes(buffer, bytes_max);
    if (!bytes) return bytes.error();
    bytes_ = bytes->size();
    if (message_->ParseFromString(*bytes)) return {};
    return InvalidError("the message is not a " + message_->GetTypeName() +
                        ": it is malformed or a text in it is not UTF-8");
  }
  const T& message() const { return *message_; }
  std::size_t bytes() const { return bytes_; }

 private:
  google::protobuf::Arena arena_;
  T* message_ = google::protobuf::Arena::CreateMessage<T>(&arena_);
  std::size_t bytes_ = 0;
};

// What became of a WriteStream call: shared with the answers that are still to come when the call
// has ended. The mutex is recursive as gRPC may run a reaction inside StartRead or Finish.
struct StreamState {
  std::recursive_mutex mutex;
  grpc::ServerReadReactor<grpc::ByteBuffer>* reactor = nullptr;  // null once the call is done
  grpc::ByteBuffer* response = nullptr;
  grpc::ByteBuffer request;
  std::size_t pending = 0;
  bool ended = false;     // the sender sends no more
  bool finished = false;  // the call's status is decided
  bool waiting = false;   // too much is pending to read on
  admit::Admission sum;
  std::uint64_t accepted = 0;
  std::uint64_t batches = 0;

  void ReadOn() {
    if (finished || ended) return;
    waiting = pending >= kStreamPendingMax;
    if (!waiting) reactor->StartRead(&request);
  }

  void Finish(const grpc::Status& status) {
    if (finished) return;
    finished = true;
    if (status.ok()) {
      v1::WriteStreamResponse answer;
      answer.set_accepted_points(accepted);
      answer.set_batches(batches);
      FillRejections(sum.rejections, answer.mutable_rejections());
      *response = ToBuffer(answer);
    }
    reactor->Finish(status);
  }

  void FinishIfThrough() {
    if (ended && pending == 0) Finish(grpc::Status::OK);
  }

  void Answered(const Result<WriteAnswer>& result) {
    const std::lock_guard lock(mutex);
    --pending;
    if (finished) return;
    if (!result) return Finish(rpc::ToGrpc(result.error(), kRetryAfter));
    accepted += result->accepted_points;
    ++batches;
    for (const admit::Rejection& r : result->rejections) sum.Reject(r.reason, r.points, r.example);
    FinishIfThrough();
    if (waiting) ReadOn();
  }
};

class WriteStreamReactor final : public grpc::ServerReadReactor<grpc::ByteBuffer> {
 public:
  WriteStreamReactor(Core& core, std::size_t bytes_max, const grpc::CallbackServerContext& context,
                     grpc::ByteBuffer* response)
      : core_(core),
        bytes_max_(bytes_max),
        peer_(rpc::PeerOf(context)),
        traceparent_(Traceparent(context)) {
    state_->reactor = this;
    state_->response = response;
    StartRead(&state_->request);
  }

  void OnReadDone(bool ok) override {
    const auto state = state_;
    if (!ok) {
      const std::lock_guard lock(state->mutex);
      state->ended = true;
      return state->FinishIfThrough();
    }
    Parsed<v1::WriteRequest> request;
    const Status parsed = request.Parse(state->request, bytes_max_);
    {
      const std::lock_guard lock(state->mutex);
      if (!parsed) return state->Finish(rpc::ToGrpc(parsed.error()));
      ++state->pending;
    }
    core_.Write(request.message(), request.bytes(), peer_, traceparent_,
                [state](const Result<WriteAnswer>& result) { state->Answered(result); });
    const std::lock_guard lock(state->mutex);
    state->ReadOn();
  }

  void OnDone() override {
    {
      const std::lock_guard lock(state_->mutex);
      state_->finished = true;
      state_->reactor = nullptr;
    }
    delete this;
  }

 private:
  Core& core_;
  const std::size_t bytes_max_;
  const rpc::Peer peer_;
  const std::string traceparent_;
  const std::shared_ptr<StreamState> state_ = std::make_shared<StreamState>();
};

using IngestBase =
    v1::Ingest::WithRawCallbackMethod_Write<v1::Ingest::WithRawCallbackMethod_WriteStream<
        v1::Ingest::WithCallbackMethod_ReportDeployment<v1::Ingest::Service>>>;

class IngestService final : public IngestBase {
 public:
  IngestService(Core& core, std::size_t bytes_max) : core_(core), bytes_max_(bytes_max) {}

  grpc::ServerUnaryReactor* Write(grpc::CallbackServerContext* context,
                                  const grpc::ByteBuffer* buffer,
                                  grpc::ByteBuffer* response) override {
    auto* const reactor = context->DefaultReactor();
    Parsed<v1::WriteRequest> request;
    if (const Status s = request.Parse(*buffer, bytes_max_); !s) {
      reactor->Finish(rpc::ToGrpc(s.error()));
      return reactor;
    }
    const std::uint64_t sequence = request.message().source().sequence();
    core_.Write(request.message(), request.bytes(), rpc::PeerOf(*context), Traceparent(*context),
                [reactor, response, sequence](const Result<WriteAnswer>& result) {
                  if (!result) return reactor->Finish(rpc::ToGrpc(result.error(), kRetryAfter));
                  v1::WriteResponse answer;
                  answer.set_accepted_points(result->accepted_points);
                  answer.set_sequence(sequence);
                  FillRejections(result->rejections, answer.mutable_rejections());
                  *response = ToBuffer(answer);
                  reactor->Finish(grpc::Status::OK);
                });
    return reactor;
  }

  grpc::ServerReadReactor<grpc::ByteBuffer>* WriteStream(grpc::CallbackServerContext* context,
                                                         grpc::ByteBuffer* response) override {
    return new WriteStreamReactor(core_, bytes_max_, *context,
                                  response);  // deletes itself when done
  }

  grpc::ServerUnaryReactor* ReportDeployment(grpc::CallbackServerContext* context,
                                             const v1::ReportDeploymentRequest* request,
                                             v1::ReportDeploymentResponse*) override {
    auto* const reactor = context->DefaultReactor();
    core_.ReportDeployment(
        *request, rpc::PeerOf(*context), Traceparent(*context), [reactor](const Status& s) {
          reactor->Finish(s.ok() ? grpc::Status::OK : rpc::ToGrpc(s.error(), kRetryAfter));
        });
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
    auto* const reactor = context->DefaultReactor();
    Parsed<OtlpRequest> request;
    if (const Status s = request.Parse(*buffer, bytes_max_); !s) {
      reactor->Finish(rpc::ToGrpc(s.error()));
      return reactor;
    }
    core_.Export(request.message(), request.bytes(), rpc::PeerOf(*context), Traceparent(*context),
                 [reactor, response](const Result<WriteAnswer>& result) {
                   if (!result) return reactor->Finish(rpc::ToGrpc(result.error(), kRetryAfter));
                   collector::ExportMetricsServiceResponse answer;
                   std::uint64_t rejected = 0;
                   for (const admit::Rejection& r : result->rejections) rejected += r.points;
                   if (rejected > 0) {
                     auto* const partial = answer.mutable_partial_success();
                     partial->set_rejected_data_points(static_cast<std::int64_t>(rejected));
                     partial->set_error_message(ScrubUtf8(RejectionSentence(result->rejections)));
                   }
                   *response = ToBuffer(answer);
                   reactor->Finish(grpc::Status::OK);
                 });
    return reactor;
  }

 private:
  Core& core_;
  const std::size_t bytes_max_;
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
  GrpcServicesImpl(Core& core, std::size_t bytes_max, FillStatus fill)
      : ingest_(core, bytes_max), otlp_(core, bytes_max), status_(std::move(fill)) {}
  std::vector<grpc::Service*> all() override { return {&ingest_, &otlp_, &status_}; }
  std::vector<grpc::Service*> for_emitters() override { return {&ingest_, &otlp_}; }

 private:
  IngestService ingest_;
  OtlpService otlp_;
  StatusService status_;
};

}  // namespace

std::unique_ptr<GrpcServices> GrpcServices::Make(Core& core, std::size_t message_bytes_max,
                                                 FillStatus fill_status) {
  return std::make_unique<GrpcServicesImpl>(core, message_bytes_max, std::move(fill_status));
}

}  // namespace liveops::ingest
