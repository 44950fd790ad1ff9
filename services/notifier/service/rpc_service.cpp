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
  explicit StatusService(runtime::Describe describe) : describe_(std::move(describe)) {}

  grpc::Status GetStatus(grpc::ServerContext*, const v1::GetStatusRequest*,
                         v1::GetStatusResponse* response) override {
    runtime::FillStatus(describe_, *response);
    return grpc::Status::OK;
  }

 private:
  const runtime::Describe describe_;
};

void AddMetrics(const StatusView& view, metrics::List& list) {
  const auto count = [&](const char* name, const char* help, std::int64_t value,
                         const char* status) {
    list.Counter(std::string("notifier_") + name, help, static_cast<double>(value), status);
  };
  const Counters& n = view.counters;
  count("attempts_total", "Attempts to tell a destination something.", n.attempts, "attempts");
  count("delivered_total", "Attempts that the provider accepted.", n.delivered, "delivered");
  count("failed_total", "Attempts that failed and are made again.", n.failed, "failed");
  count("unknown_total", "Attempts whose outcome is not known.", n.unknown, "unknown");
  count("rejected_total", "Notices that a provider refused for good.", n.rejected, "rejected");
  count("superseded_total", "Notices that a later one replaced before they were sent.",
        n.superseded, "superseded");
  count("lapsed_total", "Attempts read back too late to be used.", n.lapsed, "lapsed");
  count("dedup_held_total", "Notices held back by the dedup window.", n.dedup_held, "dedup_held");
  count("records_dead_lettered_total", "Records that could not be read.", n.poison, "poison");
  list.Gauge("notifier_groups", "Alarms whose state is followed.", static_cast<double>(view.groups),
             "groups");
  list.Gauge("notifier_waiting", "Pairs of alarm and destination with something left to tell.",
             static_cast<double>(view.waiting), "waiting");
  list.Histogram("notifier_page_latency_seconds",
                 "From the record that decided a page to the provider's answer, by wall clocks.",
                 view.page_latency);
}

void DescribeNow(Shared& shared, v1::GetStatusResponse& response, metrics::List& list) {
  response.set_service("notifier");
  response.set_instance(shared.instance);
  response.set_version(runtime::Version());
  const auto uptime = std::chrono::steady_clock::now() - shared.started;
  response.set_uptime_ms(std::chrono::duration_cast<Duration>(uptime).count());
  const std::shared_lock lock(shared.mutex);
  response.set_domain_speed(shared.domain_speed);
  if (!shared.backend) {
    response.set_detail(NotReady().message);
    return;
  }
  const StatusView view = shared.backend->GetStatus();
  response.set_ready(shared.backend->ready());
  if (!view.caught_up) response.set_detail("still reading what is open");
  response.set_kafka_connected(view.kafka_connected);
  response.set_redis_connected(view.redis_connected);
  for (const PartitionView& partition : view.partitions) {
    v1::PartitionStatus& p = *response.add_partitions();
    p.set_topic(runtime::topic::kNotifications);
    p.set_partition(partition.partition);
    p.set_owned(partition.epoch >= 0);
    p.set_epoch(partition.epoch);
    p.set_position(partition.position);
    p.set_end_offset(partition.end);
    p.set_clock_ms(view.clock_ms);
  }
  AddMetrics(view, list);
}

}  // namespace

struct RpcService::Impl {
  Shared shared;
  runtime::Describe describe = [this](v1::GetStatusResponse& response, metrics::List& list) {
    DescribeNow(shared, response, list);
  };
  Notifications notifications{shared};
  StatusService status{describe};
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

runtime::Describe RpcService::describe() const { return impl_->describe; }

void RpcService::SetBackend(NotifierService* service, double domain_speed) {
  const std::unique_lock lock(impl_->shared.mutex);
  impl_->shared.backend = service;
  impl_->shared.domain_speed = domain_speed;
}

}  // namespace liveops::notifier
