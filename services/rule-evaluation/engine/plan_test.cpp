#include <gtest/gtest.h>

#include "services/rule-evaluation/engine/timeline.h"

namespace liveops::engine {
namespace {

using testing::Outcome;
using testing::PlanOf;

constexpr const char* kSeries = R"(
plan -2min a
series E delta http_5xx_count
series R delta http_request_count
series C gauge cpu_utilization unit=%
)";

const std::string kBoth =
    PlanOf(R"(  - {name: errors, when: 5xx > 1% for 3min, severity: critical, owner: on-call}
  - {name: hot, when: 'last(cpu_utilization) > 90%', severity: high, owner: on-call})");

Outcome Edit(const std::string& before, const std::string& after, std::string_view text) {
  testing::Script script;
  script.plans["a"] = before;
  script.plans["b"] = after;
  script.plans["broken"] = "service: shop\nalarms: [";
  script.text = kSeries + std::string(text);
  return Play(script);
}

TEST(PlanOf, AnEditKeepsWhatItDidNotChange) {
  // errors: the same condition in other words, and elsewhere in the plan; its hold runs on.
  const std::string after =
      PlanOf(R"(  - {name: new, when: 'max(cpu_utilization) > 99%', severity: low, owner: on-call}
  - {name: errors, when: 'ratio(http_5xx_count, http_request_count) over 1min > 1% for 3min', severity: low, owner: on-call}
  - {name: hot, when: CPU > 90%, severity: high, owner: on-call})");
  const Outcome o = Edit(kBoth, after, R"(
0s..5min every 5s: E=2 R=100 C=95
plan 2min b
end 5min)");
  EXPECT_EQ(o.fault, "");
  EXPECT_EQ(o.told, "0s hot firing crossed 95 %\n3min errors firing crossed 2 %\n");
  ASSERT_EQ(o.transitions.size(), 2u);
  EXPECT_EQ(o.transitions[1].severity, plan::Severity::kLow);
  EXPECT_EQ(o.transitions[1].plan_version, 2u);
  EXPECT_EQ(ToMs(o.transitions[1].since), testing::kNine);
}

TEST(PlanOf, AChangedThresholdKeepsTheEpisodeAndTheWindow) {
  const std::string after = PlanOf(
      "  - {name: errors, when: 5xx > 5% for 3min, severity: critical, owner: on-call}\n"
      "  - {name: hot, when: 'last(cpu_utilization) > 99%', severity: high, owner: on-call}");
  const Outcome o = Edit(kBoth, after, R"(
0s..5min every 5s: E=2 R=100 C=95
plan 200s b
end 5min)");
  EXPECT_EQ(o.fault, "");
  EXPECT_EQ(o.told,
            "0s hot firing crossed 95 %\n3min errors firing crossed 2 %\n"
            "3min22s errors resolved recovered 2 %\n3min22s hot resolved recovered 95 %\n");
  EXPECT_EQ(o.transitions[1].episode, o.transitions[2].episode);
  EXPECT_EQ(o.transitions[2].threshold, 5);
}

TEST(PlanOf, AChangedWindowKeepsTheEpisodeAndProvesNothingUntilItIsFull) {
  const std::string after = PlanOf(
      "  - {name: errors, when: 5xx over 2min > 1% for 3min, severity: critical, owner: on-call}\n"
      "  - {name: hot, when: 'last(cpu_utilization) > 90%', severity: high, owner: on-call}");
  const Outcome o = Edit(kBoth, after, R"(
0s..195s every 5s: E=2 R=100 C=50
200s..10min every 5s: E=0 R=100 C=50
plan 200s b
show 5min errors
end 10min)");
  EXPECT_EQ(o.fault, "");
  EXPECT_EQ(o.told,
            "3min errors firing crossed 2 %\n"
            "5min errors is firing: firing since 09:03:00: the window reaches back before what is "
            "known; it proves "
            "nothing yet\n"
            "5min22s errors resolved recovered 0 %\n");
}

TEST(PlanOf, RemovedWhileFiringIsWithdrawn) {
  const std::string after =
      PlanOf("  - {name: errors, when: 5xx > 1% for 3min, severity: critical, owner: on-call}");
  const Outcome o = Edit(kBoth, after, R"(
0s..5min every 5s: E=2 R=100 C=95
plan 2min b
end 5min)");
  EXPECT_EQ(o.fault, "");
  EXPECT_EQ(o.told,
            "0s hot firing crossed 95 %\n2min hot withdrawn removed 95 %\n3min errors firing "
            "crossed 2 %\n");
  EXPECT_EQ(o.transitions[1].step, 1u);
  EXPECT_EQ(o.transitions[1].episode, o.transitions[0].episode);
}

TEST(PlanOf, OtherGroupsAreOtherAlarms) {
  const std::string after = PlanOf(
      "  - {name: errors, when: 5xx > 1% for 3min, severity: critical, owner: on-call}\n"
      "  - {name: hot, when: 'last(cpu_utilization) by pod > 90%', severity: high, owner: "
      "on-call}");
  const Outcome o = Edit(kBoth, after, R"(
0s..2min every 5s: C=95
plan 2min b
125s: C=95
end 3min)");
  EXPECT_EQ(o.fault, "");
  EXPECT_EQ(o.told,
            "0s hot firing crossed 95 %\n2min hot withdrawn removed 95 %\n"
            "2min5s hot{pod=\"\"} firing crossed 95 %\n");
}

TEST(PlanOf, ABrokenOrOlderPlanChangesNothing) {
  const Outcome o =
      Edit(kBoth, PlanOf("  - {name: x, when: CPU > 1%, severity: low, owner: on-call}"), R"(
0s..4min every 5s: E=2 R=100 C=50
plan 1min broken v7
plan 2min b v1
end 4min)");
  EXPECT_EQ(o.fault, "");
  EXPECT_EQ(o.counters.plans_refused, 1u);
  EXPECT_EQ(o.told, "3min errors firing crossed 2 %\n");
}

TEST(PlanOf, ANewRuleWaitsForAWholeWindowUnlessMoreDataCannotUndoIt) {
  const std::string after = PlanOf(
      "  - {name: errors, when: 5xx > 1%, severity: critical, owner: on-call}\n"
      "  - {name: held, when: 5xx > 1% for 1min, severity: critical, owner: on-call}\n"
      "  - {name: burst, when: count(http_5xx_count) > 10, severity: high, owner: on-call}\n"
      "  - {name: idle, when: 'count(http_request_count) < 2000', severity: high, owner: on-call}");
  const Outcome o =
      Edit(PlanOf("  - {name: hot, when: CPU > 90%, severity: high, owner: on-call}"), after, R"(
0s..4min every 5s: E=2 R=100 C=50
plan 1min b
show 90s errors
show 90s held
end 4min)");
  EXPECT_EQ(o.fault, "");
  EXPECT_EQ(o.told,
            "1min30s burst firing crossed 12\n"
            "1min30s errors is ok: the window reaches back before what is known; it proves nothing "
            "yet\n"
            "1min30s held is ok: the window reaches back before what is known; it proves nothing "
            "yet\n"
            "2min errors firing crossed 2 %\n"
            "2min2s idle firing crossed 1200\n"
            "3min held firing crossed 2 %\n");
}

TEST(PlanOf, AKeptWindowIsWhole) {
  const std::string before =
      PlanOf("  - {name: errors, when: 5xx > 5%, severity: critical, owner: on-call}");
  const std::string after =
      PlanOf("  - {name: errors, when: 5xx > 1%, severity: critical, owner: on-call}");
  const Outcome o = Edit(before, after, R"(
0s..4min every 5s: E=2 R=100
plan 3min b
end 4min)");
  EXPECT_EQ(o.fault, "");
  EXPECT_EQ(o.told, "3min2s errors firing crossed 2 %\n");
}

TEST(PlanOf, AClearHoldThatRanUnderOtherWordsBeginsAnew) {
  const auto hot = [](const char* clear) {
    return PlanOf("  - {name: hot, when: last(cpu_utilization) > 90%, clear: '" +
                  std::string(clear) + "', severity: high, owner: on-call}");
  };
  const Outcome o = Edit(hot("< 80% for 2min"), hot("< 70% for 2min"), R"(
0s..20s every 5s: C=95
25s..5min every 5s: C=60
plan 2min b
end 5min)");
  EXPECT_EQ(o.fault, "");
  EXPECT_EQ(o.told, "0s hot firing crossed 95 %\n4min2s hot resolved recovered 60 %\n");
}

constexpr const char* kHotOver1min =
    "  - {name: hot, when: last(cpu_utilization) > 90%, severity: high, owner: on-call}";
constexpr const char* kHotOver3min =
    "  - {name: hot, when: last(cpu_utilization) over 3min > 90%, severity: high, owner: on-call}";

TEST(PlanOf, AnEpisodeOverAChangedWindowWhoseSeriesNeverReturnsIsGone) {
  const Outcome o = Edit(PlanOf(kHotOver1min), PlanOf(kHotOver3min), R"(
0s..2min every 5s: C=95
plan 125s b
show 5min hot
end 10min)");
  EXPECT_EQ(o.fault, "");
  EXPECT_EQ(o.told,
            "0s hot firing crossed 95 %\n"
            "5min hot is firing: firing since 09:00:00: no series of cpu_utilization at present\n"
            "5min11s hot gone gone 95 %\n");
}

TEST(PlanOf, ASeriesThatReportsSeldomIsAwaitedAfterAChangeOfTheWindow) {
  const Outcome o = Edit(PlanOf(kHotOver1min), PlanOf(kHotOver3min), R"(
0s: C=50
5min..10min every 5min: C=95
plan 10min1s b
15min..20min every 5min: C=95
show 20min hot
plan 20min1s a
end 40min)");
  EXPECT_EQ(o.fault, "");
  EXPECT_EQ(o.told,
            "5min hot firing crossed 95 %\n"
            "20min hot is firing: cpu_utilization is 95 %, above 90 % since 09:05:00\n"
            "35min7s hot gone gone 95 %\n");
}

const std::string kScenario =
    PlanOf("  - {name: errors, when: 5xx > 1%, severity: critical, owner: on-call}",
           R"(remediations:
  - name: surge
    when: 5xx > 5% for 1min
    do: {kubectl: [rollout, undo, deployment/shop]}
    approval: {from: on-call, within: 15min}
    expect: 5xx < 1% within 5min
)");

TEST(ProbeOf, AScenarioIsAnAlarmOfItsOwnPurpose) {
  const Outcome o = Edit(kScenario, kScenario, R"(
0s..2min every 5s: E=10 R=100
end 2min)");
  EXPECT_EQ(o.fault, "");
  EXPECT_EQ(o.told, "0s errors firing crossed 10 %\n1min scenario:surge firing crossed 10 %\n");
  const Transition& t = o.transitions[1];
  EXPECT_EQ(t.purpose, Purpose::kScenario);
  EXPECT_EQ(t.severity, plan::Severity::kCritical);
  EXPECT_EQ(t.owner, "on-call");
}

TEST(ProbeOf, IsTrueForAWhollyFreshWindowOnly) {
  const Outcome o = Edit(kScenario, kScenario, R"(
0s..2min every 5s: E=10 R=100
probe 121s r1/expect within=5min ratio(http_5xx_count, http_request_count) over 1min < 1% for 0s
125s..5min every 5s: E=0 R=100
end 5min)");
  EXPECT_EQ(o.fault, "");
  ASSERT_EQ(o.transitions.size(), 5u) << o.told;
  EXPECT_EQ(o.told,
            "0s errors firing crossed 10 %\n"
            "1min scenario:surge firing crossed 10 %\n"
            "2min32s scenario:surge resolved recovered 5 %\n"
            "2min56s errors resolved recovered 1 %\n"
            "3min4s probe:r1/expect firing true 0 %\n");
  const Transition& t = o.transitions[4];
  EXPECT_EQ(t.purpose, Purpose::kProbe);
  EXPECT_EQ(t.probe_id, "r1/expect");
  EXPECT_EQ(t.alarm_id, "shop/probe:r1/expect");
  EXPECT_EQ(ToMs(t.episode), testing::kNine + 121'000);
}

TEST(ProbeOf, TimesOutWithItsLastValue) {
  const Outcome o = Edit(kScenario, kScenario, R"(
0s..10min every 5s: E=3 R=100
probe 121s r1/expect within=5min ratio(http_5xx_count, http_request_count) over 1min < 1% for 0s
end 10min)");
  EXPECT_EQ(o.fault, "");
  EXPECT_EQ(o.told,
            "0s errors firing crossed 3 %\n7min4s probe:r1/expect resolved timed_out 3 %\n");
}

TEST(ProbeOf, WithoutTrafficItIsNotTrue) {
  const Outcome o = Edit(kScenario, kScenario, R"(
0s..2min every 5s: E=3 R=100
probe 121s r1/expect within=5min ratio(http_5xx_count, http_request_count) over 1min < 1% for 0s
125s..10min every 30s: E=0 R=3
end 10min)");
  EXPECT_EQ(o.fault, "");
  EXPECT_NE(o.told.find("7min4s probe:r1/expect resolved timed_out"), std::string::npos) << o.told;
}

TEST(ProbeOf, OneThatCannotBeReadIsRefused) {
  const Outcome o = Edit(kScenario, kScenario, R"(
probe 121s r1/expect within=5min rato(a) < 1%
end 3min)");
  EXPECT_EQ(o.fault, "");
  EXPECT_EQ(o.told, "2min1s probe:r1/expect resolved refused\n");
}

}  // namespace
}  // namespace liveops::engine
