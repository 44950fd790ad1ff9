#include "services/liveopsctl/rehearse/test_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace liveops::rehearse {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr const char* kPlan = R"(service: shop
owners:
  on-call: {slack: "#oncall"}
metrics:
  5xx: {ratio: [http_5xx_count, http_request_count]}
alarms:
  - {name: errors, when: 5xx > 1% for 3min, severity: critical, owner: on-call}
  - {name: slo-errors, when: 5xx > 0.1%, page: false, owner: on-call}
)";

// The problems, a line each.
std::string ProblemsOf(const std::string& yaml) {
  const plan::ParseResult plan = plan::Parse(kPlan);
  std::string text;
  const auto read = ReadPlanTests(yaml, [&](const std::string& path, std::string& why) {
    why = "no such plan";
    return path == "p.yaml" && plan.ok() ? &plan.plan : nullptr;
  });
  for (const plan::Problem& problem : read.problems) text += problem.ToString("t") + "\n";
  return text;
}

std::string ProblemsOfTest(const std::string& test) {
  return ProblemsOf("plan: p.yaml\ntests:\n  - " + test + "\n");
}

// One whose series are good.
std::string ProblemsOfLists(const std::string& lists) {
  return ProblemsOf(
      "plan: p.yaml\n"
      "tests:\n"
      "  - name: a\n"
      "    series: [{series: http_5xx_count, kind: delta, values: 1x5}]\n"
      "    " +
      lists + "\n");
}

