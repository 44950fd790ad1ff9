// Objectives and the alarms that they make.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/plan/burn.h"
#include "common/plan/parse.h"

namespace liveops::plan {
namespace {

using testing::ElementsAre;

Plan PlanOf(const std::string& slo) {
  const auto result = Parse(
      "service: shop\nowners:\n  on-call: {slack: \"#oncall\", pagerduty: oncall}\n"
      "metrics:\n  requests: {metric: http_request_count}\nslos:\n  - {" +
      slo + ", owner: on-call}\n");
  for (const Problem& problem : result.problems) ADD_FAILURE() << problem.ToString("p.yaml");
  return result.plan;
}

std::string When(const Plan& plan, std::string_view alarm) {
  const Alarm* found = plan.FindAlarm(alarm);
  return found == nullptr ? "no such alarm" : CanonicalText(found->when);
}

// The workbook's table: 14.4, 6, 3 and 1 times what 99.9 % allows.
TEST(Slo, MakesTheAlarmsOfTheWorkbook) {
  const Plan plan = PlanOf("name: up, objective: 99.9%, bad: e, total: r");
  ASSERT_EQ(plan.alarms.size(), 3u);
  EXPECT_EQ(When(plan, "up-fast-burn"),
            "ratio(e, r) over 1h > 1.44% and ratio(e, r) over 5min > 1.44% or "
            "ratio(e, r) over 6h > 0.6% and ratio(e, r) over 30min > 0.6% for 0s");
  EXPECT_EQ(When(plan, "up-slow-burn"),
            "(ratio(e, r) over 1d > 0.3% and ratio(e, r) over 2h > 0.3% or "
            "ratio(e, r) over 3d > 0.1% and ratio(e, r) over 6h > 0.1%) unless "
            "(ratio(e, r) over 1h > 1.44% and ratio(e, r) over 5min > 1.44% or "
            "ratio(e, r) over 6h > 0.6% and ratio(e, r) over 30min > 0.6%) for 0s");
  EXPECT_EQ(When(plan, "up-budget"), "ratio(e, r) over 30d > 0.1% for 0s");
  EXPECT_TRUE(IsBudget(plan.alarms[0]));
  EXPECT_FALSE(plan.alarms[0].page);
  EXPECT_FALSE(plan.alarms[0].evidence);
  EXPECT_EQ(plan.alarms[0].summary, "All of the month's error budget is spent.");
  for (const Alarm& alarm : {plan.alarms[1], plan.alarms[2]}) {
    EXPECT_FALSE(IsBudget(alarm));
    const auto read = ParseCondition(CanonicalText(alarm.when));
    ASSERT_TRUE(read.ok()) << read.error().message;
    EXPECT_EQ(*read, alarm.when);
    EXPECT_EQ(alarm.slo, "up");
    EXPECT_EQ(alarm.owner, "on-call");
    EXPECT_EQ(alarm.evidence, Evidence{10});
    EXPECT_EQ(alarm.min_count, 0u);
    EXPECT_TRUE(alarm.page);
    EXPECT_EQ(alarm.no_data, NoData::kKeep);
    EXPECT_FALSE(alarm.clear);
  }
  EXPECT_EQ(plan.alarms[1].severity, Severity::kCritical);
  EXPECT_EQ(plan.alarms[2].severity, Severity::kMedium);
  EXPECT_EQ(plan.alarms[1].summary,
            "2 % of the month's error budget was burnt in 1 h, or 5 % in 6 h.");
  EXPECT_EQ(plan.alarms[2].summary,
            "10 % of the month's error budget was burnt in 1 d, or in 3 d.");
}

TEST(Slo, IsKeptAsWritten) {
  const Plan plan = PlanOf("name: up, objective: 99.9%, bad: e, total: r");
  ASSERT_EQ(plan.slos.size(), 1u);
  const Slo& slo = plan.slos[0];
  EXPECT_EQ(slo.name, "up");
  EXPECT_EQ(slo.objective, 0.999);
  EXPECT_EQ(slo.over, std::chrono::hours(720));
  EXPECT_EQ(slo.owner, "on-call");
  EXPECT_EQ(slo.bad.form, Measure::Form::kRatio);
  EXPECT_EQ(slo.bad.unit, "1");
  EXPECT_EQ(slo.bad.operands[0].metric, "e");
  EXPECT_EQ(slo.bad.operands[1].metric, "r");
  for (const Operand& operand : slo.bad.operands) {
    EXPECT_EQ(operand.aggregate, Aggregate::kIncrease);
  }
}

TEST(Slo, GoodEventsAreCountedOrWhatIsLeftOfAll) {
  const Plan counted = PlanOf("name: a, objective: 0.99, good: 'ok{zone=\"x\"}', total: all");
  EXPECT_EQ(counted.slos[0].bad.form, Measure::Form::kShortfall);
  EXPECT_THAT(When(counted, "a-slow-burn"),
              testing::StartsWith("(shortfall(ok{zone=\"x\"}, all) over"));
  // By the metric or by its name.
  for (const char* slo : {"name: a, objective: 0.99, good: http_request_count - e, total: requests",
                          "name: a, objective: 0.99, good: requests - e, total: http_request_count",
                          "name: a, objective: 0.99, bad: e, total: http_request_count"}) {
    const Plan plan = PlanOf(slo);
    EXPECT_EQ(CanonicalText(plan.alarms.at(1).when),
              "ratio(e, http_request_count) over 1h > 14.4% and "
              "ratio(e, http_request_count) over 5min > 14.4% or "
              "ratio(e, http_request_count) over 6h > 6% and "
              "ratio(e, http_request_count) over 30min > 6% for 0s")
        << slo;
  }
}

// For another time the windows stay, and the rates follow it: 14.4 x 7 / 30 and so on.
TEST(Slo, BurnRatesFollowTheTime) {
  const Plan week = PlanOf("name: a, objective: 99%, bad: e, total: r, over: 7d");
  EXPECT_EQ(When(week, "a-fast-burn"),
            "ratio(e, r) over 1h > 3.36% and ratio(e, r) over 5min > 3.36% or "
            "ratio(e, r) over 6h > 1.4% and ratio(e, r) over 30min > 1.4% for 0s");
  const Condition& slow = week.FindAlarm("a-slow-burn")->when;
  EXPECT_EQ(TestOf(slow, 0).threshold, 0.7);
  EXPECT_EQ(TestOf(slow, 2).threshold, 0.233333333333);
  EXPECT_EQ(week.alarms[1].summary,
            "2 % of the week's error budget was burnt in 1 h, or 5 % in 6 h.");
  const Plan ten = PlanOf("name: a, objective: 99%, bad: e, total: r, over: 10d");
  EXPECT_EQ(ten.alarms[2].summary, "10 % of the error budget of 10d was burnt in 1 d, or in 3 d.");
}

TEST(Slo, SeveritiesAndEvidenceMayBeSaid) {
  const Plan plan = PlanOf(
      "name: a, objective: 99%, bad: e, total: r, page: high, ticket: low, min_bad: 3, runbook: x");
  EXPECT_EQ(plan.alarms[1].severity, Severity::kHigh);
  EXPECT_EQ(plan.alarms[2].severity, Severity::kLow);
  for (const Alarm& alarm : {plan.alarms[1], plan.alarms[2]}) {
    EXPECT_EQ(alarm.evidence, Evidence{3});
    EXPECT_EQ(alarm.runbook, "x");
  }
}

TEST(Slo, AlarmsStandAfterThoseThatAreWritten) {
  const auto result = Parse(R"(service: shop
owners: {on-call: {slack: "#oncall"}}
slos:
  - {name: up, objective: 99.9%, bad: e, total: r, owner: on-call}
remediations:
  - name: r
    when: last(m) > 5
    do: {kubectl: [rollout, undo, deployment/shop]}
    approval: {from: on-call}
    page_with: up-fast-burn
alarms:
  - {name: a, when: last(m) > 5, page: false}
)");
  ASSERT_TRUE(result.ok()) << result.problems[0].ToString("p.yaml");
  std::vector<std::string> names;
  for (const Alarm& alarm : result.plan.alarms) names.push_back(alarm.name);
  EXPECT_THAT(names, ElementsAre("a", "up-budget", "up-fast-burn", "up-slow-burn"));
}

// The lowest objective that the message names is one, and a little less is none.
TEST(Slo, NamesTheLowestObjectiveThatCanFire) {
  Slo slo;
  slo.over = std::chrono::hours(720);
  slo.objective = 0.9306;
  EXPECT_EQ(BurnFault(slo), "");
  slo.objective = 0.9305;
  EXPECT_THAT(BurnFault(slo), testing::HasSubstr("the lowest objective at which it can is 93.06%"));
  slo.objective = 0.5;
  slo.over = std::chrono::hours(24);
  EXPECT_EQ(BurnFault(slo), "");  // 0.48 of the budget's rate
}

}  // namespace
}  // namespace liveops::plan
