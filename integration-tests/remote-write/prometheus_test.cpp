// Debian's Prometheus, as it is, scrapes a program and writes to ingest: what it saw pages, and
// what it sees later resolves.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <httplib.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <iostream>
#include <set>
#include <thread>

#include "deploy/local/stack/stack.h"

namespace liveops {
namespace {

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

// A program with metrics, in Prometheus' text format.
class Exporter {
 public:
  Exporter() {
    http_.Get("/metrics", [this](const httplib::Request&, httplib::Response& response) {
      ok_ += 100;
      if (failing_) failed_ += 50;
      response.set_content(fmt::format("# TYPE http_requests_total counter\n"
                                       "http_requests_total{{code=\"200\"}} {}\n"
                                       "http_requests_total{{code=\"500\"}} {}\n"
                                       "# TYPE db_connection_count gauge\n"
                                       "db_connection_count {}\n"
                                       "# TYPE latency_seconds summary\n"
                                       "latency_seconds{{quantile=\"0.5\"}} NaN\n"
                                       "latency_seconds_count 0\n",
                                       ok_.load(), failed_.load(), failing_ ? 50 : 12),
                           "text/plain; version=0.0.4");
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

 private:
  httplib::Server http_;
  int port_ = 0;
  std::thread thread_;
  std::atomic<std::uint64_t> ok_{0};
  std::atomic<std::uint64_t> failed_{0};
  std::atomic<bool> failing_{false};
};

class RealPrometheus : public ::testing::Test {
 protected:
  void SetUp() override {
    stack::StackOptions options;
    options.data_dir = std::filesystem::temp_directory_path() /
                       ("liveops-remote-write-" + std::to_string(getpid()));
    options.slack_messages_per_second = 0;
    auto made = stack::Stack::Start(options);
    ASSERT_TRUE(made.ok()) << made.error().message;
    stack_ = std::move(*made);
  }
  void TearDown() override {
    prometheus_.reset();
    if (!stack_) return;
    const std::string dir = stack_->options().data_dir;
    stack_.reset();
    if (HasFailure()) {
      std::cout << "The logs and the ledger are kept in " << dir << "\n";
      return;
    }
    std::filesystem::remove_all(dir);
    std::filesystem::remove(dir + ".lock");
  }

  void StartPrometheus() {
    const auto ports = stack::FreePorts(1);
    ASSERT_TRUE(ports.ok());
    const std::string config = fmt::format(
        R"(global: {{scrape_interval: 1s, scrape_timeout: 900ms}}
scrape_configs:
  - job_name: shop
    static_configs: [{{targets: ["127.0.0.1:{}"]}}]
remote_write:
  - url: http://{}/api/v1/write
    queue_config: {{batch_send_deadline: 1s}}
    metadata_config: {{send_interval: 1s}}
)",
        exporter_.port(), stack_->service(stack::Service::kIngest).http_address());
    const std::string file = stack_->Path("prometheus.yml");
    ASSERT_TRUE(stack::WriteFile(file, config).ok());
    stack::ProcessSpec spec;
    spec.name = "prometheus";
    spec.argv = {"prometheus", "--config.file=" + file,
                 "--storage.tsdb.path=" + stack_->Path("prometheus"),
                 fmt::format("--web.listen-address=127.0.0.1:{}", (*ports)[0])};
    spec.log_file = stack_->Path("prometheus.log");
    auto spawned = stack::ChildProcess::Spawn(spec);
    ASSERT_TRUE(spawned.ok()) << spawned.error().message;
    prometheus_ = std::move(*spawned);
  }

  // Which alarms a Slack message called firing, or resolved.
  std::set<std::string> Told(bool resolved) {
    std::set<std::string> told;
    auto ledger = stack_->sink().Ledger();
    if (!ledger.ok()) return told;
    for (const stack::LedgerEntry& entry : *ledger) {
      for (const char* alarm : {"errors", "error-rate", "connections"}) {
        const bool of_it = entry.title.find(fmt::format(": shop {}", alarm)) != std::string::npos;
        const bool over = entry.title.find("RESOLVED") != std::string::npos;
        if (of_it && over == resolved) told.insert(alarm);
      }
    }
    return told;
  }
  bool Await(bool resolved, const std::set<std::string>& alarms) {
    for (int i = 0; i < 900 && Told(resolved) != alarms; ++i)
      std::this_thread::sleep_for(Duration(100));
    return Told(resolved) == alarms;
  }

  Exporter exporter_;
  std::unique_ptr<stack::Stack> stack_;
  std::unique_ptr<stack::ChildProcess> prometheus_;
};

TEST_F(RealPrometheus, ItsSamplesPageAndResolve) {
  const std::string file = stack_->Path("shop.yaml");
  ASSERT_TRUE(stack::WriteFile(file, kPlan).ok());
  auto applied = stack_->Ctl("operator-1", {"plan", "apply", file});
  ASSERT_TRUE(applied.ok() && applied->status.clean())
      << (applied.ok() ? applied->err : applied.error().message);
  StartPrometheus();
  std::this_thread::sleep_for(Duration(15'000));
  EXPECT_EQ(Told(false).size(), 0u) << "nothing is wrong yet";
  exporter_.Fail(true);
  const std::set<std::string> all = {"errors", "error-rate", "connections"};
  EXPECT_TRUE(Await(false, all));
  exporter_.Fail(false);
  EXPECT_TRUE(Await(true, all));
}

}  // namespace
}  // namespace liveops
