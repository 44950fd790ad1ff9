#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>

#include "common/base/time.h"
#include "common/runtime/metrics_endpoint.h"
#include "services/rule-evaluation/service/acknowledgement_book.h"
#include "services/rule-evaluation/service/alarm_directory.h"
#include "services/rule-evaluation/service/hindsight.h"
#include "services/rule-evaluation/service/plan_applier.h"
#include "services/rule-evaluation/service/plan_library.h"
#include "services/rule-evaluation/service/status_board.h"

namespace grpc {
class Service;
}

// The gRPC services of this process (proto/liveops/v1: Alarms, Plans, Status). What they are given
// outlives them.
namespace liveops::evaluation {

// Watches and replays end soon after `stopping` turns true.
std::shared_ptr<grpc::Service> MakeAlarmsService(AlarmDirectory& directory,
                                                 const AcknowledgementBook& acknowledgements,
                                                 Hindsight& hindsight,
                                                 const std::atomic<bool>& stopping);

std::shared_ptr<grpc::Service> MakePlansService(PlanApplier& applier, const PlanLibrary& library);

struct StatusSources {
  std::string instance;
  std::string version;
  std::function<double()> domain_speed;
  SteadyTime started{};
  const StatusBoard* board = nullptr;
  std::function<bool()> kafka_connected;
  std::function<bool()> redis_connected;
};
runtime::Describe MakeDescribe(StatusSources sources);
std::shared_ptr<grpc::Service> MakeStatusService(runtime::Describe describe);

}  // namespace liveops::evaluation
