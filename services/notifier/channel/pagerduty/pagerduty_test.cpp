#include "services/notifier/channel/pagerduty/pagerduty.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "services/notifier/channel/text.h"

namespace liveops::notifier::pagerduty {
namespace {

using Json = nlohmann::json;

constexpr const char* kKey = "0123456789abcdef0123456789abcdef";

Page SomePage() {
  Page page;
  page.service = "backend-api";
  page.name = "error-rate";
  page.alarm_id = "backend-api/error-rate";
  page.episode = InstantFromMs(1'770'196'700'000);
  page.severity = plan::Severity::kHigh;
  page.expression = "ratio(a, b) over 1min > 1% for 3min";
  page.value = 2.4;
  page.threshold = 1;
  page.unit = "%";
  page.window = Duration(60'000);
  page.since = InstantFromMs(1'770'196'500'000);
  page.clock = page.since + Duration(200'000);
  page.clock_real = RealFromMs(1'770'196'700'123);
  page.plan_version = 3;
  page.top = {{"endpoint=/games", 4.1, 0.83}};
  page.changes = {{"deployment revision 42 -> 43", page.since}};
  page.error_lines = {{page.since, "/pay", "card\ndeclined"}};
  page.traces = {{page.since, "GET /pay", "612 ms", true, "0af765"}};
  page.runbook = "https://runbooks.example/error-rate";
  return page;
}

TEST(PagerDutyRender, ATriggerHasAllThatIsRequiredAndWhatHelps) {
  const Json json = Json::parse(Render(SomePage(), Language::kEnglish, kKey));
  EXPECT_EQ(json["routing_key"], kKey);
  EXPECT_EQ(json["event_action"], "trigger");
  EXPECT_EQ(json["dedup_key"],
            DedupKey("backend-api/error-rate", InstantFromMs(1'770'196'700'000)));
  const Json& payload = json["payload"];
  EXPECT_EQ(payload["summary"], "HIGH: backend-api error-rate 2.4 % (limit > 1 %)");
  EXPECT_EQ(payload["source"], "backend-api");
  EXPECT_EQ(payload["severity"], "error");
  EXPECT_EQ(payload["timestamp"], "2026-02-04T09:18:20.123Z");
  const Json& details = payload["custom_details"];
  EXPECT_EQ(details["clock_real_ms"], 1'770'196'700'123);
  EXPECT_EQ(details["episode_ms"], 1'770'196'700'000);
  EXPECT_EQ(details["value"], 2.4);
  EXPECT_EQ(details["threshold"], 1);
  EXPECT_EQ(details["window"], "1min");
  EXPECT_EQ(details["plan_version"], 3);
  EXPECT_EQ(details["top_contributors"].size(), 1u);
  EXPECT_EQ(details["recent_changes"].size(), 1u);
  EXPECT_EQ(details["last_errors"], Json::array({"2026-02-04 09:15:00 UTC  /pay  card declined"}));
  EXPECT_EQ(details["traces"],
            Json::array({"0af765  GET /pay  612 ms, failed  2026-02-04 09:15:00 UTC"}));
  EXPECT_EQ(details["runbook"], "https://runbooks.example/error-rate");
  EXPECT_EQ(json["links"][0]["href"], "https://runbooks.example/error-rate");
}

TEST(PagerDutyRender, AProposalIsARepeatedTriggerOfTheSameAlert) {
  Page page = SomePage();
  const Json first = Json::parse(Render(page, Language::kEnglish, kKey));
  page.notice = Notice::kRemedyProposed;
  page.remedies = {{.id = "0123abcd",
                    .scenario = "",
                    .description = "roll back",
                    .command = "kubectl rollout undo",
                    .condition = "",
                    .approver = "On-call",
                    .expires = {},
                    .end = RemedyEnd::kOpen,
                    .end_detail = "",
                    .approved_by = ""}};
  const Json second = Json::parse(Render(page, Language::kEnglish, kKey));
  EXPECT_EQ(second["event_action"], "trigger");
  EXPECT_EQ(second["dedup_key"], first["dedup_key"]);
  EXPECT_EQ(second["payload"]["summary"], first["payload"]["summary"]);
  EXPECT_EQ(second["payload"]["custom_details"]["approve_command"],
            "liveopsctl remediations approve 0123abcd");
}

TEST(PagerDutyRender, ARefusedRemedyIsAddedToTheAlertWithoutACommand) {
  Page page = SomePage();
  const Json first = Json::parse(Render(page, Language::kEnglish, kKey));
  PageRemedy remedy;
  remedy.id = "0123abcd";
  remedy.description = "surge on deployment/backend-api";
  remedy.end = RemedyEnd::kRefused;
  remedy.end_detail = "the cool-down is 10min";
  page.remedies = {remedy};
  page.notice = Notice::kRemedyClosed;
  const Json json = Json::parse(Render(page, Language::kEnglish, kKey));
  EXPECT_EQ(json["event_action"], "trigger");
  EXPECT_EQ(json["dedup_key"], first["dedup_key"]);
  EXPECT_EQ(json["payload"]["summary"], first["payload"]["summary"]);
  const Json& details = json["payload"]["custom_details"];
  EXPECT_FALSE(details.contains("approve_command"));
  EXPECT_FALSE(details["remediation"].contains("approve"));
  EXPECT_EQ(details["remediation"]["outcome"], "refused: nothing ran");
  EXPECT_EQ(details["remediation"]["because"], "the cool-down is 10min");
}

TEST(PagerDutyRender, AcknowledgeAndResolve) {
  Page page = SomePage();
  page.notice = Notice::kAcknowledged;
  page.acknowledged_by = "alice";
  EXPECT_EQ(Json::parse(Render(page, Language::kEnglish, kKey))["event_action"], "acknowledge");
  page.notice = Notice::kResolved;
  page.phase = Phase::kResolved;
  page.value = 0.1;
  page.peak = 7.5;
  page.duration = Duration(380'000);
  const Json json = Json::parse(Render(page, Language::kEnglish, kKey));
  EXPECT_EQ(json["event_action"], "resolve");
  EXPECT_EQ(json["payload"]["custom_details"]["recovered_value"], 0.1);
  EXPECT_EQ(json["payload"]["custom_details"]["peak"], 7.5);
  EXPECT_EQ(json["payload"]["custom_details"]["duration_ms"], 380'000);
}

TEST(PagerDutyRender, StaysWithinTheLimitsWhateverComes) {
  const std::string longest = std::string(300'000, '"') + "\xff\x1b";
  Page page = SomePage();
  page.service = page.name = page.alarm_id = page.labels = page.summary = page.owner = longest;
  page.expression = page.unit = page.runbook = page.reason = longest;
  page.top.assign(100, {longest, 1, 0.5});
  page.changes.assign(100, {longest, page.since});
  page.error_lines.assign(100, {page.since, longest, longest});
  page.traces.assign(100, {page.since, longest, longest, true, longest});
  PageRemedy remedy;
  remedy.id = remedy.description = remedy.command = remedy.condition = longest;
  page.remedies.assign(100, remedy);
  const std::string body = Render(page, Language::kBoth, kKey);
  EXPECT_LE(body.size(), 512u * 1024);
  const Json json = Json::parse(body);
  EXPECT_LE(CountCharacters(json["payload"]["summary"].get<std::string>()), 1024u);
  EXPECT_LE(json["dedup_key"].get<std::string>().size(), 255u);
}

TEST(PagerDutyRender, AnAlertOfOthersSaysWhoJudgesItAndWhere) {
  Page page = SomePage();
  page.origin = "alertmanager";
  page.link = "https://prometheus.example/graph";
  page.runbook = "https://wiki/x";
  page.value = std::numeric_limits<double>::quiet_NaN();
  const Json json = Json::parse(Render(page, Language::kEnglish, kKey));
  const Json& details = json["payload"]["custom_details"];
  EXPECT_EQ(details["told_by"], "alertmanager");
  EXPECT_EQ(details["judged_at"], page.link);
  EXPECT_FALSE(details.contains("threshold"));
  ASSERT_EQ(json["links"].size(), 2u);
  EXPECT_EQ(json["links"][0]["href"], page.runbook);
  EXPECT_EQ(json["links"][1]["href"], page.link);
}

TEST(PagerDutyRender, AValueThatIsNotANumberIsLeftOut) {
  Page page = SomePage();
  page.notice = Notice::kNoData;
  page.value = std::numeric_limits<double>::quiet_NaN();
  const Json json = Json::parse(Render(page, Language::kEnglish, kKey));
  EXPECT_FALSE(json["payload"]["custom_details"].contains("value"));
}

TEST(PagerDutySeverity, Map) {
  EXPECT_STREQ(SeverityWord(plan::Severity::kCritical), "critical");
  EXPECT_STREQ(SeverityWord(plan::Severity::kHigh), "error");
  EXPECT_STREQ(SeverityWord(plan::Severity::kMedium), "warning");
  EXPECT_STREQ(SeverityWord(plan::Severity::kLow), "info");
}

TEST(PagerDutyAnswer, ByTheirTable) {
  EXPECT_EQ(ReadAnswer({true, 202, "{}", "", false, ""}).outcome, Outcome::kDelivered);
  EXPECT_EQ(ReadAnswer({true, 400, "bad", "", false, ""}).outcome, Outcome::kRejected);
  EXPECT_EQ(ReadAnswer({true, 429, "", "", false, ""}).health, Health::kThrottled);
  EXPECT_EQ(ReadAnswer({true, 500, "", "", false, ""}).outcome, Outcome::kUnknown);
  EXPECT_EQ(ReadAnswer({false, 0, "", "", true, "x"}).outcome, Outcome::kFailed);
}

}  // namespace
}  // namespace liveops::notifier::pagerduty
