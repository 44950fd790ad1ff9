#include "services/remediation/service/rpc_services.h"

#include <algorithm>
#include <atomic>
#include <utility>

#include "common/rpc/server.h"
#include "common/runtime/topics.h"
#include "liveops/v1/remediations.grpc.pb.h"
#include "liveops/v1/status.grpc.pb.h"

namespace liveops::remediation {
namespace {

grpc::Status ToGrpc(const CallError& refused) {
  if (refused.precondition) {
    return {grpc::StatusCode::FAILED_PRECONDITION, refused.error.message};
  }
  return rpc::ToGrpc(refused.error);
}

struct Backend {
  Keeper& keeper;
  const StatusSources sources;
};
using BackendRef = std::atomic<const Backend*>;  // null until Kafka answered

grpc::Status NotYet() {
  return rpc::ToGrpc(UnavailableError("this remediation is starting: it waits for Kafka"));
}

class RemediationsService final : public v1::Remediations::Service {
 public:
  explicit RemediationsService(const BackendRef& backend) : backend_(backend) {}

  grpc::Status ListRemediations(grpc::ServerContext*, const v1::ListRemediationsRequest* request,
                                v1::ListRemediationsResponse* response) override {
    const Backend* const backend = backend_;
    if (backend == nullptr) return NotYet();
    const Result<std::vector<Remediation>> list = backend->keeper.List(request->open_only());
    if (!list.ok()) return rpc::ToGrpc(list.error());
    for (const Remediation& r : *list) *response->add_remediations() = ToStatus(r);
    return grpc::Status::OK;
  }

  grpc::Status GetRemediation(grpc::ServerContext*, const v1::GetRemediationRequest* request,
                              v1::GetRemediationResponse* response) override {
    const Backend* const backend = backend_;
    if (backend == nullptr) return NotYet();
    const auto found = backend->keeper.Get(request->id());
    if (!found.ok()) return rpc::ToGrpc(found.error());
    v1::RemediationStatus* status = response->mutable_remediation();
    *status = ToStatus(found->first);
    for (const std::string& record : found->second) {
      if (!status->add_history()->ParseFromString(record)) {
        return rpc::ToGrpc(InternalError("a folded record that cannot be read again"));
      }
    }
    return grpc::Status::OK;
  }

  grpc::Status ApproveRemediation(grpc::ServerContext* context,
                                  const v1::ApproveRemediationRequest* request,
                                  v1::ApproveRemediationResponse* response) override {
    const Backend* const backend = backend_;
    if (backend == nullptr) return NotYet();
    const CallResult result =
        backend->keeper.Approve(request->id(), request->digest(), rpc::PeerOf(*context).name);
    if (const auto* refused = std::get_if<CallError>(&result)) return ToGrpc(*refused);
    const CallAnswer& answer = std::get<CallAnswer>(result);
    *response->mutable_remediation() = ToStatus(answer.remediation);
    response->set_already(answer.already);
    return grpc::Status::OK;
  }

  grpc::Status DenyRemediation(grpc::ServerContext* context,
                               const v1::DenyRemediationRequest* request,
                               v1::DenyRemediationResponse* response) override {
    const Backend* const backend = backend_;
    if (backend == nullptr) return NotYet();
    const CallResult result =
        backend->keeper.Deny(request->id(), rpc::PeerOf(*context).name, request->reason());
    if (const auto* refused = std::get_if<CallError>(&result)) return ToGrpc(*refused);
    *response->mutable_remediation() = ToStatus(std::get<CallAnswer>(result).remediation);
    return grpc::Status::OK;
  }

 private:
  const BackendRef& backend_;
};

class StatusService final : public v1::Status::Service {
 public:
  explicit StatusService(runtime::Describe describe) : describe_(std::move(describe)) {}

  grpc::Status GetStatus(grpc::ServerContext*, const v1::GetStatusRequest*,
                         v1::GetStatusResponse* response) override {
    runtime::FillStatus(describe_, *response);
    return grpc::Status::OK;
  }

