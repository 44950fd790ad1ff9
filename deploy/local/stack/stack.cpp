#include "deploy/local/stack/stack.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <chrono>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <future>
#include <random>

#include "common/base/text.h"
#include "common/runtime/topics.h"
#include "deploy/local/stack/ports.h"

namespace liveops::stack {
namespace {

namespace fs = std::filesystem;

constexpr const char* kMarker = ".liveops-stack";

std::string OwnFolder() {
  std::error_code error;
  return fs::read_symlink("/proc/self/exe", error).parent_path().string();
}

// 32 hexadecimal digits: a routing key that looks like PagerDuty's and opens nothing.
std::string RandomKey() {
  std::random_device random;
  std::string key;
  for (int i = 0; i < 32; ++i) key += "0123456789abcdef"[random() % 16];
  return key;
}

std::string Join(const std::vector<std::string>& entries, char open, char close) {
  std::string text(1, open);
  for (const std::string& entry : entries) {
    if (text.size() > 1) text += ", ";
    text += entry;
  }
  return text + close;
}

Status FirstError(std::vector<std::future<Status>>& parts) {
  Status first;
  for (std::future<Status>& part : parts) {
    Status status = part.get();
    if (first.ok() && !status.ok()) first = status;
  }
  return first;
}

std::string SecondsSince(SteadyTime begin) {
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  return FormatNumber(std::round(took.count() * 10) / 10) + " s";
}

}  // namespace

Result<std::unique_ptr<Stack>> Stack::Start(StackOptions options) {
  if (options.binaries_dir.empty()) options.binaries_dir = OwnFolder();
  if (options.kafka_libs.empty()) {
    options.kafka_libs =
        fs::weakly_canonical(options.binaries_dir + "/../../third_party/kafka/libs").string();
  }
  std::unique_ptr<Stack> stack(new Stack(std::move(options)));
  Status status = stack->StartParts();
  if (!status.ok()) {
    stack->StopAll();
    return status.error();
  }
  return stack;
}

Stack::~Stack() { StopAll(); }

Status Stack::StartParts() {
  if (Status s = PrepareFolder(); !s.ok()) return s;
  if (Status s = ChoosePorts(); !s.ok()) return s;
  // Kafka takes longest: all that does not need it is made ready meanwhile.
  std::vector<std::future<Status>> parts;
  parts.push_back(std::async(std::launch::async, [this] { return StartBroker(); }));
  parts.push_back(std::async(std::launch::async, [this] { return StartBesides(); }));
  parts.push_back(std::async(std::launch::async, [this] { return IssueCertificates(); }));
  parts.push_back(std::async(std::launch::async, [this] { return PrepareCluster(); }));
  if (Status s = FirstError(parts); !s.ok()) return s;
  if (Status s = WriteCtlConfigs(); !s.ok()) return s;
  return StartServices();
}

Status Stack::PrepareFolder() {
  const fs::path dir = options_.data_dir;
  std::error_code error;
  fs::create_directories(dir, error);
  if (error) return InvalidError("cannot make " + dir.string() + ": " + error.message());
  lock_fd_ = open((options_.data_dir + ".lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (lock_fd_ < 0 || flock(lock_fd_, LOCK_EX | LOCK_NB) != 0) {
    return ConflictError("another sandbox uses " + dir.string());
  }
  if (!fs::is_empty(dir, error) && !fs::exists(dir / kMarker, error)) {
    return InvalidError(dir.string() + " is not empty and was not made by a sandbox");
  }
  if (options_.fresh) {
    for (const fs::directory_entry& entry : fs::directory_iterator(dir, error)) {
      fs::remove_all(entry.path(), error);
    }
  }
  for (const char* folder : {"services", "ctl", "secrets"})
    fs::create_directories(dir / folder, error);
  fs::permissions(dir / "secrets", fs::perms::owner_all, error);
  return WriteFile((dir / kMarker).string(), "made by deploy/local/stack; may be removed\n");
}

Status Stack::ChoosePorts() {
  std::vector<std::string> names = {"kafka", "kafka-controller", "redis", "sink"};
  for (const Service service : kServices) {
    const int replicas = options_.replicas.contains(service) ? options_.replicas[service] : 1;
    for (int i = 0; i < replicas; ++i) {
      const std::string instance = ServiceName(service) + ("-" + std::to_string(i));
      names.push_back(instance);
      names.push_back(instance + "-metrics");
      if (service != Service::kIngest) continue;
      names.push_back(instance + "-plain");
      names.push_back(instance + "-http");
    }
  }
  // Those of the last run, so that a person's settings stay right.
  const std::string file = Path("ports");
  const Result<std::string> saved = ReadFile(file);
  if (saved.ok()) {
    for (const std::string_view line : Split(*saved, '\n')) {
      const std::vector<std::string_view> words = Split(line, ' ');
      if (words.size() != 2) continue;
      const int port = std::atoi(std::string(words[1]).c_str());
      if (TakePort(port)) ports_[std::string(words[0])] = port;
    }
  }
  Result<std::vector<int>> fresh = FreePorts(static_cast<int>(names.size()));
  if (!fresh.ok()) return fresh.error();
  std::string text;
  for (std::size_t i = 0; i < names.size(); ++i) {
    ports_.try_emplace(names[i], (*fresh)[i]);
    text += names[i] + " " + std::to_string(ports_[names[i]]) + "\n";
  }
  return WriteFile(file, text);
}

Status Stack::StartBroker() {
  const SteadyTime begin = std::chrono::steady_clock::now();
  KafkaOptions kafka;
  kafka.libs_dir = options_.kafka_libs;
  kafka.dir = Path("kafka");
  kafka.port = ports_["kafka"];
  kafka.controller_port = ports_["kafka-controller"];
  kafka.retention_bytes = options_.kafka_retention_bytes;
  kafka.quick_start = options_.kafka_quick_start;
  Result<std::unique_ptr<KafkaBroker>> broker = KafkaBroker::Start(kafka);
  if (!broker.ok()) return broker.error();
  kafka_ = std::move(*broker);
  if (Status s = kafka_->WaitReady(options_.start_timeout); !s.ok()) return s;
  runtime::TopicsConfig topics;
  topics.partitions = options_.partitions;
  topics.domain_speed = options_.domain_speed;
  Result<TimeMap> map =
      runtime::EstablishTopics({kafka_->address(), "sandbox", {}}, topics, options_.start_timeout);
  if (!map.ok()) return map.error();
  time_map_ = *map;
  Say("Apache Kafka answers on " + kafka_->address() + ", topics stand (" + SecondsSince(begin) +
      ")");
  return {};
}

Status Stack::StartBesides() {
  Result<std::unique_ptr<RedisServer>> redis = RedisServer::Start(
      Path("redis"), ports_["redis"], options_.keep_redis, options_.redis_memory_mib);
  if (!redis.ok()) return redis.error();
  redis_ = std::move(*redis);
  Result<std::unique_ptr<SinkProcess>> sink = SinkProcess::Start(
      Binary("liveops-sink"), Path("sink"), ports_["sink"], options_.sink_slack_rate);
  if (!sink.ok()) return sink.error();
  sink_ = std::move(*sink);
  if (Status s = redis_->WaitReady(options_.start_timeout); !s.ok()) return s;
  if (Status s = sink_->WaitReady(options_.start_timeout); !s.ok()) return s;
  Say("Redis answers on 127.0.0.1:" + std::to_string(redis_->port()) +
      "; Slack and PagerDuty are played at " + sink_->url());
  return {};
}

Status Stack::IssueCertificates() {
  Result<Authority> authority = Authority::Open(Path("tls"));
  if (!authority.ok()) return authority.error();
  authority_ = std::make_unique<Authority>(std::move(*authority));
  for (const Service service : kServices) {
    Result<Identity> identity = authority_->Issue(ServiceName(service), {});
    if (!identity.ok()) return identity.error();
    machines_[ServiceName(service)] = *identity;
  }
  const std::vector<std::pair<std::string, std::vector<std::string>>> people = {
      {"operator-1", {"operator", "emitter"}},
      {"approver-1", {"approver"}},
      {"viewer-1", {"viewer"}},
  };
  for (const auto& [name, roles] : people) {
    Result<Identity> identity = authority_->Issue(name, roles);
    if (!identity.ok()) return identity.error();
    people_[name] = *identity;
  }
  Say("certificates for four services and operator-1, approver-1, viewer-1");
  return {};
}

Status Stack::PrepareCluster() {
  if (!options_.kubectl.empty()) {
    cluster_ = std::make_unique<Cluster>(options_.kubectl, options_.kubeconfig);
    return {};
  }
  Result<Cluster> cluster = Cluster::StandIn(Binary("kubectl-standin"), Path("cluster"),
                                             options_.deployment, options_.images);
  if (!cluster.ok()) return cluster.error();
  cluster_ = std::make_unique<Cluster>(std::move(*cluster));
  return {};
}

Status Stack::StartServices() {
  const SteadyTime begin = std::chrono::steady_clock::now();
  for (const Service service : kServices) {
    const int replicas = options_.replicas.contains(service) ? options_.replicas[service] : 1;
    for (int i = 0; i < replicas; ++i) {
      Result<std::unique_ptr<ServiceProcess>> process = ServiceProcess::Start(SpecOf(service, i));
      if (!process.ok()) return process.error();
      services_[service].push_back(std::move(*process));
    }
  }
  std::vector<std::future<Status>> waits;
  for (ServiceProcess* service : services()) {
    waits.push_back(std::async(std::launch::async, [this, service] {
      return service->WaitServing(options_.start_timeout);
    }));
  }
  if (Status s = FirstError(waits); !s.ok()) return s;
  Say("ingest, rule-evaluation, notifier and remediation serve (" + SecondsSince(begin) + ")");
  return {};
}

ServiceSpec Stack::SpecOf(Service service, int replica) {
  ServiceSpec spec;
  spec.service = service;
  spec.instance = ServiceName(service) + ("-" + std::to_string(replica));
  spec.binary = Binary(BinaryName(service));
  spec.dir = Path("services");
  spec.identity = machines_.at(ServiceName(service));
  spec.ca_file = authority_->ca_file();
  spec.port = ports_.at(spec.instance);
  spec.metrics_port = ports_.at(spec.instance + "-metrics");
  spec.settings["kafka.brokers"] = Quoted(kafka_->address());
  spec.settings["kafka.partitions"] = std::to_string(options_.partitions);
  spec.settings["domain_speed"] = FormatNumber(options_.domain_speed);
  if (service == Service::kIngest) {
    spec.plain_port = ports_.at(spec.instance + "-plain");
    spec.http_port = ports_.at(spec.instance + "-http");
  }
  if (service == Service::kRuleEvaluation || service == Service::kNotifier) {
    spec.settings["redis.host"] = "127.0.0.1";
    spec.settings["redis.port"] = std::to_string(redis_->port());
  }
  if (service == Service::kNotifier) AddNotifierSettings(spec.settings);
  if (service == Service::kRemediation) {
    spec.settings["kubectl.path"] = Quoted(cluster_->kubectl());
    spec.settings["kubectl.kubeconfig"] = Quoted(cluster_->kubeconfig());
  }
  for (const auto& [key, value] : options_.settings[service]) spec.settings[key] = value;
  return spec;
}

void Stack::AddNotifierSettings(Settings& settings) const {
  std::vector<std::string> webhooks;
  for (const std::string& channel : options_.slack_channels) {
    webhooks.push_back(Quoted(channel) + ": " + Quoted(sink_->SlackUrl(channel)));
  }
  std::vector<std::string> keys;
  for (const std::string& name : options_.pagerduty_names) {
    const std::string file = Path("secrets/pagerduty-" + name);
    if (!fs::exists(file) && !WriteFile(file, RandomKey() + "\n", 0600).ok()) continue;
    keys.push_back(Quoted(name) + ": " + Quoted("${file:" + file + "}"));
  }
  settings["slack.webhooks"] = Join(webhooks, '{', '}');
  settings["slack.messages_per_second"] = FormatNumber(options_.slack_messages_per_second);
  settings["pagerduty.routing_keys"] = Join(keys, '{', '}');
  settings["pagerduty.url"] = Quoted(sink_->url());
  settings["pagerduty.events_per_minute"] = FormatNumber(options_.pagerduty_events_per_minute);
  settings["http.allow_private_hosts"] = "[\"127.0.0.1\"]";
}

Status Stack::WriteCtlConfigs() {
  for (const auto& [name, identity] : people_) {
    const Settings settings = {
        {"ingest", Quoted("127.0.0.1:" + std::to_string(ports_["ingest-0"]))},
        {"evaluation", Quoted("127.0.0.1:" + std::to_string(ports_["rule-evaluation-0"]))},
        {"notifier", Quoted("127.0.0.1:" + std::to_string(ports_["notifier-0"]))},
        {"remediation", Quoted("127.0.0.1:" + std::to_string(ports_["remediation-0"]))},
        {"kafka", Quoted(kafka_->address())},
        {"ca", Quoted(authority_->ca_file())},
        {"cert", Quoted(identity.cert)},
        {"key", Quoted(identity.key)},
    };
    if (Status s = WriteFile(ctl_config(name), ToYaml(settings)); !s.ok()) return s;
  }
  return {};
}

Result<ServiceProcess*> Stack::AddReplica(Service service) {
  const int replica = static_cast<int>(services_[service].size());
  Result<std::vector<int>> ports = FreePorts(4);
  if (!ports.ok()) return ports.error();
  const std::string instance = ServiceName(service) + ("-" + std::to_string(replica));
  ports_[instance] = (*ports)[0];
  ports_[instance + "-plain"] = (*ports)[1];
  ports_[instance + "-http"] = (*ports)[2];
  ports_[instance + "-metrics"] = (*ports)[3];
  Result<std::unique_ptr<ServiceProcess>> process = ServiceProcess::Start(SpecOf(service, replica));
  if (!process.ok()) return process.error();
  if (Status s = (*process)->WaitServing(options_.start_timeout); !s.ok()) return s.error();
  services_[service].push_back(std::move(*process));
  return services_[service].back().get();
}

void Stack::StopAll() {
  std::vector<std::future<void>> stops;
  for (ServiceProcess* service : services()) {
    stops.push_back(std::async(std::launch::async, [service] { service->Stop(); }));
  }
  stops.clear();  // waits
  services_.clear();
  if (sink_) sink_->Stop();
  sink_.reset();
  if (redis_) redis_->Stop();
  redis_.reset();
  // Nothing of a folder that the next start empties is worth an orderly end.
  if (kafka_ && (!options_.fresh || kafka_->makes_archive())) kafka_->Stop();
  kafka_.reset();
  if (lock_fd_ >= 0) close(lock_fd_);
  lock_fd_ = -1;
}

ServiceProcess& Stack::service(Service service, std::size_t replica) {
  return *services_.at(service).at(replica);
}

std::vector<ServiceProcess*> Stack::services() {
  std::vector<ServiceProcess*> all;
  for (auto& [service, replicas] : services_) {
    for (auto& replica : replicas) all.push_back(replica.get());
  }
  return all;
}

std::string Stack::plain_ingest() const {
  return services_.at(Service::kIngest).front()->plain_address();
}

std::string Stack::ctl_config(const std::string& person) const {
  return Path("ctl/" + person + ".yaml");
}

Result<RunOutcome> Stack::Ctl(const std::string& person, const std::vector<std::string>& arguments,
                              Duration timeout) const {
  ProcessSpec spec;
  spec.name = "liveopsctl";
  spec.argv = {Binary("liveopsctl"), "--config", ctl_config(person)};
  spec.argv.insert(spec.argv.end(), arguments.begin(), arguments.end());
  return RunToEnd(spec, timeout);
}

std::string Stack::Binary(const std::string& name) const {
  return options_.binaries_dir + "/" + name;
}

std::string Stack::Path(const std::string& below_data_dir) const {
  return options_.data_dir + "/" + below_data_dir;
}

void Stack::Say(const std::string& line) {
  if (!options_.progress) return;
  std::lock_guard lock(*progress_mutex_);
  options_.progress(line);
}

}  // namespace liveops::stack
