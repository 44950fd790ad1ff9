#include "services/ingest/service/write_streams.h"

#include <deque>
#include <functional>
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

constexpr std::size_t kPendingMax = 32;

// A call whose requests are read one after another, and what became of it: shared with the answers
// that are still to come when the call has ended. The mutex, which all of it is under, is recursive
// as gRPC may run a reaction inside StartRead, StartWrite or Finish.
template <typename Reactor>
struct CallState {
  std::recursive_mutex mutex;
  std::function<Duration()> retry_after;  // of the sender that is refused now
  Reactor* reactor = nullptr;             // null once the call is done
  grpc::ByteBuffer request;
  std::size_t pending = 0;  // requests that are not through
  bool ended = false;       // the sender sends no more
  bool decided = false;     // the call's status is
  bool waiting = false;     // too much is pending to read on

  virtual ~CallState() = default;
  virtual void Finish(const grpc::Status& status) = 0;
  virtual void Answered(const Result<WriteAnswer>& result, std::uint64_t sequence) = 0;

  void ReadOn() {
    if (decided || ended) return;
    waiting = pending >= kPendingMax;
    if (!waiting) reactor->StartRead(&request);
  }
  // A request is.
  void Through() {
    --pending;
    FinishIfThrough();
    if (waiting) ReadOn();
  }
  void End() {
    ended = true;
    FinishIfThrough();
  }

 private:
  void FinishIfThrough() {
    if (ended && pending == 0) Finish(grpc::Status::OK);
  }
};

// Reads the requests of a call and writes what Take makes of each.
template <typename Reactor, typename State>
class RequestsReactor : public Reactor {
 public:
  void OnReadDone(bool ok) final {
    const auto state = state_;
    if (!ok) {
      const std::lock_guard lock(state->mutex);
      return state->End();
    }
    const Status read = request_.Read(state->request, bytes_max_);
    const Result<WriteInput> input = read.ok() ? Take() : read.error();
    {
      const std::lock_guard lock(state->mutex);
      if (!input) return state->Finish(ToStatus(input.error()));
      ++state->pending;
    }
    core_.Write(*input, request_.bytes(), peer_, traceparent_,
                [state, sequence = input->source.sequence](const Result<WriteAnswer>& result) {
                  const std::lock_guard lock(state->mutex);
                  state->Answered(result, sequence);
                });
    const std::lock_guard lock(state->mutex);
    state->ReadOn();
  }

  void OnDone() final {
    {
      const std::lock_guard lock(state_->mutex);
      state_->decided = true;
      state_->reactor = nullptr;
    }
    delete this;
  }

 protected:
  RequestsReactor(Core& core, std::size_t bytes_max, const grpc::CallbackServerContext& context)
      : core_(core),
        bytes_max_(bytes_max),
        peer_(rpc::PeerOf(context)),
        traceparent_(Traceparent(context)) {
    state_->reactor = this;
    state_->retry_after = [&core, name = peer_.name] { return core.RetryAfter(name); };
  }

  void Start() { this->StartRead(&state_->request); }
  // The request that was read, as the core is to have it, or why the call ends.
  virtual Result<WriteInput> Take() = 0;

  Core& core_;
  const std::size_t bytes_max_;
  const rpc::Peer peer_;
  const std::string traceparent_;
  RawRequest request_;
  const std::shared_ptr<State> state_ = std::make_shared<State>();
};

using StreamReactor = grpc::ServerReadReactor<grpc::ByteBuffer>;

struct WriteStreamState final : CallState<StreamReactor> {
  grpc::ByteBuffer* response = nullptr;
  admit::Admission sum;
  std::uint64_t accepted = 0;
  std::uint64_t batches = 0;

  void Finish(const grpc::Status& status) override {
    if (decided) return;
    decided = true;
    if (status.ok()) {
      v1::WriteStreamResponse answer;
      answer.set_accepted_points(accepted);
      answer.set_batches(batches);
      FillRejections(sum.rejections, answer.mutable_rejections());
      *response = ToBuffer(answer);
    }
    reactor->Finish(status);
  }

  void Answered(const Result<WriteAnswer>& result, std::uint64_t) override {
    if (decided) return;
    if (!result) return Finish(ToStatus(result.error(), retry_after()));
    accepted += result->accepted_points;
    ++batches;
    for (const admit::Rejection& r : result->rejections) sum.Reject(r.reason, r.points, r.example);
    Through();
  }
};

class WriteStreamReactor final : public RequestsReactor<StreamReactor, WriteStreamState> {
 public:
  WriteStreamReactor(Core& core, std::size_t bytes_max, const grpc::CallbackServerContext& context,
                     grpc::ByteBuffer* response)
      : RequestsReactor(core, bytes_max, context) {
    state_->response = response;
    Start();
  }

 private:
  Result<WriteInput> Take() override {
    return WriteInput{request_.source(), request_.input(), nullptr};
  }
};

using SeriesReactor = grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>;

// A request is through when its answer is on its way, so that a sender which reads no answers is
// not read from either.
struct WriteSeriesState final : CallState<SeriesReactor> {
  std::deque<grpc::ByteBuffer> answers;
  grpc::ByteBuffer answer;  // the one being written
  bool writing = false;
  std::optional<grpc::Status> status;  // to finish with, once nothing is being written

  void Finish(const grpc::Status& with) override {
    if (!status) status = with;
    decided = true;
    if (!writing && reactor != nullptr) std::exchange(reactor, nullptr)->Finish(*status);
  }

  void Answered(const Result<WriteAnswer>& result, std::uint64_t sequence) override {
    if (decided) return;
    if (!result) return Finish(ToStatus(result.error(), retry_after()));
    answers.push_back(ToBuffer(*result, sequence));
    WriteOn();
  }

  void WriteOn() {
    if (writing || decided || answers.empty()) return;
    answer = std::move(answers.front());
    answers.pop_front();
    writing = true;
    reactor->StartWrite(&answer);
  }

  void Written() {
    writing = false;
    if (decided) return Finish(*status);
    WriteOn();
    Through();
  }
};

class WriteSeriesReactor final : public RequestsReactor<SeriesReactor, WriteSeriesState> {
 public:
  WriteSeriesReactor(Core& core, std::size_t bytes_max, const grpc::CallbackServerContext& context)
      : RequestsReactor(core, bytes_max, context), table_(core, peer_) {
    Start();
  }

  void OnWriteDone(bool) override {
    const auto state = state_;
    const std::lock_guard lock(state->mutex);
    state->Written();
  }

 private:
  Result<WriteInput> Take() override {
    if (const Status added = table_.Add(request_.input()); !added) return added.error();
    admit::BatchInput input = request_.input();
    input.service = table_.service();
    return WriteInput{request_.source(), input, &table_.series()};
  }

  StreamTable table_;
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

grpc::Status ToStatus(const Error& error, Duration retry_after) {
  return rpc::ToGrpc(error, retry_after);
}

}  // namespace liveops::ingest
