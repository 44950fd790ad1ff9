#include "services/liveopsctl/rehearse/test_run.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/base/text.h"

namespace liveops::rehearse {
namespace {

using ::testing::HasSubstr;

constexpr const char* kPlan = R"(service: shop
owners:
  on-call: {slack: "#oncall", pagerduty: oncall}
  team: {slack: "#team"}
metrics:
  latency: {distribution: http_request_duration_ms, unit: ms, default: true}
  5xx: {ratio: [http_5xx_count, http_request_count]}
  req/min: {rate: http_request_count, per: min}
  DB connections: {metric: db_connection_count, capacity: 200}
alarms:
  - {name: errors, when: 5xx > 1% for 3min, clear: "< 0.5% for 2min", severity: critical, owner: on-call}
  - {name: down, when: req/min < 10, no_data: fire, severity: critical, owner: on-call}
  - {name: zone-db, when: last(db_connection_count) by zone > 150 for 1min, severity: high, owner: team}
  - {name: slow, when: p95 > 200ms, page: false, owner: team}
remediations:
  - name: surge
    when: 5xx > 5% for 3min
    do: {kubectl: [rollout, undo, deployment/shop]}
    approval: {from: on-call}
    page_with: errors
)";

// Discrepancies as lines, or the problems of the file.
struct Ran {
  std::vector<TestOutcome> outcomes;
  std::string text;
};

Ran RunTests(const std::string& tests, const std::string& plan_text = kPlan) {
  const plan::ParseResult plan = plan::Parse(plan_text);
  Ran ran;
  for (const plan::Problem& problem : plan.problems) ran.text += problem.ToString("plan") + "\n";
  const PlanTestFileResult read = ReadPlanTests(
      "plan: p.yaml\ninterval: 5s\ntests:\n" + tests,
      [&](const std::string&, std::string&) { return plan.ok() ? &plan.plan : nullptr; });
  for (const plan::Problem& problem : read.problems) ran.text += problem.ToString("test") + "\n";
  if (!ran.text.empty()) return ran;
  const TestRunner runner(plan.plan, plan_text);
  for (const PlanTest& test : read.file.tests) {
    Result<TestOutcome> outcome = runner.Run(test);
    if (!outcome.ok()) {
      ran.text += outcome.error().message;
      return ran;
    }
    for (const Discrepancy& d : outcome->discrepancies) {
      ran.text += fmt::format("{} | {} | {} | {}\n", d.alarm, d.expected, d.got, d.explanation);
    }
    for (const std::string& note : outcome->notes) ran.text += "note: " + note + "\n";
    ran.outcomes.push_back(std::move(*outcome));
  }
  return ran;
}

constexpr const char* kSurge = R"(  - name: a surge
    series:
      - {series: 'http_request_count{zone="a"}', kind: delta, unit: "1", values: '100x180'}
      - {series: http_5xx_count, kind: delta, unit: "1", values: '0x30 8x60 0x88'}
)";

TEST(TestRun, WhatIsExpectedComesAndNothingElse) {
  EXPECT_EQ(RunTests(std::string(kSurge) + R"(    expect:
      - {at: 5min40s, alarm: errors, state: firing, value: 8%, severity: critical, owner: on-call}
      - {at: 10min34s, alarm: errors, state: resolved, reason: recovered, value: 0%}
    pages:
      - {at: 5min40s, alarm: errors, severity: critical, owner: on-call}
    at:
      - {time: 2min, alarm: errors, state: ok}
      - {time: 4min, alarm: errors, state: pending}
      - {time: 6min, alarm: down, state: ok, value: 1200/min}
)")
                .text,
            "");
}

TEST(TestRun, WhatIsMissingIsToldWithWhatTheEngineSays) {
  const Ran ran = RunTests(std::string(kSurge) + R"(    expect:
      - {at: 4min, alarm: errors, state: firing}
      - {at: 10min34s, alarm: errors, state: resolved, value: 3%}
      - {at: 11min, alarm: down, state: no_data}
)");
  EXPECT_THAT(ran.text, HasSubstr("errors | 4min firing | 5min40s firing 8 % | at 4min errors is "
                                  "pending: "));
  EXPECT_THAT(ran.text, HasSubstr("errors | 10min34s resolved, 3% | 10min34s resolved 0 % |"));
  EXPECT_THAT(ran.text, HasSubstr("down | 11min no_data |  | at 11min down is ok: "));
}

