// What an operator leans on: metrics, limits, LiveOps' watch over itself, and the example emitter.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <gtest/gtest.h>
#include <httplib.h>

#include <chrono>
#include <cstdio>
#include <functional>
#include <nlohmann/json.hpp>
#include <thread>

#include "common/base/labels.h"
#include "common/runtime/process.h"
#include "deploy/local/stack/ports.h"
#include "integration-tests/outages/ground.h"
#include "liveops/v1/ingest.grpc.pb.h"

namespace liveops {
namespace {

using outages::Await;
using outages::Ground;
using stack::Service;
using testing::HasSubstr;

constexpr Duration kWithin{45'000};
constexpr int kSeriesMax = 400;
constexpr int kUnavailable = 14;

class Operation : public Ground {
 public:
  static void SetUpTestSuite() {
    const auto ports = stack::FreePorts(1);
    ASSERT_TRUE(ports.ok());
    statsd_port_ = (*ports)[0];
    stack::StackOptions options;
    options.settings[Service::kIngest] = {
        {"limits.series_per_service", std::to_string(kSeriesMax)},
        {"limits.points_per_second_of", "{operator-1: 10}"},
        {"limits.burst", "1s"},
        {"self_watch.every", "1s"},
        {"statsd.address", "127.0.0.1:" + std::to_string(statsd_port_)},
        {"statsd.service", "statsd-shop"},
        {"statsd.flush_every", "1s"},
    };
    SetUpOn(std::move(options));
    if (HasFatalFailure()) return;
    const auto applied = Stack().Ctl(
        "operator-1", {"plan", "apply", LIVEOPS_SOURCE_DIR "/deploy/plans/liveops.yaml"});
    ASSERT_TRUE(applied.ok()) << applied.error().message;
    ASSERT_TRUE(applied->status.clean()) << applied->out << applied->err;
  }

 protected:
  // The text of /metrics.
  static std::string MetricsOf(Service service) {
    httplib::Client client("http://" + Stack().service(service).metrics_address());
    const auto answer = client.Get("/metrics");
    EXPECT_TRUE(answer && answer->status == 200) << stack::ServiceName(service);
    return answer ? answer->body : "";
  }
  static bool MetricsHave(const std::string& line) {
    return MetricsOf(Service::kIngest).find(line) != std::string::npos;
  }
  static Status EachPoint(const std::string& service,
                          const std::function<void(const std::string&, double)>& each) {
    return ReadLog(service, [&](const v1::ShardRecord& record) {
      const v1::MetricBatch& batch = record.batch();
      for (int i = 0; i < batch.point_value_size(); ++i) {
        const auto& series = batch.series(static_cast<int>(batch.point_series(i)));
        each(batch.strings(static_cast<int>(series.metric())), batch.point_value(i));
      }
    });
  }
  // Gauges of one name, each a series of its own.
  static v1::WriteRequest Gauges(const std::string& service, std::uint64_t sequence, int series) {
    static const std::uint64_t session = runtime::NewSession();
    v1::WriteRequest request;
    request.mutable_source()->set_emitter("operation");
    request.mutable_source()->set_session(session);
    request.mutable_source()->set_sequence(sequence);
    v1::MetricBatch& batch = *request.mutable_batch();
    batch.set_service(service);
    batch.set_base_time_ms(ToMs(WallClockNow()));
    batch.add_strings("queue_length");
    for (int i = 0; i < series; ++i) {
      v1::SeriesEntry& entry = *batch.add_series();
      entry.set_kind(v1::SERIES_KIND_GAUGE);
      entry.set_labels(Labels({{"user", std::to_string(i)}}).Encode());
      batch.add_point_series(static_cast<std::uint32_t>(i));
      batch.add_point_time_delta_ms(0);
      batch.add_point_value(1);
    }
    // The index of a unit that is not declared.
    batch.add_strings("");
    for (v1::SeriesEntry& entry : *batch.mutable_series()) entry.set_unit(1);
    return request;
  }
  static inline int statsd_port_ = 0;
};

// Debian's own tool has nothing to say against what each service tells, and Debian's Prometheus
// scrapes all four, by the configuration that docs/monitoring.md shows.
TEST_F(Operation, PrometheusScrapesAllFourServices) {
  const auto emitter = Emit("scraped", "a", 1);
  std::string targets;
  for (const Service service : stack::kServices) {
    const std::string file = Stack().Path(std::string(stack::ServiceName(service)) + ".metrics");
    ASSERT_TRUE(stack::WriteFile(file, MetricsOf(service)).ok());
    stack::ProcessSpec tool;
    tool.name = "promtool";
    tool.argv = {"sh", "-c", "promtool check metrics < \"$0\"", file};
    const auto checked = stack::RunToEnd(tool, Duration(20'000));
    ASSERT_TRUE(checked.ok()) << checked.error().message;
    EXPECT_TRUE(checked->status.clean()) << file << "\n" << checked->out << checked->err;
    EXPECT_EQ(checked->out + checked->err, "") << file;
    targets +=
        (targets.empty() ? "\"" : ", \"") + Stack().service(service).metrics_address() + "\"";
  }
  const auto ports = stack::FreePorts(1);
  ASSERT_TRUE(ports.ok());
  const std::string config = Stack().Path("prometheus.yml");
  ASSERT_TRUE(stack::WriteFile(config, fmt::format(R"(scrape_configs:
  - job_name: liveops
    scrape_interval: 1s
    static_configs: [{{targets: [{}]}}]
)",
                                                   targets))
                  .ok());
  stack::ProcessSpec spec;
  spec.name = "prometheus";
  spec.argv = {"prometheus", "--config.file=" + config,
               "--storage.tsdb.path=" + Stack().Path("prometheus"),
               fmt::format("--web.listen-address=127.0.0.1:{}", (*ports)[0])};
  spec.log_file = Stack().Path("prometheus.log");
  auto prometheus = stack::ChildProcess::Spawn(spec);
  ASSERT_TRUE(prometheus.ok()) << prometheus.error().message;
  httplib::Client api("127.0.0.1", (*ports)[0]);
  std::string last;
  const auto value = [&](const std::string& query) {
    const auto answer =
        api.Get(("/api/v1/query?query=" + httplib::detail::encode_query_param(query)).c_str());
    last = query + ": " + (answer ? answer->body : "no answer");
    if (!answer) return -1.0;
    const auto json = nlohmann::json::parse(answer->body, nullptr, false);
    if (json.is_discarded() || !json.contains("data")) return -1.0;
    const auto& result = json["data"]["result"];
    return result.empty() ? -1.0 : std::stod(result[0]["value"][1].get<std::string>());
  };
  EXPECT_TRUE(Await(kWithin, [&] { return value("sum(up)") == 4; })) << last;
  EXPECT_TRUE(Await(kWithin, [&] { return value("sum(liveops_ready)") == 4; })) << last;
  EXPECT_TRUE(Await(kWithin, [&] { return value("liveops_ingest_points_accepted_total") > 5; }))
      << last;
  EXPECT_TRUE(Await(kWithin, [&] {
    return value("liveops_ingest_emitter_points_accepted_total{emitter=\"outages\"}") > 5 ||
           value("sum(liveops_ingest_emitter_points_accepted_total)") > 5;
  })) << last;
  EXPECT_TRUE(Await(kWithin, [&] {
    return value(
               "histogram_quantile(0.5, sum(rate("
               "liveops_ingest_kafka_ack_seconds_bucket[10s])) by (le))") > 0;
  })) << last;
  EXPECT_TRUE(Await(kWithin, [&] {
    return value("sum(rate(liveops_evaluation_shard_points_total[10s]))") > 0;
  })) << last;
  EXPECT_EQ(value("count(count by (partition) (liveops_partition_owned{"
                  "topic=\"liveops.metrics.v1\"} == 1))"),
            Stack().options().partitions)
      << last;
}

// One list feeds both: what GetStatus shows stands in /metrics.
TEST_F(Operation, StatusAndMetricsSayTheSame) {
  const auto status = Stack().Ctl("viewer-1", {"--json", "status", "--only", "ingest"});
  ASSERT_TRUE(status.ok());
  EXPECT_THAT(status->out, HasSubstr("accepted_points"));
  EXPECT_TRUE(MetricsHave("# TYPE liveops_ingest_points_accepted_total counter"));
  EXPECT_TRUE(MetricsHave("liveops_ingest_points_rejected_total{reason=\"future\"} 0"));
}

// Newcomers are refused, the answer says so, a counter does, and LiveOps' own plan pages with the
// name of the service.
TEST_F(Operation, ASeriesExplosionPagesAndNamesTheService) {
  const std::string service = "exploding";
  const auto stub = v1::Ingest::NewStub(rpc::Connect(Stack().plain_ingest(), {}));
  std::uint64_t refused = 0;
  std::string example;
  for (std::uint64_t sequence = 1; sequence <= 3; ++sequence) {
    grpc::ClientContext context;
    v1::WriteResponse response;
    const grpc::Status status =
        stub->Write(&context, Gauges(service, sequence, 3 * kSeriesMax), &response);
    ASSERT_TRUE(status.ok()) << status.error_message();
    EXPECT_EQ(response.accepted_points(), static_cast<std::uint64_t>(kSeriesMax));
    ASSERT_EQ(response.rejections_size(), 1);
    EXPECT_EQ(response.rejections(0).reason(), "too_many_series");
    refused += response.rejections(0).points();
    example = response.rejections(0).example();
  }
  EXPECT_EQ(refused, 3u * 2 * kSeriesMax);
  EXPECT_THAT(example, HasSubstr("it is new, and the service has 400 series"));
  EXPECT_TRUE(MetricsHave(
      fmt::format("liveops_ingest_newcomer_points_refused_total{{target_service=\"{}\"}} {}\n",
                  service, refused)));
  EXPECT_TRUE(Await(kWithin, [&] { return ToldOf(service).opened == 1; })) << ToldOf("liveops").all;
  EXPECT_THAT(ToldOf(service).all, HasSubstr("newcomers-refused"));
  EXPECT_GE(ToldOf(service).slack, 1);
  // It does not feed itself: seconds later nothing more has been refused.
  std::this_thread::sleep_for(Duration(5'000));
  EXPECT_TRUE(MetricsHave(
      fmt::format("liveops_ingest_newcomer_points_refused_total{{target_service=\"{}\"}} {}\n",
                  service, refused)));
  EXPECT_EQ(ToldOf("newcomers-refused").opened, 1) << ToldOf("newcomers-refused").all;
}

// operator-1 may send 10 points a second. Over it, it is told when to come again; others are not
// touched.
TEST_F(Operation, AnEmitterOverItsRateIsToldWhenToComeAgainAndAlone) {
  const std::string service = "limited";
  const auto other = Emit("unlimited", "a", 1);
  const auto stub = v1::Ingest::NewStub(
      rpc::Connect(Stack().service(Service::kIngest).address(), Tls("operator-1")));
  const auto write = [&](std::uint64_t sequence) {
    grpc::ClientContext context;
    v1::WriteResponse response;
    return stub->Write(&context, Gauges(service, sequence, 30), &response);
  };
  ASSERT_TRUE(write(101).ok()) << "a full bucket lets it in, and it leaves a debt of 20 points";
  const grpc::Status refused = write(102);
  EXPECT_EQ(refused.error_code(), kUnavailable);
  EXPECT_THAT(refused.error_message(),
              HasSubstr("\"operator-1\" sends more than 10 points a second; again in "));
  EXPECT_THAT(refused.error_details(), HasSubstr("google.rpc.RetryInfo"));
  EXPECT_TRUE(MetricsHave("liveops_ingest_requests_over_rate_total{identity=\"operator-1\"} 1\n"));
  std::this_thread::sleep_for(Duration(3'100));
  EXPECT_TRUE(write(102).ok()) << "after what it was told, and a little";
  const auto listed = Stack().Ctl("viewer-1", {"emitters"});
  ASSERT_TRUE(listed.ok());
  EXPECT_THAT(listed->out, HasSubstr("1 over its rate"));
  for (const outages::Heard& heard : other->heard()) EXPECT_EQ(heard.code, 0) << heard.message;
  // Medium: Slack alone, with the emitter's name.
  EXPECT_TRUE(Await(kWithin, [&] { return ToldOf("emitter-over-rate").slack >= 1; }));
  EXPECT_THAT(ToldOf("operator-1").all, HasSubstr("emitter-over-rate"));
}

// An unmodified StatsD client from PyPI: its counters, timings and gauges stand in the log, and an
// alarm on one of them pages.
TEST_F(Operation, AStatsdClientPages) {
  const std::string service = "statsd-shop";
  Apply(service, PlanOf(service, "last(shop.queue) > 5"));
  stack::ProcessSpec spec;
  spec.name = "statsd";
  spec.argv = {LIVEOPS_SOURCE_DIR "/build/third_party/venv/bin/python",
               LIVEOPS_SOURCE_DIR "/integration-tests/operation/statsd_emitter.py", "127.0.0.1",
               std::to_string(statsd_port_)};
  const auto ran = stack::RunToEnd(spec, Duration(30'000));
  ASSERT_TRUE(ran.ok()) << ran.error().message;
  ASSERT_TRUE(ran->status.clean()) << ran->out << ran->err;
  EXPECT_TRUE(Await(kWithin, [&] { return ToldOf(service).opened == 1; })) << ToldOf(service).all;
  EXPECT_TRUE(MetricsHave("liveops_ingest_statsd_values_total 402\n"));
  EXPECT_TRUE(MetricsHave("liveops_ingest_statsd_unsupported_lines_total 1\n"));
  EXPECT_TRUE(MetricsHave("liveops_ingest_statsd_malformed_lines_total 0\n"));
  // The page came with the first flush; the last one is written within a second.
  double orders = 0;
  EXPECT_TRUE(Await(kWithin, [&] {
    orders = 0;
    const Status read = EachPoint(service, [&](const std::string& metric, double value) {
      if (metric == "shop.orders") orders += value;
    });
    return read.ok() && orders >= 350;
  }));
  EXPECT_EQ(orders, 350) << "each is counted, and once";
  const auto listed = Stack().Ctl("viewer-1", {"emitters"});
  ASSERT_TRUE(listed.ok());
  EXPECT_THAT(listed->out, HasSubstr("statsd"));
}

// What service authors copy: it runs, it stops cleanly, and all that it sent stands in the log.
TEST_F(Operation, TheExampleEmitterLosesNothing) {
  stack::ProcessSpec spec;
  spec.name = "example";
  spec.argv = {Stack().Binary("liveops-example-emitter"), Stack().plain_ingest(), "example"};
  spec.log_file = Stack().Path("example.log");
  auto example = stack::ChildProcess::Spawn(spec);
  ASSERT_TRUE(example.ok()) << example.error().message;
  ASSERT_TRUE(Await(kWithin, [&] {
    return MetricsHave(
        "liveops_ingest_emitter_points_accepted_total{identity=\"local\",emitter="
        "\"example-0\",protocol=\"native\"}");
  }));
  std::this_thread::sleep_for(Duration(2'000));
  (*example)->Signal(SIGTERM);
  const auto ended = (*example)->Wait(Duration(10'000));
  ASSERT_TRUE(ended);
  EXPECT_TRUE(ended->clean()) << ended->ToString();
  const auto told = stack::ReadFile(Stack().Path("example.log"));
  ASSERT_TRUE(told.ok());
  unsigned long long accepted = 0;
  unsigned long long given_up = 1;
  ASSERT_EQ(std::sscanf(told->c_str(), "accepted %llu, given up %llu", &accepted, &given_up), 2)
      << *told;
  EXPECT_GT(accepted, 200u);
  EXPECT_EQ(given_up, 0u);
  const auto points = PointsInLog("example");
  ASSERT_TRUE(points.ok()) << points.error().message;
  EXPECT_EQ(points->size(), accepted);
}

}  // namespace
}  // namespace liveops
