#include "services/rule-evaluation/engine/life.h"

#include <gtest/gtest.h>

#include "services/rule-evaluation/engine/timeline.h"

namespace liveops::engine {
namespace {

using testing::PlanOf;
using testing::Told;

const std::string kErrors =
    PlanOf("  - {name: errors, when: 5xx > 1% for 3min, severity: critical, owner: on-call}");

constexpr const char* kCounters = R"(
series E delta http_5xx_count
series R delta http_request_count
)";

TEST(LifeOf, AHoldRunsFromItsFirstTrueAndFiresAtATrue) {
  EXPECT_EQ(Told(kErrors, std::string(kCounters) + R"(
0s..4min every 5s: E=2 R=100
show 1min errors
end 4min)"),
            R"(
1min errors is pending: ratio of http_5xx_count to http_request_count is 2 %, above 1 % since 09:00:00; fires at 09:03:00 if it stays
3min errors firing crossed 2 %
)");
}

TEST(LifeOf, AFalseResetsTheHold) {
  EXPECT_EQ(Told(kErrors, std::string(kCounters) + R"(
0s..2min every 5s: E=2 R=100
125s..4min every 5s: E=0 R=100
245s..450s every 5s: E=2 R=100   # over 1 % of the window again from 272 s on
show 450s errors
end 450s)"),
            R"(
7min30s errors is pending: ratio of http_5xx_count to http_request_count is 2 %, above 1 % since 09:04:32; fires at 09:07:32 if it stays
)");
}

TEST(LifeOf, ResolvesWithTheRecoveredValueAndThePeak) {
  testing::Script script;
  script.plans["p"] = kErrors;
  script.text = std::string("plan -2min p\n") + kCounters + R"(
0s..4min every 5s: E=5 R=100
245s..7min every 5s: E=0 R=100
end 7min)";
  const auto outcome = Play(script);
  EXPECT_EQ(outcome.fault, "");
  EXPECT_EQ(outcome.told, R"(3min errors firing crossed 5 %
4min52s errors resolved recovered 0.8333 %
)");
  ASSERT_EQ(outcome.transitions.size(), 2u);
  const Transition& fired = outcome.transitions[0];
  const Transition& resolved = outcome.transitions[1];
  EXPECT_EQ(fired.alarm_id, "shop/errors");
  EXPECT_EQ(fired.step, 0u);
  EXPECT_EQ(resolved.step, 1u);
  EXPECT_EQ(fired.episode, resolved.episode);
  EXPECT_EQ(fired.episode, fired.clock);
  EXPECT_EQ(ToMs(fired.since), testing::kNine);
  EXPECT_DOUBLE_EQ(resolved.peak, 5);
  EXPECT_EQ(resolved.duration, std::chrono::seconds(112));
  EXPECT_EQ(fired.points, 1200u);
  EXPECT_EQ(fired.expression, "ratio(http_5xx_count, http_request_count) over 1min > 1% for 3min");
  EXPECT_NE(TransitionId(fired), TransitionId(resolved));
}

TEST(LifeOf, UnknownNeitherResetsNorResolves) {
  // No traffic: the ratio is unknown. The hold goes on, and fires at the first true after it.
  EXPECT_EQ(Told(kErrors, std::string(kCounters) + R"(
0s..1min every 5s: E=2 R=100
65s..170s every 5s: E=0 R=0
show 165s errors
175s..185s every 5s: E=2 R=100
190s..6min every 5s: E=0 R=0
show 6min errors
end 6min)"),
            R"(
2min45s errors is pending: ratio of http_5xx_count to http_request_count is 2 %, above 1 % since 09:00:00; fires at 09:03:00 if it stays
3min errors firing crossed 2 %
6min errors is firing: firing since 09:03:00: http_request_count counted nothing in the window
)");
}

TEST(LifeOf, ClearHasItsOwnThresholdAndHold) {
  const std::string plan = PlanOf(
      "  - {name: hot, when: last(cpu_utilization) > 90%, clear: '< 70% for 1min', severity: high, "
      "owner: on-call}");
  EXPECT_EQ(Told(plan, R"(
series C gauge cpu_utilization unit=%
0s..20s every 5s: C=50
25s..60s every 5s: C=95
65s..2min every 5s: C=80     # neither crossed nor clear
show 110s hot
125s..150s every 5s: C=60
155s..160s every 5s: C=75    # not clear: the clear hold begins anew
165s..5min every 5s: C=60
end 5min)"),
            R"(
25s hot firing crossed 95 %
1min50s hot is firing: firing since 09:00:25: cpu_utilization is 80 %, not above 90 %; clears below 70 % for 1min
3min48s hot resolved recovered 60 %
)");
}

TEST(LifeOf, AtTheThresholdIsFalse) {
  const std::string plan =
      PlanOf(R"(  - {name: over, when: last(cpu_utilization) > 90%, severity: high, owner: on-call}
  - {name: at, when: last(cpu_utilization) >= 90%, severity: high, owner: on-call}
  - {name: ratio, when: 5xx > 1%, severity: high, owner: on-call}
  - {name: db, when: DB connections > 80%, severity: high, owner: on-call})");
  EXPECT_EQ(Told(plan, std::string(kCounters) + R"(
series C gauge cpu_utilization unit=%
series D gauge db_connection_count
0s..2min every 7s: C=90 E=1 R=100 D=160
2min5s: D=161
end 3min)"),
            R"(
0s at firing crossed 90 %
2min5s db firing crossed 80.5 %
)");
}

