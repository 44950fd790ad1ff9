// An unmodified OpenTelemetry SDK (Python) exports by OTLP, gRPC and HTTP in protobuf; its gauge,
// counters and histogram, explicit or exponential, each page.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <iostream>
#include <set>
#include <thread>
#include <tuple>

#include "deploy/local/stack/stack.h"

namespace liveops {
namespace {

constexpr const char* kPlan = R"(service: {service}
phase: 1
owners:
  on-call: {title: On-call Engineer, slack: "#oncall"}
metrics:
  latency: {distribution: http_request_duration_ms, unit: ms, default: true}
  5xx: {ratio: [http_5xx_count, http_request_count]}
alarms:
  - {name: connections, when: "last(db_connection_count) > 40", severity: critical, owner: on-call}
  - {name: errors, when: "5xx over 2s > 10%", severity: critical, owner: on-call}
  - {name: slow, when: "p95 over 2s > 100ms", severity: critical, owner: on-call}
)";

class Sdk : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    stack::StackOptions options;
    options.data_dir =
        std::filesystem::temp_directory_path() / ("liveops-otlp-" + std::to_string(getpid()));
    options.slack_messages_per_second = 0;
    auto made = stack::Stack::Start(options);
    ASSERT_TRUE(made.ok()) << made.error().message;
    stack_ = std::move(*made);
  }
  static void TearDownTestSuite() {
    if (!stack_) return;
    const std::string dir = stack_->options().data_dir;
    stack_.reset();
    if (::testing::UnitTest::GetInstance()->current_test_suite()->Failed()) {
      std::cout << "The logs and the ledger are kept in " << dir << "\n";
      return;
    }
    std::filesystem::remove_all(dir);
    std::filesystem::remove(dir + ".lock");
  }

  // Which alarms of the service a Slack message spoke of.
  static std::set<std::string> Paged(const std::string& service) {
    std::set<std::string> paged;
    auto ledger = stack_->sink().Ledger();
    if (!ledger.ok()) return paged;
    for (const stack::LedgerEntry& entry : *ledger) {
      for (const char* alarm : {"connections", "errors", "slow"}) {
        if (entry.title.find(service + " " + alarm) != std::string::npos) paged.insert(alarm);
      }
    }
    return paged;
  }

  static stack::ServiceProcess& Ingest() { return stack_->service(stack::Service::kIngest); }

  static void Play(const std::string& service, const std::vector<std::string>& arguments,
                   const std::string& endpoint = Ingest().plain_address()) {
    std::string plan = kPlan;
    plan.replace(plan.find("{service}"), 9, service);
    const std::string file = stack_->Path(service + ".yaml");
    ASSERT_TRUE(stack::WriteFile(file, plan).ok());
    auto applied = stack_->Ctl("operator-1", {"plan", "apply", file});
    ASSERT_TRUE(applied.ok() && applied->status.clean())
        << (applied.ok() ? applied->err : applied.error().message);
    std::this_thread::sleep_for(Duration(1000));

    stack::ProcessSpec sdk;
    sdk.name = "sdk";
    sdk.argv = {std::string(LIVEOPS_SOURCE_DIR) + "/build/third_party/venv/bin/python",
                std::string(LIVEOPS_SOURCE_DIR) + "/integration-tests/otlp/sdk_emitter.py",
                "--endpoint",
                endpoint,
                "--service",
                service,
                "--exports",
                "4",
                "--errors",
                "50"};
    sdk.argv.insert(sdk.argv.end(), arguments.begin(), arguments.end());
    auto outcome = stack::RunToEnd(sdk, Duration(60'000));
    ASSERT_TRUE(outcome.ok()) << outcome.error().message;
    ASSERT_TRUE(outcome->status.clean()) << outcome->err;

    const std::set<std::string> all = {"connections", "errors", "slow"};
    for (int i = 0; i < 450 && Paged(service) != all; ++i)
      std::this_thread::sleep_for(Duration(100));
    EXPECT_EQ(Paged(service), all);
  }

  static std::unique_ptr<stack::Stack> stack_;
};
std::unique_ptr<stack::Stack> Sdk::stack_;

TEST_F(Sdk, CumulativeSumsPage) { Play("otel-cumulative", {"--temporality", "cumulative"}); }
TEST_F(Sdk, DeltaSumsUnderGzipPage) {
  Play("otel-delta", {"--temporality", "delta", "--compression", "gzip"});
}
TEST_F(Sdk, ExponentialHistogramsPage) {
  Play("otel-exponential", {"--temporality", "cumulative", "--histogram", "exponential"});
}
TEST_F(Sdk, ByHttpUnderGzipTheyPageToo) {
  Play("otel-http",
       {"--protocol", "http", "--temporality", "delta", "--histogram", "exponential",
        "--compression", "gzip"},
       Ingest().http_address());
}

}  // namespace
}  // namespace liveops