TEST(TestRun, APagingAlarmThatNobodyExpectedIsAFault) {
  EXPECT_EQ(RunTests(std::string(kSurge)).text,
            "errors |  | 5min40s firing 8 % | \nerrors |  | 10min34s resolved 0 % | \n");
  EXPECT_EQ(RunTests(std::string(kSurge) + "    only: listed\n").text, "");
  // The scenario fired too, and nobody asked.
  const Ran ran = RunTests(std::string(kSurge) + "    only: listed\n");
  ASSERT_EQ(ran.outcomes.size(), 1U);
  EXPECT_TRUE(ran.outcomes[0].fired.contains("scenario:surge"));
  EXPECT_EQ(RunTests(std::string(kSurge) + R"(    only: listed
    expect: [{at: 6min5s, within: 10s, alarm: 'scenario:surge', state: firing}]
)")
                .text,
            "");
}

TEST(TestRun, PagesAreHeldAgainstTheListInOrder) {
  EXPECT_THAT(RunTests(std::string(kSurge) + "    only: listed\n    pages: []\n").text,
              HasSubstr("errors |  | 5min40s firing 8 % |"));
  const Ran ran = RunTests(std::string(kSurge) + R"(    only: listed
    pages:
      - {at: 1min, alarm: down}
      - {at: 5min40s, alarm: errors, owner: team}
)");
  EXPECT_THAT(ran.text, HasSubstr("down | 1min |  | at 1min down is ok"));
  EXPECT_THAT(ran.text, HasSubstr("errors | 5min40s owner team |  | at 5min40s errors is firing"));
  EXPECT_THAT(ran.text, HasSubstr("errors |  | 5min40s firing 8 % |"));
}

TEST(TestRun, GroupsAreToldApartByLabels) {
  const std::string series = R"(  - name: zones
    series:
      - {series: 'db_connection_count{zone=a}', kind: gauge, values: '160x40'}
      - {series: 'db_connection_count{zone=b}', kind: gauge, values: '100x40'}
)";
  EXPECT_EQ(RunTests(series + R"(    expect:
      - {at: 1min, alarm: zone-db, labels: {zone: a}, state: firing, value: 160}
    at:
      - {time: 2min, alarm: zone-db, labels: {zone: b}, state: ok}
)")
                .text,
            "");
  const Ran ran = RunTests(series + R"(    expect:
      - {at: 1min, alarm: zone-db, labels: {zone: b}, state: firing}
    at:
      - {time: 2min, alarm: zone-db, state: firing}
      - {time: 2min, alarm: zone-db, labels: {zone: c}, state: ok}
)");
  EXPECT_THAT(ran.text,
              HasSubstr(R"(zone-db{zone="b"} | 1min firing |  | at 1min zone-db{zone="b"} is ok)"));
  EXPECT_THAT(ran.text, HasSubstr(R"(zone-db{zone="a"} |  | 1min firing 160)"));
  EXPECT_THAT(ran.text, HasSubstr(R"(zone-db{zone="b"} | 2min firing | ok |)"));
  EXPECT_THAT(ran.text, HasSubstr(R"(zone-db{zone="c"} | 2min ok |  | no group)"));
}

TEST(TestRun, SilenceIsPlayedOnlyWhereItIsAskedFor) {
  const std::string series = R"(  - name: stops
    series:
      - {series: http_request_count, kind: delta, values: '100x24'}
)";
  EXPECT_EQ(RunTests(series).text, "");
  const Ran ran = RunTests(series + R"(    expect:
      - {at: 3min2s, alarm: down, state: no_data}
)");
  EXPECT_EQ(ran.text, "");
  EXPECT_TRUE(ran.outcomes[0].silent.contains("down"));
  EXPECT_TRUE(ran.outcomes[0].silent.contains("errors"));
  EXPECT_FALSE(ran.outcomes[0].silent.contains("slow"));
  EXPECT_FALSE(RunTests(series).outcomes[0].silent.contains("down"));
}

