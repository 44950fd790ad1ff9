#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "common/base/result.h"
#include "common/base/time.h"
#include "common/rpc/server.h"
#include "deploy/local/workload/model.h"

namespace liveops::workload {

// Sends an instance's batches to ingest by Ingest.Write, in order, each until it was answered: what
// is not taken now is sent again under the same sequence, so that it never counts twice. Not
// thread-safe.
class Emitter {
 public:
  // `address`: host:port of ingest; an empty `tls` for its plain loopback listener.
  Emitter(const std::string& address, const rpc::TlsFiles& tls, std::string service,
          std::string instance);
  ~Emitter();

  // Queues what was measured in (end - length, end], real time. Beyond 2,000 waiting batches the
  // oldest is given up.
  void Add(const std::vector<Sample>& samples, RealTime end, Duration length);
  // Sends what waits, until one is not taken. Returns true when nothing waits any more.
  bool Flush();
  std::uint64_t accepted_points() const;
  std::size_t waiting() const;

  Status ReportDeployment(const std::string& revision, const std::string& description);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace liveops::workload
