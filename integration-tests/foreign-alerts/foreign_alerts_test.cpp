// Debian's Prometheus and amtool, as they are, tell their alerts to LiveOps: they page once,
// resolve when they say so, and are stale, never resolved, when nobody speaks any more.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <httplib.h>

#include <atomic>
#include <functional>
#include <thread>

#include "common/base/text.h"
#include "integration-tests/remote-write/ground.h"

namespace liveops {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kPlan = R"(service: shop
owners:
  on-call: {title: On-call Engineer, slack: "#oncall", pagerduty: oncall}
foreign_alerts: {owner: on-call}
)";

// Told each 2 s, so that each word is good for 8 s (Prometheus: four times the resend delay).
constexpr const char* kRules = R"(groups:
  - name: shop
    rules:
      - alert: TooManyErrors
        expr: errors_now > 10
        labels: {severity: page, service: shop}
        annotations:
          summary: '{{ $value }} errors'
          runbook_url: https://wiki.example/errors
)";

class ForeignAlerts : public RemoteWriteGround {
 protected:
  void SetUp() override {
    RemoteWriteGround::SetUp();
    if (HasFatalFailure()) return;
    exporter_.Get("/metrics", [this](const httplib::Request&, httplib::Response& response) {
      response.set_content(fmt::format("# TYPE errors_now gauge\nerrors_now {}\n", errors_.load()),
                           "text/plain; version=0.0.4");
    });
    exporter_port_ = exporter_.bind_to_any_port("127.0.0.1");
    exporting_ = std::thread([this] { exporter_.listen_after_bind(); });
    Apply(kPlan);
  }
  void TearDown() override {
    prometheus_.reset();
    exporter_.stop();
    if (exporting_.joinable()) exporting_.join();
    RemoteWriteGround::TearDown();
  }