TEST(TestRun, EveryKindOfSeriesCounts) {
  EXPECT_EQ(RunTests(R"(  - name: histogram
    series:
      - {series: http_request_duration_ms, kind: histogram, unit: ms, values: '{100:10}x12 {200:1,400:9}x12'}
    expect: [{at: 1min5s, alarm: slow, state: firing}]
  - name: cumulative histogram
    series:
      - {series: http_request_duration_ms, kind: histogram_cumulative, unit: ms, values: '{100:0,400:0}+{100:1,400:9}x24'}
    at: [{time: 1min, alarm: slow, state: firing}]
  - name: observations, five a second
    interval: 200ms
    series:
      - {series: http_request_duration_ms, kind: observation, unit: s, values: '0.3x300'}
    at: [{time: 1min, alarm: slow, state: firing, value: 300ms}]
  - name: a cumulative counter
    series:
      - {series: http_request_count, kind: cumulative, values: '0+100x40'}
    at: [{time: 2min, alarm: down, state: ok, value: 1200}]
)")
                .text,
            "");
}

TEST(TestRun, PointsInAUnitThatDoesNotConvertAreAFault) {
  const Ran ran = RunTests(R"(  - name: bytes
    series:
      - {series: http_request_duration_ms, kind: histogram, unit: By, values: '{100:10}x12'}
)");
  EXPECT_THAT(ran.text, HasSubstr("note: 13 points counted for nothing"));
  ASSERT_EQ(ran.outcomes.size(), 1U);
  EXPECT_FALSE(ran.outcomes[0].passed()) << "it would pass whatever the plan says";
}

TEST(TestRun, ManyRunsTellTheSame) {
  const std::string one = std::string(kSurge) + "    only: listed\n";
  std::string two = one;
  two.replace(two.find("a surge"), 7, "another");
  const Ran ran = RunTests(one + two);
  ASSERT_EQ(ran.outcomes.size(), 2U);
  ASSERT_EQ(ran.outcomes[0].told.size(), ran.outcomes[1].told.size());
  for (std::size_t i = 0; i < ran.outcomes[0].told.size(); ++i) {
    EXPECT_EQ(engine::TransitionId(ran.outcomes[0].told[i]),
              engine::TransitionId(ran.outcomes[1].told[i]));
  }
}

TEST(Coverage, NamesWhatNoTestShowed) {
  const plan::ParseResult plan = plan::Parse(kPlan);
  Coverage coverage(plan.plan);
  EXPECT_EQ(coverage.alarms(), 3U);
  coverage.Add(RunTests(std::string(kSurge) + "    only: listed\n").outcomes.at(0));
  EXPECT_THAT(coverage.NeverFired(), testing::ElementsAre("down", "zone-db"));
  EXPECT_THAT(coverage.NeverResolved(), testing::ElementsAre("down", "zone-db"));
  EXPECT_THAT(coverage.NeverSilent(), testing::ElementsAre("errors", "down", "zone-db"));
}

// Before 0 nothing was reported, and what nothing is known of is not counted.
TEST(TestRun, RunsObjectivesOfTimeSlices) {
  const std::string plan = R"(service: shop
owners:
  on-call: {slack: "#oncall", pagerduty: oncall}
slos:
  - {name: fast, objective: 99.9%, time_slices: {good: p95(took) in ms < 500ms}, owner: on-call}
)";
  const auto test = [&](const char* page) {
    return RunTests(std::string(R"(
  - name: two slow minutes page
    interval: 10s
    series:
      - {series: took, kind: observation, unit: ms, values: '_ 100x58 900x30'}
    pages: [)") + page + R"(]
    expect:
      - {within: 5min, at: 12min, alarm: fast-fast-burn, state: firing}
    at:
      - {time: 11min30s, alarm: fast-fast-burn, state: ok}
)",
                    plan);
  };
  const Ran ran = test("{at: 12min2s, alarm: fast-fast-burn, severity: critical, owner: on-call}");
  EXPECT_EQ(ran.text, "");
}

}  // namespace
}  // namespace liveops::rehearse
