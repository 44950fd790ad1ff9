#include "services/notifier/service/rpc_service.h"

#include <shared_mutex>

#include "common/rpc/server.h"
#include "common/runtime/service_main.h"
#include "common/runtime/topics.h"
#include "common/telemetry/log.h"
#include "liveops/v1/notifications.grpc.pb.h"
#include "liveops/v1/status.grpc.pb.h"

namespace liveops::notifier {
namespace {

// What every handler shares. The lock is held while the backend is used, so that it can be taken
// away.
struct Shared {
  std::string instance;
  std::chrono::steady_clock::time_point started = std::chrono::steady_clock::now();
  std::shared_mutex mutex;
  NotifierService* backend = nullptr;
  double domain_speed = 1;
};

Error NotReady() { return UnavailableError("the notifier is not connected to Kafka yet"); }

class Notifications final : public v1::Notifications::Service {
 public:
  explicit Notifications(Shared& shared) : shared_(shared) {}

  grpc::Status Acknowledge(grpc::ServerContext* context, const v1::AcknowledgeRequest* request,
                           v1::AcknowledgeResponse* response) override {
    const rpc::Peer peer = rpc::PeerOf(*context);
    const std::shared_lock lock(shared_.mutex);
    if (!shared_.backend) return rpc::ToGrpc(NotReady());
    if (request->alarm_id().empty()) {
      return rpc::ToGrpc(InvalidError("alarm_id is empty: name the alarm to acknowledge"));
    }
    auto answer = shared_.backend->Acknowledge(request->alarm_id(), peer.name);
    if (!answer.ok()) return rpc::ToGrpc(answer.error());
    response->set_alarm_id(answer->alarm_id);
    response->set_episode_ms(ToMs(answer->episode));
    response->set_by(answer->by);
    response->set_already(answer->already);
    log::Info("acknowledged", {{"alarm_id", answer->alarm_id},
                               {"by", answer->by},
                               {"asked_by", peer.name},
                               {"already", answer->already}});
    return grpc::Status::OK;
  }

  grpc::Status ListDeliveries(grpc::ServerContext*, const v1::ListDeliveriesRequest* request,
                              v1::ListDeliveriesResponse* response) override {
    const std::shared_lock lock(shared_.mutex);
    if (!shared_.backend) return rpc::ToGrpc(NotReady());
    auto list = shared_.backend->Deliveries(request->alarm_id());
    if (!list.ok()) return rpc::ToGrpc(list.error());
    for (v1::DeliveryState& state : *list) *response->add_deliveries() = std::move(state);
    return grpc::Status::OK;
  }

 private:
  Shared& shared_;
};

class StatusService final : public v1::Status::Service {
 public:
  explicit StatusService(Shared& shared) : shared_(shared) {}

  grpc::Status GetStatus(grpc::ServerContext*, const v1::GetStatusRequest*,
                         v1::GetStatusResponse* response) override {
    response->set_service("notifier");
    response->set_instance(shared_.instance);
    response->set_version(runtime::Version());
    const auto uptime = std::chrono::steady_clock::now() - shared_.started;
    response->set_uptime_ms(std::chrono::duration_cast<Duration>(uptime).count());
    const std::shared_lock lock(shared_.mutex);
    response->set_domain_speed(shared_.domain_speed);
    if (!shared_.backend) {
      response->set_detail(NotReady().message);
      return grpc::Status::OK;
    }
    const StatusView view = shared_.backend->GetStatus();
    response->set_ready(shared_.backend->ready());
    if (!view.caught_up) response->set_detail("still reading what is open");
    response->set_kafka_connected(view.kafka_connected);
    response->set_redis_connected(view.redis_connected);
    for (const PartitionView& partition : view.partitions) {
      v1::PartitionStatus* p = response->add_partitions();
      p->set_topic(runtime::topic::kNotifications);
      p->set_partition(partition.partition);
      p->set_owned(partition.epoch >= 0);
      p->set_epoch(partition.epoch);
      p->set_position(partition.position);
      p->set_end_offset(partition.end);
      p->set_clock_ms(view.clock_ms);
    }
    auto& counters = *response->mutable_counters();
    const auto set = [&](const char* name, std::int64_t value) {
      counters[name] = static_cast<double>(value);
    };
    set("attempts", view.counters.attempts);
    set("delivered", view.counters.delivered);
    set("failed", view.counters.failed);
    set("unknown", view.counters.unknown);
    set("rejected", view.counters.rejected);
    set("superseded", view.counters.superseded);
    set("lapsed", view.counters.lapsed);
    set("dedup_held", view.counters.dedup_held);
    set("poison", view.counters.poison);
    set("groups", static_cast<std::int64_t>(view.groups));
    set("waiting", static_cast<std::int64_t>(view.waiting));
    return grpc::Status::OK;
  }

 private:
  Shared& shared_;
};

}  // namespace

struct RpcService::Impl {
  Shared shared;
  Notifications notifications{shared};
  StatusService status{shared};
};

RpcService::RpcService(std::string instance, double domain_speed)
    : impl_(std::make_unique<Impl>()) {
  impl_->shared.instance = std::move(instance);
  impl_->shared.domain_speed = domain_speed;
}

RpcService::~RpcService() = default;

std::vector<grpc::Service*> RpcService::services() {
  return {&impl_->notifications, &impl_->status};
}

void RpcService::SetBackend(NotifierService* service, double domain_speed) {
  const std::unique_lock lock(impl_->shared.mutex);
  impl_->shared.backend = service;
  impl_->shared.domain_speed = domain_speed;
}

}  // namespace liveops::notifier
