#include "services/ingest/service/write_streams.h"

#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "common/rpc/server.h"
#include "liveops/v1/ingest.pb.h"
#include "services/ingest/codec/native.h"
#include "services/ingest/service/stream_table.h"

namespace liveops::ingest {
namespace {

constexpr Duration kRetryAfter(1000);
constexpr std::size_t kPendingMax = 32;

// What became of a call: shared with the answers that are still to come when the call has ended.
// The mutex is recursive as gRPC may run a reaction inside StartRead, StartWrite or Finish.
struct WriteStreamState {
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
    waiting = pending >= kPendingMax;
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
    if (!result) return Finish(ToStatus(result.error()));
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
    const Status read = request_.Read(state->request, bytes_max_);
    {
      const std::lock_guard lock(state->mutex);
      if (!read) return state->Finish(ToStatus(read.error()));
      ++state->pending;
    }
    core_.Write({request_.source(), request_.input()}, request_.bytes(), peer_, traceparent_,
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
  RawRequest request_;
  const std::shared_ptr<WriteStreamState> state_ = std::make_shared<WriteStreamState>();
};

// As above. A request is pending until its answer is on its way, so that a sender which reads no
// answers is not read from either.
struct SeriesState {
  std::recursive_mutex mutex;
  grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* reactor = nullptr;
  grpc::ByteBuffer request;
  std::size_t pending = 0;
  bool ended = false;
  bool finished = false;
  bool waiting = false;
  std::deque<grpc::ByteBuffer> answers;
  grpc::ByteBuffer answer;  // the one being written
  bool writing = false;
  std::optional<grpc::Status> status;  // to finish with, once nothing is being written

  void ReadOn() {
    if (status || ended) return;
    waiting = pending >= kPendingMax;
    if (!waiting) reactor->StartRead(&request);
  }

  void Finish(const grpc::Status& with) {
    if (!status) status = with;
    if (writing || finished || reactor == nullptr) return;
    finished = true;
    reactor->Finish(*status);
  }

  void WriteOn() {
    if (writing || status || answers.empty()) return;
    answer = std::move(answers.front());
    answers.pop_front();
    writing = true;
    reactor->StartWrite(&answer);
  }

  void Answered(const Result<WriteAnswer>& result, std::uint64_t sequence) {
    const std::lock_guard lock(mutex);
    if (status) return;
    if (!result) return Finish(ToStatus(result.error()));
    answers.push_back(ToBuffer(*result, sequence));
    WriteOn();
  }

  void Written() {
    writing = false;
    if (status) return Finish(*status);
    --pending;
    WriteOn();
    if (ended && pending == 0) return Finish(grpc::Status::OK);
    if (waiting) ReadOn();
  }
};

class WriteSeriesReactor final
    : public grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer> {
 public:
  WriteSeriesReactor(Core& core, std::size_t bytes_max, const grpc::CallbackServerContext& context)
      : core_(core),
        bytes_max_(bytes_max),
        peer_(rpc::PeerOf(context)),
        traceparent_(Traceparent(context)),
        table_(core, peer_) {
    state_->reactor = this;
    StartRead(&state_->request);
  }

  void OnReadDone(bool ok) override {
    const auto state = state_;
    if (!ok) {
      const std::lock_guard lock(state->mutex);
      state->ended = true;
      if (state->pending == 0) state->Finish(grpc::Status::OK);
      return;
    }
    Status read = request_.Read(state->request, bytes_max_);
    if (read) read = table_.Add(request_.input());
    {
      const std::lock_guard lock(state->mutex);
      if (!read) return state->Finish(ToStatus(read.error()));
      ++state->pending;
    }
    admit::BatchInput input = request_.input();
    input.service = table_.service();
    core_.Write({request_.source(), input, &table_.series()}, request_.bytes(), peer_, traceparent_,
                [state, sequence = request_.source().sequence](const Result<WriteAnswer>& result) {
                  state->Answered(result, sequence);
                });
    const std::lock_guard lock(state->mutex);
    state->ReadOn();
  }

  void OnWriteDone(bool) override {
    const auto state = state_;
    const std::lock_guard lock(state->mutex);
    state->Written();
  }

  void OnDone() override {
    {
      const std::lock_guard lock(state_->mutex);
      state_->finished = true;
      if (!state_->status) state_->status = grpc::Status::CANCELLED;
      state_->reactor = nullptr;
    }
    delete this;
  }

 private:
  Core& core_;
  const std::size_t bytes_max_;
  const rpc::Peer peer_;
  const std::string traceparent_;
  RawRequest request_;
  StreamTable table_;
  const std::shared_ptr<SeriesState> state_ = std::make_shared<SeriesState>();
};

}  // namespace

grpc::ServerReadReactor<grpc::ByteBuffer>* NewWriteStream(
    Core& core, std::size_t message_bytes_max, const grpc::CallbackServerContext& context,
    grpc::ByteBuffer* response) {
  return new WriteStreamReactor(core, message_bytes_max, context, response);
}

grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* NewWriteSeries(
    Core& core, std::size_t message_bytes_max, const grpc::CallbackServerContext& context) {
  return new WriteSeriesReactor(core, message_bytes_max, context);
}

Status RawRequest::Read(const grpc::ByteBuffer& buffer, std::size_t bytes_max) {
  Result<std::string> bytes = rpc::MessageBytes(buffer, bytes_max);
  if (!bytes) return bytes.error();
  bytes_ = *std::move(bytes);
  if (reader_.Read(bytes_)) return {};
  return InvalidError(
      "the message is not a liveops.v1.WriteRequest: it is malformed or a text in it is not UTF-8");
}

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

grpc::ByteBuffer ToBuffer(const WriteAnswer& answer, std::uint64_t sequence) {
  v1::WriteResponse out;
  out.set_accepted_points(answer.accepted_points);
  out.set_sequence(sequence);
  FillRejections(answer.rejections, out.mutable_rejections());
  return ToBuffer(out);
}

grpc::Status ToStatus(const Error& error) { return rpc::ToGrpc(error, kRetryAfter); }

}  // namespace liveops::ingest