TEST(PlanTestFile, ReadsWhatIsWritten) {
  const plan::ParseResult plan = plan::Parse(kPlan);
  const auto read = ReadPlanTests(R"(plan: p.yaml
interval: 10s
tests:
  - name: one
    series:
      - {series: 'http_5xx_count{zone="a"}', kind: delta, unit: "1", values: '0x3 8x6'}
    expect:
      - {at: 1min, within: 5s, alarm: errors, state: firing, value: 8.25%, severity: critical, owner: on-call}
  - {name: two, interval: 1s, only: listed, pages: [], series: []}
)",
                                  [&](const std::string&, std::string&) { return &plan.plan; });
  ASSERT_THAT(read.problems, testing::IsEmpty());
  EXPECT_EQ(read.file.plan, "p.yaml");
  ASSERT_EQ(read.file.tests.size(), 2U);
  const PlanTest& one = read.file.tests[0];
  EXPECT_EQ(one.interval, Duration(10'000));
  EXPECT_EQ(one.line, 4);
  ASSERT_EQ(one.series.size(), 1U);
  EXPECT_EQ(one.series[0].labels.ToString(), "{zone=\"a\"}");
  EXPECT_EQ(one.series[0].values.size(), 11U);
  EXPECT_EQ(one.last_sample(), Duration(100'000));
  EXPECT_EQ(one.last_expected(), Duration(65'000));
  EXPECT_FALSE(one.pages.has_value());
  EXPECT_EQ(one.expect[0].Text(), "1min to 1min5s firing, 8.25%, critical, owner on-call");
  const PlanTest& two = read.file.tests[1];
  EXPECT_TRUE(two.only_listed);
  EXPECT_EQ(two.interval, Duration(1'000));
  ASSERT_TRUE(two.pages.has_value());
  EXPECT_THAT(*two.pages, testing::IsEmpty());
}

TEST(PlanTestFile, SaysWhatIsWrongWithTheFile) {
  EXPECT_THAT(ProblemsOf("tests: []\n"),
              HasSubstr("t:1:1: the test file: the key \"plan\" is missing"));
  EXPECT_THAT(ProblemsOf("plan: q.yaml\ntests: []\n"), StartsWith("t:1:7: no such plan"));
  EXPECT_THAT(ProblemsOf("plan: p.yaml\ntests: []\n"), HasSubstr("there is no test in the list"));
  EXPECT_THAT(ProblemsOf("plan: p.yaml\ntets: []\n"), HasSubstr("did you mean \"tests\"?"));
  EXPECT_THAT(ProblemsOf("plan: p.yaml\ninterval: 1ms\ntests: []\n"),
              HasSubstr("expected from 100ms"));
  EXPECT_THAT(ProblemsOf("plan: [\n"), HasSubstr("not valid YAML"));
}

TEST(PlanTestFile, OtherFilesAreNamedInOneLine) {
  EXPECT_EQ(ProblemsOf(""), "t:1:1: the test file is empty, expected plan and tests\n");
  EXPECT_THAT(ProblemsOf("rule_files: [a.yaml]\nevaluation_interval: 1m\ntests: []\n"),
              testing::MatchesRegex("t:1:1: this is a test file of promtool: [^\n]*\n"));
  EXPECT_EQ(ProblemsOf("groups: []\n"),
            "t:1:1: these are rules of Prometheus, not tests of a plan\n");
  EXPECT_THAT(ProblemsOf(kPlan), testing::MatchesRegex("t:1:1: this is a plan: [^\n]*\n"));
}

TEST(PlanTestFile, SaysWhatIsWrongWithASeries) {
  const auto series = [](const std::string& s) {
    return ProblemsOfTest("{name: a, series: [{" + s + "}]}");
  };
  EXPECT_THAT(series("series: http_5xx_count, values: 1"),
              HasSubstr("the key \"kind\" is missing: how do the values count? Known are: delta, "
                        "cumulative, gauge, observation, histogram, histogram_cumulative"));
  EXPECT_THAT(series("series: http_5xx_count, kind: guage, values: 1"),
              HasSubstr("unknown kind \"guage\"; did you mean \"gauge\"?"));
  EXPECT_THAT(series("series: http_5x_count, kind: delta, values: 1"),
              HasSubstr("reads the metric \"http_5x_count\"; did you mean \"http_5xx_count\"?"));
  EXPECT_THAT(series("series: http_5xx_count, kind: delta, values: '1 stale'"),
              HasSubstr("stale is not a sample here"));
  EXPECT_THAT(series("series: http_5xx_count, kind: delta, values: '5-2x5'"),
              HasSubstr("a counter cannot be negative: these values fall to -5"));
  EXPECT_THAT(series("series: http_5xx_count, kind: delta, values: '{5:1}'"),
              HasSubstr("kind delta has plain numbers"));
  EXPECT_THAT(series("series: http_5xx_count, kind: histogram, values: '1'"),
              HasSubstr("has values like {100:5"));
  EXPECT_THAT(series("series: http_5xx_count, kind: delta, values: 1}, {series: http_5xx_count, "
                     "kind: delta, values: 1"),
              HasSubstr("is there twice"));
  EXPECT_THAT(series("series: http_5xx_count, kind: delta, values: '1x9999999'"),
              HasSubstr("expected at most 31d"));
  // The place inside the quotes is told: line 3, where the x of `stale` stands in the value.
  EXPECT_THAT(ProblemsOf("plan: p.yaml\ntests:\n- name: a\n  series:\n  - series: http_5xx_count\n"
                         "    kind: delta\n    values: '1 x5'\n"),
              StartsWith("t:7:16: found \"x5\""));
}

TEST(PlanTestFile, SaysWhatIsWrongWithAnExpectation) {
  EXPECT_THAT(ProblemsOfLists("expect: [{at: 1min, alarm: error}]"),
              HasSubstr("the plan has no alarm \"error\"; did you mean \"errors\"?"));
  EXPECT_THAT(ProblemsOfLists("expect: [{alarm: errors}]"), HasSubstr("the key \"at\" is missing"));
  EXPECT_THAT(ProblemsOfLists("expect: [{at: 1min, alarm: 'errors{zone=\"a\"}'}]"),
              HasSubstr("write `alarm: errors`, and its group as `labels: {…}`"));
  EXPECT_THAT(ProblemsOfLists("expect: [{at: 1min, alarm: errors, state: pending}]"),
              HasSubstr("unknown state \"pending\"; known are: firing, resolved, no_data, gone"));
  EXPECT_THAT(ProblemsOfLists("at: [{time: 1min, alarm: errors, state: resolved}]"),
              HasSubstr("unknown state \"resolved\"; known are: ok, pending, firing"));
  EXPECT_THAT(ProblemsOfLists("at: [{at: 1min, alarm: errors}]"),
              HasSubstr("the key \"time\" is missing"));
  EXPECT_THAT(ProblemsOfLists("expect: [{at: 1min, alarm: errors, value: high}]"),
              HasSubstr("expected a number and its unit"));
  EXPECT_THAT(ProblemsOfLists("expect: [{at: 1min, alarm: errors, value: 8ms}]"),
              HasSubstr("the alarm's values are in \"%\""));
  EXPECT_THAT(ProblemsOfLists("expect: [{at: 1min, alarm: errors, severity: urgent}]"),
              HasSubstr("unknown severity \"urgent\""));
  EXPECT_THAT(ProblemsOfLists("pages: [{at: 1min, alarm: errors, owner: oncall}]"),
              HasSubstr("unknown owner \"oncall\"; did you mean \"on-call\"?"));
  EXPECT_THAT(ProblemsOfLists("pages: [{at: 1min, alarm: slo-errors}]"),
              HasSubstr("\"slo-errors\" pages nobody"));
  EXPECT_THAT(ProblemsOfLists("pages: [{at: 1min, alarm: errors, state: firing}]"),
              HasSubstr("unknown key \"state\""));
  EXPECT_THAT(ProblemsOfLists("only: these"), HasSubstr("expected listed"));
}

TEST(PlanTestFile, NamesAreTheirOwn) {
  EXPECT_THAT(
      ProblemsOf("plan: p.yaml\ntests:\n- {name: a, series: []}\n- {name: a, series: []}\n"),
      StartsWith("t:4:10: test \"a\" is there twice, first in line 3"));
}

TEST(ExpectedValue, ComparesAsManyDigitsAsAreWritten) {
  const auto fits = [](std::string text, double number, double slack, std::string unit,
                       double value, const char* of) {
    return ExpectedValue{std::move(text), number, slack, std::move(unit)}.Fits(value, of);
  };
  EXPECT_TRUE(fits("7.4%", 7.4, 0.05, "%", 7.41, "%"));
  EXPECT_FALSE(fits("7.4%", 7.4, 0.05, "%", 7.46, "%"));
  EXPECT_TRUE(fits("7.4%", 7.4, 0.05, "%", 0.0741, "1"));
  EXPECT_TRUE(fits("0.6s", 0.6, 0.05, "s", 612, "ms"));
  EXPECT_TRUE(fits("8", 8, 0.5, "", 8.2, "/min"));
  EXPECT_FALSE(fits("8", 8, 0.5, "", std::numeric_limits<double>::quiet_NaN(), "/min"));
  EXPECT_FALSE(fits("8%", 8, 0.5, "%", 8, "ms"));
}

TEST(ExpectedPages, AreReadAloneToo) {
  const plan::ParseResult plan = plan::Parse(kPlan);
  const auto good = ReadExpectedPages("pages:\n  - {at: 3min, alarm: errors}\n", plan.plan);
  EXPECT_THAT(good.problems, testing::IsEmpty());
  ASSERT_EQ(good.pages.size(), 1U);
  EXPECT_EQ(good.pages[0].at, Duration(180'000));
  EXPECT_EQ(good.pages[0].line, 2);
  EXPECT_EQ(ReadExpectedPages("page: []\n", plan.plan).problems.size(), 2U);
}

}  // namespace
}  // namespace liveops::rehearse
