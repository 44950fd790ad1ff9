#pragma once

#include <functional>
#include <memory>

#include "common/base/result.h"
#include "common/http/server.h"
#include "common/runtime/process.h"
#include "common/telemetry/metrics.h"
#include "liveops/v1/status.pb.h"

namespace liveops::runtime {

// What a service tells of itself: the status without its counters, and the list that these and
// /metrics are made of. Thread-safe.
using Describe = std::function<void(v1::GetStatusResponse&, metrics::List&)>;

// The answer to GetStatus.
void FillStatus(const Describe& describe, v1::GetStatusResponse& out);

// `GET /metrics` for Prometheus, on a listener of its own, so that no scrape takes a thread from an
// emitter: `metrics.address`. On loopback it is plain. Elsewhere it is mTLS with the files of
// gRPC's listener, for certificates that may view.
class MetricsEndpoint {
 public:
  // nullptr where no address is configured. Errors as http::Server::Start. From the first moment
  // `describe` may be called.
  static Result<std::unique_ptr<MetricsEndpoint>> Start(const CommonConfig& config,
                                                        Describe describe);
  int port() const { return server_->port() != 0 ? server_->port() : server_->plain_port(); }
  void Stop() { server_->Stop(); }  // idempotent

 private:
  explicit MetricsEndpoint(Describe describe) : describe_(std::move(describe)) {}
  http::Reply Answer(const http::Call& call, bool plain) const;

  const Describe describe_;
  std::unique_ptr<http::Server> server_;
};

// The port of an endpoint that may be none; 0 then.
inline int PortOf(const std::unique_ptr<MetricsEndpoint>& endpoint) {
  return endpoint ? endpoint->port() : 0;
}

// Inside this folder: what every service tells in /metrics out of its status.
metrics::List ListOf(const v1::GetStatusResponse& status);

}  // namespace liveops::runtime
