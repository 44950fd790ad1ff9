#include "common/plan/canonical_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "common/base/text.h"
#include "common/plan/parse.h"
#include "common/plan/reference.h"

namespace liveops::plan {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr const char* kPlan = R"(service: shop
phase: 2
spread: 4
dedup: 10min
lateness: {cpu_utilization: 3min}
response: {critical: 10min}
foreign_alerts: {owner: team}
owners:
  on-call: {title: "On \"call\"", slack: "#oncall", pagerduty: oncall}
  team: {slack: "#team"}
metrics:
  5xx: {ratio: ['http_5xx_count{route="/a\"b"}', http_request_count]}
  latency: {distribution: http_request_duration_ms, unit: ms, default: true}
  connections: {metric: db_connection_count, capacity: 200}
slos:
  - {name: availability, objective: 99.9%, good: http_request_count - http_5xx_count,
     total: http_request_count, over: 28d, owner: on-call, page: high, ticket: low, min_bad: 7, runbook: r}
  - {name: arrived, objective: 0.99, good: ok_count, total: http_request_count, owner: team}
alarms:
  - name: errors
    when: 5xx > 1% for 3min
    clear: "< 0.5% for 2min"
    severity: critical
    owner: on-call
    no_data: fire
    min_count: 5
    summary: "two\nlines: \\ and # \"quoted\" \t tab"
    runbook: https://wiki/errors
  - {name: slow, when: p99.9 > 1.5s and rate(http_request_count) per min > 10, page: false}
  - {name: pool, when: connections > 80% for 10min, severity: high, owner: team}
  - {name: worse, when: p95(m) in ms - p50(m) in ms > 5ms for 3 of 5min, page: false}
  - {name: cpu, when: "avg(cpu_utilization{zone!=\"test\"}) by pod, zone over 5min > 90%", page: false}
remediations:
  - name: undo
    when: 5xx > 5% for 3min
    min_count: 30
    do: {kubectl: [rollout, undo, deployment/shop, -n, production]}
    approval: {from: on-call, within: 20min}
    expect: 5xx < 1% within 5min
    page_with: errors
)";

Plan Read(std::string_view text) {
  ParseResult result = Parse(text);
  for (const Problem& problem : result.problems) ADD_FAILURE() << problem.ToString("plan");
  return std::move(result.plan);
}

// The canonical file says what the plan says, and nothing is forgotten.
void ExpectRoundTrip(std::string_view text, const std::string& what) {
  const Plan plan = Read(text);
  const std::string written = CanonicalText(plan);
  const Plan again = Read(written);
  EXPECT_TRUE(again == Sorted(plan)) << what << "\n" << written;
  EXPECT_EQ(Digest(again), Digest(plan)) << what;
  EXPECT_EQ(CanonicalText(again), written) << what;
  EXPECT_THAT(Compare(plan, again), IsEmpty()) << what;
}

TEST(CanonicalPlan, ReadsBackToTheSamePlanAndDigest) { ExpectRoundTrip(kPlan, "all of it"); }

TEST(CanonicalPlan, WhatIsSaidOfTheLifeOfAnAlarmReadsBack) {
  const char* text = R"(service: shop
owners: {on-call: {slack: "#oncall"}}
alarms:
  - name: hot
    when: last(m) in ms > 300ms for 5min
    clear: "< 250ms"
    severity: medium
    levels: [{severity: high, when: "> 0.5s"}, {severity: critical, when: "> 1s", clear: "< 800ms for 1min"}]
    flapping: {times: 2}
    owner: on-call
  - {name: kept, when: last(m) > 5, severity: low, owner: on-call, keep_firing: 10min, shadow: true}
)";
  ExpectRoundTrip(text, "levels");
  std::string other = text;
  other.replace(other.find("> 1s"), 4, "> 2s");
  const std::vector<PlanChange> changes = Compare(Read(text), Read(other));
  ASSERT_EQ(changes.size(), 1U);
  ASSERT_EQ(changes[0].fields.size(), 1U);
  EXPECT_EQ(changes[0].fields[0].before,
            "high > 500ms for 5min, critical > 1000ms for 5min clear < 800ms for 1min");
}

TEST(CanonicalPlan, EveryShippedPlanReadsBack) {
  std::size_t plans = 0;
  for (const auto& entry :
       fs::recursive_directory_iterator(fs::path(LIVEOPS_SOURCE_DIR) / "deploy/plans")) {
    const std::string name = entry.path().string();
    if (!name.ends_with(".yaml") || name.ends_with(".test.yaml")) continue;
    std::ifstream in(entry.path(), std::ios::binary);
    const std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
    ExpectRoundTrip(text, name);
    ++plans;
  }
  EXPECT_GE(plans, 1U);
}

// Its per cent are written as times 100 in canonical form, which a plan may not compare with per
// cent.
constexpr std::string_view kShareByFormula = "1 - last(cpu_utilization) in 1 < 10%";

