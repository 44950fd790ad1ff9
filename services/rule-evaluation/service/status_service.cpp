#include <algorithm>
#include <chrono>
#include <utility>

#include "common/runtime/topics.h"
#include "liveops/v1/status.grpc.pb.h"
#include "services/rule-evaluation/service/board_metrics.h"
#include "services/rule-evaluation/service/grpc_services.h"

namespace liveops::evaluation {
namespace {

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

void DescribeNow(const StatusSources& sources, v1::GetStatusResponse& response,
                 metrics::List& list) {
  const StatusBoard::View view = sources.board->Get();
  response.set_service("rule-evaluation");
  response.set_instance(sources.instance);
  response.set_version(sources.version);
  const auto uptime = std::chrono::steady_clock::now() - sources.started;
  response.set_uptime_ms(std::chrono::duration_cast<Duration>(uptime).count());
  response.set_kafka_connected(sources.kafka_connected());
  response.set_redis_connected(sources.redis_connected());
  response.set_ready(view.ready());
  response.set_detail(view.Detail());
  response.set_domain_speed(sources.domain_speed());
  for (const StatusBoard::Partition& p : view.partitions) {
    v1::PartitionStatus& out = *response.add_partitions();
    out.set_topic(runtime::topic::kMetrics);
    out.set_partition(p.partition);
    out.set_owned(true);
    out.set_epoch(p.epoch);
    out.set_position(p.position);
    out.set_end_offset(std::max(p.position, p.end));
    out.set_clock_ms(ToMs(p.clock));
  }
  AddMetrics(view, list);
}

}  // namespace

runtime::Describe MakeDescribe(StatusSources sources) {
  return [sources = std::move(sources)](v1::GetStatusResponse& response, metrics::List& list) {
    DescribeNow(sources, response, list);
  };
}

std::shared_ptr<grpc::Service> MakeStatusService(runtime::Describe describe) {
  return std::make_shared<StatusService>(std::move(describe));
}

}  // namespace liveops::evaluation
