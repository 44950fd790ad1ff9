// Unmodified OpenTelemetry SDKs make spans (JavaScript by HTTP in JSON, Python by gRPC); their
// rate, errors and duration page, and the slowest can be found. Another exports its metrics by HTTP
// in JSON, a histogram of it exponential. The cases share one stack.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <thread>

#include "integration-tests/outages/ground.h"
#include "nlohmann/json.hpp"

namespace liveops {
namespace {

using outages::Await;
using outages::Ground;
using stack::Service;

constexpr const char* kPlan = R"(service: {service}
phase: 1
owners:
  on-call: {slack: "#oncall", pagerduty: oncall}
metrics:
  requests: {distribution: traces.span.metrics.duration}
alarms:
  - name: busy
    when: 'rate(traces.span.metrics.duration) per min over 10s > 100'
    severity: critical
    owner: on-call
  - name: errors
    when: 'ratio(traces.span.metrics.duration{status.code="STATUS_CODE_ERROR"}, traces.span.metrics.duration) by span.name over 10s > 40%'
    severity: critical
    owner: on-call
  - name: slow
    when: 'p95 requests by span.name over 10s > 100ms'
    severity: critical
    owner: on-call
)";
constexpr const char* kMetricsPlan = R"(service: {service}
phase: 1
owners:
  on-call: {slack: "#oncall", pagerduty: oncall}
metrics:
  latency: {distribution: http_request_duration_ms, unit: ms, default: true}
  5xx: {ratio: [http_5xx_count, http_request_count]}
alarms:
  - {name: connections, when: "last(db_connection_count) > 40", severity: critical, owner: on-call}
  - {name: errors, when: "5xx over 2s > 10%", severity: critical, owner: on-call}
  - {name: slow, when: "p95 over 2s > 100ms", severity: critical, owner: on-call}
)";

class Traces : public Ground {
 protected:
  static std::string Source(const std::string& path) { return LIVEOPS_SOURCE_DIR "/" + path; }
  static std::string Url(const std::string& path) {
    return "http://" + Stack().service(Service::kIngest).http_address() + path;
  }