// So that what the language learns is written out too.
TEST(CanonicalPlan, EveryExampleOfTheLanguageReadsBack) {
  using Kind = ReferenceExample::Kind;
  const std::string top =
      std::string("service: shop\nowners: {on-call: {slack: \"#oncall\", pagerduty: p}}\n") +
      std::string(ReferenceNames());
  const auto alarm = [](std::string_view when, const std::string& more) {
    std::string text = "  - name: a\n    page: false\n    when: '";
    for (const char c : when) text += c == '\'' ? std::string("''") : std::string(1, c);
    return "alarms:\n" + text + "'\n" + more;
  };
  std::size_t examples = 0;
  for (const ReferenceSection& section : ReferenceSections()) {
    for (const ReferenceExample& example : section.examples) {
      const std::string text(example.text);
      std::string plan = top;
      if (example.kind == Kind::kCondition) {
        plan += alarm(text, "");
      } else if (example.kind == Kind::kClear) {
        plan += alarm(ReferenceCleared(), "    clear: \"" + text + "\"\n");
      } else if (example.kind == Kind::kExpect) {
        plan +=
            "remediations:\n  - name: r\n    when: p95 > 500ms\n    do: {kubectl: [rollout, undo, "
            "deployment/shop]}\n    approval: {from: on-call}\n    expect: '" +
            text + "'\n";
      } else if (example.kind == Kind::kObjective) {
        plan += "slos:\n";
        const char* indent = "  - ";
        for (const std::string_view line : Split(text, '\n')) {
          plan += indent + std::string(line) + "\n";
          indent = "    ";
        }
      } else {
        continue;
      }
      ++examples;
      if (text == kShareByFormula) {
        EXPECT_FALSE(Parse(CanonicalText(Read(plan))).ok()) << "no file says it, nor another thing";
      } else {
        ExpectRoundTrip(plan, text);
      }
    }
  }
  EXPECT_GT(examples, 40U);
}

TEST(CanonicalPlan, SpellingOrderAndCommentsAreNoDifference) {
  const Plan one = Read(R"(service: shop
metrics: {5xx: {ratio: [a, b]}}
alarms:
  - {name: x, when: 5xx > 1% for 3min, page: false}   # by its name
  - {name: y, when: last(m) > 5, page: false}
)");
  const Plan other = Read(R"(alarms:
  - {when: last(m) over 60s > 5, name: y, page: false, min_count: 20}
  - {name: x, page: false, severity: low, when: "ratio(a, b) > 1% 180s"}
service: shop
)");
  EXPECT_EQ(Digest(one), Digest(other));
  EXPECT_THAT(Compare(one, other), IsEmpty());
}

TEST(CanonicalPlan, TellsWhatWasAddedRemovedAndChanged) {
  const Plan before = Read(R"(service: shop
alarms:
  - {name: gone, when: last(m) > 5, page: false}
  - {name: same, when: last(m) > 6, page: false}
  - {name: tuned, when: last(m) > 7 for 5min, page: false, summary: old}
)");
  const Plan after = Read(R"(service: shop
alarms:
  - {name: tuned, when: last(m) > 8 for 5min, page: false, runbook: new}
  - {name: same, when: last(m) > 6, page: false}
  - {name: fresh, when: last(m) > 9, page: false}
)");
  const std::vector<PlanChange> changes = Compare(before, after);
  ASSERT_EQ(changes.size(), 3U);
  EXPECT_EQ(changes[0].name, "fresh");
  EXPECT_EQ(changes[0].kind, PlanChange::Kind::kAdded);
  EXPECT_EQ(changes[0].fields[0].after, "last(m) over 1min > 9 for 0s");
  EXPECT_EQ(changes[0].fields[0].before, "");
  EXPECT_EQ(changes[1].name, "gone");
  EXPECT_EQ(changes[1].kind, PlanChange::Kind::kRemoved);
  EXPECT_EQ(changes[1].fields[0].before, "last(m) over 1min > 5 for 0s");
  EXPECT_EQ(changes[2].name, "tuned");
  EXPECT_EQ(changes[2].kind, PlanChange::Kind::kChanged);
  ASSERT_EQ(changes[2].fields.size(), 3U);
  EXPECT_EQ(changes[2].fields[0].key, "when");
  EXPECT_EQ(changes[2].fields[0].before, "last(m) over 1min > 7 for 5min");
  EXPECT_EQ(changes[2].fields[0].after, "last(m) over 1min > 8 for 5min");
  EXPECT_EQ(changes[2].fields[1].key, "summary");
  EXPECT_EQ(changes[2].fields[1].after, "");
  EXPECT_EQ(changes[2].fields[2].key, "runbook");
  EXPECT_EQ(changes[2].fields[2].before, "");
}

TEST(CanonicalPlan, AnObjectivesDifferenceIsToldByTheObjective) {
  std::string text = kPlan;
  text.replace(text.find("page: high"), 10, "page: critical");
  const std::vector<PlanChange> changes = Compare(Read(kPlan), Read(text));
  ASSERT_EQ(changes.size(), 1U);
  EXPECT_STREQ(SectionName(changes[0].section), "objective");
  ASSERT_EQ(changes[0].fields.size(), 1U);
  EXPECT_EQ(changes[0].fields[0].key, "page");
  EXPECT_EQ(changes[0].fields[0].after, "critical");
}

}  // namespace
}  // namespace liveops::plan
