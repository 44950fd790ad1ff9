#include <gtest/gtest.h>

#include "services/rule-evaluation/engine/timeline.h"

// What keeps an alarm from being tiresome (flapping, keep_firing, levels), where it meets silence,
// plan edits, several tests and quorums.
namespace liveops::engine {
namespace {

using testing::One;
using testing::PlanOf;
using testing::Told;

constexpr const char* kGauge = "series C gauge cpu_utilization unit=%\n";

std::string PlayEdited(const std::string& first, const std::string& second,
                       const std::string& text) {
  testing::Script script;
  script.plans["first"] = first;
  script.plans["second"] = second;
  script.text = "plan -2min first\n" + text;
  const auto outcome = Play(script);
  return "\n" + outcome.told + outcome.fault;
}

TEST(KeepFiring, DataThatIsBackMustBeFalseForSoLong) {
  EXPECT_EQ(Told(One("hot", "last(cpu_utilization) > 90%", ", no_data: fire, keep_firing: 20s"),
                 std::string(kGauge) + R"(
0s..9s every 1s: C=95
80s..2min every 1s: C=50
end 2min)"),
            R"(
0s hot firing crossed 95 %
1min12s hot no_data silent
1min22s hot firing returned 50 %
1min42s hot resolved recovered 50 %
)");
}

TEST(KeepFiring, AnotherConditionBeginsTheTimeAnew) {
  const std::string keep = ", keep_firing: 20s";
  EXPECT_EQ(PlayEdited(One("hot", "last(cpu_utilization) > 90%", keep),
                       One("hot", "last(cpu_utilization) > 80%", keep),
                       "plan 25s second\n" + std::string(kGauge) + R"(
0s..9s every 1s: C=95
10s..70s every 1s: C=50      # false from 10 s on, under the new words from 24 s on
end 70s)"),
            R"(
0s hot firing crossed 95 %
46s hot resolved recovered 50 %
)");
}

TEST(Flapping, SilenceThatIsNotToldIsNoQuietEither) {
  EXPECT_EQ(Told(One("busy", "req/min > 100", ", flapping: {times: 1, within: 10min, quiet: 3min}"),
                 R"(
series R delta http_request_count
0s..60s every 5s: R=100
65s..3min every 5s: R=0/5s
185s..4min every 5s: R=100
245s..6min every 5s: R=0/5s   # clear for less than two minutes, then silent for three
9min..14min every 5s: R=0/5s
end 14min)"),
            R"(
5s busy firing crossed 1200 /min
1min58s busy resolved recovered 81.36 /min
3min5s busy firing flapping 101.7 /min, opened 2 times
12min2s busy resolved recovered 0 /min, opened 2 times
)");
}

TEST(Flapping, WhatSilenceOpensOnceTooOftenStaysOpenUntilItHasBeenQuiet) {
  EXPECT_EQ(Told(One("hot", "last(cpu_utilization) > 90%",
                     ", no_data: fire, flapping: {times: 1, within: 10min, quiet: 30s}"),
                 std::string(kGauge) + R"(
0s..9s every 1s: C=95
10s..19s every 1s: C=10
100s..3min every 1s: C=10
show 115s hot
end 3min)"),
            R"(
0s hot firing crossed 95 %
12s hot resolved recovered 10 %
1min22s hot no_data flapping, opened 2 times
1min55s hot is no_data: had no data, and stays open: cpu_utilization is 10 %, not above 90 %; it flaps (opened 2 times): over when it has been clear for 30s
2min12s hot resolved returned 10 %, opened 2 times
)");
}

TEST(Flapping, ASeverityThatSwingsIsDampedToo) {
  EXPECT_EQ(Told(PlanOf(R"(  - name: hot
    when: last(cpu_utilization) > 70%
    severity: medium
    owner: on-call
    levels: [{severity: critical, when: "> 90%"}]
    flapping: {times: 2, within: 5min, quiet: 30s})"),
                 std::string(kGauge) + R"(
0s..9s every 1s: C=75
10s..19s every 1s: C=95      # a first rise is none too many
20s..29s every 1s: C=75
30s..39s every 1s: C=95      # the second of the episode's
40s..49s every 1s: C=75
50s..59s every 1s: C=95      # the third: its severity is held
show 55s hot
60s..69s every 1s: C=75
70s..79s every 1s: C=95
80s..130s every 1s: C=75     # not so bad for 30 s
131s..180s every 1s: C=10    # quiet for 30 s
end 3min)"),
            R"(
0s hot firing crossed 75 %
10s hot firing escalated 95 %, critical from medium
22s hot firing eased 75 %, medium from critical
30s hot firing escalated 95 %, critical from medium
42s hot firing eased 75 %, medium from critical
50s hot firing escalated 95 %, critical from medium, opened 3 times
55s hot is firing: cpu_utilization is 95 %, above 70 % since 09:00:00; critical (above 90 %) since 09:00:50; it flaps (opened 3 times): over when it has been clear for 30s
1min52s hot firing eased 75 %, medium from critical, opened 3 times
2min44s hot resolved recovered 10 %, opened 3 times
)");
}

TEST(Levels, OneThatIsReachedWhenSilenceEndsFiresWhateverTheHold) {
  EXPECT_EQ(Told(PlanOf(R"(  - name: hot
    when: last(cpu_utilization) > 70% for 1min
    severity: medium
    owner: on-call
    no_data: fire
    levels: [{severity: critical, when: "> 90% for 0s"}])"),
                 std::string(kGauge) + R"(
0s..9s every 1s: C=10
2min..130s every 1s: C=75
131s..135s every 1s: C=95
end 135s)"),
            R"(
1min12s hot no_data silent
2min11s hot firing returned 95 %
)");
}

TEST(Levels, TooFewEventsWithholdThatOneIsReachedNotThatItIsOver) {
  EXPECT_EQ(Told(PlanOf(R"(  - name: slow
    when: p95(http_request_duration_ms) over 10s > 100ms
    severity: medium
    owner: on-call
    min_count: 20
    levels: [{severity: critical, when: "> 1s"}])"),
                 R"(
series L observation http_request_duration_ms unit=ms
0s..20s every 250ms: L=2000
20250ms..40s every 2s: L=200
end 40s)"),
            R"(
4s750ms slow firing crossed 2000 ms
32s slow firing eased 200 ms, medium from critical
)");
}

TEST(Levels, OfSeveralTestsTheFirstMustBeBeyondAndTheWholeTrue) {
  EXPECT_EQ(Told(PlanOf(R"(  - name: hot
    when: last(cpu_utilization) over 10s > 70% or last(queue_length) over 10s > 100
    severity: medium
    owner: on-call
    levels: [{severity: critical, when: "> 90%"}])"),
                 std::string(kGauge) + R"(series Q gauge queue_length
0s..9s every 1s: C=10 Q=500   # bad, and not as bad as critical
10s..19s every 1s: C=95 Q=500
20s..29s every 1s: C=80 Q=5
30s..39s every 1s: C=10 Q=5
end 45s)"),
            R"(
0s hot firing crossed 500
10s hot firing escalated 95 %, critical from medium
22s hot firing eased 80 %, medium from critical
32s hot resolved recovered 5
)");
  EXPECT_EQ(Told(PlanOf(R"(  - name: hot
    when: last(cpu_utilization) over 10s > 70% and last(queue_length) over 10s > 100
    severity: medium
    owner: on-call
    levels: [{severity: critical, when: "> 90%"}])"),
                 std::string(kGauge) + R"(series Q gauge queue_length
0s..9s every 1s: C=95 Q=5
10s..19s every 1s: C=80 Q=500
20s..29s every 1s: C=95 Q=500
30s..39s every 1s: C=95 Q=5
end 45s)"),
            R"(
10s hot firing crossed 80 %
20s hot firing escalated 95 %, critical from medium
32s hot resolved recovered 95 %
)");
}

TEST(Levels, OfAQuorumCountTheirOwnSlots) {
  EXPECT_EQ(Told(PlanOf(R"(  - name: hot
    when: last(cpu_utilization) over 10s > 70% for 2 of 3min
    severity: medium
    owner: on-call
    levels: [{severity: critical, when: "> 90%"}])"),
                 std::string(kGauge) + R"(
0s..150s every 1s: C=80
151s..5min every 1s: C=95
show 200s hot
301s..6min every 1s: C=80
361s..12min every 1s: C=10
end 12min)"),
            R"(
1min2s hot firing crossed 80 %
3min20s hot is firing: firing since 09:01:00: cpu_utilization is 95 %, above 70 %; 3 of the last 3 minutes true, 2 needed
4min2s hot firing escalated 95 %, critical from medium
7min2s hot firing eased 10 %, medium from critical
8min2s hot resolved recovered 10 %
)");
}

TEST(Levels, AnEditThatLeavesItAsBadAsItWasTellsNothing) {
  const std::string hot = R"(  - name: hot
    when: last(cpu_utilization) > 70%
    owner: on-call
    severity: )";
  EXPECT_EQ(PlayEdited(PlanOf(hot + R"(medium
    levels: [{severity: high, when: "> 90%"}])"),
                       PlanOf(hot + "high"), "plan 20s second\n" + std::string(kGauge) + R"(
0s..30s every 1s: C=95
31s..40s every 1s: C=10
end 40s)"),
            R"(
0s hot firing crossed 95 %
34s hot resolved recovered 10 %
)");
}

TEST(Levels, AnEditThatMakesItWorseThanTheLevelThatGoesSaysSo) {
  const std::string hot = R"(  - name: hot
    when: last(cpu_utilization) > 70%
    owner: on-call
    severity: )";
  EXPECT_EQ(PlayEdited(PlanOf(hot + R"(medium
    levels: [{severity: high, when: "> 90%"}])"),
                       PlanOf(hot + "critical"), "plan 20s second\n" + std::string(kGauge) + R"(
0s..30s every 1s: C=95
end 30s)"),
            R"(
0s hot firing crossed 95 %
20s hot firing escalated 95 %, critical from high
)");
}

TEST(Compared, ThereMustBeAPointThenNotMerelyOneBefore) {
  // After 2min the newest point still stands for now, but not for a time when there was none.
  EXPECT_EQ(Told(One("more", "last(queue_length) over 20s >= 100% compared to 40s ago"), R"(
series Q gauge queue_length
0s..2min every 1min: Q=10
show 3min10s more
end 3min20s)"),
            R"(
1min1s more firing crossed 100 %
3min10s more is firing: firing since 09:00:59: queue_length is 10 now; nothing is known of it 40s ago
)");
}

}  // namespace
}  // namespace liveops::engine
