#pragma once

#include <optional>
#include <string>

#include "common/rpc/server.h"
#include "common/runtime/process.h"
#include "deploy/local/workload/model.h"

namespace liveops::workload {

struct RunOptions {
  ModelOptions model;
  std::string ingest;  // host:port
  rpc::TlsFiles tls;   // empty = ingest's plain loopback listener
  double speed = 1;    // domain time per real time
  std::string kubectl = "kubectl";
  std::string kubeconfig;
  std::string deployment = "backend-api";
  std::string bad_tag = "2.4.0";  // the version that fails
  Duration look{1'000};           // real time between two looks at the Deployment
  // The deploy pipeline: at this domain time after the start this image is rolled out and ingest is
  // told.
  std::optional<Duration> rollout_at;
  std::string rollout_image = "backend-api:2.4.0";
};

// Emits until a stop is asked for; nothing that others do ends it. Logs what it does.
void Run(const RunOptions& options, runtime::StopSignal& stop);

}  // namespace liveops::workload