TEST(LifeOf, EagerTruesFireAtTheRecordAndFalsesWaitForTheWatermark) {
  const std::string plan =
      PlanOf("  - {name: hot, when: last(cpu_utilization) > 90%, severity: high, owner: on-call}");
  EXPECT_EQ(Told(plan, R"(
series C gauge cpu_utilization unit=%
10s: C=95
11500ms: C=10
40s: C=95
end 50s)"),
            R"(
10s hot firing crossed 95 %
14s hot resolved recovered 10 %
40s hot firing crossed 95 %
)");
}

TEST(LifeOf, AFalseCannotKillALaterEagerTrue) {
  // The window that ends at 10 s is false; it is judged at 12 s, after the crossing at 11 s.
  const std::string plan = PlanOf(
      "  - {name: hot, when: last(cpu_utilization) > 90% for 30s, severity: high, owner: on-call}");
  EXPECT_EQ(Told(plan, R"(
series C gauge cpu_utilization unit=%
0s..9s every 1s: C=10
11s..60s every 1s: C=95
show 12500ms hot
end 60s)"),
            R"(
12s500ms hot is pending: cpu_utilization is 95 %, above 90 % since 09:00:11; fires at 09:00:41 if it stays
41s hot firing crossed 95 %
)");
}

TEST(LifeOf, AFalseBetweenTwoEagerTruesDoesNotResolveWhileTheSecondHolds) {
  // The window that ends at 12 s is false; it is judged at 17 s, after the crossing at 13 s.
  const std::string plan = PlanOf(
      "  - {name: hot, when: last(cpu_utilization) over 30s > 90%, severity: high, owner: "
      "on-call}");
  EXPECT_EQ(Told(plan, R"(
series C gauge cpu_utilization unit=%
10s: C=95 @otlp
12s: C=50 @otlp
13s: C=95 @otlp
20s: C=50 @otlp
end 30s)"),
            R"(
10s hot firing crossed 95 %
25s hot resolved recovered 50 %
)");
}

TEST(LifeOf, SmallerIsJudgedAtTheWatermarkOnly) {
  const std::string plan =
      PlanOf("  - {name: idle, when: last(cpu_utilization) < 10%, severity: high, owner: on-call}");
  EXPECT_EQ(Told(plan, R"(
series C gauge cpu_utilization unit=%
0s..60s every 5s: C=50
65s..90s every 5s: C=5
95s..120s every 5s: C=50
end 120s)"),
            R"(
1min8s idle firing crossed 5 %
1min38s idle resolved recovered 50 %
)");
}

TEST(LifeOf, MinCountWithholdsTrueOnly) {
  const std::string plan =
      PlanOf("  - {name: errors, when: 5xx > 1%, severity: critical, owner: on-call}");
  EXPECT_EQ(Told(plan, std::string(kCounters) + R"(
10s: E=3/5s R=3/5s
show 15s errors
1min30s: E=3/5s R=20/5s
show 95s errors
3min: E=0/5s R=5/5s
end 3min10s)"),
            R"(
15s errors is ok: too few events to judge by: 3, min_count is 20
1min30s errors firing crossed 15 %
1min35s errors is firing: ratio of http_5xx_count to http_request_count is 15 %, above 1 % since 09:01:30
3min2s errors resolved recovered 0 %
)");
}

TEST(Life, AnEagerTrueThatCameOutOfOrderDoesNotHideTheLaterOne) {
  Life life;
  LifeRules rules;
  rules.hold = Duration(30'000);
  Judgement j;
  j.verdict = Verdict::kTrue;
  j.eager = true;
  for (const int at : {20'000, 15'000}) {
    j.at = InstantFromMs(at);
    EXPECT_EQ(life.Step(rules, j, j.at), Told::kNothing);
  }
  j.verdict = Verdict::kFalse;
  j.eager = false;
  j.at = InstantFromMs(17'000);
  EXPECT_EQ(life.Step(rules, j, j.at), Told::kNothing);
  EXPECT_EQ(life.state, AlarmState::kPending);
  EXPECT_EQ(life.since, InstantFromMs(20'000));
}

TEST(Life, TwoEpisodesInOneMillisecondHaveTwoNames) {
  Life life;
  const LifeRules rules;
  const Instant clock = InstantFromMs(1000);
  Judgement j;
  j.verdict = Verdict::kTrue;
  j.at = clock;
  EXPECT_EQ(life.Step(rules, j, clock), Told::kFires);
  j.verdict = Verdict::kFalse;
  EXPECT_EQ(life.Step(rules, j, clock), Told::kRecovers);
  j.verdict = Verdict::kTrue;
  EXPECT_EQ(life.Step(rules, j, clock), Told::kFires);
  EXPECT_EQ(life.episode, clock + Duration(1));
  EXPECT_EQ(life.step, 0u);
}

}  // namespace
}  // namespace liveops::engine
