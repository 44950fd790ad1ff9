#include "services/remediation/app.h"

#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "common/config/config.h"
#include "common/kafka/kafka.h"
#include "common/rpc/server.h"
#include "common/runtime/metrics_endpoint.h"
#include "common/runtime/service_main.h"
#include "common/telemetry/log.h"
#include "services/remediation/action/kubectl/command.h"
#include "services/remediation/service/keeper.h"
#include "services/remediation/service/log_reader.h"
#include "services/remediation/service/membership.h"
#include "services/remediation/service/rpc_services.h"
#include "services/remediation/service/worker.h"

namespace liveops::remediation {
namespace {

constexpr Duration kTopicsTimeout{5'000};
constexpr Duration kDrain{5'000};  // for a running action when the service is told to stop
constexpr Duration kFlush{3'000};
constexpr Duration kLeaseMin{2'000};

// Children run in "/": a path relative to the service's own folder would not be found there.
std::string Absolute(const std::string& path) {
  return path.empty() ? path : std::filesystem::absolute(path).lexically_normal().string();
}

}  // namespace

Result<AppConfig> ReadConfig(const std::string& path) {
  Result<config::Reader> opened = config::Reader::Open(path);
  if (!opened.ok()) return opened.error();
  config::Reader& reader = *opened;
  AppConfig c;
  c.common = runtime::ReadCommonConfig(reader, "remediation");
  c.kubectl.path = Absolute(reader.String("kubectl.path", "/usr/bin/kubectl"));
  if (::access(c.kubectl.path.c_str(), X_OK) != 0) {
    reader.Problem("kubectl.path", c.kubectl.path + " is not an executable file");
  }
  c.kubectl.kubeconfig = Absolute(reader.String("kubectl.kubeconfig"));
  c.kubectl.ns = reader.String("kubectl.namespace", "default");
  if (!IsNamespaceName(c.kubectl.ns)) {
    reader.Problem("kubectl.namespace", "\"" + c.kubectl.ns + "\" is not a namespace's name");
  }
  c.kubectl.timeout = reader.Time("kubectl.timeout", Duration(30'000));
  if (c.kubectl.timeout < Duration(100) || c.kubectl.timeout > Duration(600'000)) {
    reader.Problem("kubectl.timeout", "must be between 100ms and 10min");
  }
  c.guardrails.cooldown = reader.Time("guardrails.cooldown", c.guardrails.cooldown);
  c.guardrails.actions_per_hour = static_cast<int>(
      reader.Integer("guardrails.actions_per_hour", c.guardrails.actions_per_hour));
  if (c.guardrails.actions_per_hour < 1) {
    reader.Problem("guardrails.actions_per_hour", "must be at least 1");
  }
  if (Status finished = reader.Finish(); !finished.ok()) return finished.error();
  return c;
}

Status Run(const AppConfig& config, runtime::StopSignal& stop) {
  const runtime::CommonConfig& common = config.common;
  // Its health says NOT_SERVING until everything stands: who watches sees a start that waits.
  RpcServices services(common.instance, runtime::Version());
  Result<std::unique_ptr<rpc::Server>> server =
      rpc::Server::Start(common.grpc, services.services());
  if (!server.ok()) return server.error();
  auto endpoint = runtime::MetricsEndpoint::Start(common, services.describe());
  if (!endpoint.ok()) return endpoint.error();
  const auto stop_server = [&] {
    (*server)->Stop(Duration(2'000));
    if (*endpoint) (*endpoint)->Stop();
  };
  runtime::CleanupStack cleanup;
  // What is cleaned up is declared below, so it must happen before this function is left.
  const auto fail = [&](const Error& error) -> Status {
    stop_server();
    cleanup.RunAll();
    return error;
  };

  TimeMap time_map;
  const Status established = runtime::RetryUntilStop(stop, "kafka", [&]() -> Status {
    Result<TimeMap> map = runtime::EstablishTopics(common.kafka, common.topics, kTopicsTimeout);
    if (!map.ok()) return map.error();
    time_map = *map;
    return {};
  });
  if (stop.requested()) return {};
  if (!established.ok()) return established;

  Result<std::unique_ptr<kafka::Producer>> producer = kafka::Producer::Create(common.kafka);
  if (!producer.ok()) return producer.error();
  runtime::Writer writer(common.instance, runtime::NewSession());
  std::atomic<bool> cancel{false};
  const std::unique_ptr<Tool> tool = NewKubectl(config.kubectl, &cancel);

  KeeperOptions options;
  options.partitions = common.topics.partitions;
  options.ns = config.kubectl.ns;
  options.guardrails = config.guardrails;
  options.run_timeout = config.kubectl.timeout;
  // A successor waits out lease and time-out together: a short time-out asks for a short lease.
  options.lease = std::clamp(config.kubectl.timeout, kLeaseMin, options.lease);
  Worker worker;
  Keeper keeper(options, time_map, writer, **producer, *tool, worker);
  cleanup.Push("producer", [&] { (*producer)->Flush(kFlush); });

  Result<std::unique_ptr<LogReader>> reader =
      LogReader::Start(common.kafka, common.topics.partitions, keeper);
  if (!reader.ok()) return fail(reader.error());
  cleanup.Push("log reader", [&] { (*reader)->Stop(); });

  Result<std::unique_ptr<Membership>> membership =
      Membership::Start(common.kafka, common.instance, **producer, keeper);
  if (!membership.ok()) return fail(membership.error());
  cleanup.Push("membership", [&] { (*membership)->Stop(); });

  // Before the partitions are given up: what runs may end and be recorded; what does not is left to
  // the successor.
  cleanup.Push("worker", [&] {
    keeper.Stop();
    if (!worker.Drain(kDrain)) {
      keeper.Abandon();
      cancel = true;
    }
    worker.Join();
  });

  const auto ready = [&] { return keeper.caught_up() && (*membership)->joined(); };
  StatusSources sources;
  sources.domain_speed = time_map.speed;
  sources.ready = ready;
  sources.detail = [&]() -> std::string {
    if (!keeper.caught_up()) return "reading the logs";
    return (*membership)->joined() ? "" : "waiting for partitions";
  };
  sources.kafka_connected = [&] { return (*producer)->connected() && (*reader)->connected(); };
  sources.ends = [&] { return (*reader)->Ends(); };
  services.Open(keeper, std::move(sources));
  cleanup.Push("grpc server", stop_server);

  bool serving = false;
  while (!stop.WaitFor(Duration(serving ? 1'000 : 50))) {
    if (!serving && ready()) {
      serving = true;
      (*server)->SetServing(true);
      const int metrics_port = runtime::PortOf(*endpoint);
      if (Status written =
              runtime::WritePortFile(common.port_file, {.grpc = (*server)->port(),
                                                        .grpc_plain = (*server)->plain_port(),
                                                        .metrics = metrics_port});
          !written.ok()) {
        return fail(written.error());
      }
      log::Info("ready", {{"port", (*server)->port()}, {"metrics_port", metrics_port}});
    }
  }
  (*server)->SetServing(false);
  cleanup.RunAll();
  return {};
}

}  // namespace liveops::remediation