  static void Plan(const char* text, const std::string& service) {
    std::string plan = text;
    plan.replace(plan.find("{service}"), 9, service);
    ApplyOnly(service, plan);
    std::this_thread::sleep_for(Duration(5000));  // estimates wait for a whole window since then
  }
  // Its output.
  static nlohmann::json RunSdk(std::vector<std::string> argv) {
    stack::ProcessSpec sdk;
    sdk.name = "sdk";
    sdk.argv = std::move(argv);
    sdk.env["SDK_MODULES"] = Source("build/third_party/node/node_modules");
    const auto outcome = stack::RunToEnd(sdk, Duration(60'000));
    EXPECT_TRUE(outcome.ok() && outcome->status.clean())
        << (outcome.ok() ? outcome->out + outcome->err : outcome.error().message);
    return outcome.ok() ? nlohmann::json::parse(outcome->out, nullptr, false) : nlohmann::json();
  }

  // Ids of the alarms of the service that paged.
  static std::set<std::string> Paged(const std::string& service) {
    std::set<std::string> paged;
    const auto ledger = Stack().sink().Ledger();
    if (!ledger.ok()) return paged;
    for (const stack::LedgerEntry& entry : *ledger) {
      if (entry.provider == "pagerduty" && entry.kind == "trigger" &&
          entry.alarm_id.starts_with(service + "/"))
        paged.insert(entry.alarm_id);
    }
    return paged;
  }
  static void ExpectPages(const std::string& service, const std::set<std::string>& alarms) {
    std::set<std::string> wanted;
    for (const std::string& alarm : alarms) wanted.insert(service + "/" + alarm);
    Await(Duration(60'000), [&] { return Paged(service) == wanted; });
    EXPECT_EQ(Paged(service), wanted);
  }
  // As `liveopsctl spans` prints them.
  static nlohmann::json Slowest(const std::string& service) {
    const auto ran = Stack().Ctl("viewer-1", {"spans", service, "--json"});
    EXPECT_TRUE(ran.ok() && ran->status.clean()) << (ran.ok() ? ran->err : ran.error().message);
    return ran.ok() ? nlohmann::json::parse(ran->out, nullptr, false) : nlohmann::json();
  }
};

TEST_F(Traces, OfJavaScriptsSdkPageByRateErrorsAndDuration) {
  Plan(kPlan, "js");
  const auto said = RunSdk({"node", Source("integration-tests/otlp/sdk_tracer.mjs"),
                            Url("/v1/traces"), "js", "100", "50", "120"});
  ExpectPages("js", {"busy", R"(errors{span.name="GET /games/:id"})",
                     R"(slow{span.name="GET /games/:id"})"});
  const auto points = PointsInLog("js");
  ASSERT_TRUE(points.ok()) << points.error().message;
  EXPECT_EQ(points->size(), 100u) << "each SERVER span once, the CLIENT spans not at all";
  const auto slowest = Slowest("js");
  ASSERT_TRUE(slowest.contains("spans")) << slowest;
  EXPECT_EQ(slowest["spans"].size(), 5u);
  EXPECT_EQ(slowest["spans"][0]["trace_id"], said["slowest"]);
  EXPECT_EQ(slowest["spans"][0]["operation"], "GET /games/:id");
  EXPECT_EQ(slowest["spans"][0]["duration_ms"], 240);
}

TEST_F(Traces, ToLookAtStandOnThePagesAndBelowTheExplanation) {
  Plan(kPlan, "shown");
  const auto send = [](const char* spans, const char* errors) {
    return RunSdk({"node", Source("integration-tests/otlp/sdk_tracer.mjs"), Url("/v1/traces"),
                   "shown", spans, errors, "120"});
  };
  send("10", "5");                               // too few to fire
  std::this_thread::sleep_for(Duration(2'000));  // no page waits for traces: they were there before
  const auto said = send("100", "50");
  const std::string slow = R"(shown/slow{span.name="GET /games/:id"})";
  Await(Duration(60'000), [&] { return Paged("shown").size() == 3; });
  const auto ledger = Stack().sink().Ledger();
  ASSERT_TRUE(ledger.ok());
  int pages = 0;
  for (const stack::LedgerEntry& entry : *ledger) {
    if (entry.body.find("shown slow") == std::string::npos) continue;
    ++pages;
    EXPECT_THAT(entry.body, testing::ContainsRegex("[0-9a-f]{32}.*GET /games/:id.*240 ms"))
        << entry.provider;
  }
  EXPECT_EQ(pages, 2) << "Slack and PagerDuty";
  std::this_thread::sleep_for(Duration(2'000));
  const auto ran =
      Stack().Ctl("viewer-1", {"alarms", "explain", slow, "--kafka", Stack().kafka().address()});
  ASSERT_TRUE(ran.ok() && ran->status.clean()) << (ran.ok() ? ran->err : ran.error().message);
  EXPECT_THAT(ran->out, testing::HasSubstr("Traces\n"));
  EXPECT_THAT(ran->out,
              testing::HasSubstr(said["slowest"].get<std::string>() + "  GET /games/:id  240 ms"));
}

TEST_F(Traces, OfPythonsSdkPageByRateErrorsAndDuration) {
  Plan(kPlan, "py");
  RunSdk({Source("build/third_party/venv/bin/python"),
          Source("integration-tests/otlp/sdk_tracer.py"), "--endpoint", Stack().plain_ingest(),
          "--service", "py", "--messages", "100", "--errors", "50"});
  ExpectPages("py", {"busy", R"(errors{span.name="orders process"})",
                     R"(slow{span.name="orders process"})"});
  EXPECT_EQ(Slowest("py")["spans"].size(), 5u);
}

TEST_F(Traces, AndItsMetricsByHttpInJsonPage) {
  Plan(kMetricsPlan, "js-metrics");
  RunSdk({"node", Source("integration-tests/otlp/sdk_meter.mjs"), Url("/v1/metrics"), "js-metrics",
          "4"});
  ExpectPages("js-metrics", {"connections", "errors", "slow"});
}

}  // namespace
}  // namespace liveops
