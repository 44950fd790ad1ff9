#include "common/client/client.h"

#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <random>
#include <thread>
#include <utility>

#include "common/base/text.h"
#include "common/client/batch_queue.h"
#include "common/client/speller.h"
#include "liveops/v1/ingest.grpc.pb.h"

namespace liveops::client {
namespace {

using std::chrono::steady_clock;

// Everything else may go better next time.
bool IsForGood(grpc::StatusCode code) {
  switch (code) {
    case grpc::StatusCode::INVALID_ARGUMENT:
    case grpc::StatusCode::PERMISSION_DENIED:
    case grpc::StatusCode::OUT_OF_RANGE:
      return true;
    default:
      return false;
  }
}

class StreamClient;

// One stream. Its reactions run on gRPC's threads; everything is under the client's mutex.
class Stream final : public grpc::ClientBidiReactor<v1::WriteRequest, v1::WriteResponse> {
 public:
  explicit Stream(StreamClient& client) : client_(client) {}
  void Begin(v1::Ingest::Stub& stub);
  // With the mutex held.
  bool CanWrite() const { return !writing_ && !closing_; }
  v1::WriteRequest& request() { return request_; }
  void Write() {
    writing_ = true;
    StartWrite(&request_);
  }
  Speller& speller() { return speller_; }
  void Cancel() { context_.TryCancel(); }

  void OnReadDone(bool ok) override;
  void OnWriteDone(bool ok) override;
  void OnDone(const grpc::Status& status) override;

 private:
  StreamClient& client_;
  grpc::ClientContext context_;
  v1::WriteRequest request_;
  v1::WriteResponse response_;
  Speller speller_;
  bool writing_ = false;
  bool closing_ = false;  // nothing more may be started
};

class StreamClient final : public Client {
 public:
  explicit StreamClient(Options options)
      : options_(std::move(options)),
        stub_(v1::Ingest::NewStub(rpc::Connect(options_.address, options_.tls))),
        queue_({options_.batch_points, options_.waiting_points, options_.in_flight}),
        chance_(std::random_device{}()),
        session_(std::uniform_int_distribution<std::uint64_t>(1)(chance_)),
        retry_(options_.retry_first),
        sender_(&StreamClient::Run, this) {}

  ~StreamClient() override {
    {
      const std::lock_guard lock(mutex_);
      stop_ = true;
      if (stream_) stream_->Cancel();
    }
    changed_.notify_all();
    sender_.join();
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return stream_ == nullptr; });
  }

  SeriesId Define(const Series& series) override {
    const std::lock_guard lock(mutex_);
    return book_.IdOf(series);
  }

  void Record(SeriesId series, double value, RealTime time, Duration covered) override {
    const std::lock_guard lock(mutex_);
    const auto covered_ms = static_cast<std::uint64_t>(covered.count());
    if (!queue_.Add({series, value, ToMs(time), covered_ms})) return;
    Pump();
    changed_.notify_all();  // there may be no stream
  }

  bool Flush(Duration timeout) override {
    std::unique_lock lock(mutex_);
    queue_.Close();
    const std::uint64_t last = queue_.last_sequence();
    Pump();
    changed_.notify_all();
    return changed_.wait_for(lock, timeout, [&] { return queue_.settled() > last; });
  }

  Statistics statistics() const override {
    const std::lock_guard lock(mutex_);
    Statistics out = counts_;
    out.given_up = queue_.given_up();
    out.waiting = queue_.waiting_points();
    return out;
  }

  Status ReportDeployment(const std::string& revision, const std::string& description,
                          Duration timeout) override {
    v1::ReportDeploymentRequest request;
    request.set_service(options_.service);
    request.set_revision(revision);
    request.set_description(description);
    v1::ReportDeploymentResponse response;
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + timeout);
    const grpc::Status status = stub_->ReportDeployment(&context, request, &response);
    if (status.ok()) return {};
    if (status.error_code() == grpc::StatusCode::PERMISSION_DENIED)
      return DeniedError(status.error_message());
    if (IsForGood(status.error_code())) return InvalidError(status.error_message());
    return UnavailableError(status.error_message());
  }

  // For the stream, which holds the mutex.
  std::recursive_mutex& mutex() { return mutex_; }
  void Answered(const v1::WriteResponse& response);
  void Ended(const grpc::Status& status);
  void Pump();

 private:
  void Run();

  const Options options_;
  const std::unique_ptr<v1::Ingest::Stub> stub_;
  mutable std::recursive_mutex mutex_;
  std::condition_variable_any changed_;
  SeriesBook book_;
  BatchQueue queue_;
  Statistics counts_;
  std::mt19937_64 chance_;
  const std::uint64_t session_;
  std::unique_ptr<Stream> stream_;
  Duration retry_;
  steady_clock::time_point retry_at_{};
  bool stop_ = false;
  std::thread sender_;  // last: it uses all of the above
};

