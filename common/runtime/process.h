#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "common/base/result.h"
#include "common/config/config.h"
#include "common/kafka/kafka.h"
#include "common/rpc/server.h"
#include "common/runtime/topics.h"

namespace liveops::runtime {

// The part of the configuration file that all services share. Keys: instance, kafka.brokers,
// kafka.partitions, kafka.replication, kafka.properties.*, domain_speed, grpc.address,
// grpc.plain_address, grpc.ca, grpc.cert, grpc.key, metrics.address, port_file (a JSON line with
// the bound ports is written there once ready), log.level.
struct CommonConfig {
  std::string instance;
  kafka::ClientConfig kafka;
  TopicsConfig topics;
  rpc::ServerConfig grpc;
  std::string metrics_address;  // of MetricsEndpoint; "" = none
  std::string port_file;
  std::string log_level = "info";
};
CommonConfig ReadCommonConfig(config::Reader& reader, const std::string& service);

// Blocks SIGTERM and SIGINT in the whole process (call before any thread starts) and turns them
// into a flag.
class StopSignal {
 public:
  StopSignal();
  // True once a stop was asked for. Waits up to `timeout` for it.
  bool WaitFor(Duration timeout);
  bool requested() const;
  void Request();  // as if a signal had come
  // Asks for a stop because the process cannot go on; the first error decides the exit code.
  // Thread-safe, does not block.
  void Fail(const Error& error);
  std::optional<Error> failure() const;

 private:
  std::atomic<bool> requested_{false};
  mutable std::mutex mutex_;
  std::optional<Error> failure_;
};

// Named clean-ups, run in reverse order by RunAll or the destructor, each logged with how long it
// took.
class CleanupStack {
 public:
  ~CleanupStack() { RunAll(); }
  void Push(std::string name, std::function<void()> cleanup);
  void RunAll();

 private:
  std::vector<std::pair<std::string, std::function<void()>>> stack_;
};

// What a process listens on; 0 = not on that.
struct Ports {
  int grpc = 0;
  int grpc_plain = 0;
  int http = 0;
  int http_plain = 0;
  int metrics = 0;
};

// Writes `{"port":…,"plain_port":…,"http_port":…,"http_plain_port":…,"metrics_port":…,"pid":…}`
// atomically (temporary file, rename); without those of HTTP where both are 0, and without that of
// metrics where there is none.
Status WritePortFile(const std::string& path, const Ports& ports);

// A random session id, never 0.
std::uint64_t NewSession();

// Calls `attempt` until it succeeds, with back-off 100 ms .. 2 s, logging what is awaited every 5
// s; false when a stop was asked for. An error that is not kUnavailable or kTimeout ends it at
// once.
Status RetryUntilStop(StopSignal& stop, std::string_view what,
                      const std::function<Status()>& attempt);

// Domain time between records: an anchor (clock carried in a record, seen at a steady time) plus
// steady time x speed. Never goes back; an anchor more than 2 s (x speed) ahead of the present
// reckoning is not adopted at once but only when three anchors in a row, over at least 2 s of
// steady time, agree with each other. Not thread-safe.
class SteadyDomainClock {
 public:
  explicit SteadyDomainClock(double speed) : speed_(speed) {}
  void Anchor(Instant clock, SteadyTime seen);
  // Epoch until the first anchor.
  Instant Now(SteadyTime now) const;
  bool anchored() const { return anchored_; }

 private:
  Instant Reckon(SteadyTime now) const;
  double speed_;
  bool anchored_ = false;
  Instant anchor_{};
  SteadyTime seen_{};
  int disputed_ = 0;
  Instant disputed_first_{};
  SteadyTime disputed_seen_{};
};

}  // namespace liveops::runtime
