#pragma once

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "common/base/result.h"
#include "common/base/time.h"
#include "common/client/client.h"
#include "common/rpc/server.h"
#include "deploy/local/workload/model.h"

namespace liveops::workload {

// Sends what an instance measured to ingest, and says in the log when that is away. Not
// thread-safe.
class Emitter {
 public:
  // `address`: host:port of ingest; an empty `tls` for its plain loopback listener.
  Emitter(const std::string& address, const rpc::TlsFiles& tls, const std::string& service,
          const std::string& instance);

  // Records what was measured in (end - length, end], real time.
  void Add(const std::vector<Sample>& samples, RealTime end, Duration length);
  // Sends what waits. Returns true when nothing waits any more.
  bool Flush();

  Status ReportDeployment(const std::string& revision, const std::string& description);

 private:
  void TellOfRefusals();

  const std::string instance_;
  std::unique_ptr<client::Client> client_;
  RealTime started_{};  // of the first samples: where cumulative counters begin
  bool away_ = false;
  std::set<std::string> told_;  // reasons already logged
};

}  // namespace liveops::workload