void Stream::Begin(v1::Ingest::Stub& stub) {
  stub.async()->WriteSeries(&context_, this);
  AddHold();  // writes are started from outside reactions
  StartRead(&response_);
  StartCall();
}

void Stream::OnReadDone(bool ok) {
  const std::lock_guard lock(client_.mutex());
  if (!ok) {
    if (!std::exchange(closing_, true)) RemoveHold();
    return;
  }
  client_.Answered(response_);
  response_.Clear();
  StartRead(&response_);
  client_.Pump();
}

void Stream::OnWriteDone(bool ok) {
  const std::lock_guard lock(client_.mutex());
  writing_ = false;
  if (ok) client_.Pump();  // else a read tells of the end
}

void Stream::OnDone(const grpc::Status& status) { client_.Ended(status); }

void StreamClient::Answered(const v1::WriteResponse& response) {
  queue_.Answered(response.sequence());
  counts_.accepted += response.accepted_points();
  counts_.connected = true;
  counts_.last_error.clear();
  retry_ = options_.retry_first;
  for (const v1::Rejection& r : response.rejections()) {
    counts_.refused[r.reason()] += r.points();
    counts_.examples.try_emplace(r.reason(), r.example());
  }
  changed_.notify_all();
}

void StreamClient::Ended(const grpc::Status& status) {
  std::unique_ptr<Stream> ended;  // deletes itself last, when the mutex is free
  const std::lock_guard lock(mutex_);
  counts_.connected = false;
  counts_.last_error = status.error_message();
  if (IsForGood(status.error_code())) {
    if (const std::size_t points = queue_.Refused(); points > 0) {
      counts_.refused["refused"] += points;
      counts_.examples["refused"] = status.error_message();
    }
  }
  queue_.Restart();
  const auto spread =
      std::uniform_int_distribution<Duration::rep>(retry_.count() / 2, retry_.count())(chance_);
  retry_at_ = steady_clock::now() + Duration(spread);
  retry_ = std::min(retry_ * 2, options_.retry_longest);
  ended = std::move(stream_);
  changed_.notify_all();
}

void StreamClient::Pump() {
  if (!stream_ || stop_) return;
  if (!stream_->CanWrite()) return;
  const Batch* const batch = queue_.Next();
  if (batch == nullptr) return;
  v1::WriteRequest& request = stream_->request();
  request.Clear();
  request.mutable_source()->set_emitter(options_.emitter);
  request.mutable_source()->set_session(session_);
  request.mutable_source()->set_sequence(batch->sequence);
  request.mutable_batch()->set_service(options_.service);
  stream_->speller().Spell(*batch, book_, *request.mutable_batch());
  stream_->Write();
}

void StreamClient::Run() {
  auto due = steady_clock::now() + options_.send_every;
  std::unique_lock lock(mutex_);
  while (!stop_) {
    const auto now = steady_clock::now();
    if (now >= due) {
      queue_.Close();
      due = now + options_.send_every;
    }
    if (!stream_ && !queue_.idle() && now >= retry_at_) {
      stream_ = std::make_unique<Stream>(*this);
      stream_->Begin(*stub_);
    }
    Pump();
    auto wake = due;
    if (!stream_ && !queue_.idle()) wake = std::min(due, std::max(retry_at_, now + Duration(1)));
    changed_.wait_until(lock, wake);
  }
}

}  // namespace

std::unique_ptr<Client> Client::Start(Options options) {
  return std::make_unique<StreamClient>(std::move(options));
}

}  // namespace liveops::client
