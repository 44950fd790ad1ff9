#include "common/plan/parse.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

namespace liveops::plan {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

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

std::string AllProblems(const ParseResult& result) {
  std::string out;
  for (const Problem& problem : result.problems) out += problem.ToString("p.yaml") + "\n";
  return out;
}

TEST(Parse, ReadsAWholePlan) {
  const auto result = Parse(std::string(kHead) + R"(
phase: 2
dedup: 10min
response: {critical: 2min, medium: 90min}
foreign_alerts: {owner: backend}
lateness: {http_5xx_count: 90s}
alarms:
  - name: slow
    when: 'p95 > 500ms for 5min'
    clear: "< 300ms for 2min"
    severity: Critical
    owner: on-call
    min_count: 5
    summary: Slow.
    runbook: https://wiki/slow
  - {name: hot, when: CPU > 70%, page: false}
  - {name: gone, when: CPU < 1%, no_data: fire, severity: low, owner: backend}
remediations:
  - name: errors
    when: 5xx > 5% for 3min
    do: {kubectl: [-n, prod, rollout, undo, deployment/shop]}
    approval: {from: on-call}
    expect: 5xx < 1% within 5min
    page_with: slow
)");
  ASSERT_TRUE(result.ok()) << AllProblems(result);
  const Plan& plan = result.plan;
  EXPECT_EQ(plan.service, "shop");
  EXPECT_EQ(plan.phase, 2);
  EXPECT_EQ(plan.dedup, std::chrono::minutes(10));
  EXPECT_EQ(plan.OwnerOfForeign(), "backend");
  EXPECT_EQ(CanonicalText(plan.ResponseTo(Severity::kCritical)), "2min");
  EXPECT_EQ(plan.ResponseTo(Severity::kHigh), DefaultResponse(Severity::kHigh));
  EXPECT_EQ(CanonicalText(plan.ResponseTo(Severity::kMedium)), "1h30min");
  EXPECT_TRUE(plan.ResponseTo(Severity::kLow).next_business_day());
  EXPECT_THAT(plan.lateness, ElementsAre(Pair("http_5xx_count", Duration(90'000))));
  ASSERT_NE(plan.FindOwner("backend"), nullptr);
  EXPECT_EQ(plan.FindOwner("on-call")->title, "On-call Engineer");
  EXPECT_EQ(plan.FindOwner("on-call")->pagerduty, "oncall");
  EXPECT_EQ(plan.FindOwner("backend")->title, "backend");
  ASSERT_EQ(plan.alarms.size(), 3u);
  const Alarm& slow = plan.alarms[0];
  EXPECT_EQ(slow.severity, Severity::kCritical);
  EXPECT_EQ(slow.min_count, 5u);
  EXPECT_EQ(slow.runbook, "https://wiki/slow");
  EXPECT_EQ(slow.when.hold, std::chrono::minutes(5));
  EXPECT_EQ(slow.clear, (Clear{Comparison::kLess, 300, std::chrono::minutes(2)}));
  EXPECT_FALSE(plan.FindAlarm("hot")->page);
  EXPECT_EQ(plan.FindAlarm("hot")->severity, Severity::kLow);
  EXPECT_EQ(plan.FindAlarm("hot")->no_data, NoData::kKeep);
  EXPECT_EQ(plan.FindAlarm("gone")->no_data, NoData::kFire);
  ASSERT_EQ(plan.remediations.size(), 1u);
  const Remediation& errors = plan.remediations[0];
  EXPECT_THAT(errors.kubectl, ElementsAre("rollout", "undo", "deployment/shop", "-n", "prod"));
  EXPECT_EQ(errors.approval_from, "on-call");
  EXPECT_EQ(errors.approval_within, std::chrono::minutes(15));
  EXPECT_EQ(errors.page_with, "slow");
  ASSERT_TRUE(errors.expect);
  EXPECT_EQ(errors.expect->condition.threshold, 1);
  EXPECT_EQ(errors.expect->within, std::chrono::minutes(5));
}

TEST(Parse, ReadsEveryShapeOfName) {
  const auto result = Parse(R"(service: shop
metrics:
  a: {metric: 'm{zone="x"}', capacity: 50, unit: jobs}
  b: {rate: m2, per: 5min, unit: By}
  c: {avg: m3}
  d: {count: m4}
  e f/g: {increase: m5}
  h: {rate: m6, capacity: 100}
  i: {shortfall: [ok, all]}
  j: {stddev: m3}
alarms:
  - {name: a, when: a > 50%, page: false}
  - {name: b, when: b > 5, page: false}
  - {name: c, when: c > 5ms, page: false}
  - {name: d, when: d > 5, page: false}
  - {name: e, when: e f/g > 5, page: false}
  - {name: h, when: h > 5%, page: false}
  - {name: i, when: i > 5%, page: false}
  - {name: j, when: j - c > 5 for 2 of 3min, page: false}
)");
  ASSERT_TRUE(result.ok()) << AllProblems(result);
  const char* expected[] = {"last(m{zone=\"x\"}) of 50 over 1min > 50% for 0s",
                            "rate(m2) per 5min over 1min > 5By/5min for 0s",
                            "avg(m3) over 1min > 5ms for 0s",
                            "count(m4) over 1min > 5 for 0s",
                            "increase(m5) over 1min > 5 for 0s",
                            "rate(m6) per 1s of 100 over 1min > 5% for 0s",
                            "shortfall(ok, all) over 1min > 5% for 0s",
                            "stddev(m3) - avg(m3) over 1min > 5 for 2 of 3min"};
  for (std::size_t i = 0; i < 8; ++i)
    EXPECT_EQ(CanonicalText(result.plan.alarms[i].when), expected[i]);
}

// Every series that a condition reads may come late, wherever in it it stands.
TEST(Parse, LatenessKnowsTheMetricsOfAllTests) {
  const auto result = Parse(std::string(kHead) + R"(
lateness: {a: 5s, b: 6s, c: 7s, d: 8s, e: 9s, f: 10s, total: 11s}
alarms:
  - {name: one, when: "avg(a) - avg(b) > 5 and shortfall(c, d) > 1%", page: false}
remediations:
  - name: two
    when: CPU > 5% unless last(e) > 5
    do: {kubectl: [rollout, undo, deployment/shop]}
    approval: {from: on-call}
slos:
  - {name: three, objective: 99%, bad: f, total: total, owner: on-call}
)");
  ASSERT_TRUE(result.ok()) << AllProblems(result);
  EXPECT_EQ(result.plan.lateness.size(), 7u);
}

TEST(Parse, KubectlArgumentsOutsideTheListAreRefused) {
  struct Case {
    const char* arguments;
    int column;
    const char* message;
  };
  const Case cases[] = {
      {"rollout, undo", 36, "something is missing"},
      {"delete, undo, deployment/a", 27,
       "expected \"rollout\": only kubectl rollout undo can be run yet"},
      {"rollout, restart, deployment/a", 36, "expected \"undo\""},
      {"rollout, undo, deployment, a", 42, "expected deployment/deployment"},
      {"rollout, undo, statefulset/a", 42, "statefulset cannot be run yet"},
      {"rollout, undo, pod/a", 42, "expected deployment/NAME"},
      {"rollout, undo, deployment/A_b", 42, "lower-case"},
      {"rollout, undo, deployment/a, deployment/b", 56, "one target only"},
      {"rollout, undo, deployment/a, --kubeconfig=/tmp/x", 56,
       "the option \"--kubeconfig=/tmp/x\""},
      {"--kubeconfig, /tmp/x, rollout, undo, deployment/a", 27, "the option \"--kubeconfig\""},
      {"rollout, undo, deployment/a, --to-revision=3", 56, "leave --to-revision out"},
      {"rollout, undo, deployment/a, -n", 56, "expected a namespace after -n"},
      {"rollout, undo, deployment/a, -n, --all", 60, "a namespace is made of"},
      {"rollout, undo, deployment/a, --namespace=Bad", 56, "a namespace is made of"},
      {"rollout, undo, deployment/a, -n, x, -n, y", 63, "given twice"},
      {"rollout, undo, \"deployment/a\\n-x\"", 42, "control character"},
      {"rollout, undo, \"deployment/a\\0\"", 42, "control character"},
      {"rollout, undo, deployment/$(id)", 42, "no shell runs here"},
      {"rollout, undo, [x]", 42, "an argument is a list"},
  };
  for (const Case& c : cases) {
    const auto result =
        Parse(std::string(kHead) +
              "remediations:\n  - {name: r, when: CPU > 1%,\n     approval: {from: on-call},\n"
              "           do: {kubectl: [" +
              c.arguments + "]}}\n");
    ASSERT_EQ(result.problems.size(), 1u) << c.arguments << "\n" << AllProblems(result);
    EXPECT_THAT(result.problems[0].message, HasSubstr(c.message)) << c.arguments;
    EXPECT_EQ(result.problems[0].column, c.column)
        << c.arguments << ": " << result.problems[0].message;
  }
}

TEST(Parse, OwnersAndNamesAreChecked) {
  const auto result = Parse(R"(service: a b
owners:
  Bad Name: {slack: "#a"}
  nobody: {title: N}
  hash: {slack: #oncall
    }
  nochannel: {slack: oncall}
  key: {pagerduty: R0KEY/SECRET}
  mail: {slack: "#x", email: a@b}
metrics:
  over there: {metric: m}
  a: {metric: m, ratio: [m, n]}
  b: {}
  c: {ratio: [m]}
  d: {metric: "9m"}
  e: {rate: m, per: parsec}
  f: {metric: m, capacity: 0}
  g: {distribution: m, default: true}
  h: {distribution: n, default: true}
  i: {metric: p, unit: ms}
  j: {metric: p, unit: s}
  k: {metric: m, capcity: 4}
alarms:
  - {name: x, when: d > 5, page: false}
)");
  EXPECT_EQ(
      AllProblems(result),
      "p.yaml:1:10: service is \"a b\"; a name is made of letters, digits and - _ . and begins "
      "with a letter "
      "or digit\n"
      "p.yaml:3:3: owner \"Bad Name\": a name is made of lower-case letters, digits and - _ . and "
      "begins with "
      "a letter or digit\n"
      "p.yaml:4:3: owner \"nobody\" cannot be reached: expected slack or pagerduty\n"
      "p.yaml:6:5: slack has no value; an unquoted # begins a comment: write \"#channel\"\n"
      "p.yaml:7:22: found \"oncall\"; a Slack channel is written like \"#oncall\", in quotes\n"
      "p.yaml:8:20: pagerduty is the name of a routing key in notifier's configuration, never the "
      "key; a name "
      "is made of lower-case letters, digits and - _ . and begins with a letter or digit\n"
      "p.yaml:9:23: \"email\" cannot be run yet: e-mail; expected slack or pagerduty\n"
      "p.yaml:11:3: \"over there\" cannot be a name: the word \"over\" has a meaning in "
      "conditions\n"
      "p.yaml:12:25: \"ratio\" stands beside \"metric\"; a name is one of them\n"
      "p.yaml:13:6: expected one of metric, distribution, ratio, shortfall, rate, increase, count, "
      "sum, avg, "
      "min, max, last, stddev\n"
      "p.yaml:14:14: ratio takes a list of two metrics: [part, whole]\n"
      "p.yaml:15:16: \"9m\" is not a metric name: a letter, then letters, digits and _ . - / :\n"
      "p.yaml:16:21: per is \"parsec\", expected a length of time: s, min, h, 5min\n"
      "p.yaml:17:28: capacity is \"0\", expected a number above 0\n"
      "p.yaml:19:3: \"h\" and \"g\" are both default; one distribution can be\n"
      "p.yaml:21:24: p is in s here and in ms under \"i\"; a metric has one unit\n"
      "p.yaml:22:18: metrics: \"k\": unknown key \"capcity\"; did you mean \"capacity\"?\n");
}

TEST(Parse, BrokenYamlIsAProblemNotAnException) {
  struct Case {
    std::string text;
    const char* message;
  };
  const Case cases[] = {
      {"", "the plan is empty"},
      {"# nothing\n", "the plan is empty"},
      {"just words", "the plan is a single value, expected a mapping"},
      {"- a\n", "the plan is a list"},
      {"service: [a\nb: c", "not valid YAML"},
      {"service: \"a", "not valid YAML"},
      {"service: a\n  b: c\n", "not valid YAML"},
      {"\xff\xfe", "not UTF-8"},
      {std::string(2 << 20, ' '), "larger than 1 MiB"},
      {"service: " + std::string(100, '[') + std::string(100, ']'), "nested more than 16 deep"},
      {"service: " + std::string(100'000, '['), "nested more than 16 deep"},
      {"a: &x {b: *x}\nservice: s\n", "anchors"},
      {"{}: x\nservice: s", "as a key, expected a word"},
      {"alarms: []\n", "the key \"service\" is missing"},
  };
  for (const Case& c : cases) {
    const auto result = Parse(c.text);
    ASSERT_FALSE(result.ok()) << c.text.substr(0, 80);
    EXPECT_THAT(AllProblems(result), HasSubstr(c.message)) << c.text.substr(0, 80);
    EXPECT_GE(result.problems[0].line, 1);
    EXPECT_GE(result.problems[0].column, 1);
  }
}

TEST(Parse, OtherFilesAreNamedInOneLine) {
  EXPECT_EQ(
      AllProblems(Parse("groups:\n  - {name: a, rules: []}\n")),
      "p.yaml:1:1: this reads like rules of Prometheus; a plan lists its alarms under alarms, "
      "each with name, when, severity and owner\n");
  EXPECT_EQ(AllProblems(Parse("plan: p.yaml\ninterval: 15s\ntests: []\n")),
            "p.yaml:1:1: this is a file of tests, not a plan: `liveopsctl plan test` runs it\n");
}

TEST(Parse, ProblemsComeInFileOrderWithoutFollowUps) {
  const auto result = Parse(R"(service: shop
alarms:
  - {name: a, when: lat > 5ms, severity: hgh, owner: nobody}
  - {name: b, when: broken > 5, page: false}
  - {name: c, when: p95 > 5ms, page: false}
metrics:
  broken: {distribution: "1x", default: true}
owners: {team: {slack: "#t"}}
remediations:
  - {name: r, when: nonsense, do: {kubectl: []}, approval: {from: team}, page_with: b}
)");
  std::vector<std::pair<int, int>> places;
  for (const Problem& problem : result.problems) places.emplace_back(problem.line, problem.column);
  EXPECT_THAT(places, ElementsAre(Pair(3, 21), Pair(3, 42), Pair(3, 54), Pair(7, 27), Pair(10, 21),
                                  Pair(10, 45)))
      << AllProblems(result);
}

TEST(Parse, SurvivesMutations) {
  const std::string good = std::string(kHead) + R"(alarms:
  - {name: a, when: "p95 > 500ms for 5min", clear: '< 300ms', severity: high, owner: on-call}
remediations:
  - name: r
    when: 5xx > 5% for 3min
    do: {kubectl: [rollout, undo, deployment/shop]}
    approval: {from: on-call, within: 15min}
    expect: >
      5xx < 1%
      within 5min
)";
  ASSERT_TRUE(Parse(good).ok()) << AllProblems(Parse(good));
  const std::string pieces = ":{}[]-\"'#&*!|>% \n\tax0\\,?@`~";
  std::mt19937 random(3);
  for (int i = 0; i < 5000; ++i) {
    std::string text = good;
    for (std::size_t n = 1 + random() % 4; n > 0; --n) {
      const std::size_t at = random() % (text.size() + 1);
      if (random() % 2 == 0 && at < text.size()) {
        text.erase(at, 1 + random() % 9);
      } else {
        text.insert(at, 1, pieces[random() % pieces.size()]);
      }
    }
    const auto result = Parse(text);
    for (const Problem& problem : result.problems) {
      ASSERT_FALSE(problem.message.empty()) << text;
      ASSERT_GE(problem.line, 1);
    }
  }
}

TEST(Parse, APlanToBeAppliedIsHeldAgainstThePartitionsThereAre) {
  const std::string plan = "service: shop\nspread: ";
  EXPECT_EQ(Parse(plan + "4").plan.spread, 4);
  EXPECT_EQ(Parse("service: shop").plan.spread, 1);
  EXPECT_TRUE(ParseNew(plan + "1", 16).ok());
  const ParseResult many = ParseNew(plan + "17", 16);
  ASSERT_EQ(many.problems.size(), 1U);
  EXPECT_EQ(
      many.problems[0].ToString("f"),
      "f:2:9: spread is \"17\", expected over how many of the partitions the service's series "
      "are to lie, a whole number from 1 to 16; the nearest is 16");
  const ParseResult some = ParseNew(plan + "16", 16);
  EXPECT_TRUE(some.ok());
  EXPECT_EQ(some.plan.spread, 16);
}

}  // namespace
}  // namespace liveops::plan
