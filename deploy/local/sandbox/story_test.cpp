#include "deploy/local/sandbox/story.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace liveops::sandbox {
namespace {

using testing::Contains;
using testing::HasSubstr;

constexpr std::int64_t kEnd = 1'000'000'000;
constexpr const char* kErrors = "backend-api/error-rate-critical";
constexpr const char* kLatency = "backend-api/latency-critical";

stack::LedgerEntry Event(const std::string& alarm, const std::string& effect, std::int64_t at_ms) {
  stack::LedgerEntry entry;
  entry.provider = "pagerduty";
  entry.alarm_id = alarm;
  entry.effect = effect;
  entry.status = 202;
  entry.title = alarm;
  entry.received_us = at_ms * 1000;
  entry.clock_real_ms = at_ms - 4;
  return entry;
}

constexpr const char* kApprove = "liveopsctl remediations approve abcdef0123456789";

stack::LedgerEntry Message(const std::string& title, const std::string& about) {
  stack::LedgerEntry entry;
  entry.provider = "slack";
  entry.effect = "posted";
  entry.status = 200;
  entry.title = title;
  entry.body = R"({"text":")" + title + R"(","blocks":[{"text":")" + about + "\"}]}";
  return entry;
}

std::string Named(const std::string& alarm) { return "`" + alarm + "`"; }

RemediationView Proposal() {
  RemediationView view;
  view.id = "abcdef0123456789";
  view.scenario = "api-error-surge";
  view.action = "roll back deployment/backend-api from revision 3 to 2";
  return view;
}

std::vector<std::string> WordsOf(const std::vector<Line>& lines) {
  std::vector<std::string> words;
  for (const Line& line : lines) words.push_back(line.word);
  return words;
}

bool AllGood(const std::vector<CheckResult>& checks) {
  bool good = true;
  for (const CheckResult& check : checks) good = good && check.good;
  return good;
}

std::string BadOf(const std::vector<CheckResult>& checks) {
  std::string text;
  for (const CheckResult& check : checks) text += check.good ? "" : check.text + "\n";
  return text;
}

struct InSlack {
  bool firing = true;
  bool proposal = true;
  bool outcome = true;
  bool resolved = true;
};

