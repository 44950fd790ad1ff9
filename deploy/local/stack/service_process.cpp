#include "deploy/local/stack/service_process.h"

#include <chrono>
#include <filesystem>
#include <thread>

#include "deploy/local/stack/health.h"

namespace liveops::stack {
namespace {

constexpr Duration kPortFilePause{10};
constexpr Duration kHealthPause{25};

std::string Loopback(int port) { return "127.0.0.1:" + std::to_string(port); }

}  // namespace

const char* ServiceName(Service service) {
  switch (service) {
    case Service::kIngest:
      return "ingest";
    case Service::kRuleEvaluation:
      return "rule-evaluation";
    case Service::kNotifier:
      return "notifier";
    case Service::kRemediation:
      return "remediation";
  }
  return "";
}

const char* BinaryName(Service service) {
  switch (service) {
    case Service::kIngest:
      return "liveops-ingest";
    case Service::kRuleEvaluation:
      return "liveops-rule-evaluation";
    case Service::kNotifier:
      return "liveops-notifier";
    case Service::kRemediation:
      return "liveops-remediation";
  }
  return "";
}

ServiceProcess::ServiceProcess(ServiceSpec spec) : spec_(std::move(spec)) {
  const std::string stem = spec_.dir + "/" + spec_.instance;
  config_file_ = stem + ".yaml";
  port_file_ = stem + ".ports.json";
  log_file_ = stem + ".log";
}

Result<std::unique_ptr<ServiceProcess>> ServiceProcess::Start(ServiceSpec spec) {
  std::error_code error;
  std::filesystem::create_directories(spec.dir, error);
  std::unique_ptr<ServiceProcess> service(new ServiceProcess(std::move(spec)));
  if (Status s = service->Launch(); !s.ok()) return s.error();
  return service;
}

std::string ServiceProcess::plain_address() const {
  return spec_.plain_port == 0 ? "" : Loopback(spec_.plain_port);
}

std::string ServiceProcess::http_address() const {
  return spec_.http_port == 0 ? "" : Loopback(spec_.http_port);
}

std::string ServiceProcess::metrics_address() const {
  return spec_.metrics_port == 0 ? "" : Loopback(spec_.metrics_port);
}

void ServiceProcess::Configure(const Settings& changes) {
  for (const auto& [key, value] : changes) spec_.settings[key] = value;
}

Status ServiceProcess::Launch() {
  Settings settings = {
      {"instance", Quoted(spec_.instance)},     {"grpc.address", Quoted(Loopback(spec_.port))},
      {"grpc.ca", Quoted(spec_.ca_file)},       {"grpc.cert", Quoted(spec_.identity.cert)},
      {"grpc.key", Quoted(spec_.identity.key)}, {"port_file", Quoted(port_file_)},
  };
  if (spec_.plain_port != 0) settings["grpc.plain_address"] = Quoted(Loopback(spec_.plain_port));
  if (spec_.http_port != 0) settings["http.plain_address"] = Quoted(Loopback(spec_.http_port));
  if (spec_.metrics_port != 0) settings["metrics.address"] = Quoted(metrics_address());
  for (const auto& [key, value] : spec_.settings) settings[key] = value;
  if (Status s = WriteFile(config_file_, ToYaml(settings)); !s.ok()) return s;
  std::error_code error;
  std::filesystem::remove(port_file_, error);  // one of an earlier run would look like readiness

  ProcessSpec spec;
  spec.name = spec_.instance;
  spec.argv = {spec_.binary, "--config", config_file_};
  spec.log_file = log_file_;
  Result<std::unique_ptr<ChildProcess>> process = ChildProcess::Spawn(spec);
  if (!process.ok()) return process.error();
  process_ = std::move(*process);
  return {};
}

bool ServiceProcess::Serving() { return HealthServing(address(), spec_.ca_file, spec_.identity); }

Status ServiceProcess::WaitServing(Duration timeout) {
  const SteadyTime deadline = std::chrono::steady_clock::now() + timeout;
  std::error_code error;
  while (std::chrono::steady_clock::now() < deadline && process_->running()) {
    if (!std::filesystem::exists(port_file_, error)) {
      std::this_thread::sleep_for(kPortFilePause);
    } else if (Serving()) {
      return {};
    } else {
      std::this_thread::sleep_for(kHealthPause);
    }
  }
  const std::optional<ExitStatus> ended = process_->Wait(Duration(0));
  const std::string why = ended ? "ended with " + ended->ToString()
                                : "was not serving within " + FormatElapsed(timeout);
  return UnavailableError(spec_.instance + " " + why + "; the end of " + log_file_ + ":\n" +
                          TailOf(log_file_, 15));
}

void ServiceProcess::Stop(Duration grace) { process_->Stop(grace); }

void ServiceProcess::Kill() { process_->Kill(); }

}  // namespace liveops::stack
