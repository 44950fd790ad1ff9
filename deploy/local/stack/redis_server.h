#pragma once

#include <memory>
#include <string>

#include "common/base/result.h"
#include "deploy/local/stack/process.h"

namespace liveops::stack {

// A private redis-server on loopback. Not thread-safe.
class RedisServer {
 public:
  // `keep`: its memory is written to `dir` at an orderly stop and once a minute, and read at the
  // next start. Beyond `memory_mib` it refuses to take more.
  static Result<std::unique_ptr<RedisServer>> Start(const std::string& dir, int port, bool keep,
                                                    int memory_mib = kMemoryMib);
  static constexpr int kMemoryMib = 256;

  Status WaitReady(Duration timeout);
  int port() const { return port_; }
  ChildProcess& process() { return *process_; }

  void Stop();
  void Kill();
  Status Restart(Duration timeout);  // after Stop or Kill, on the same port; waits until ready

 private:
  RedisServer(std::string dir, int port, bool keep, int memory_mib)
      : dir_(std::move(dir)), port_(port), keep_(keep), memory_mib_(memory_mib) {}
  Status Launch();

  std::string dir_;
  int port_;
  bool keep_;
  int memory_mib_;
  std::unique_ptr<ChildProcess> process_;
};

}  // namespace liveops::stack