// The whole incident as it must go; `slack`: what is told there.
Story Told(InSlack slack = {}) {
  Story story{Script{}};
  story.OnDeployment({2, "backend-api:2.3.1"}, 1);
  story.OnDeployment({3, "backend-api:2.4.0"}, 2);
  story.OnLedger(Event(kErrors, "opened", 100));
  story.OnRemediations({Proposal()}, 110'000);
  stack::LedgerEntry merged = Event(kErrors, "merged", 120);
  merged.body =
      std::string(R"({"payload":{"custom_details":{"approve_command":")") + kApprove + R"("}}})";
  story.OnLedger(merged);
  story.OnLedger(Event(kLatency, "opened", 130));
  if (slack.firing) {
    story.OnLedger(Message(":red_circle: CRITICAL: backend-api errors", Named(kErrors)));
    story.OnLedger(Message(":red_circle: CRITICAL: backend-api latency", Named(kLatency)));
  }
  if (slack.proposal) story.OnLedger(Message(":wrench: COUNTERMEASURE waits", kApprove));
  RemediationView view = Proposal();
  view.approved_by = "approver-1";
  view.running = true;
  view.effect = "revision 4";
  story.OnRemediations({view}, 140'000);
  story.OnDeployment({4, "backend-api:2.3.1"}, 141'000);
  view.outcome = "verified";
  story.OnRemediations({view}, 150'000);
  story.OnLedger(Event(kErrors, "resolved", 160));
  story.OnLedger(Event(kLatency, "resolved", 170));
  if (slack.outcome) {
    story.OnLedger(
        Message(":white_check_mark: backend-api: " + view.action + ": verified: it helped",
                Named(kErrors)));
  }
  if (slack.resolved) {
    story.OnLedger(Message(":large_green_circle: RESOLVED: backend-api errors", Named(kErrors)));
    story.OnLedger(Message(":large_green_circle: RESOLVED: backend-api latency", Named(kLatency)));
  }
  return story;
}

const std::vector<std::string> kOneUndo = {"create deployment backend-api",
                                           "rollout undo deployment/backend-api --to-revision=2"};

TEST(Story, TellsTheIncidentInItsWords) {
  Story story = Told();
  EXPECT_TRUE(story.complete());
  EXPECT_TRUE(AllGood(story.Judge(kOneUndo))) << BadOf(story.Judge(kOneUndo));
  const auto words = WordsOf(story.TakeLines(kEnd));
  for (const char* word :
       {"FIRING", "proposed", "approved", "rolled back", "verified", "resolved"}) {
    EXPECT_THAT(words, Contains(word));
  }
  EXPECT_TRUE(story.TakeLines(kEnd).empty());
}

TEST(Story, ASilentSlackFailsTheVerdict) {
  const auto bad = [](InSlack slack) { return BadOf(Told(slack).Judge(kOneUndo)); };
  EXPECT_EQ(bad({}), "");
  EXPECT_THAT(bad({.firing = false}), HasSubstr("latency-critical: not told in Slack"));
  EXPECT_THAT(bad({.resolved = false}),
              HasSubstr("error-rate-critical: told in Slack, its end is not"));
  EXPECT_THAT(bad({.proposal = false}), HasSubstr("the proposal is missing in Slack, shown in"));
  EXPECT_THAT(bad({.outcome = false}), HasSubstr("outcome not told in Slack"));
  EXPECT_FALSE(Told({.outcome = false}).complete());
  EXPECT_FALSE(Told({.resolved = false}).complete());
}

TEST(Story, AProposalThatPagerDutyLacksFailsTheVerdict) {
  Story story{Script{}};
  story.OnRemediations({Proposal()}, 110'000);
  stack::LedgerEntry elsewhere = Event(kErrors, "merged", 120);
  elsewhere.body = std::string(R"({"payload":{"summary":")") + kApprove + "\"}}";
  story.OnLedger(elsewhere);
  story.OnLedger(Message(":wrench: COUNTERMEASURE waits", kApprove));
  EXPECT_THAT(BadOf(story.Judge(kOneUndo)),
              HasSubstr("the proposal is shown in Slack, missing in PagerDuty's details"));
}

TEST(Story, GivesLinesInOrderAndHoldsBackTheNewest) {
  Story story{Script{}};
  story.OnLedger(Event(kErrors, "opened", 100));
  story.OnRemediations({Proposal()}, 90'000);
  story.OnLedger(Event(kErrors, "resolved", 200));
  EXPECT_EQ(WordsOf(story.TakeLines(150'000)), (std::vector<std::string>{"proposed", "FIRING"}));
  EXPECT_EQ(WordsOf(story.TakeLines(kEnd)), std::vector<std::string>{"resolved"});
}

TEST(Story, SaysTheLatencyFromCrossingToPage) {
  Story story{Script{}};
  story.OnLedger(Event(kErrors, "opened", 100));
  EXPECT_THAT(story.TakeLines(kEnd).at(0).more.at(0), HasSubstr("4.0 ms"));
}

TEST(Story, ASecondAlertOfAnAlarmFailsTheVerdict) {
  Story story = Told();
  story.OnLedger(Event(kErrors, "opened", 180));
  EXPECT_THAT(BadOf(story.Judge(kOneUndo)), HasSubstr("error-rate-critical: 2 alerts"));
}

TEST(Story, AnUnexpectedAlarmFailsTheVerdict) {
  Story story = Told();
  story.OnLedger(Event("backend-api/service-down", "opened", 180));
  EXPECT_THAT(BadOf(story.Judge(kOneUndo)), HasSubstr("unexpected: backend-api/service-down"));
  Story other = Told();
  other.OnLedger(Message(":large_yellow_circle: MEDIUM: disk", Named("backend-api/disk-usage")));
  EXPECT_THAT(BadOf(other.Judge(kOneUndo)), HasSubstr("backend-api/disk-usage (Slack)"));
}

TEST(Story, ABreachOfContractOrARefusalFailsTheVerdict) {
  Story story = Told();
  stack::LedgerEntry bad = Event(kErrors, "", 180);
  bad.violations = {"payload.summary: is missing"};
  bad.status = 400;
  story.OnLedger(bad);
  EXPECT_THAT(BadOf(story.Judge(kOneUndo)), HasSubstr("1 breach"));
}

TEST(Story, TwoRollbacksOrNoneFailTheVerdict) {
  Story story = Told();
  std::vector<std::string> two = kOneUndo;
  two.push_back(kOneUndo[1]);
  EXPECT_THAT(BadOf(story.Judge(two)), HasSubstr("2 rollbacks"));
  EXPECT_THAT(BadOf(story.Judge(std::vector<std::string>{})), HasSubstr("0 rollbacks"));
  EXPECT_TRUE(AllGood(story.Judge(std::nullopt)));  // a real cluster keeps no list
}

TEST(Story, WithoutApprovalNothingMayRun) {
  Story story{Script{}};
  story.OnDeployment({3, "backend-api:2.4.0"}, 2);
  story.OnLedger(Event(kErrors, "opened", 100));
  story.OnLedger(Event(kLatency, "opened", 130));
  story.OnRemediations({Proposal()}, 140'000);
  stack::LedgerEntry merged = Event(kErrors, "merged", 145);
  merged.body = std::string(R"({"custom_details":{"approve_command":")") + kApprove + "\"}}";
  story.OnLedger(merged);
  story.OnLedger(Message(":red_circle: CRITICAL: errors", Named(kErrors)));
  EXPECT_THAT(BadOf(story.JudgeUnapproved(std::vector<std::string>{})),
              HasSubstr("latency-critical: not told in Slack"));
  story.OnLedger(Message(":red_circle: CRITICAL: latency", Named(kLatency) + kApprove));
  EXPECT_FALSE(story.complete());
  EXPECT_TRUE(AllGood(story.JudgeUnapproved(std::vector<std::string>{})));
  EXPECT_FALSE(AllGood(story.JudgeUnapproved(kOneUndo)));
  // The slower alarms of the same trouble join in, once.
  story.OnLedger(Event("backend-api/error-rate-high", "opened", 150));
  EXPECT_TRUE(AllGood(story.JudgeUnapproved(std::vector<std::string>{})));
  EXPECT_THAT(BadOf(story.Judge(kOneUndo)), HasSubstr("unexpected: backend-api/error-rate-high"));
  story.OnLedger(Event("backend-api/error-rate-high", "opened", 160));
  EXPECT_FALSE(AllGood(story.JudgeUnapproved(std::vector<std::string>{})));
  EXPECT_FALSE(AllGood(story.Judge(std::vector<std::string>{})));
}

TEST(Story, SaysWhatIsNotAsWithoutApproval) {
  AlarmView errors;
  errors.id = kErrors;
  errors.state = "firing";
  errors.pages = true;
  AlarmView latency = errors;
  latency.id = kLatency;
  Story story{Script{}};
  story.OnDeployment({3, "backend-api:2.4.0"}, 2);
  story.OnAlarms({errors, latency}, 3);
  EXPECT_TRUE(story.NotAsWithoutApproval().empty());
  latency.state = "no_data";
  story.OnAlarms({errors, latency}, 4);
  EXPECT_EQ(story.NotAsWithoutApproval(), std::vector<std::string>{"latency-critical is no_data"});
  story.OnDeployment({4, "backend-api:2.3.1"}, 5);
  story.OnAlarms({latency}, 6);
  EXPECT_EQ(story.NotAsWithoutApproval(),
            (std::vector<std::string>{"backend-api:2.3.1 runs", "error-rate-critical is not open",
                                      "latency-critical is no_data"}));
}

TEST(Story, ShowsAPendingAlarmOnce) {
  Story story{Script{}};
  AlarmView alarm;
  alarm.id = kErrors;
  alarm.state = "pending";
  alarm.pages = true;
  alarm.value = "8.1 %";
  alarm.threshold = "> 1 %";
  story.OnAlarms({alarm}, 1);
  story.OnAlarms({alarm}, 2);
  EXPECT_EQ(WordsOf(story.TakeLines(kEnd)), std::vector<std::string>{"pending"});
  story.OnAlarms({}, 3);
  EXPECT_EQ(WordsOf(story.TakeLines(kEnd)), std::vector<std::string>{"calm again"});
}

TEST(FormatMinutes, ReadsLikeAClock) {
  EXPECT_EQ(FormatMinutes(0), "00:00");
  EXPECT_EQ(FormatMinutes(341'900), "05:41");
  EXPECT_EQ(FormatMinutes(3'723'000), "1:02:03");
  EXPECT_EQ(FormatMinutes(-2'000), "-00:02");
}

}  // namespace
}  // namespace liveops::sandbox
