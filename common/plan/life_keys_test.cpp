// What a plan says of the life of an alarm, and how a mistake in it is told.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/plan/parse.h"

namespace liveops::plan {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::string_view kHead = R"(service: shop
owners:
  on-call: {slack: "#oncall", pagerduty: oncall}
  pager: {pagerduty: nightly}
metrics:
  latency: {distribution: http_request_duration_ms, unit: ms, default: true}
alarms:
  - name: slow
)";

ParseResult With(std::string_view keys) { return Parse(std::string(kHead) + std::string(keys)); }

std::string Told(std::string_view keys) {
  std::string out;
  for (const Problem& problem : With(keys).problems) out += problem.ToString("p") + "\n";
  return out;
}

constexpr const char* kWhen = R"(    when: p95 > 300ms for 5min
    severity: medium
    owner: on-call
)";

TEST(LevelKeys, AreThresholdsOfTheConditionInItsUnit) {
  const auto result = With(std::string(kWhen) + R"(    clear: "< 250ms"
    levels:
      - {severity: high, when: "> 0.5s"}
      - {severity: critical, when: ">= 1s for 1min", clear: "< 800ms for 2min"}
)");
  ASSERT_TRUE(result.ok()) << result.problems[0].message;
  const Level high{Severity::kHigh, Comparison::kGreater, 500, std::chrono::minutes(5), {}};
  const Level critical{Severity::kCritical, Comparison::kGreaterEqual, 1000,
                       std::chrono::minutes(1),
                       Clear{Comparison::kLess, 800, std::chrono::minutes(2)}};
  EXPECT_THAT(result.plan.alarms[0].levels, ElementsAre(high, critical));
}

TEST(LevelKeys, OfAComparisonAreToldInPerCents) {
  EXPECT_THAT(Told(R"(    when: p95 > 150% compared to 1d ago
    severity: medium
    owner: on-call
    levels: [{severity: high, when: '> 120%'}]
)"),
              HasSubstr("high goes off at 120%, which medium does too: expected more than 150%"));
}

TEST(LevelKeys, OfSeveralTestsAreThresholdsOfTheFirstAndOfAQuorumHoldAsItDoes) {
  const auto several = With(R"(    when: p95 > 300ms and p50 > 100ms for 1min
    severity: medium
    owner: on-call
    levels: [{severity: high, when: '> 1s'}]
)");
  ASSERT_TRUE(several.ok()) << several.problems[0].message;
  EXPECT_THAT(
      several.plan.alarms[0].levels,
      ElementsAre(Level{Severity::kHigh, Comparison::kGreater, 1000, std::chrono::minutes(1), {}}));
  const auto quorum = With(R"(    when: p95 > 300ms for 3 of 5min
    severity: medium
    owner: on-call
    levels: [{severity: high, when: '> 1s'}]
)");
  ASSERT_TRUE(quorum.ok()) << quorum.problems[0].message;
  const Alarm& alarm = quorum.plan.alarms[0];
  EXPECT_THAT(alarm.levels,
              ElementsAre(Level{Severity::kHigh, Comparison::kGreater, 1000, Duration(0), {}}));
  EXPECT_EQ(CanonicalText(alarm.levels[0], alarm.when), "> 1000ms");
}

