#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "common/base/result.h"
#include "deploy/local/stack/process.h"

namespace liveops::stack {

struct KafkaOptions {
  std::string libs_dir;  // Apache Kafka's jars, as setup.sh fetched them
  std::string dir;       // server.properties, the log and data/ live here; made when missing
  int port = 0;          // of clients, on 127.0.0.1
  int controller_port = 0;
  std::int64_t retention_bytes = 256 << 20;  // a partition; the sandbox must not fill the disk
  // Only the quick first compiler: up 1 s sooner, slower once warm. Off for throughput benchmarks.
  bool quick_start = true;
};

// A private single-node Apache Kafka (KRaft: broker and controller in one process) without
// authentication, on loopback. Not thread-safe.
class KafkaBroker {
 public:
  // Formats the data folder when it is new, then starts; does not wait until it answers.
  // kInvalid: no jars, no java. kInternal: the format tool refused (its words are in the message).
  static Result<std::unique_ptr<KafkaBroker>> Start(KafkaOptions options);

  // Until it lists its topics. kUnavailable: it ended, or `timeout` passed; with the tail of its
  // log.
  Status WaitReady(Duration timeout);

  // "127.0.0.1:port"
  std::string address() const;
  ChildProcess& process() { return *process_; }
  const KafkaOptions& options() const { return options_; }

  // No archive of classes stands yet: this broker's orderly stop leaves one.
  bool makes_archive() const { return !archive_made_.empty(); }

  void Stop();  // in order; KILL after 15 s
  void Kill();  // SIGKILL
  Status Restart(
      Duration timeout);  // after Stop or Kill, on the same port and data; waits until ready

 private:
  explicit KafkaBroker(KafkaOptions options) : options_(std::move(options)) {}
  Status Format() const;
  Status Launch();

  KafkaOptions options_;
  std::string archive_made_;  // where the JVM writes it at its end; "" = one stands already
  std::unique_ptr<ChildProcess> process_;
};

}  // namespace liveops::stack
