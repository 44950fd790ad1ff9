// Debian's Prometheus, as it is, scrapes a program and writes to ingest: what it saw pages, and
// what it sees later resolves.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <httplib.h>

#include <atomic>
#include <set>
#include <thread>

#include "integration-tests/remote-write/ground.h"

namespace liveops {
namespace {

using testing::HasSubstr;

constexpr const char* kPlan = R"(service: shop
phase: 1
owners:
  on-call: {title: On-call Engineer, slack: "#oncall"}
metrics:
  5xx: {ratio: ["http_requests_total{code=\"500\"}", http_requests_total]}
alarms:
  - {name: errors, when: "5xx over 10s > 10%", severity: critical, owner: on-call}
  - {name: error-rate, when: "rate(http_requests_total{code=\"500\"}) / rate(http_requests_total) over 10s > 0.1", severity: critical, owner: on-call}
  - {name: connections, when: "last(db_connection_count) > 40", severity: high, owner: on-call}
)";

// A program with metrics, in OpenMetrics' text format; each failed request has a trace.
class Exporter {
 public:
  Exporter() {
    http_.Get("/metrics", [this](const httplib::Request&, httplib::Response& response) {
      ok_ += 100;
      if (failing_) failed_ += 50;
      response.set_content(fmt::format("# TYPE http_requests counter\n"
                                       "http_requests_total{{code=\"200\"}} {}\n"
                                       "http_requests_total{{code=\"500\"}} {}{}\n"
                                       "# TYPE db_connection_count gauge\n"
                                       "db_connection_count {}\n"
                                       "# TYPE latency_seconds summary\n"
                                       "latency_seconds{{quantile=\"0.5\"}} NaN\n"
                                       "latency_seconds_count 0\n"
                                       "# EOF\n",
                                       ok_.load(), failed_.load(), Exemplar(), failing_ ? 50 : 12),
                           "application/openmetrics-text; version=1.0.0; charset=utf-8");
    });
    port_ = http_.bind_to_any_port("127.0.0.1");
    thread_ = std::thread([this] { http_.listen_after_bind(); });
  }
  ~Exporter() {
    http_.stop();
    thread_.join();
  }
  int port() const { return port_; }
  void Fail(bool failing) { failing_ = failing; }
  // Of the traces, all but the number that they end with.
  static constexpr const char* kTrace = "5b8efff798038103d269b6";

 private:
  std::string Exemplar() const {
    if (!failing_) return "";
    return fmt::format(" # {{trace_id=\"{}{:010d}\"}} 1", kTrace, failed_.load());
  }

  httplib::Server http_;
  int port_ = 0;
  std::thread thread_;
  std::atomic<std::uint64_t> ok_{0};
  std::atomic<std::uint64_t> failed_{0};
  std::atomic<bool> failing_{false};
};

class RealPrometheus : public RemoteWriteGround {
 protected:
  void StartPrometheus() {
    RunPrometheus(fmt::format(
                      R"(global: {{scrape_interval: 1s, scrape_timeout: 900ms}}
scrape_configs:
  - job_name: shop
    static_configs: [{{targets: ["127.0.0.1:{}"]}}]
remote_write:
  - url: http://{}/api/v1/write
    send_exemplars: true
    queue_config: {{batch_send_deadline: 1s}}
    metadata_config: {{send_interval: 1s}}
)",
                      exporter_.port(), http_address()),
                  {"--enable-feature=exemplar-storage"});
  }

  // Once there are some; those of the first failed requests come right behind the samples.
  std::string ExplainedWithTraces(const std::string& alarm) {
    std::string said;
    for (int i = 0; i < 60 && said.find("Traces\n") == std::string::npos; ++i) {
      if (i > 0) std::this_thread::sleep_for(Duration(500));
      auto ran = stack_->Ctl("viewer-1",
                             {"alarms", "explain", alarm, "--kafka", stack_->kafka().address()});
      said = ran.ok() ? ran->out + ran->err : ran.error().message;
    }
    return said;
  }

  Exporter exporter_;
};

TEST_F(RealPrometheus, ItsSamplesPageAndResolve) {
  const std::set<std::string> all = {"errors", "error-rate", "connections"};
  Apply(kPlan);
  StartPrometheus();
  std::this_thread::sleep_for(Duration(15'000));
  EXPECT_EQ(Told(false, all).size(), 0u) << "nothing is wrong yet";
  exporter_.Fail(true);
  EXPECT_TRUE(Await(false, all));
  EXPECT_THAT(ExplainedWithTraces("shop/errors"),
              HasSubstr(std::string("Traces\n  ") + Exporter::kTrace));
  exporter_.Fail(false);
  EXPECT_TRUE(Await(true, all));
}

}  // namespace
}  // namespace liveops
