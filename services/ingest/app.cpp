#include "services/ingest/app.h"

#include <atomic>
#include <chrono>

#include "common/base/spread.h"
#include "common/config/config.h"
#include "common/kafka/kafka.h"
#include "common/rpc/server.h"
#include "common/runtime/metrics_endpoint.h"
#include "common/runtime/service_main.h"
#include "common/runtime/topics.h"
#include "common/telemetry/log.h"
#include "liveops/v1/status.pb.h"
#include "services/ingest/service/grpc_services.h"
#include "services/ingest/service/http_front.h"
#include "services/ingest/service/http_routes.h"
#include "services/ingest/service/plan_follower.h"
#include "services/ingest/service/rate_settings.h"
#include "services/ingest/service/self_watch.h"
#include "services/ingest/service/statsd_listener.h"
#include "services/ingest/service/ticker.h"

namespace liveops::ingest {
namespace {

// A sender is told within 2 s that Kafka is away, also when the broker holds its connections and
// does not answer: librdkafka looks for timed-out records once a second, and a busy host is late.
constexpr Duration kMessageTimeout(700);
constexpr Duration kTopicsTimeout(5000);
constexpr Duration kFlushTimeout(2000);
constexpr Duration kStopGrace(1000);
constexpr Duration kSelfWatchShortest(1000);
// Points that lie ahead must still lie before a change of the spread that is not read yet; the rest
// of the lead is for what is on its way, and for clocks.
constexpr Duration kFutureMax = kSpreadLead - kPlansReadWithin - Duration(30'000);
// So that a line fits into a record, with its attributes and those of what wrote it.
constexpr std::size_t kLogMessageMax = 256u << 10;
constexpr std::size_t kLogAttributesMax = 128;
// Nobody waits for a plan that is read half a second later.
constexpr kafka::Gather kPlansGather{Duration(500), 1 << 20};

std::size_t Size(config::Reader& reader, const char* key, std::size_t fallback) {
  const std::int64_t value = reader.Integer(key, static_cast<std::int64_t>(fallback));
  if (value < 1) reader.Problem(key, "must be at least 1");
  return static_cast<std::size_t>(std::max<std::int64_t>(value, 1));
}

// What becomes of the status of a running instance.
void DescribeNow(const Core& core, const SpanIntake& spans, const LogIntake& logs,
                 SteadyTime started, bool ready, v1::GetStatusResponse* out, metrics::List& list) {
  out->set_service("ingest");
  out->set_instance(core.settings().instance);
  out->set_version(runtime::Version());
  const auto up = std::chrono::duration_cast<Duration>(std::chrono::steady_clock::now() - started);
  out->set_uptime_ms(up.count());
  out->set_ready(ready && core.accepting());
  const bool connected = core.connected();
  if (!connected) {
    out->set_detail("Kafka is out of reach: samples are refused, senders are told to try again");
  } else if (ready && !core.knows_spreads()) {
    out->set_detail(
        "the plans are out of reach: samples are refused, senders are told to try again");
  } else if (!out->ready()) {
    out->set_detail(ready ? "stopping"
                          : "starting: waits for Kafka's topics, the brokers' time and the plans");
  }
  out->set_kafka_connected(connected);
  out->set_redis_connected(true);  // none is used
  out->set_domain_speed(core.domain_speed());
  core.AddMetrics(list);
  core.AddEmitterMetrics(list);
  spans.AddMetrics(list);
  logs.AddMetrics(list);
}

}  // namespace

Result<AppConfig> ReadConfig(const std::string& path) {
  Result<config::Reader> opened = config::Reader::Open(path);
  if (!opened) return opened.error();
  config::Reader& reader = *opened;
  AppConfig out;
  out.common = runtime::ReadCommonConfig(reader, "ingest");
  Settings& settings = out.settings;
  settings.instance = out.common.instance;
  settings.partitions = out.common.topics.partitions;
  admit::Limits& limits = settings.limits;
  limits.labels_per_series = Size(reader, "limits.labels_per_series", limits.labels_per_series);
  limits.label_name_bytes = Size(reader, "limits.label_name_bytes", limits.label_name_bytes);
  limits.label_value_bytes = Size(reader, "limits.label_value_bytes", limits.label_value_bytes);
  limits.series_per_batch = Size(reader, "limits.series_per_batch", limits.series_per_batch);
  limits.series_per_stream = Size(reader, "limits.series_per_stream", limits.series_per_stream);
  limits.series_per_service = Size(reader, "limits.series_per_service", limits.series_per_service);
  limits.series_in_all = Size(reader, "limits.series_in_all", limits.series_in_all);
  settings.series_bytes_max = Size(reader, "limits.stream_series_bytes", settings.series_bytes_max);
  limits.points_per_batch = Size(reader, "limits.points_per_batch", limits.points_per_batch);
  limits.histogram_buckets = Size(reader, "limits.histogram_buckets", limits.histogram_buckets);
  limits.future = reader.Time("limits.future", limits.future);
  if (limits.future > kFutureMax) {
    reader.Problem("limits.future", "must be at most " + FormatDuration(kFutureMax) +
                                        ": a later point could belong to a spread of its service "
                                        "that this ingest has not read of yet");
  }
  limits.past = reader.Time("limits.past", limits.past);
  settings.rates = ReadRateLimits(reader);
  out.self_watch_every = reader.Time("self_watch.every", out.self_watch_every);
  if (out.self_watch_every < kSelfWatchShortest) {
    reader.Problem("self_watch.every", "must be at least " + FormatDuration(kSelfWatchShortest));
  }
  settings.record_bytes_max = Size(reader, "limits.record_bytes", settings.record_bytes_max);
  settings.in_flight_bytes_max =
      Size(reader, "limits.in_flight_bytes", settings.in_flight_bytes_max);
  out.logs.in_flight_bytes_max =
      Size(reader, "limits.log_in_flight_bytes", out.logs.in_flight_bytes_max);
  admit::LogLimits& lines = out.logs.limits;
  lines.message_bytes = Size(reader, "limits.log_message_bytes", lines.message_bytes);
  if (lines.message_bytes > kLogMessageMax) {
    reader.Problem("limits.log_message_bytes",
                   "must be at most " + std::to_string(kLogMessageMax) + ": a line is one record");
  }
  lines.attributes = Size(reader, "limits.log_attributes", lines.attributes);
  if (lines.attributes > kLogAttributesMax) {
    reader.Problem("limits.log_attributes", "must be at most " + std::to_string(kLogAttributesMax));
  }
  out.common.grpc.message_bytes_max =
      Size(reader, "limits.message_bytes", out.common.grpc.message_bytes_max);
  out.common.grpc.connections_max = static_cast<int>(Size(
      reader, "limits.connections", static_cast<std::size_t>(out.common.grpc.connections_max)));
  out.statsd = ReadStatsdSettings(reader);
  out.http = ReadHttpSettings(reader);
  out.http.message_bytes_max = out.common.grpc.message_bytes_max;
  if (const Status s = reader.Finish(); !s) return s.error();
  return out;
}

Status Run(const AppConfig& config, runtime::StopSignal& stop) {
  const SteadyTime started = std::chrono::steady_clock::now();
  Settings settings = config.settings;
  settings.session = runtime::NewSession();
  kafka::Producer::Options options;
  options.message_timeout = kMessageTimeout;
  options.queue_bytes_max =
      settings.in_flight_bytes_max + (2u << 20);  // ticks find room when requests do not
  auto created = kafka::Producer::Create(config.common.kafka, options);
  if (!created) return created.error();
  std::unique_ptr<kafka::Producer> producer = *std::move(created);
  // Of its own: what lies before a sample on the way to the broker is never a storm of log lines.
  kafka::Producer::Options log_options;
  log_options.message_timeout = kMessageTimeout;
  log_options.queue_bytes_max = config.logs.in_flight_bytes_max + (2u << 20);
  auto created_logs = kafka::Producer::Create(config.common.kafka, log_options);
  if (!created_logs) return created_logs.error();
  std::unique_ptr<kafka::Producer> log_producer = *std::move(created_logs);
  auto plans = kafka::AssignedConsumer::Create(config.common.kafka, kPlansGather);
  if (!plans) return plans.error();

  std::atomic<bool> ready = false;
  Core core(settings, *producer);
  core.exemplars().WriteTo(
      {log_producer.get(), settings.instance, settings.session, settings.partitions});
  SpanIntake spans(core);
  LogRules log_rules;
  LogCounts log_counts(core, log_rules);
  LogIntake logs(config.logs, core, *log_producer, log_rules, log_counts);
  Ticker ticker(core, [&](SteadyTime now, bool goodbye) {
    log_counts.Flush(now, goodbye);
    core.exemplars().Flush(now, core.map());
  });
  PlanFollower follower(*std::move(plans), core.spreads(), log_rules);
  SelfWatch self_watch(core, runtime::NewSession(), started);
  std::unique_ptr<StatsdListener> statsd;
  if (config.statsd.enabled()) {
    auto listening = StatsdListener::Start(core, config.statsd);
    if (!listening) return listening.error();
    statsd = *std::move(listening);
  }
  const runtime::Describe describe = [&](v1::GetStatusResponse& out, metrics::List& list) {
    DescribeNow(core, spans, logs, started, ready, &out, list);
    if (statsd) statsd->AddMetrics(list);
  };
  const auto services =
      GrpcServices::Make(core, spans, logs, config.common.grpc.message_bytes_max,
                         [&](v1::GetStatusResponse* out) { runtime::FillStatus(describe, *out); });
  auto served = rpc::Server::Start(config.common.grpc, services->all(), services->for_emitters());
  if (!served) return served.error();
  const std::unique_ptr<rpc::Server> server = *std::move(served);

  std::unique_ptr<HttpFront> front;
  if (config.http.enabled()) {
    auto started_front = HttpFront::Start(
        MakeHttpRoutes(core, spans, logs, config.http), config.http, config.common.grpc.tls,
        [&](const std::string& name) { return core.RetryAfter(name); },
        [&](int status) { core.CountDeniedCall(status); });
    if (!started_front) return started_front.error();
    front = *std::move(started_front);
  }

  auto started_endpoint = runtime::MetricsEndpoint::Start(config.common, describe);
  if (!started_endpoint) return started_endpoint.error();
  const std::unique_ptr<runtime::MetricsEndpoint> endpoint = *std::move(started_endpoint);

  // Last in, first out: refuse what is new, let what is on its way land, close, say goodbye. The
  // goodbye comes when nobody can be refused any more: it is the last word on what is missing.
  runtime::CleanupStack cleanup;
  cleanup.Push("producers", [&] {
    log_producer.reset();
    producer.reset();
  });  // their last callbacks need the core and the server's calls
  cleanup.Push("plan follower", [&] { follower.Stop(); });
  cleanup.Push("ticker", [&] {
    ticker.Stop();
    if (ready) ticker.Leave();
    producer->Flush(kFlushTimeout);
  });
  cleanup.Push("metrics", [&] {
    if (endpoint) endpoint->Stop();
  });
  cleanup.Push("server", [&] { server->Stop(kStopGrace); });
  cleanup.Push("http", [&] {
    if (front) front->Stop();
  });
  cleanup.Push("requests", [&] {
    if (statsd) statsd->Stop();
    server->SetServing(false);
    core.Close();
    log_producer->Flush(kFlushTimeout);
    producer->Flush(kFlushTimeout);
  });

  log::Info("starting", {{"brokers", config.common.kafka.brokers}});
  TimeMap map;
  const Status established = runtime::RetryUntilStop(stop, "Kafka", [&]() -> Status {
    const auto found =
        runtime::EstablishTopics(config.common.kafka, config.common.topics, kTopicsTimeout);
    if (!found) return found.error();
    map = *found;
    return {};
  });
  if (!established) return stop.requested() ? Status() : established;
  core.Open(map);
  follower.Start();
  ticker.Start();
  while (!core.accepting()) {  // until the first tick is acknowledged and the plans are read
    if (stop.WaitFor(Duration(20))) return {};
  }
  ready = true;
  server->SetServing(true);
  const runtime::Ports ports{server->port(), server->plain_port(), front ? front->port() : 0,
                             front ? front->plain_port() : 0, runtime::PortOf(endpoint)};
  if (const Status s = runtime::WritePortFile(config.common.port_file, ports); !s) return s;
  log::Info("ready", {{"port", ports.grpc},
                      {"plain_port", ports.grpc_plain},
                      {"http_port", ports.http},
                      {"http_plain_port", ports.http_plain},
                      {"metrics_port", ports.metrics},
                      {"statsd_port", statsd ? statsd->port() : 0},
                      {"session", std::to_string(settings.session)},
                      {"domain_speed", map.speed}});
  while (!stop.WaitFor(config.self_watch_every)) {
    self_watch.Report(std::chrono::steady_clock::now());
  }
  log::Info("stopping");
  return {};
}

}  // namespace liveops::ingest
