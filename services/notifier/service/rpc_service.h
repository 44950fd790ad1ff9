#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "common/runtime/metrics_endpoint.h"
#include "services/notifier/service/service.h"

namespace grpc {
class Service;
}

namespace liveops::notifier {

// gRPC: Notifications and Status. Serves from the first moment; until there is a service behind it,
// it answers that it is not ready. Thread-safe.
class RpcService {
 public:
  RpcService(std::string instance, double domain_speed);
  ~RpcService();

  std::vector<grpc::Service*> services();
  // `service` must outlive every call; nullptr = not ready (any more).
  void SetBackend(NotifierService* service, double domain_speed);
  // For as long as this lives.
  runtime::Describe describe() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace liveops::notifier
