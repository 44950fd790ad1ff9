#include "services/notifier/channel/slack/slack.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "services/notifier/channel/text.h"

namespace liveops::notifier::slack {
namespace {

using Json = nlohmann::json;
using ::testing::HasSubstr;
using ::testing::Not;

Page SomePage() {
  Page page;
  page.service = "backend-api";
  page.name = "error-rate";
  page.alarm_id = "backend-api/error-rate";
  page.severity = plan::Severity::kCritical;
  page.owner = "On-call Engineer";
  page.summary = "Requests fail with 5xx";
  page.expression = "ratio(http_5xx_count, http_request_count) over 1min > 1% for 3min";
  page.value = 2.4;
  page.threshold = 1;
  page.unit = "%";
  page.window = Duration(60'000);
  page.hold = Duration(180'000);
  page.since = InstantFromMs(1'770'196'500'000);
  page.clock = page.since + Duration(200'000);
  page.points = 1234;
  page.plan_version = 3;
  page.top = {{"endpoint=/games", 4.1, 0.83}};
  page.changes = {{"deployment revision 42 -> 43", page.since - Duration(60'000)}};
  page.runbook = "https://runbooks.example/error-rate";
  return page;
}

PageRemedy SomeRemedy() {
  PageRemedy remedy;
  remedy.id = "0123456789abcdef0123456789abcdef";
  remedy.description = "roll back deployment/backend-api from revision 43 to 42";
  remedy.command = "kubectl rollout undo deployment/backend-api --to-revision=42";
  remedy.approver = "On-call Engineer";
  return remedy;
}

// Every limit of the Block Kit reference, and what a body must have.
void CheckLimits(const std::string& body) {
  const Json json = Json::parse(body);
  ASSERT_TRUE(json["text"].is_string());
  ASSERT_LE(json["blocks"].size(), 50u);
  std::size_t total = CountCharacters(json["text"].get<std::string>());
  for (const Json& block : json["blocks"]) {
    const std::string type = block["type"];
    if (type == "header") {
      EXPECT_EQ(block["text"]["type"], "plain_text");
      EXPECT_LE(CountCharacters(block["text"]["text"].get<std::string>()), 150u);
      total += 150;
    } else if (type == "section") {
      if (block.contains("text")) {
        const std::size_t size = CountCharacters(block["text"]["text"].get<std::string>());
        EXPECT_GT(size, 0u);
        EXPECT_LE(size, 3000u);
        total += size;
      }
      if (block.contains("fields")) {
        EXPECT_GE(block["fields"].size(), 1u);
        EXPECT_LE(block["fields"].size(), 10u);
        for (const Json& field : block["fields"]) {
          const std::size_t size = CountCharacters(field["text"].get<std::string>());
          EXPECT_LE(size, 2000u);
          total += size;
        }
      }
    } else {
      ASSERT_EQ(type, "context");
      EXPECT_LE(block["elements"].size(), 10u);
      const std::size_t size = CountCharacters(block["elements"][0]["text"].get<std::string>());
      EXPECT_LE(size, 2000u);
      total += size;
    }
  }
  EXPECT_LE(total, 13'000u);
}

TEST(SlackRender, APageThatAnEngineerLovesAtThreeInTheMorning) {
  Page page = SomePage();
  page.remedies = {SomeRemedy()};
  const std::string body = Render(page, Language::kEnglish);
  CheckLimits(body);
  const Json json = Json::parse(body);
  EXPECT_EQ(json["blocks"][0]["text"]["text"],
            ":red_circle: CRITICAL: backend-api error-rate 2.4 % (limit &gt; 1 %)");
  for (const char* word :
       {"2026-02-04 09:15:00 UTC", "3min 20s ago", "On-call Engineer", "within 5 min",
        "deployment revision 42 -&gt; 43", "endpoint=/games", "83 %", "1234 events",
        "liveopsctl remediations approve 0123456789abcdef0123456789abcdef",
        "kubectl rollout undo deployment/backend-api --to-revision=42",
        "liveopsctl alarms ack backend-api/error-rate", "plan v3",
        "<https://runbooks.example/error-rate|Runbook>"}) {
    EXPECT_THAT(body, HasSubstr(word));
  }
  EXPECT_THAT(body, Not(HasSubstr("may be a repeat")));
}

TEST(SlackRender, SaysThatItMayBeARepeat) {
  Page page = SomePage();
  page.may_repeat = true;
  EXPECT_THAT(Render(page, Language::kEnglish), HasSubstr("may be a repeat"));
}

TEST(SlackRender, ARefusedRemedyIsNotThereToBeApproved) {
  Page page = SomePage();
  PageRemedy remedy = SomeRemedy();
  remedy.command = "";
  remedy.description = "api-error-surge on deployment/backend-api";
  remedy.end = RemedyEnd::kRefused;
  remedy.end_detail = "this remedy ran 3 times: it stops here, a person must look";
  page.remedies = {remedy};
  for (const Notice notice : {Notice::kFiring, Notice::kRemedyProposed, Notice::kRemedyClosed}) {
    page.notice = notice;
    const std::string body = Render(page, Language::kEnglish);
    EXPECT_THAT(body, HasSubstr("refused: nothing ran"));
    EXPECT_THAT(body, HasSubstr("it stops here, a person must look"));
    EXPECT_THAT(body, Not(HasSubstr("remediations approve")));
    EXPECT_THAT(body, Not(HasSubstr("Runs: ")));
  }
}

TEST(SlackRender, AnAlertOfOthersSaysWhoJudgesItAndWhere) {
  Page page = SomePage();
  page.origin = "alertmanager";
  page.link = "https://prometheus.example/graph";
  page.heard = page.clock;
  page.value = std::numeric_limits<double>::quiet_NaN();
  const std::string fires = Render(page, Language::kBoth);
  CheckLimits(fires);
  EXPECT_THAT(fires, HasSubstr("CRITICAL: backend-api error-rate: Requests fail with 5xx"));
  EXPECT_THAT(fires, HasSubstr("심각(Critical): backend-api error-rate: Requests fail with 5xx"));
  EXPECT_THAT(fires, HasSubstr("*Told by / 알린 곳*\\nalertmanager"));
  EXPECT_THAT(fires,
              HasSubstr("<https://prometheus.example/graph|Where it is judged / 판정한 곳>"));
  EXPECT_THAT(fires, HasSubstr("<https://runbooks.example/error-rate|"));
  EXPECT_THAT(fires, Not(HasSubstr("Limit")));
  EXPECT_THAT(fires, Not(HasSubstr("Window")));
  page.notice = Notice::kStale;
  const std::string stale = Render(page, Language::kBoth);
  CheckLimits(stale);
  EXPECT_THAT(stale,
              HasSubstr("CRITICAL, STALE: backend-api error-rate: not heard of again since"));
  EXPECT_THAT(stale, HasSubstr("소식 끊김"));
  page.notice = Notice::kResolved;
  EXPECT_THAT(Render(page, Language::kEnglish), Not(HasSubstr("Limit")));
}

TEST(SlackRender, NoLabelCanMentionAChannelOrForgeALink) {
  const std::string evil = "<!channel> <https://evil|text> & \x1b[31m \xff\xfe ``` \r\nBcc: b";
  Page page = SomePage();
  page.service = page.name = page.alarm_id = page.labels = page.owner = page.summary = evil;
  page.expression = page.unit = page.comparison = page.runbook = page.acknowledged_by = evil;
  page.origin = page.link = evil;
  page.top = {{evil, 1, 0.5}};
  page.changes = {{evil, page.since}};
  page.error_lines = {{page.since, evil, evil}};
  page.traces = {{page.since, evil, evil, true, evil}};
  PageRemedy remedy = SomeRemedy();
  remedy.id = remedy.description = remedy.command = remedy.approver = remedy.condition = evil;
  remedy.end_detail = remedy.approved_by = evil;
  page.remedies = {remedy};
  for (const Notice notice :
       {Notice::kFiring, Notice::kNoData, Notice::kStale, Notice::kResolved, Notice::kAcknowledged,
        Notice::kRemedyProposed, Notice::kRemedyClosed}) {
    page.notice = notice;
    const std::string body = Render(page, Language::kBoth);
    CheckLimits(body);
    EXPECT_THAT(body, Not(HasSubstr("<!")));
    EXPECT_THAT(body, Not(HasSubstr("<http")));
    EXPECT_THAT(body, Not(HasSubstr("\\u001b")));
    EXPECT_THAT(body, Not(HasSubstr("\\r")));
  }
}

TEST(SlackRender, StaysWithinTheLimitsWhateverComes) {
  const std::string longest(20'000, '<');
  Page page = SomePage();
  page.service = page.name = page.alarm_id = page.owner = page.summary = page.expression = longest;
  page.labels = page.runbook = longest;
  page.top.assign(50, {longest, 1, 0.5});
  page.changes.assign(50, {longest, page.since});
  page.error_lines.assign(50, {page.since, longest, longest});
  page.traces.assign(50, {page.since, longest, longest, true, longest});
  PageRemedy remedy = SomeRemedy();
  remedy.description = remedy.command = remedy.condition = remedy.approver = longest;
  page.remedies.assign(20, remedy);
  CheckLimits(Render(page, Language::kBoth));
  std::string korean;
  for (int i = 0; i < 3000; ++i) korean += "한";
  page.summary = page.owner = page.name = korean;
  CheckLimits(Render(page, Language::kKorean));
}

TEST(SlackRender, TheLastErrorLinesStandOnAPageThatOpens) {
  Page page = SomePage();
  EXPECT_THAT(Render(page, Language::kEnglish), Not(HasSubstr("Last errors")));
  page.error_lines = {{page.since, "/pay/:id", "card `7`\n<declined>"}, {page.since, "", "again"}};
  EXPECT_THAT(Render(page, Language::kEnglish),
              HasSubstr("*Last errors*\\n• 2026-02-04 09:15:00 UTC  `/pay/:id` card `7` "
                        "&lt;declined&gt;\\n• 2026-02-04 09:15:00 UTC  again"));
  page.notice = Notice::kResolved;
  page.phase = Phase::kResolved;
  EXPECT_THAT(Render(page, Language::kEnglish), Not(HasSubstr("Last errors")));
}

TEST(SlackRender, TracesToLookAtStandOnAPageThatOpens) {
  Page page = SomePage();
  EXPECT_THAT(Render(page, Language::kEnglish), Not(HasSubstr("Traces")));
  page.traces = {{page.since, "GET /pay/:id", "612 ms", true, "0af7651916cd43dd8448eb211c80319c"},
                 {page.since, "", "500 ms", false, "ff"}};
  EXPECT_THAT(
      Render(page, Language::kEnglish),
      HasSubstr("*Traces*\\n• `0af7651916cd43dd8448eb211c80319c`  `GET /pay/:id` 612 ms, "
                "failed  2026-02-04 09:15:00 UTC\\n• `ff`  500 ms  2026-02-04 09:15:00 UTC"));
  EXPECT_THAT(Render(page, Language::kKorean), HasSubstr("*트레이스*"));
  EXPECT_THAT(Render(page, Language::kKorean), HasSubstr("612 ms, 실패"));
  page.notice = Notice::kResolved;
  page.phase = Phase::kResolved;
  EXPECT_THAT(Render(page, Language::kEnglish), Not(HasSubstr("Traces")));
}

TEST(SlackRender, AResolveTellsRecoveredValuePeakAndDuration) {
  Page page = SomePage();
  page.notice = Notice::kResolved;
  page.phase = Phase::kResolved;
  page.value = 0.1;
  page.peak = 7.5;
  page.duration = Duration(380'000);
  const std::string body = Render(page, Language::kEnglish);
  CheckLimits(body);
  for (const char* word : {"RESOLVED", "0.1 %", "7.5 %", "6min 20s"}) {
    EXPECT_THAT(body, HasSubstr(word));
  }
}

TEST(SlackRender, AChangeOfSeveritySaysFromWhatToWhat) {
  Page page = SomePage();
  page.severity_before = plan::Severity::kMedium;
  std::string body = Render(page, Language::kBoth);
  CheckLimits(body);
  EXPECT_THAT(body, HasSubstr("CRITICAL, up from MEDIUM: backend-api error-rate 2.4 %"));
  EXPECT_THAT(body, HasSubstr("심각(Critical), 보통(Medium)에서 악화"));
  page.notice = Notice::kEased;
  page.severity = plan::Severity::kHigh;
  page.severity_before = plan::Severity::kCritical;
  body = Render(page, Language::kEnglish);
  CheckLimits(body);
  EXPECT_THAT(body, HasSubstr("HIGH, down from CRITICAL: backend-api error-rate 2.4 %"));
  EXPECT_THAT(body, Not(HasSubstr("alarms ack"))) << "nobody is asked to take on good news";
}

TEST(SlackRender, AFlappingAlarmSaysHowOftenItOpenedAndWhenItIsOver) {
  Page page = SomePage();
  page.swings = 5;
  page.flaps_within = Duration(1'800'000);
  page.quiet = Duration(900'000);
  const std::string body = Render(page, Language::kBoth);
  CheckLimits(body);
  EXPECT_THAT(body, HasSubstr("CRITICAL, FLAPPING: backend-api"));
  EXPECT_THAT(body, HasSubstr("It opened 5 times within 30 min. It now stays open until it has "
                              "been clear for 15 min, and then resolves once."));
  EXPECT_THAT(body, HasSubstr("5회 발생했습니다 (30분 이내)"));
  page.notice = Notice::kResolved;
  page.phase = Phase::kResolved;
  EXPECT_THAT(Render(page, Language::kEnglish), HasSubstr("It flapped: opened 5 times."));
  page.swings = 0;
  page.phase = Phase::kWithdrawn;
  page.reason = "shadowed";
  EXPECT_THAT(Render(page, Language::kEnglish), HasSubstr("the plan no longer pages it"));
  page.phase = Phase::kGone;
  page.reason = "decommissioned";
  EXPECT_THAT(Render(page, Language::kEnglish), HasSubstr("its series were decommissioned"));
}

TEST(SlackRender, AnOverflowSaysHowManyMoreThereAre) {
  Page page = SomePage();
  page.groups_refused = 1243;
  page.threshold = 10'000;
  page.value = 11'243;
  page.unit = "alarms";
  const std::string body = Render(page, Language::kBoth);
  CheckLimits(body);
  EXPECT_THAT(body, HasSubstr("CRITICAL: backend-api error-rate: 10,000 alarms, and 1,243 more"));
  EXPECT_THAT(body, HasSubstr("Those that it has go on unchanged."));
  EXPECT_THAT(body, HasSubstr("알람 10,000개, 그 외 1,243개"));
  page.unit = "series";
  const std::string series = Render(page, Language::kBoth);
  CheckLimits(series);
  EXPECT_THAT(series, HasSubstr("10,000 series, and 1,243 more"));
  EXPECT_THAT(series, HasSubstr("alarms that rest on them cannot fire"));
  EXPECT_THAT(series, HasSubstr("시계열 10,000개, 그 외 1,243개"));
}

TEST(SlackRender, Korean) {
  const std::string body = Render(SomePage(), Language::kKorean);
  CheckLimits(body);
  for (const char* word : {"심각", "기준", "담당", "직전 변경", "즉시 대응"}) {
    EXPECT_THAT(body, HasSubstr(word));
  }
}

TEST(Escape, CutsOnlyBetweenEntities) {
  EXPECT_EQ(Escape("a<b", 100), "a&lt;b");
  EXPECT_EQ(Escape("abcdef", 6), "abcdef");
  EXPECT_EQ(Escape("abcdefg", 6), "abcde…");
  EXPECT_EQ(Escape("abcd<", 6), "abcd…");
  EXPECT_EQ(Escape("한국어문", 3), "한국…");
}

TEST(SlackAnswer, OnlyOkIsADelivery) {
  EXPECT_EQ(ReadAnswer({true, 200, "ok", "", false, ""}).outcome, Outcome::kDelivered);
  EXPECT_EQ(ReadAnswer({true, 200, "<html>", "", false, ""}).outcome, Outcome::kUnknown);
  EXPECT_EQ(ReadAnswer({true, 404, "no_service", "", false, ""}).outcome, Outcome::kRejected);
  EXPECT_EQ(ReadAnswer({true, 429, "", "3", false, ""}).retry_after, Duration(3000));
}

}  // namespace
}  // namespace liveops::notifier::slack
