#include "deploy/local/workload/emitter.h"

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <deque>
#include <map>
#include <set>

#include "common/base/labels.h"
#include "common/runtime/process.h"
#include "common/telemetry/log.h"
#include "liveops/v1/ingest.grpc.pb.h"

namespace liveops::workload {
namespace {

constexpr std::size_t kWaitingMax = 2'000;
constexpr std::chrono::seconds kDeadline{2};

v1::SeriesKind KindOf(Kind kind) {
  switch (kind) {
    case Kind::kCounterDelta:
      return v1::SERIES_KIND_COUNTER_DELTA;
    case Kind::kCounterCumulative:
      return v1::SERIES_KIND_COUNTER_CUMULATIVE;
    case Kind::kGauge:
      return v1::SERIES_KIND_GAUGE;
    case Kind::kObservation:
      return v1::SERIES_KIND_OBSERVATION;
  }
  return v1::SERIES_KIND_UNSPECIFIED;
}

// Spells each string and each series of a batch once.
class BatchBuilder {
 public:
  BatchBuilder(v1::MetricBatch& batch, const std::string& instance)
      : batch_(batch), instance_(instance) {}

  std::uint32_t Series(const Sample& sample) {
    std::vector<std::pair<std::string, std::string>> pairs = sample.labels;
    pairs.emplace_back("instance", instance_);
    const std::string labels = Labels(std::move(pairs)).Encode();
    const auto [it, fresh] =
        series_.try_emplace(sample.metric + '\0' + labels, batch_.series_size());
    if (fresh) {
      v1::SeriesEntry* entry = batch_.add_series();
      entry->set_kind(KindOf(sample.kind));
      entry->set_metric(String(sample.metric));
      entry->set_unit(String(sample.unit));
      entry->set_labels(labels);
    }
    return static_cast<std::uint32_t>(it->second);
  }

 private:
  std::uint32_t String(const std::string& text) {
    const auto [it, fresh] = strings_.try_emplace(text, batch_.strings_size());
    if (fresh) batch_.add_strings(text);
    return static_cast<std::uint32_t>(it->second);
  }

  v1::MetricBatch& batch_;
  const std::string& instance_;
  std::map<std::string, int> strings_;
  std::map<std::string, int> series_;
};

bool WorthAnotherTry(grpc::StatusCode code) {
  switch (code) {
    case grpc::StatusCode::UNAVAILABLE:
    case grpc::StatusCode::DEADLINE_EXCEEDED:
    case grpc::StatusCode::RESOURCE_EXHAUSTED:
    case grpc::StatusCode::ABORTED:
    case grpc::StatusCode::CANCELLED:
    case grpc::StatusCode::UNKNOWN:
    case grpc::StatusCode::INTERNAL:
      return true;
    default:
      return false;
  }
}

}  // namespace

struct Emitter::Impl {
  std::unique_ptr<v1::Ingest::Stub> stub;
  std::string service;
  std::string instance;
  std::uint64_t session = runtime::NewSession();
  RealTime started{};  // of the first batch: where cumulative counters begin
  std::uint64_t sequence = 0;
  std::uint64_t accepted = 0;
  std::deque<v1::WriteRequest> waiting;
  bool refused = false;              // the last try was not taken
  std::set<std::string> complained;  // reasons already logged
};

Emitter::Emitter(const std::string& address, const rpc::TlsFiles& tls, std::string service,
                 std::string instance)
    : impl_(std::make_unique<Impl>()) {
  impl_->stub = v1::Ingest::NewStub(rpc::Connect(address, tls));
  impl_->service = std::move(service);
  impl_->instance = std::move(instance);
}

Emitter::~Emitter() = default;

std::uint64_t Emitter::accepted_points() const { return impl_->accepted; }
std::size_t Emitter::waiting() const { return impl_->waiting.size(); }

void Emitter::Add(const std::vector<Sample>& samples, RealTime end, Duration length) {
  if (impl_->started == RealTime{}) impl_->started = end - length;
  v1::WriteRequest& request = impl_->waiting.emplace_back();
  request.mutable_source()->set_emitter(impl_->instance);
  request.mutable_source()->set_session(impl_->session);
  request.mutable_source()->set_sequence(++impl_->sequence);
  v1::MetricBatch& batch = *request.mutable_batch();
  batch.set_service(impl_->service);
  batch.set_protocol(v1::PROTOCOL_NATIVE);
  batch.set_base_time_ms(ToMs(end));
  BatchBuilder builder(batch, impl_->instance);
  for (const Sample& sample : samples) {
    batch.add_point_series(builder.Series(sample));
    batch.add_point_time_delta_ms(0);
    Duration covered{0};
    if (sample.kind == Kind::kCounterDelta) covered = length;
    if (sample.kind == Kind::kCounterCumulative) covered = end - impl_->started;
    batch.add_point_duration_ms(static_cast<std::uint64_t>(covered.count()));
    batch.add_point_value(sample.value);
  }
  if (impl_->waiting.size() > kWaitingMax) {
    if (impl_->complained.insert("overflow").second) {
      log::Warn("batches_given_up", {{"instance", impl_->instance}});
    }
    impl_->waiting.pop_front();
  }
}

bool Emitter::Flush() {
  while (!impl_->waiting.empty()) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + kDeadline);
    v1::WriteResponse response;
    const grpc::Status status = impl_->stub->Write(&context, impl_->waiting.front(), &response);
    if (!status.ok() && WorthAnotherTry(status.error_code())) {
      if (!impl_->refused) {
        log::Warn("ingest_away", {{"emitter", impl_->instance}, {"error", status.error_message()}});
      }
      impl_->refused = true;
      return false;
    }
    if (impl_->refused) log::Info("ingest_back", {{"emitter", impl_->instance}});
    impl_->refused = false;
    if (!status.ok()) {
      log::Error("batch_refused",
                 {{"emitter", impl_->instance}, {"error", status.error_message()}});
    }
    for (const v1::Rejection& rejection : response.rejections()) {
      if (!impl_->complained.insert(rejection.reason()).second) continue;
      log::Warn("points_refused", {{"emitter", impl_->instance},
                                   {"reason", rejection.reason()},
                                   {"example", rejection.example()}});
    }
    impl_->accepted += response.accepted_points();
    impl_->waiting.pop_front();
  }
  return true;
}

Status Emitter::ReportDeployment(const std::string& revision, const std::string& description) {
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + kDeadline);
  v1::ReportDeploymentRequest request;
  request.set_service(impl_->service);
  request.set_revision(revision);
  request.set_description(description);
  v1::ReportDeploymentResponse response;
  const grpc::Status status = impl_->stub->ReportDeployment(&context, request, &response);
  if (!status.ok()) return UnavailableError(status.error_message());
  return {};
}

}  // namespace liveops::workload
