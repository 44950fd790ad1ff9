#include "services/notifier/app.h"

#include "common/config/config.h"
#include "common/rpc/server.h"
#include "common/runtime/metrics_endpoint.h"
#include "common/runtime/process.h"
#include "common/runtime/topics.h"
#include "common/telemetry/log.h"
#include "services/notifier/service/rpc_service.h"
#include "services/notifier/service/service.h"
#include "services/notifier/service/settings.h"

namespace liveops::notifier {
namespace {

constexpr Duration kTopicsTimeout(5'000);

}  // namespace

Result<AppConfig> ReadConfig(const std::string& path) {
  auto reader = config::Reader::Open(path);
  if (!reader.ok()) return reader.error();
  AppConfig config;
  config.common = runtime::ReadCommonConfig(*reader, "notifier");
  config.settings = ReadSettings(*reader);
  if (Status s = reader->Finish(); !s.ok()) return s.error();
  return config;
}

Status Run(const AppConfig& config, runtime::StopSignal& stop) {
  const runtime::CommonConfig& common = config.common;
  RpcService rpc_service(common.instance, 1);
  auto server = rpc::Server::Start(common.grpc, rpc_service.services());
  if (!server.ok()) return server.error();
  (*server)->SetServing(false);
  auto endpoint = runtime::MetricsEndpoint::Start(common, rpc_service.describe());
  if (!endpoint.ok()) return endpoint.error();
  runtime::CleanupStack cleanup;
  cleanup.Push("metrics", [&] {
    if (*endpoint) (*endpoint)->Stop();
  });
  cleanup.Push("grpc", [&] { (*server)->Stop(Duration(1000)); });

  TimeMap time_map;
  const Status established = runtime::RetryUntilStop(stop, "Kafka", [&]() -> Status {
    auto result = runtime::EstablishTopics(common.kafka, common.topics, kTopicsTimeout);
    if (!result.ok()) return result.error();
    time_map = *result;
    return {};
  });
  if (!established.ok()) return established.error();

  NotifierService service(common, config.settings, time_map);
  if (Status s = service.Start(); !s.ok()) return s.error();
  // Run before `service` goes out of scope: explicitly, below.
  cleanup.Push("notifier", [&] { service.Stop(); });
  rpc_service.SetBackend(&service, time_map.speed);
  cleanup.Push("handlers", [&] { rpc_service.SetBackend(nullptr, time_map.speed); });

  while (!stop.requested() && !service.ready()) stop.WaitFor(Duration(20));
  if (!stop.requested()) {
    (*server)->SetServing(true);
    const int metrics_port = runtime::PortOf(*endpoint);
    if (Status s = runtime::WritePortFile(common.port_file, {.grpc = (*server)->port(),
                                                             .grpc_plain = (*server)->plain_port(),
                                                             .metrics = metrics_port});
        !s.ok()) {
      cleanup.RunAll();
      return s;
    }
    log::Info("ready", {{"port", (*server)->port()}, {"metrics_port", metrics_port}});
  }
  while (!stop.WaitFor(Duration(60'000))) continue;
  log::Info("stopping");
  (*server)->SetServing(false);
  cleanup.RunAll();
  return {};
}

}  // namespace liveops::notifier