 private:
  const runtime::Describe describe_;
};

// The Keeper counts by words: what it read, what it ignored and why, what went wrong.
void AddMetrics(const std::map<std::string, double>& counters, metrics::List& list) {
  static constexpr std::string_view kIgnored = "ignored_";
  for (const auto& [word, value] : counters) {
    if (word.starts_with(kIgnored)) {
      list.Counter("remediation_records_ignored_total",
                   "Records that change nothing, by the verdict on them.", value, word,
                   {{"verdict", word.substr(kIgnored.size())}});
    } else if (word == "appends_failed") {
      list.Counter("remediation_appends_failed_total", "Records that Kafka did not take.", value,
                   word);
    } else if (word == "records_not_read") {
      list.Counter("remediation_records_not_read_total", "Records that could not be read.", value,
                   word);
    } else if (word == "records_void") {
      list.Counter("remediation_records_void_total", "Records written under an older claim.", value,
                   word);
    } else {
      list.Counter("remediation_steps_total", "Steps of remediations, since this instance follows.",
                   value, word, {{"step", word}});
    }
  }
}

class Portrait {
 public:
  Portrait(const BackendRef& backend, std::string instance, std::string version)
      : backend_(backend), instance_(std::move(instance)), version_(std::move(version)) {}

  void Describe(v1::GetStatusResponse& response, metrics::List& list) const {
    response.set_service("remediation");
    response.set_instance(instance_);
    response.set_version(version_);
    response.set_uptime_ms(
        std::chrono::duration_cast<Duration>(std::chrono::steady_clock::now() - started_).count());
    response.set_redis_connected(true);  // it uses none
    const Backend* const backend = backend_;
    if (backend == nullptr) {
      response.set_detail("starting: waits for Kafka");
      return;
    }
    Fill(backend->keeper, backend->sources, response);
    AddMetrics(backend->keeper.Counters(), list);
  }

 private:
  static void Fill(Keeper& keeper, const StatusSources& sources, v1::GetStatusResponse& response) {
    response.set_ready(sources.ready());
    response.set_detail(sources.detail());
    response.set_kafka_connected(sources.kafka_connected());
    response.set_domain_speed(sources.domain_speed);
    const std::vector<Keeper::PartitionView> partitions = keeper.Partitions();
    const std::map<std::int32_t, std::int64_t> ends = sources.ends();
    const std::int64_t clock_ms = ToMs(keeper.ClockNow());
    for (const Keeper::PartitionView& view : partitions) {
      v1::PartitionStatus& out = *response.add_partitions();
      out.set_topic(runtime::topic::kRemediations);
      out.set_partition(view.partition);
      out.set_owned(view.epoch >= 0);
      out.set_epoch(view.epoch);
      out.set_position(view.position);
      const auto end = ends.find(view.partition);
      out.set_end_offset(end == ends.end() ? view.position : std::max(view.position, end->second));
      out.set_clock_ms(clock_ms);
    }
  }

  const BackendRef& backend_;
  const std::string instance_;
  const std::string version_;
  const SteadyTime started_ = std::chrono::steady_clock::now();
};

}  // namespace

struct RpcServices::Impl {
  Impl(std::string instance, std::string version)
      : portrait(ref, std::move(instance), std::move(version)) {}
  std::unique_ptr<const Backend> backend;
  BackendRef ref{nullptr};
  Portrait portrait;
  runtime::Describe describe = [this](v1::GetStatusResponse& response, metrics::List& list) {
    portrait.Describe(response, list);
  };
  RemediationsService remediations{ref};
  StatusService status{describe};
};

RpcServices::RpcServices(std::string instance, std::string version)
    : impl_(std::make_unique<Impl>(std::move(instance), std::move(version))) {}
RpcServices::~RpcServices() = default;

void RpcServices::Open(Keeper& keeper, StatusSources sources) {
  impl_->backend.reset(new Backend{keeper, std::move(sources)});
  impl_->ref = impl_->backend.get();
}

std::vector<grpc::Service*> RpcServices::services() {
  return {&impl_->remediations, &impl_->status};
}

runtime::Describe RpcServices::describe() const { return impl_->describe; }

}  // namespace liveops::remediation
