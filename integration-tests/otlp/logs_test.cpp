// Unmodified OpenTelemetry SDKs (Python by gRPC, JavaScript by HTTP in JSON) log; what is counted
// of their lines pages, the lines can be read, and a storm of them holds no page up. The cases
// share one stack.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <iostream>
#include <sstream>
#include <thread>

#include "integration-tests/outages/ground.h"

namespace liveops {
namespace {

using outages::Await;
using outages::Ground;
using outages::kFiring;
using outages::kOk;
using stack::Service;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kLines = R"(logs:
  - {name: payment_errors, match: card * declined, level: error}
)";
constexpr const char* kWhen = "increase(payment_errors) over 10s > 5";
constexpr int kStorm = 50'000;
// Three times what is promised: a test host may be busy.
constexpr Duration kPageWithin{3'000};

class Logs : public Ground {
 protected:
  static std::string Source(const std::string& path) { return LIVEOPS_SOURCE_DIR "/" + path; }
  static std::string Kafka() { return Stack().kafka().address(); }

  static stack::ProcessSpec Python(const std::string& service, int lines,
                                   const std::vector<std::string>& more = {}) {
    stack::ProcessSpec sdk;
    sdk.name = "python";
    sdk.argv = {Source("build/third_party/venv/bin/python"),
                Source("integration-tests/otlp/sdk_logger.py"),
                "--endpoint",
                Stack().plain_ingest(),
                "--service",
                service,
                "--lines",
                std::to_string(lines)};
    sdk.argv.insert(sdk.argv.end(), more.begin(), more.end());
    return sdk;
  }
  static stack::ProcessSpec JavaScript(const std::string& service, int lines) {
    stack::ProcessSpec sdk;
    sdk.name = "javascript";
    sdk.argv = {"node",
                Source("integration-tests/otlp/sdk_logger.mjs"),
                "http://" + Stack().service(Service::kIngest).http_address() + "/v1/logs",
                service,
                std::to_string(lines),
                "card {} declined"};
    sdk.env["SDK_MODULES"] = Source("build/third_party/node/node_modules");
    return sdk;
  }
  static void RunSdk(const stack::ProcessSpec& sdk) {
    const auto outcome = stack::RunToEnd(sdk, Duration(60'000));
    ASSERT_TRUE(outcome.ok()) << outcome.error().message;
    ASSERT_TRUE(outcome->status.clean()) << outcome->out << outcome->err;
  }

  // As `liveopsctl logs` prints them.
  static std::vector<std::string> Shown(const std::string& service,
                                        const std::vector<std::string>& more) {
    std::vector<std::string> words = {"logs", service, "--json", "--kafka", Kafka()};
    words.insert(words.end(), more.begin(), more.end());
    const auto ran = Stack().Ctl("viewer-1", words);
    EXPECT_TRUE(ran.ok() && ran->status.clean()) << (ran.ok() ? ran->err : ran.error().message);
    std::vector<std::string> lines;
    std::istringstream in(ran.ok() ? ran->out : "");
    for (std::string line; std::getline(in, line);) lines.push_back(line);
    return lines;
  }

  // From before the reading that crosses the threshold is sent until the provider has the page.
  static Duration PageTime(const std::string& service) {
    const auto begin = std::chrono::steady_clock::now();
    const auto emitter = Emit(service, "a", 90);
    EXPECT_TRUE(Await(Duration(30'000), [&] { return ToldOf(service).opened == 1; })) << service;
    const auto ledger = Stack().sink().Ledger();
    if (!ledger.ok()) return Duration::max();
    for (const stack::LedgerEntry& entry : *ledger) {
      if (entry.provider != "pagerduty" || entry.kind != "trigger" ||
          entry.alarm_id.find(service + "/") != 0) {
        continue;
      }
      const std::chrono::nanoseconds at(entry.received_steady_ns);
      return std::chrono::duration_cast<Duration>(at - begin.time_since_epoch());
    }
    return Duration::max();
  }
};

TEST_F(Logs, OfPythonsSdkArePagedByTheirCountAndCanBeRead) {
  Apply("py", PlanOf("py", kWhen, kLines));
  RunSdk(Python("py", 20, {"--compression", "gzip"}));
  EXPECT_TRUE(Await(Duration(30'000), [] { return ToldOf("py").opened == 1; })) << ToldOf("py").all;
  EXPECT_THAT(ToldOf("py").all, HasSubstr("py hot 20 (limit > 5)"));
  const auto lines = Shown("py", {"--level", "error", "--last", "3"});
  ASSERT_EQ(lines.size(), 3u);
  EXPECT_THAT(lines.back(), HasSubstr(R"("message":"card 19 declined","endpoint":"/pay/:id")"));
  EXPECT_THAT(lines.back(), HasSubstr(R"("exception.type":"ValueError")"));
  EXPECT_TRUE(Shown("py", {"--level", "fatal"}).empty());
  // No line more: the counts of nothing resolve it.
  EXPECT_TRUE(AwaitState("py/hot", kOk));
}

TEST_F(Logs, OfJavaScriptsSdkArePagedByTheirCountAndCanBeRead) {
  Apply("js", PlanOf("js", kWhen, kLines));
  RunSdk(JavaScript("js", 20));
  EXPECT_TRUE(Await(Duration(30'000), [] { return ToldOf("js").opened == 1; })) << ToldOf("js").all;
  const auto lines = Shown("js", {"--match", "card 7 *"});
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_THAT(lines[0], HasSubstr(R"("trace_id":"5b8efff798038103d269b633813fc60c")"));
  EXPECT_THAT(lines[0], HasSubstr(R"("span_id":"eee19b7ec3c1b174")"));
  EXPECT_THAT(lines[0], HasSubstr(R"("attempt":"3")"));
}

TEST_F(Logs, TheLastErrorsOfAServiceStandOnItsPages) {
  Apply("till", PlanOf("till", "last(x) by host > 50"));
  RunSdk(Python("till", 20));
  std::this_thread::sleep_for(Duration(2'000));  // no page waits for lines: they were there before
  EXPECT_LT(PageTime("till"), kPageWithin);
  EXPECT_TRUE(Await(Duration(10'000), [] { return ToldOf("till").slack == 1; }));
  const auto ledger = Stack().sink().Ledger();
  ASSERT_TRUE(ledger.ok());
  int pages = 0;
  for (const stack::LedgerEntry& entry : *ledger) {
    if (entry.body.find("till") == std::string::npos) continue;
    ++pages;
    EXPECT_THAT(entry.body, HasSubstr("card 19 declined")) << entry.provider;
    EXPECT_THAT(entry.body, HasSubstr("/pay/:id")) << entry.provider;
    EXPECT_THAT(entry.body, Not(HasSubstr("card 16 declined"))) << "the newest three";
  }
  EXPECT_EQ(pages, 2) << "Slack and PagerDuty";
}

TEST_F(Logs, AStormOfThemHoldsNoPageUp) {
  const std::vector<std::string> watched = {"calm-0", "calm-1", "calm-2", "calm-3"};
  for (const std::string& service : watched)
    Apply(service, PlanOf(service, "last(x) by host > 50"));
  auto storm = std::async(std::launch::async, [] {
    return stack::RunToEnd(Python("storm", kStorm), Duration(120'000));
  });
  EXPECT_TRUE(Await(Duration(30'000), [] { return !Shown("storm", {"--last", "1"}).empty(); }));
  std::vector<Duration> took;
  for (const std::string& service : watched) {
    if (storm.wait_for(Duration(0)) == std::future_status::ready) break;
    took.push_back(PageTime(service));
    std::cout << "page in the storm: " << took.back().count() << " ms\n";
  }
  EXPECT_GE(took.size(), 2u) << "the storm was over too soon to say anything";
  for (const Duration time : took) EXPECT_LT(time, kPageWithin);
  const auto outcome = storm.get();
  ASSERT_TRUE(outcome.ok()) << outcome.error().message;
  EXPECT_TRUE(outcome->status.clean()) << outcome->out << outcome->err;
  const auto status = Stack().Ctl("viewer-1", {"status", "--json", "--only", "ingest"});
  ASSERT_TRUE(status.ok());
  EXPECT_THAT(status->out, HasSubstr("log_lines"));
}

}  // namespace
}  // namespace liveops