  void StartPrometheus() {
    ASSERT_TRUE(stack::WriteFile(stack_->Path("rules.yml"), kRules).ok());
    const std::string config = fmt::format(
        R"(global: {{scrape_interval: 1s, scrape_timeout: 900ms, evaluation_interval: 1s}}
rule_files: [{}]
alerting:
  alertmanagers:
    - static_configs: [{{targets: ["{}"]}}]
scrape_configs:
  - job_name: exporter
    static_configs: [{{targets: ["127.0.0.1:{}"]}}]
)",
        stack_->Path("rules.yml"), http_address(), exporter_port_);
    RunPrometheus(config, {"--rules.alert.resend-delay=2s"});
  }

  std::vector<stack::LedgerEntry> PagerDuty(const std::string& alarm, const std::string& kind) {
    std::vector<stack::LedgerEntry> entries;
    auto ledger = stack_->sink().Ledger();
    if (!ledger.ok()) return entries;
    for (stack::LedgerEntry& entry : *ledger) {
      const bool of_it = entry.alarm_id.find(alarm) != std::string::npos;
      if (entry.provider == "pagerduty" && of_it && entry.kind == kind)
        entries.push_back(std::move(entry));
    }
    return entries;
  }
  std::size_t Opened(const std::string& alarm) {
    const auto triggers = PagerDuty(alarm, "trigger");
    return static_cast<std::size_t>(std::count_if(
        triggers.begin(), triggers.end(), [](const auto& e) { return e.effect == "opened"; }));
  }
  bool Await(const std::function<bool()>& so) {
    for (int i = 0; i < 600 && !so(); ++i) std::this_thread::sleep_for(Duration(100));
    return so();
  }
  std::string Listed() {
    auto listed = stack_->Ctl("operator-1", {"alarms", "list"});
    return listed.ok() ? listed->out : listed.error().message;
  }

  std::string ExplainedAt(const std::string& alarm_id, const std::string& at) {
    auto told = stack_->Ctl("operator-1", {"alarms", "explain", alarm_id, "--at", at});
    if (!told.ok()) return told.error().message;
    EXPECT_TRUE(told->status.clean()) << told->err;
    return told->out;
  }

  stack::RunOutcome Amtool(std::vector<std::string> words) {
    stack::ProcessSpec spec;
    spec.name = "amtool";
    spec.argv = {"amtool", "--alertmanager.url=http://" + http_address()};
    for (std::string& word : words) spec.argv.push_back(std::move(word));
    auto ran = stack::RunToEnd(spec, Duration(20'000));
    EXPECT_TRUE(ran.ok()) << ran.error().message;
    return ran.ok() ? *ran : stack::RunOutcome{};
  }

  httplib::Server exporter_;
  int exporter_port_ = 0;
  std::thread exporting_;
  std::atomic<int> errors_{0};
};

TEST_F(ForeignAlerts, PrometheusPagesOnceResolvesAndIsStaleWhenItIsKilled) {
  const std::string alarm = "shop/alertmanager:TooManyErrors";
  StartPrometheus();
  errors_ = 50;
  ASSERT_TRUE(Await([&] { return Opened(alarm) == 1; }));
  std::this_thread::sleep_for(Duration(10'000));  // told again five times
  const auto triggers = PagerDuty(alarm, "trigger");
  ASSERT_EQ(triggers.size(), 1u) << "one page, however often it is told";
  EXPECT_EQ(triggers[0].severity, "critical");
  EXPECT_THAT(triggers[0].title, HasSubstr("50 errors"));
  EXPECT_THAT(triggers[0].body, HasSubstr("graph?g0.expr=errors_now"));
  EXPECT_THAT(triggers[0].body, HasSubstr("https://wiki.example/errors"));
  EXPECT_TRUE(triggers[0].violations.empty());
  EXPECT_THAT(Listed(), HasSubstr("FIRING"));
  const std::string while_it_fired = FormatUtc(ToMs(WallClockNow()));

  errors_ = 0;
  ASSERT_TRUE(Await([&] { return PagerDuty(alarm, "resolve").size() == 1; }));

  errors_ = 60;
  ASSERT_TRUE(Await([&] { return Opened(alarm) == 2; })) << "a new start is a new episode";
  prometheus_->Signal(SIGKILL);
  ASSERT_TRUE(Await([&] { return Listed().find("STALE") != std::string::npos; })) << Listed();
  ASSERT_TRUE(Await([&] { return PagerDuty(alarm, "trigger").size() == 3; }));
  EXPECT_THAT(PagerDuty(alarm, "trigger")[2].title, HasSubstr("STALE"));
  EXPECT_EQ(Opened(alarm), 2u) << "it is the same alert";
  std::this_thread::sleep_for(Duration(10'000));
  EXPECT_EQ(PagerDuty(alarm, "resolve").size(), 1u) << "that nobody speaks resolves nothing";
  EXPECT_THAT(Listed(), HasSubstr("STALE"));

  prometheus_.reset();
  StartPrometheus();
  ASSERT_TRUE(Await([&] { return Listed().find("STALE") == std::string::npos; })) << Listed();
  EXPECT_THAT(Listed(), HasSubstr("FIRING"));
  errors_ = 0;
  ASSERT_TRUE(Await([&] { return PagerDuty(alarm, "resolve").size() == 2; }));
  EXPECT_EQ(Opened(alarm), 2u);

  const std::string past = ExplainedAt(triggers[0].alarm_id, while_it_fired);
  EXPECT_THAT(past, HasSubstr("  FIRING at "));
  EXPECT_THAT(past, HasSubstr("Judged by others: told by way of alertmanager"));
  EXPECT_THAT(past, HasSubstr("graph?g0.expr=errors_now"));
  EXPECT_THAT(past, HasSubstr("After, by the log: it resolved at "));
  EXPECT_THAT(past, Not(HasSubstr("The replay saw less")));
}

TEST_F(ForeignAlerts, AmtoolPagesAndResolves) {
  const std::vector<std::string> alert = {
      "alert", "add", "alertname=Backup", "service=shop", "severity=critical", "node=db-1"};
  const std::string alarm = R"(shop/alertmanager:Backup{node="db-1")";
  auto words = alert;
  words.push_back("--annotation=summary=No backup since Monday");
  words.push_back("--generator-url=https://cron.example/backup");
  const auto added = Amtool(words);
  EXPECT_TRUE(added.status.clean()) << added.err;
  ASSERT_TRUE(Await([&] { return Opened(alarm) == 1; })) << Listed();
  EXPECT_THAT(PagerDuty(alarm, "trigger")[0].title, HasSubstr("No backup since Monday"));
  auto explained =
      stack_->Ctl("operator-1", {"alarms", "explain", alarm + R"(,severity="critical"})"});
  ASSERT_TRUE(explained.ok());
  EXPECT_THAT(explained->out, HasSubstr("https://cron.example/backup"));

  // An end from before it began would be that of an earlier one.
  std::this_thread::sleep_for(Duration(2'000));
  words = alert;
  words.push_back("--start=2026-01-01T00:00:00Z");
  words.push_back("--end=" + FormatUtc(ToMs(WallClockNow()) - 1000));
  const auto ended = Amtool(words);
  EXPECT_TRUE(ended.status.clean()) << ended.err;
  ASSERT_TRUE(Await([&] { return PagerDuty(alarm, "resolve").size() == 1; })) << Listed();

  const auto refused = Amtool({"alert", "add", "alertname=Nobodys"});
  EXPECT_FALSE(refused.status.clean());
  EXPECT_THAT(refused.err, HasSubstr("no label names its service"));
  const auto shown = Amtool({"config", "show"});
  EXPECT_TRUE(shown.status.clean()) << shown.err;
  EXPECT_THAT(shown.out, HasSubstr("liveopsctl"));
  const auto queried = Amtool({"alert", "query"});
  EXPECT_FALSE(queried.status.clean());
  EXPECT_THAT(queried.err, HasSubstr("liveopsctl alarms list"));
}

}  // namespace
}  // namespace liveops
