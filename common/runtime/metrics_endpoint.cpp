#include "common/runtime/metrics_endpoint.h"

#include <algorithm>
#include <string>

#include "common/base/host_port.h"
#include "common/rpc/certificate_names.h"
#include "common/telemetry/log.h"

namespace liveops::runtime {
namespace {

constexpr int kThreads = 4;  // of which each scraper holds one
constexpr std::size_t kBodyBytesMax = 1024;

bool IsLoopback(const std::string& address) {
  const Result<HostPort> at = ParseHostPort(address);
  return at.ok() && (at->host == "localhost" || at->host == "::1" || at->host.starts_with("127."));
}

http::Reply Text(int status, const char* why) {
  return {status, "text/plain; charset=utf-8", std::string(why) + "\n", {}};
}

}  // namespace

void FillStatus(const Describe& describe, v1::GetStatusResponse& out) {
  metrics::List list;
  describe(out, list);
  for (const auto& [name, value] : list.ForStatus()) (*out.mutable_counters())[name] = value;
}

metrics::List ListOf(const v1::GetStatusResponse& status) {
  metrics::List out;
  const auto flag = [&](const char* name, const char* help, bool value) {
    out.Gauge(name, help, value ? 1 : 0);
  };
  out.Gauge("build_info", "1, with the build's version and which service it is.", 1, "",
            {{"service", status.service()}, {"version", status.version()}});
  flag("ready", "1 while the service serves and has caught up.", status.ready());
  flag("kafka_connected", "1 while a broker answers.", status.kafka_connected());
  flag("redis_connected", "1 while Redis answers, and where none is used.",
       status.redis_connected());
  out.Gauge("uptime_seconds", "Since the process started, by its monotonic clock.",
            static_cast<double>(status.uptime_ms()) / 1000);
  for (const v1::PartitionStatus& p : status.partitions()) {
    const metrics::Labels labels = {{"topic", p.topic()},
                                    {"partition", std::to_string(p.partition())}};
    out.Gauge("partition_owned", "1 while this instance owns the partition.", p.owned() ? 1 : 0, "",
              labels);
    if (!p.owned() || p.position() < 0) continue;
    out.Gauge("partition_lag_records",
              "Records of an owned partition that are not read yet, as the last fetch told.",
              static_cast<double>(std::max<std::int64_t>(0, p.end_offset() - p.position())), "",
              labels);
  }
  return out;
}

Result<std::unique_ptr<MetricsEndpoint>> MetricsEndpoint::Start(const CommonConfig& config,
                                                                Describe describe) {
  std::unique_ptr<MetricsEndpoint> endpoint;
  if (config.metrics_address.empty()) return endpoint;
  endpoint.reset(new MetricsEndpoint(std::move(describe)));
  const bool plain = IsLoopback(config.metrics_address);
  http::ServerConfig http;
  (plain ? http.plain_address : http.address) = config.metrics_address;
  http.ca = config.grpc.tls.ca;
  http.cert = config.grpc.tls.cert;
  http.key = config.grpc.tls.key;
  http.threads = kThreads;
  http.body_bytes_max = kBodyBytesMax;
  auto server = http::Server::Start(
      http, {{"GET /metrics", [self = endpoint.get(), plain](const http::Call& call) {
                return self->Answer(call, plain);
              }}});
  if (!server) return server.error();
  endpoint->server_ = *std::move(server);
  return endpoint;
}

http::Reply MetricsEndpoint::Answer(const http::Call& call, bool plain) const {
  if (!plain) {
    const rpc::Peer peer = rpc::PeerOfNames(call.caller.common_name, call.caller.uris);
    if (!call.caller.verified || !rpc::Grants(peer.roles, rpc::Role::kViewer)) {
      log::Warn("call_denied", {{"peer", peer.name}, {"role_wanted", "viewer"}});
      return Text(403, "this certificate lacks the role for it: viewer");
    }
  }
  v1::GetStatusResponse status;
  metrics::List own;
  describe_(status, own);
  const metrics::List lists[] = {ListOf(status), std::move(own)};
  return {200, metrics::kTextType, metrics::ToText(lists), {}};
}

}  // namespace liveops::runtime
