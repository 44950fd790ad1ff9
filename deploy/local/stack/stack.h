#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "common/base/result.h"
#include "common/base/time.h"
#include "deploy/local/stack/authority.h"
#include "deploy/local/stack/cluster.h"
#include "deploy/local/stack/kafka_broker.h"
#include "deploy/local/stack/redis_server.h"
#include "deploy/local/stack/service_process.h"
#include "deploy/local/stack/sink_process.h"

// A whole LiveOps on this host: private Kafka and Redis, the four services over mTLS, the sink that
// plays Slack and PagerDuty, a kubectl stand-in. For the sandbox, the integration tests and the
// benchmarks.
namespace liveops::stack {

struct StackOptions {
  std::string data_dir;      // everything is kept below it; absolute
  bool fresh = true;         // empty data_dir first (only one that a stack made, or that is empty)
  std::string binaries_dir;  // liveops-*, liveopsctl, kubectl-standin; "" = where this program lies
  std::string
      kafka_libs;  // "" = build/third_party/kafka/libs beside the build folder of binaries_dir

  double domain_speed = 1;
  int partitions = 16;
  std::int64_t kafka_retention_bytes = 256 << 20;
  bool kafka_quick_start = true;
  bool keep_redis = false;
  int redis_memory_mib = RedisServer::kMemoryMib;

  // Where remediation finds its cluster; "" = the stand-in with a fresh Deployment.
  std::string kubectl;
  std::string kubeconfig;
  std::string deployment = "backend-api";
  // Revisions that the stand-in's Deployment has gone through, oldest first.
  std::vector<std::string> images = {"backend-api:2.3.0", "backend-api:2.3.1"};

  std::vector<std::string> slack_channels = {"#oncall", "#backend", "#devops", "#liveops"};
  std::vector<std::string> pagerduty_names = {"oncall", "backend", "devops"};
  double slack_messages_per_second = 1;      // notifier's own limit a channel; 0 = none
  double pagerduty_events_per_minute = 120;  // 0 = none
  double sink_slack_rate = 0;  // the sink answers 429 above it (a burst of 5 is free); 0 = never

  // Further configuration by service, e.g. {kRemediation, {{"guardrails.cooldown", "10s"}}}.
  std::map<Service, Settings> settings;
  // Replicas to start of each service; none named = one.
  std::map<Service, int> replicas;

  Duration start_timeout{60'000};  // of the whole start
  std::function<void(const std::string&)>
      progress;  // a line for people; called from several threads, one at a time
};

// Not thread-safe: one thread at a time. Everything is on free loopback ports, which are kept when
// data_dir is used again.
class Stack {
 public:
  // kInvalid: a folder or program is missing. kConflict: another stack uses data_dir. kUnavailable:
  // a part did not come up; the message holds the tail of its log. Nothing is left running on
  // failure.
  static Result<std::unique_ptr<Stack>> Start(StackOptions options);
  ~Stack();  // StopAll()

  // In order: services, sink, Redis, Kafka. No process is left. Idempotent.
  void StopAll();

  const StackOptions& options() const { return options_; }
  KafkaBroker& kafka() { return *kafka_; }
  RedisServer& redis() { return *redis_; }
  SinkProcess& sink() { return *sink_; }
  const Cluster& cluster() const { return *cluster_; }
  const Authority& authority() const { return *authority_; }
  // The n-th replica.
  ServiceProcess& service(Service service, std::size_t replica = 0);
  std::vector<ServiceProcess*> services();
  // Of the first ingest's plain listener, for emitters.
  std::string plain_ingest() const;
  // Starts one more replica ("notifier-1", …) and waits until it serves.
  Result<ServiceProcess*> AddReplica(Service service);

  // Domain time against real time, as written in the installation's controls.v1.
  const TimeMap& time_map() const { return time_map_; }

  // People: "operator-1" (roles operator and emitter), "approver-1" (approver), "viewer-1"
  // (viewer).
  const Identity& person(const std::string& name) const { return people_.at(name); }
  // liveopsctl's configuration file of that person.
  std::string ctl_config(const std::string& person) const;
  // Runs liveopsctl as that person.
  Result<RunOutcome> Ctl(const std::string& person, const std::vector<std::string>& arguments,
                         Duration timeout = Duration(20'000)) const;
  // Path of a program that belongs to the stack, e.g. "liveops-workload".
  std::string Binary(const std::string& name) const;
  std::string Path(const std::string& below_data_dir) const;

 private:
  explicit Stack(StackOptions options) : options_(std::move(options)) {}
  Status StartParts();
  Status PrepareFolder();
  Status ChoosePorts();
  Status StartBroker();
  Status StartBesides();
  Status IssueCertificates();
  Status PrepareCluster();
  Status StartServices();
  Status WriteCtlConfigs();
  ServiceSpec SpecOf(Service service, int replica);
  void AddNotifierSettings(Settings& settings) const;
  void Say(const std::string& line);

  StackOptions options_;
  int lock_fd_ = -1;
  std::map<std::string, int> ports_;  // by what listens: "kafka", "notifier-0", …
  std::unique_ptr<Authority> authority_;
  std::unique_ptr<Cluster> cluster_;
  std::map<std::string, Identity> people_;
  std::map<std::string, Identity> machines_;  // by service name
  std::unique_ptr<KafkaBroker> kafka_;
  std::unique_ptr<RedisServer> redis_;
  std::unique_ptr<SinkProcess> sink_;
  std::map<Service, std::vector<std::unique_ptr<ServiceProcess>>> services_;
  TimeMap time_map_;
  std::shared_ptr<std::mutex> progress_mutex_ = std::make_shared<std::mutex>();
};

}  // namespace liveops::stack
