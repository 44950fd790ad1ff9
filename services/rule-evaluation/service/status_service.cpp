#include <algorithm>
#include <chrono>
#include <utility>

#include "common/runtime/topics.h"
#include "liveops/v1/status.grpc.pb.h"
#include "services/rule-evaluation/service/grpc_services.h"

namespace liveops::evaluation {
namespace {

class StatusService final : public v1::Status::Service {
 public:
  explicit StatusService(StatusSources sources) : sources_(std::move(sources)) {}

  grpc::Status GetStatus(grpc::ServerContext*, const v1::GetStatusRequest*,
                         v1::GetStatusResponse* response) override {
    const StatusBoard::View view = sources_.board->Get();
    response->set_service("rule-evaluation");
    response->set_instance(sources_.instance);
    response->set_version(sources_.version);
    const auto uptime = std::chrono::steady_clock::now() - sources_.started;
    response->set_uptime_ms(std::chrono::duration_cast<Duration>(uptime).count());
    response->set_kafka_connected(sources_.kafka_connected());
    response->set_redis_connected(sources_.redis_connected());
    response->set_ready(view.ready());
    response->set_detail(view.Detail());
    response->set_domain_speed(sources_.domain_speed());
    for (const StatusBoard::Partition& p : view.partitions) {
      v1::PartitionStatus& out = *response->add_partitions();
      out.set_topic(runtime::topic::kMetrics);
      out.set_partition(p.partition);
      out.set_owned(true);
      out.set_epoch(p.epoch);
      out.set_position(p.position);
      out.set_end_offset(std::max(p.position, p.end));
      out.set_clock_ms(ToMs(p.clock));
    }
    for (const auto& [name, value] : view.counters) (*response->mutable_counters())[name] = value;
    return grpc::Status::OK;
  }

 private:
  const StatusSources sources_;
};

}  // namespace

std::shared_ptr<grpc::Service> MakeStatusService(StatusSources sources) {
  return std::make_shared<StatusService>(std::move(sources));
}

}  // namespace liveops::evaluation