TEST(LevelKeys, MistakesAreTold) {
  const auto levels = [](const char* list) {
    return Told(std::string(kWhen) + "    levels: " + list + "\n");
  };
  EXPECT_THAT(levels("critical"), HasSubstr("p:12:13: levels is a single value, expected a list"));
  EXPECT_THAT(levels("[{severity: critical}]"), HasSubstr("the key \"when\" is missing"));
  EXPECT_THAT(levels("[{severity: crtical, when: '> 1s'}]"),
              HasSubstr("did you mean \"critical\""));
  EXPECT_THAT(levels("[{severity: low, when: '> 1s'}]"),
              HasSubstr("p:12:25: low is not worse than medium"));
  EXPECT_THAT(levels("[{severity: critical, when: '> 2s'}, {severity: high, when: '> 3s'}]"),
              HasSubstr("high is not worse than critical"));
  EXPECT_THAT(levels("[{severity: high, when: '< 100ms'}]"),
              HasSubstr("p:12:38: the alarm fires at > 300, and worse is further on: expected >"));
  EXPECT_THAT(levels("[{severity: high, when: '> 300ms'}]"),
              HasSubstr("high goes off at 300ms, which medium does too: expected more than 300ms"));
  EXPECT_THAT(levels("[{severity: high, when: '> 2s'}, {severity: critical, when: '> 1s'}]"),
              HasSubstr("critical goes off at 1000ms, which high does too"));
  EXPECT_THAT(levels("[{severity: high, when: '> 500'}]"), HasSubstr("write 500ms"));
  EXPECT_THAT(levels("[{severity: high, when: '> 5%'}]"), HasSubstr("\"%\" does not fit"));
  EXPECT_THAT(levels("[{severity: high, when: '> 1s', hold: 5min}]"),
              HasSubstr("a level: unknown key \"hold\""));
  EXPECT_THAT(levels("[{severity: high, when: '> 1s', clear: '< 200ms'}]"),
              HasSubstr("the alarm itself is over at 300ms: expected 300ms or more"));
  EXPECT_THAT(levels("[{severity: high, when: '> 1s', clear: '< 2s'}]"),
              HasSubstr("the alarm would clear while it fires"));
  EXPECT_THAT(
      Told("    when: p95 > 300ms and p50 > 100ms\n    severity: medium\n    owner: on-call\n"
           "    levels: [{severity: high, when: '> 1s', clear: '< 800ms'}]\n"),
      HasSubstr("clear belongs to a condition of one test, this one has 2"));
  EXPECT_THAT(Told("    when: p95 > 300ms for 3 of 5min\n    severity: medium\n    owner: on-call\n"
                   "    levels: [{severity: high, when: '> 1s for 1min'}]\n"),
              HasSubstr("a level holds for as many as the condition does"));
}

TEST(ShadowKey, SaysWhomItWouldPage) {
  const auto shadow = With(std::string(kWhen) + "    shadow: true\n");
  ASSERT_TRUE(shadow.ok());
  EXPECT_FALSE(shadow.plan.alarms[0].page);
  EXPECT_EQ(shadow.plan.alarms[0].severity, Severity::kMedium);
  EXPECT_THAT(Told("    when: p95 > 300ms\n    shadow: true\n"),
              HasSubstr("the key \"severity\" is missing"));
  EXPECT_THAT(
      Told("    when: p95 > 300ms\n    shadow: true\n    severity: low\n    owner: pager\n"),
      HasSubstr("owner \"pager\" has no slack channel"));
  EXPECT_THAT(Told(std::string(kWhen) + "    shadow: true\n    page: true\n"),
              HasSubstr("a shadow pages nobody"));
  EXPECT_EQ(Told("    when: p95 > 300ms\n    page: false\n"), "");
}

TEST(FlappingKey, HasDefaultsThatAreStated) {
  const auto given = [](const char* value) {
    return With(std::string(kWhen) + "    flapping: " + value + "\n").plan.alarms[0].flapping;
  };
  EXPECT_EQ(given("true"), Flapping{});
  EXPECT_EQ(given("false"), std::nullopt);
  EXPECT_EQ(given("{}"), (Flapping{4, std::chrono::minutes(30), std::chrono::minutes(15)}));
  EXPECT_EQ(given("{times: 2, within: 1h, quiet: 20min}"),
            (Flapping{2, std::chrono::hours(1), std::chrono::minutes(20)}));
  EXPECT_THAT(Told(std::string(kWhen) + "    flapping: {times: 0}\n"),
              HasSubstr("expected a whole number from 1 to 100"));
  EXPECT_THAT(Told(std::string(kWhen) + "    flapping: {time: 3}\n"),
              HasSubstr("did you mean \"times\""));
  EXPECT_THAT(Told(std::string(kWhen) + "    flapping: often\n"),
              HasSubstr("expected true or false"));
}

TEST(KeepFiringKey, IsAnotherWordForAClearThatHasATime) {
  EXPECT_EQ(With(std::string(kWhen) + "    keep_firing: 10min\n").plan.alarms[0].keep_firing,
            std::chrono::minutes(10));
  EXPECT_THAT(Told(std::string(kWhen) + "    clear: '< 200ms'\n    keep_firing: 10min\n"),
              HasSubstr("which says itself for how long: clear: \"< 200ms for 10min\""));
}

}  // namespace
}  // namespace liveops::plan
