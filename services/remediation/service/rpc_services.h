#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "common/base/time.h"
#include "common/runtime/metrics_endpoint.h"
#include "services/remediation/service/keeper.h"

namespace grpc {
class Service;
}

namespace liveops::remediation {

// What Status tells beside what the Keeper knows. Called from many threads.
struct StatusSources {
  double domain_speed = 1;
  std::function<bool()> ready;
  std::function<std::string()> detail;
  std::function<bool()> kafka_connected;
  std::function<std::map<std::int32_t, std::int64_t>()> ends;  // of remediations.v1
};

// The gRPC services Remediations and Status. Lists are answered from the folded log: every replica
// reads all of it, so any replica answers for all, without Redis. Until Open everything but Status
// is answered UNAVAILABLE.
class RpcServices {
 public:
  RpcServices(std::string instance, std::string version);
  ~RpcServices();
  std::vector<grpc::Service*> services();
  // For as long as this lives.
  runtime::Describe describe() const;

  // Once, when Kafka answered. The Keeper, and what the sources look at, must outlive the server
  // that serves this.
  void Open(Keeper& keeper, StatusSources sources);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace liveops::remediation
