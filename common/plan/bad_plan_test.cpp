// Plans with one thing wrong, and where and how it is told.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <list>
#include <string>

#include "common/plan/parse.h"

namespace liveops::plan {
namespace {

using testing::HasSubstr;

constexpr std::string_view kHead = R"(service: shop
owners:
  on-call: {title: On-call Engineer, slack: "#oncall", pagerduty: oncall}
  backend: {slack: "#backend"}
  pager: {pagerduty: nightly}
metrics:
  latency: {distribution: http_request_duration_ms, unit: ms, default: true}
  5xx: {ratio: [http_5xx_count, http_request_count]}
  CPU: {metric: cpu_utilization, unit: "%"}
)";
constexpr int kHeadLines = 9;

std::string AllProblems(const ParseResult& result) {
  std::string out;
  for (const Problem& problem : result.problems) out += problem.ToString("p.yaml") + "\n";
  return out;
}

struct BadPlan {
  const char* text;  // below kHead
  int line;          // counted from the first line of `text`
  int column;
  const char* message;
};

class BadPlans : public testing::TestWithParam<BadPlan> {};

TEST_P(BadPlans, IsToldAtItsPlace) {
  const BadPlan& bad = GetParam();
  const auto result = Parse(std::string(kHead) + bad.text);
  ASSERT_EQ(result.problems.size(), 1u) << AllProblems(result);
  const Problem& problem = result.problems[0];
  EXPECT_THAT(problem.message, HasSubstr(bad.message));
  EXPECT_EQ(problem.line - kHeadLines, bad.line) << problem.message;
  EXPECT_EQ(problem.column, bad.column) << problem.message;
}

INSTANTIATE_TEST_SUITE_P(
    Keys, BadPlans,
    testing::Values(
        BadPlan{"alarm: []\n", 1, 1, "unknown key \"alarm\"; did you mean \"alarms\"?"},
        BadPlan{"slos: {a: 1}\n", 1, 7, "slos is a mapping, expected a list"},
        BadPlan{"silences: []\n", 1, 1, "\"silences\" cannot be run yet"},
        BadPlan{"escalation: {}\n", 1, 1, "\"escalation\" cannot be run yet"},
        BadPlan{"spread: 0\n", 1, 9, "a whole number from 1 to 1024; the nearest is 1"},
        BadPlan{"spread: 99999999999\n", 1, 9, "from 1 to 1024; the nearest is 1024"},
        BadPlan{"spread: 2.5\n", 1, 9,
                "spread is \"2.5\", expected over how many of the partitions"},
        BadPlan{"spread: [4]\n", 1, 9, "spread is a list, expected a single value"},
        BadPlan{"phase: one\n", 1, 8, "expected a whole number"},
        BadPlan{"dedup: 5 fortnights\n", 1, 8, "is not a unit of time"},
        BadPlan{
            "lateness: {http_5xx_cont: 5s}\nalarms:\n  - {name: a, when: 5xx > 1%, page: false}\n",
            1, 12, "no alarm reads the metric \"http_5xx_cont\"; did you mean \"http_5xx_count\"?"},
        BadPlan{
            "lateness: {http_5xx_count: 2h}\nalarms:\n  - {name: a, when: 5xx > 1%, page: false}\n",
            1, 28, "expected from 1s to 1h"},
        BadPlan{"foreign_alerts: {owner: backnd}\n", 1, 25,
                "unknown owner \"backnd\"; did you mean \"backend\"?"},
        BadPlan{"foreign_alerts: {owner: pager}\n", 1, 25, "owner \"pager\" has no slack channel"},
        BadPlan{"foreign_alerts: {}\n", 1, 17, "owner"},
        BadPlan{"response: 5min\n", 1, 11, "response is a single value, expected a mapping"},
        BadPlan{"response: {critcal: 5min}\n", 1, 12,
                "response: unknown key \"critcal\"; did you mean \"critical\"?"},
        BadPlan{
            "response: {critical: soon}\n", 1, 22,
            "critical is \"soon\", expected a length of time such as 5min, or next business day"},
        BadPlan{"response:\n  low: next busines day\n", 2, 8,
                "did you mean \"next business day\"?"},
        BadPlan{"response: {high: 5 fortnights}\n", 1, 18, "is not a unit of time"},
        BadPlan{"response: {critical: 30s}\n", 1, 22, "critical is 30s, expected from 1min to 7d"},
        BadPlan{"response: {critical: [5min]}\n", 1, 22, "expected a single value"},
        BadPlan{"response: {critical: 45min}\n", 1, 11,
                "high (30min) may not be sooner than critical (45min)"},
        BadPlan{"response: {medium: next business day, low: 2h}\n", 1, 11,
                "low (2h) may not be sooner than medium (next business day)"},
        BadPlan{"alarms: {a: 1}\n", 1, 9, "alarms is a mapping, expected a list"},
        BadPlan{"alarms:\n  - p95 > 500ms\n", 2, 5,
                "an alarm is a single value, expected a mapping"},
        BadPlan{"service: again\n", 1, 1, "\"service\" is given twice, first in line 1"},
        BadPlan{"phase: &x 1\n", 1, 8, "anchors"},
        BadPlan{"---\nservice: b\n", 2, 1, "second document"}));

INSTANTIATE_TEST_SUITE_P(
    Alarms, BadPlans,
    testing::Values(
        BadPlan{"alarms:\n  - {when: CPU > 1%, page: false}\n", 2, 5,
                "the key \"name\" is missing"},
        BadPlan{"alarms:\n  - {name: a, page: false}\n", 2, 5,
                "alarm \"a\": the key \"when\" is missing"},
        BadPlan{"alarms:\n  - {name: a, when: , page: false}\n", 2, 21,
                "the key \"when\" has no value"},
        BadPlan{"alarms:\n  - {name: A b, when: CPU > 1%, page: false}\n", 2, 12,
                "lower-case letters"},
        BadPlan{"alarms:\n  - {name: a/b, when: CPU > 1%, page: false}\n", 2, 12,
                "lower-case letters"},
        BadPlan{"alarms:\n  - name: a\n    when: CPU > 1%\n    page: false\n    sumary: x\n", 5, 5,
                "alarm \"a\": unknown key \"sumary\"; did you mean \"summary\"?"},
        BadPlan{"alarms:\n  - {name: a, when: CPU > 1%, severity: high}\n", 2, 5,
                "alarm \"a\": the key \"owner\" is missing"},
        BadPlan{"alarms:\n  - {name: a, when: CPU > 1%, owner: on-call}\n", 2, 5,
                "the key \"severity\" is missing"},
        BadPlan{"alarms:\n  - {name: a, when: CPU > 1%, severity: crtical, owner: on-call}\n", 2,
                41, "unknown severity \"crtical\"; did you mean \"critical\"?"},
        BadPlan{"alarms:\n  - {name: a, when: CPU > 1%, severity: high, owner: oncall}\n", 2, 54,
                "unknown owner \"oncall\"; did you mean \"on-call\"?"},
        BadPlan{"alarms:\n  - {name: a, when: CPU > 1%, severity: low, owner: pager}\n", 2, 53,
                "a low alarm goes to Slack, and owner \"pager\" has no slack channel"},
        BadPlan{
            "alarms:\n  - {name: a, when: CPU > 1%, page: maybe, severity: low, owner: backend}\n",
            2, 37, "expected true or false"},
        BadPlan{"alarms:\n  - {name: a, when: CPU > 1%, page: false, no_data: resolve}\n", 2, 53,
                "silence never resolves"},
        BadPlan{"alarms:\n  - {name: a, when: CPU > 1%, page: false, min_count: -1}\n", 2, 55,
                "expected a whole number from 0"},
        BadPlan{"alarms:\n  - {name: a, when: CPU > 1%, page: false, escalate: x}\n", 2, 44,
                "\"escalate\" cannot be run yet"},
        BadPlan{"alarms:\n  - {name: a, when: CPU > 1%, page: false, clear: '< 5%'}\n", 2, 54,
                "the alarm would clear while it fires"},
        BadPlan{"alarms:\n  - {name: a, when: CPU > 1%, page: false}\n  - {name: a, when: CPU > "
                "2%, page: false}\n",
                3, 12, "alarm \"a\" is defined twice, first in line 11, again in line 12"}));

INSTANTIATE_TEST_SUITE_P(
    Expressions, BadPlans,
    testing::Values(
        BadPlan{"alarms:\n  - {name: a, when: GPU > 1%, page: false}\n", 2, 21,
                "unknown name \"GPU\"; did you mean \"CPU\"?"},
        BadPlan{"alarms:\n  - {name: a, when: 'CPU > 1ms', page: false}\n", 2, 29,
                "\"ms\" does not fit"},
        BadPlan{"alarms:\n  - {name: a, when: \"CPU > 1ms\", page: false}\n", 2, 29,
                "\"ms\" does not fit"},
        BadPlan{"alarms:\n  - {name: a, when: 'avg(m{a=''x''}) > 1foo', page: false}\n", 2, 41,
                "unknown unit"},
        BadPlan{
            "alarms:\n  - {name: a, when: \"avg(m{a=\\\"x\\u00e4\\\"}) > 1foo\", page: false}\n", 2,
            47, "unknown unit"},
        BadPlan{"alarms:\n  - {name: a, when: \"avg(m{a='가나'}) > 1foo\", page: false}\n", 2, 40,
                "unknown unit"},
        BadPlan{"alarms:\n  - name: a\n    page: false\n    when: >\n      CPU\n      > 1ms\n", 6,
                10, "\"ms\" does not fit"},
        BadPlan{
            "alarms:\n  - name: a\n    page: false\n    when: CPU\n      > 1%\n      fro 5min\n", 6,
            7, "found \"fro\""},
        BadPlan{"alarms:\n  - {name: a, when: \"CPU\\n > 1ms\", page: false}\n", 2, 31,
                "\"ms\" does not fit"},
        BadPlan{"alarms:\n  - {name: a, page: false, when: CPU > 1% and 5xy > 1%}\n", 2, 47,
                "unknown name \"5xy\"; did you mean \"5xx\"?"},
        BadPlan{"alarms:\n  - {name: a, page: false, when: CPU > 1% for 9 of 5min}\n", 2, 47,
                "of 5 slots 1 to 5 can be asked for"},
        BadPlan{"alarms:\n  - {name: a, page: false, when: CPU > 9% or 5xx > 1%, clear: < 5%}\n", 2,
                63, "clear belongs to a condition of one test, this one has 2"}));

constexpr const char* kSloEnd = ", owner: on-call}\n";
BadPlan BadSlo(const char* text, int column, const char* message) {
  static std::list<std::string> texts;  // a parameter holds no text of its own
  texts.push_back(std::string("slos:\n  - {name: a, ") + text + kSloEnd);
  return {texts.back().c_str(), 2, column, message};
}

INSTANTIATE_TEST_SUITE_P(
    Objectives, BadPlans,
    testing::Values(
        BadSlo(
            "objective: 99.9, bad: e, total: r", 26,
            "objective is \"99.9\", expected a share between 0 and 1, such as 99.9% or 0.999; did "
            "you mean 99.9%?"),
        BadSlo("objective: 100%, bad: e, total: r", 26, "expected a share between 0 and 1"),
        BadSlo("objective: 0, bad: e, total: r", 26, "expected a share between 0 and 1"),
        BadSlo("objective: 1e-1, bad: e, total: r", 26, "expected a share between 0 and 1"),
        BadSlo("bad: e, total: r", 5, "objective \"a\": the key \"objective\" is missing"),
        BadSlo("objective: 99%, bad: e", 5, "the key \"total\" is missing"),
        BadSlo("objective: 99%, total: r", 5, "expected good or bad"),
        BadSlo("objective: 99%, good: g, bad: e, total: r", 45, "\"bad\" stands beside \"good\""),
        BadSlo("objective: 99%, good: x - e, total: r", 37,
               "found x, expected the same series as in total, r"),
        BadSlo("objective: 99%, good: r - e - f, total: r", 43, "found \"-\", expected the end"),
        BadSlo("objective: 99%, bad: 5xx, total: r", 36, "\"5xx\" is a measure of its own"),
        BadSlo("objective: 99%, bad: e, total: r, over: 12h", 55,
               "over is 12h, expected from 3d to 30d"),
        BadSlo("objective: 99%, bad: e, total: r, over: 31d", 55, "expected from 3d to 30d"),
        BadSlo("objective: 99%, bad: e, total: r, min_bad: 0", 58,
               "expected a whole number from 1"),
        BadSlo("objective: 99%, bad: e, total: r, page: medium", 55,
               "page is \"medium\", expected critical or high"),
        BadSlo("objective: 99%, bad: e, total: r, ticket: high", 57,
               "ticket is \"high\", expected medium or low"),
        BadSlo("objective: 99%, bad: e, total: r, windows: 1h", 49,
               "\"windows\" cannot be run yet"),
        BadSlo("objective: 99%, bad: e, total: r, titel: x", 49,
               "objective \"a\": unknown key \"titel\""),
        BadSlo(
            "objective: 90%, bad: e, total: r", 26,
            "2 % of the month's error budget in 1 h is 14.4 times the 10% of bad events that the "
            "objective allows, 144%: no share of events is above that, so the alarm could never "
            "fire; the lowest objective at which it can is 93.06%"),
        BadPlan{"slos:\n  - {name: a, objective: 99%, bad: e, total: r, owner: oncall}\n", 2, 56,
                "unknown owner \"oncall\"; did you mean \"on-call\"?"},
        BadPlan{"slos:\n  - {name: a, objective: 99%, bad: e, total: r}\n", 2, 5,
                "objective \"a\": the key \"owner\" is missing"},
        BadPlan{"slos:\n  - {name: a, objective: 99%, bad: e, total: r, owner: pager}\n", 2, 56,
                "a medium alarm goes to Slack, and owner \"pager\" has no slack channel"},
        BadPlan{
            "alarms:\n  - {name: a-slow-burn, when: CPU > 1%, page: false}\nslos:\n  - {name: a, "
            "objective: 99%, bad: e, total: r, owner: on-call}\n",
            4, 12, "the objective makes the alarm \"a-slow-burn\", which line 11 defines too"},
        BadPlan{
            "slos:\n  - {name: a, objective: 99%, bad: e, total: r, owner: on-call}\n  - {name: a, "
            "objective: 99%, bad: e, total: r, owner: on-call}\n",
            3, 12, "objective \"a\" is defined twice, first in line 11, again in line 12"}));

INSTANTIATE_TEST_SUITE_P(
    Remediations, BadPlans,
    testing::Values(BadPlan{"remediations:\n  - {name: r, when: CPU > 1%, do: {kubectl: [rollout, "
                            "undo, deployment/a]}}\n",
                            2, 5, "the key \"approval\" is missing"},
                    BadPlan{"remediations:\n  - name: r\n    when: CPU > 1%\n    approval: none\n  "
                            "  do: {kubectl: [rollout, "
                            "undo, deployment/a]}\n",
                            4, 15, "runs without a person"},
                    BadPlan{"remediations:\n  - name: r\n    when: CPU > 1%\n    approval: {from: "
                            "on-cal}\n    do: {kubectl: "
                            "[rollout, undo, deployment/a]}\n",
                            4, 22, "did you mean \"on-call\"?"},
                    BadPlan{"remediations:\n  - name: r\n    when: CPU > 1%\n    approval: {from: "
                            "on-call, within: 1s}\n    do: "
                            "{kubectl: [rollout, undo, deployment/a]}\n",
                            4, 39, "expected from 1min to 1d"},
                    BadPlan{"remediations:\n  - name: r\n    when: CPU > 1%\n    approval: {from: "
                            "on-call}\n    do: {script: "
                            "fix.sh}\n",
                            5, 10, "the action \"script\" cannot be run yet"},
                    BadPlan{"remediations:\n  - name: r\n    when: CPU > 1%\n    approval: {from: "
                            "on-call}\n    do: kubectl "
                            "rollout undo\n",
                            5, 9, "do is a single value"},
                    BadPlan{"remediations:\n  - name: r\n    when: CPU > 1%\n    approval: {from: "
                            "on-call}\n    automatic: "
                            "true\n    do: {kubectl: [rollout, undo, deployment/a]}\n",
                            5, 5, "\"automatic\" cannot be run yet"},
                    BadPlan{"remediations:\n  - name: r\n    when: CPU > 1%\n    approval: {from: "
                            "on-call}\n    page_with: x\n  "
                            "  do: {kubectl: [rollout, undo, deployment/a]}\n",
                            5, 16, "unknown alarm \"x\""},
                    BadPlan{"alarms:\n  - {name: q, when: CPU > 1%, page: false}\nremediations:\n  "
                            "- name: r\n    when: CPU > "
                            "1%\n    approval: {from: on-call}\n    page_with: q\n    do: "
                            "{kubectl: [rollout, undo, "
                            "deployment/a]}\n",
                            7, 16, "alarm \"q\" is a shadow alarm"},
                    BadPlan{"remediations:\n  - name: r\n    when: CPU > 1%\n    approval: {from: "
                            "on-call}\n    expect: CPU < 1% "
                            "within 30s\n    do: {kubectl: [rollout, undo, deployment/a]}\n",
                            5, 29, "not longer than the window"},
                    BadPlan{"remediations:\n  - name: r\n    when: CPU > 1%\n    approval: {from: "
                            "on-call}\n    expect: at least "
                            "3 by pod\n    do: {kubectl: [rollout, undo, deployment/a]}\n",
                            5, 30, "expected within and a length of time"}));

}  // namespace
}  // namespace liveops::plan
