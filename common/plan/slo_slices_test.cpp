// Objectives of slices of time.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/plan/burn.h"
#include "common/plan/canonical_plan.h"
#include "common/plan/parse.h"

namespace liveops::plan {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::string TextOf(std::string_view slo, std::string_view rest = "") {
  return "service: shop\nowners:\n  on-call: {slack: \"#oncall\", pagerduty: oncall}\n"
         "metrics:\n  latency: {distribution: took, unit: ms, default: true}\n"
         "  5xx: {ratio: [e, r]}\nslos:\n  - {" +
         std::string(slo) + ", owner: on-call}\n" + std::string(rest);
}

Plan PlanOf(std::string_view slo) {
  const auto result = Parse(TextOf(slo));
  for (const Problem& problem : result.problems) ADD_FAILURE() << problem.ToString("p.yaml");
  return result.plan;
}

std::vector<std::string> Problems(std::string_view slo, std::string_view rest = "") {
  std::vector<std::string> told;
  for (const Problem& problem : Parse(TextOf(slo, rest)).problems) {
    told.push_back(std::to_string(problem.column) + ": " + problem.message);
  }
  return told;
}

TEST(SloSlices, AreKeptAsWritten) {
  const Plan plan =
      PlanOf("name: fast, objective: 99.9%, time_slices: {good: p95 < 500ms, window: 5min}");
  ASSERT_EQ(plan.slos.size(), 1u);
  const Slo& slo = plan.slos[0];
  ASSERT_TRUE(slo.slices);
  EXPECT_EQ(slo.slices->window, std::chrono::minutes(5));
  // What says no window looks at a slice.
  EXPECT_EQ(CanonicalText(*slo.slices), "p95(took) over 5min < 500ms");
  EXPECT_EQ(plan.FindSlo("fast"), &slo);
  EXPECT_EQ(plan.FindSlo("slow"), nullptr);
  // Without a length it is a minute; a window that says the same may stand.
  EXPECT_EQ(
      PlanOf("name: a, objective: 99%, time_slices: {good: p95 over 1min < 1s}").slos[0].slices,
      PlanOf("name: a, objective: 99%, time_slices: {good: p95 < 1s, window: 60s}").slos[0].slices);
  // Several tests, each over the slice.
  const Plan both =
      PlanOf("name: a, objective: 99%, time_slices: {good: p95 < 1s and 5xx < 1%, window: 30s}");
  EXPECT_EQ(CanonicalText(*both.slos[0].slices),
            "p95(took) over 30s < 1000ms and ratio(e, r) over 30s < 1%");
}

// The same as of events, of counts that the engine makes.
TEST(SloSlices, MakeTheAlarmsOfTheWorkbook) {
  const Plan plan = PlanOf("name: fast, objective: 99.9%, time_slices: {good: p95 < 500ms}");
  ASSERT_EQ(plan.alarms.size(), 3u);
  const Alarm& fast = *plan.FindAlarm("fast-fast-burn");
  const plan::Test& first = TestOf(fast.when, 0);
  EXPECT_EQ(first.measure.form, Measure::Form::kRatio);
  EXPECT_EQ(first.measure.operands[0].metric, "slo:bad_slices");
  EXPECT_EQ(first.measure.operands[1].metric, "slo:slices");
  EXPECT_EQ(first.threshold, 1.44);
  EXPECT_EQ(first.window, std::chrono::hours(1));
  EXPECT_EQ(TestCount(plan.FindAlarm("fast-slow-burn")->when), 8u);
  EXPECT_TRUE(IsBudget(*plan.FindAlarm("fast-budget")));
  for (const Alarm& alarm : plan.alarms) {
    const auto read = ParseCondition(CanonicalText(alarm.when));
    ASSERT_TRUE(read.ok()) << read.error().message;
    EXPECT_EQ(*read, alarm.when);
    EXPECT_EQ(alarm.slo, "fast");
  }
}

// What was counted under one condition or length says nothing under another.
TEST(SloSlices, OfAnotherConditionAreOthers) {
  const auto of = [](const char* slices) {
    return PlanOf(std::string("name: a, objective: 99%, time_slices: ") + slices).slos[0].bad;
  };
  EXPECT_EQ(of("{good: p95 < 500ms}"), of("{good: p95(took) over 60s < 0.5s, window: 1min}"));
  EXPECT_NE(of("{good: p95 < 500ms}"), of("{good: p95 < 600ms}"));
  EXPECT_NE(of("{good: p95 < 500ms}"), of("{good: p95 < 500ms, window: 2min}"));
}

// One bad slice alone wakes nobody where there is room for two; slices are no sample.
TEST(SloSlices, LeastNumberOfBadOnes) {
  const auto evidence = [](const std::string& more) {
    return PlanOf("name: a, objective: 99%, " + more).FindAlarm("a-fast-burn")->evidence;
  };
  EXPECT_EQ(evidence("time_slices: {good: p95 < 1s}"), (Evidence{2, false}));
  EXPECT_EQ(evidence("time_slices: {good: p95 < 1s, window: 5min}"), (Evidence{1, false}));
  EXPECT_EQ(evidence("time_slices: {good: p95 < 1s}, min_bad: 5"), (Evidence{5, false}));
  EXPECT_EQ(evidence("bad: e, total: r"), (Evidence{10, true}));
  EXPECT_THAT(
      Problems("name: a, objective: 99%, min_bad: 6, time_slices: {good: p95 < 1s}"),
      ElementsAre("40: min_bad is 6, but the shortest window of the alarms holds 5 slices of 1min: "
                  "they could never fire"));
}

TEST(SloSlices, HaveACanonicalForm) {
  const std::string text = TextOf(
      "min_bad: 2, time_slices: {window: 120s, good: p95 < 0.5s}, name: fast, objective: 0.999",
      "lateness: {took: 10s}\n");
  const auto first = Parse(text);
  ASSERT_TRUE(first.ok()) << first.problems[0].ToString("p.yaml");
  const std::string canonical = CanonicalText(first.plan);
  EXPECT_THAT(canonical, HasSubstr("  - name: \"fast\"\n    objective: 0.999\n    over: 30d\n"
                                   "    time_slices: {good: \"p95(took) over 2min < 500ms\", "
                                   "window: 2min}\n    owner: \"on-call\"\n"));
  const auto again = Parse(canonical);
  ASSERT_TRUE(again.ok()) << again.problems[0].ToString("canonical");
  EXPECT_EQ(PlanFile(again.plan), Sorted(first.plan));
  const auto changes =
      Compare(first.plan, Parse(TextOf("min_bad: 2, time_slices: {good: p95 < 0.5s}, name: fast, "
                                       "objective: 0.999",
                                       "lateness: {took: 10s}\n"))
                              .plan);
  ASSERT_EQ(changes.size(), 1u);
  EXPECT_EQ(changes[0].section, CanonicalItem::Section::kObjective);
  ASSERT_EQ(changes[0].fields.size(), 1u);
  EXPECT_EQ(changes[0].fields[0].before, "good: p95(took) over 2min < 500ms, window: 2min");
  EXPECT_EQ(changes[0].fields[0].after, "good: p95(took) over 1min < 500ms, window: 1min");
}

// Less than one bad slice in all its time: the first would be more than the whole budget.
TEST(SloSlices, ABudgetBelowOneSliceIsRefused) {
  EXPECT_THAT(
      Problems("name: a, objective: 99.999%, time_slices: {good: p95 < 1s}"),
      ElementsAre(
          "26: 99.999% of the 43200 slices of 1min in 30d leave 0.43 of one slice to be bad: "
          "the first bad one would be more than the whole budget; the highest objective is "
          "99.9976%, or take shorter slices"));
  EXPECT_THAT(Problems("name: a, objective: 99.9976%, time_slices: {good: p95 < 1s}"),
              ElementsAre());
  EXPECT_THAT(Problems("name: a, objective: 99.999%, time_slices: {good: p95 < 1s, window: 10s}"),
              ElementsAre());
  // As of events: more than all would have to be bad.
  EXPECT_THAT(Problems("name: a, objective: 90%, time_slices: {good: p95 < 1s}"),
              ElementsAre(HasSubstr("no share of slices is above that, so the alarm could never "
                                    "fire; the lowest objective at which it can is 93.06%")));
}

TEST(SloSlices, AreRefusedWithTheirPlace) {
  struct Case {
    const char* slo;
    const char* told;
  };
  for (const Case& c : std::vector<Case>{
           {"time_slices: {good: p95 < 1s for 2min}",
            "a slice is good or bad as a whole: expected a condition without for"},
           {"time_slices: {good: p95 < 1s for 2 of 3min}", "expected a condition without for"},
           {"time_slices: {good: p95 by zone < 1s}",
            "a slice is one of the whole service: by cannot be run here"},
           {"time_slices: {good: 'p95 < 150% compared to 1d ago'}",
            "a slice cannot be compared with an earlier time yet"},
           {"time_slices: {good: 'rate(m{service=\"other\"}) < 1'}",
            "a slice cannot read another service yet"},
           {"time_slices: {good: fewer than 3 by pod}", "a slice cannot count who reports yet"},
           {"time_slices: {good: p95 over 5min < 1s}",
            "the condition looks at 5min, expected the slice's 1min, or no over"},
           {"time_slices: {good: p95 < 1s, window: 10min}", "from 10s to 5min"},
           {"time_slices: {good: p95 < 1s, window: 5s}", "from 10s to 5min"},
           {"time_slices: {good: p95 < 1s, window: 11s}",
            "window is 11s, of which an hour is no whole number; expected such as 10s, 1min or "
            "5min"},
           {"time_slices: {good: p95 < 1s, windows: 1min}", "did you mean \"window\"?"},
           {"time_slice: {good: p95 < 1s}", "did you mean \"time_slices\"?"},
           {"time_slices: {window: 1min}", "good"},
           {"time_slices: p95 < 1s", "time_slices"},
           {"time_slices: {good: latensy < 1s}", "latensy"},
           {"time_slices: {good: p95 < 1s}, total: r",
            "\"total\" stands beside \"time_slices\": an objective counts events, or slices of "
            "time"},
           {"timeSliceWindow: 1m, time_slices: {good: p95 < 1s}",
            "OpenSLO's keys; write time_slices: {good: …, window: 1min}"}}) {
    EXPECT_THAT(Problems(std::string("name: a, objective: 99%, ") + c.slo),
                testing::Contains(HasSubstr(c.told)))
        << c.slo;
  }
  EXPECT_THAT(Problems("name: a, objective: 99%, time_slices: {good: p95 < 1s}",
                       "alarms:\n  - {name: a-slices, when: last(m) > 1, page: false}\n"),
              ElementsAre(HasSubstr("the objective makes the alarm \"a-slices\", which line")));
  EXPECT_THAT(Problems("name: a, objective: 99%, time_slices: {good: p95 < 1s}", "spread: 2\n"),
              ElementsAre("9: objective \"a\": time_slices cannot be run where spread is above 1"));
}

// How late the points of the condition may be can be said; those of the counts nobody sends.
TEST(SloSlices, LatenessIsThatOfTheCondition) {
  EXPECT_THAT(Problems("name: a, objective: 99%, time_slices: {good: p95 < 1s}",
                       "lateness: {took: 1min}\n"),
              ElementsAre());
  EXPECT_THAT(Problems("name: a, objective: 99%, time_slices: {good: p95 < 1s}",
                       "lateness: {'slo:slices': 1min}\n"),
              ElementsAre("12: no alarm reads the metric \"slo:slices\"; known are: took"));
}

}  // namespace
}  // namespace liveops::plan
