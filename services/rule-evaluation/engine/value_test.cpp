#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>

#include "services/rule-evaluation/engine/timeline.h"
#include "services/rule-evaluation/engine/units.h"

namespace liveops::engine {
namespace {

using testing::One;
using testing::PlanOf;
using testing::Told;

TEST(ValueOf, RateIsIncreaseByTimeCoveredWhateverTheExportsBeat) {
  // 600 requests a minute, exported each 59.6 s or each 60.4 s: never doubled, never gone.
  const std::string plan =
      PlanOf(R"(  - {name: low, when: req/min < 590, severity: high, owner: on-call}
  - {name: high, when: req/min > 610, severity: high, owner: on-call})");
  for (const char* beat : {"59600ms", "60400ms", "60s", "15s"}) {
    const double seconds = static_cast<double>(ParseDuration(beat)->count()) / 1000;
    const std::string told =
        Told(plan, "series R delta http_request_count\n10s..20min every " + std::string(beat) +
                       ": R=" + std::to_string(seconds * 10) + "/" + beat +
                       "\nshow 15min high\nend 20min");
    EXPECT_EQ(told,
              "\n15min high is ok: rate of http_request_count is 600 /min, not above 610 /min\n")
        << beat;
  }
}

TEST(ValueOf, DeltasWithoutAStartCoverTheTimeSinceThePointBefore) {
  EXPECT_EQ(Told(One("high", "req/min > 610"), R"(
series R delta http_request_count
0s..5min every 5s: R=50
show 4min high
end 5min)"),
            "\n4min high is ok: rate of http_request_count is 600 /min, not above 610 /min\n");
}

TEST(ValueOf, AWindowIsAsLongAsItIsWrittenWhereAThirtiethOfItIsNoWholeTime) {
  EXPECT_EQ(Told(One("busy", "count(jobs) over 40s > 40.4"), R"(
series J delta jobs
1s..5min every 1s: J=1/1s
show 4min busy
end 5min)"),
            "\n4min busy is ok: count of jobs is 40, not above 40.4\n");
}

TEST(ValueOf, FirstCumulativePointIsABaselineAndAFallIsAReset) {
  EXPECT_EQ(Told(One("burst", "count(jobs) > 50"), R"(
series J cumulative jobs
10s: J=1000000
20s..60s every 10s: J=1000010
show 62s burst
70s: J=4                     # restarted: 4 since
show 73s burst
80s: J=104
end 90s)"),
            R"(
1min2s burst is ok: count of jobs is 10, not above 50
1min13s burst is ok: count of jobs is 14, not above 50
1min20s burst firing crossed 104
)");
}

TEST(ValueOf, AnIncreaseIsNotExtrapolatedOverATimeThatIsNotKnown) {
  // 12 a minute would be 720 an hour; of the hour 2 min are known.
  EXPECT_EQ(Told(One("burst", "increase(jobs) over 1h > 100"), R"(
series J delta jobs
10s..9min every 10s: J=2/10s
show 6min burst
end 9min)"),
            R"(
6min burst is ok: the window reaches back before what is known; it proves nothing yet
8min30s burst firing crossed 102
)");
}

TEST(ValueOf, ANewStartAfterTheLastPointCountsFromZero) {
  EXPECT_EQ(Told(One("burst", "count(jobs) > 50"), R"(
series J cumulative jobs
10s: J=1000000/10s
20s: J=1000010/20s
30s: J=60/5s                 # started at 25 s, after the last point
end 40s)"),
            R"(
30s burst firing crossed 70
)");
}

TEST(ValueOf, StreamsWithOtherStartsAreCountedApart) {
  // Two processes under one identity, by turns: no resets, no bursts.
  EXPECT_EQ(Told(One("burst", "count(jobs) > 50"), R"(
series J cumulative jobs
100s: J=1000/100s @otlp
101s: J=5000/50s @otlp
110s: J=1010/110s @otlp
111s: J=5010/60s @otlp
120s: J=1020/120s @otlp
121s: J=5020/70s @otlp
show 128s burst
end 128s)"),
            "\n2min8s burst is ok: count of jobs is 40, not above 50\n");
}

TEST(ValueOf, AWindowWithoutAPointUsesTheNewestUntilTwoIntervals) {
  // A point each 30 s in a window of 10 s.
  EXPECT_EQ(Told(One("hot", "last(cpu_utilization) over 10s > 90%"), R"(
series C gauge cpu_utilization unit=%
0s: C=50
30s..2min every 30s: C=95
show 145s hot
show 178s hot
show 183s hot
end 185s)"),
            R"(
30s hot firing crossed 95 %
2min25s hot is firing: cpu_utilization is 95 %, above 90 % since 09:00:30
2min58s hot is firing: cpu_utilization is 95 %, above 90 % since 09:00:30
3min3s hot is firing: firing since 09:00:30: points of cpu_utilization are missing, and their silence proves nothing yet
)");
}

TEST(ValueOf, ACounterWithoutPointsIsZeroWhereItsDenominatorHasData) {
  EXPECT_EQ(Told(One("errors", "5xx > 1%"), R"(
series E delta http_5xx_count
series R delta http_request_count
0s..60s every 5s: R=100
show 60s errors
65s: E=50 R=100
70s..4min every 5s: R=100
end 4min)"),
            R"(
1min errors is ok: ratio of http_5xx_count to http_request_count is 0 %, not above 1 %
1min5s errors firing crossed 4.237 %
2min8s errors resolved recovered 0 %
)");
}

TEST(ValueOf, SparseCountersCountWhenTheyReport) {
  // Reports errors only when there are some: silence before is not what the burst is spread over.
  EXPECT_EQ(Told(One("errors", "5xx > 4%"), R"(
series E delta http_5xx_count
series R delta http_request_count
0s..10min every 5s: R=100
1s: E=1
6s: E=1
11s: E=1
8min: E=60 R=0
end 8min10s)"),
            R"(
8min errors firing crossed 5 %
)");
}

TEST(ValueOf, CountersMergeAndGaugesTakeTheWorst) {
  const std::string plan =
      PlanOf(R"(  - {name: busy, when: req/min > 1000, severity: high, owner: on-call}
  - {name: hot, when: last(cpu_utilization) > 90%, severity: high, owner: on-call}
  - {name: cold, when: last(cpu_utilization) < 10%, severity: high, owner: on-call})");
  EXPECT_EQ(Told(plan, R"(
series A delta http_request_count pod=a
series B delta http_request_count pod=b
series C gauge cpu_utilization pod=a unit=%
series D gauge cpu_utilization pod=b unit=%
0s..3min every 10s: A=100/10s C=50 @emitter=a
5s..3min every 10s: B=100/10s D=60 @emitter=b
3min1s: C=95
3min10s: A=100/10s C=50 @emitter=a
show 3min busy
end 3min11s)"),
            R"(
5s busy firing crossed 1200 /min
3min busy is firing: rate of http_request_count is 1200 /min, above 1000 /min since 09:00:05
3min1s hot firing crossed 95 %
)");
}

TEST(ValueOf, GroupsByLabelLiveApartAndAMissingLabelIsEmpty) {
  EXPECT_EQ(Told(One("hot", "last(cpu_utilization) by pod > 90%"), R"(
series A gauge cpu_utilization pod=a unit=%
series B gauge cpu_utilization pod=b unit=%
series N gauge cpu_utilization unit=%
0s..20s every 5s: A=95 B=10 N=10
25s..60s every 5s: A=10 B=95 N=99
end 60s)"),
            R"(
0s hot{pod="a"} firing crossed 95 %
25s hot{pod="b"} firing crossed 95 %
25s hot{pod=""} firing crossed 99 %
28s hot{pod="a"} resolved recovered 10 %
)");
}

TEST(ValueOf, FiltersAndCapacities) {
  const std::string plan =
      PlanOf(R"(  - {name: db, when: DB connections > 80%, severity: high, owner: on-call}
  - {name: get, when: 'count(calls{verb="GET"}) > 5', severity: high, owner: on-call}
  - {name: other, when: 'count(calls{verb!="GET"}) > 5', severity: high, owner: on-call})");
  EXPECT_EQ(Told(plan, R"(
series D gauge db_connection_count
series G delta calls verb=GET
series P delta calls verb=POST
0s: D=160 G=5 P=1
5s: D=170 G=0 P=5
end 10s)"),
            R"(
5s db firing crossed 85 %
5s other firing crossed 6
)");
}

TEST(ValueOf, QuantilesOfObservationsAndHistograms) {
  testing::Script script;
  script.plans["p"] = One("slow", "p95 > 500ms");
  script.text = R"(
plan -2min p
series L observation http_request_duration_ms unit=ms
series H histogram http_request_duration_ms unit=s
0s: L=100 L=100 L=100 L=100 L=100 L=100 L=100 L=100 L=100 L=100 L=100 L=100 L=100 L=100 L=100 L=100 L=100 L=100 L=100 L=100
10s: H=0.1:0,0.5:0,1:200,inf:0/10s
end 30s)";
  const auto outcome = Play(script);
  EXPECT_EQ(outcome.fault, "");
  ASSERT_EQ(outcome.transitions.size(), 1u);
  const Transition& t = outcome.transitions[0];
  EXPECT_NEAR(t.value, 972.5, 10);  // of 220, rank 209 lies 189/200 into (500, 1000]
  EXPECT_EQ(t.value_low, 500);
  EXPECT_EQ(t.value_high, 1000);
  EXPECT_EQ(t.points, 220u);
}

TEST(ValueOf, TheLastBucketCountsAsItsBound) {
  EXPECT_EQ(Told(One("slow", "p95 > 500ms"), R"(
series H histogram_cumulative http_request_duration_ms unit=ms
0s: H=100:10,400:0,inf:1000
10s..60s every 10s: H=100:10,400:0,inf:2000
end 60s)"),
            "\n");
}

TEST(ValueOf, UnitsAreConvertedAndOnesThatDoNotFitAreLeftOut) {
  testing::Script script;
  script.plans["p"] =
      PlanOf(R"(  - {name: slow, when: p95 > 500ms, min_count: 1, severity: high, owner: on-call}
  - {name: hot, when: last(cpu_utilization) > 90%, severity: high, owner: on-call})");
  script.text = R"(
plan -2min p
series L observation http_request_duration_ms unit=s
series B observation http_request_duration_ms unit=By
series C gauge cpu_utilization unit=1
series D gauge cpu_utilization
0s: L=0.4 B=9000 C=0.5 D=50
10s: L=0.6 C=0.95
end 30s)";
  const auto outcome = Play(script);
  EXPECT_EQ(outcome.fault, "");
  EXPECT_EQ(outcome.told, "10s slow firing crossed 600 ms\n10s hot firing crossed 95 %\n");
  EXPECT_EQ(outcome.counters.points_unit_mismatch, 1u);
}

TEST(ValueOf, TopLabelValuesAndChangesAreTheEvidence) {
  testing::Script script;
  script.plans["p"] = One("errors", "5xx > 1%");
  script.text = R"(
plan -2min p
series A delta http_5xx_count endpoint=/games region=eu
series B delta http_5xx_count endpoint=/users region=eu
series R delta http_request_count region=eu
deploy 10s 41
deploy 20s 42 v1.42
0s..30s every 5s: A=0 B=0 R=100
40s: A=30 B=10 R=100
end 50s)";
  const auto outcome = Play(script);
  EXPECT_EQ(outcome.fault, "");
  ASSERT_EQ(outcome.transitions.size(), 1u);
  const Transition& t = outcome.transitions[0];
  ASSERT_EQ(t.top.size(), 2u);
  EXPECT_EQ(t.top[0].label, "endpoint=/games");
  EXPECT_DOUBLE_EQ(t.value, 5);
  EXPECT_DOUBLE_EQ(t.top[0].value, 3.75);  // of the 5 %
  EXPECT_DOUBLE_EQ(t.top[0].share, 0.75);
  ASSERT_EQ(t.changes.size(), 2u);
  EXPECT_EQ(t.changes[0].description, "deployment revision 42 (v1.42)");
}

TEST(ValueOf, TheWorstGaugeIsTheEvidence) {
  testing::Script script;
  script.plans["p"] =
      PlanOf(R"(  - {name: hot, when: last(cpu_utilization) > 90%, severity: high, owner: on-call}
  - {name: idle, when: last(cpu_utilization) < 10%, severity: high, owner: on-call}
  - {name: pod, when: last(cpu_utilization) by pod > 95%, severity: high, owner: on-call}
  - {name: db, when: DB connections > 80%, severity: high, owner: on-call}
  - {name: jobs, when: sum(jobs) > 70, severity: high, owner: on-call})");
  script.text = R"(
plan -2min p
series A gauge cpu_utilization pod=a zone=1 region=eu unit=%
series B gauge cpu_utilization pod=b zone=2 region=eu unit=%
series C gauge cpu_utilization pod=c zone=2 region=eu unit=%
series D gauge db_connection_count pool=main
series J gauge jobs queue=x
series K gauge jobs queue=y
10s: A=95 B=99 C=5 D=170 J=60 K=20
end 20s)";
  const auto outcome = Play(script);
  EXPECT_EQ(outcome.fault, "");
  std::string told;
  for (const Transition& t : outcome.transitions) {
    told += t.name + ":";
    for (const Contribution& c : t.top)
      told += fmt::format(" {} {} {};", c.label, c.value, c.share);
    told += "\n";
  }
  EXPECT_EQ(told, R"(hot: pod=b, zone=2 99 0;
pod: region=eu, zone=2 99 0;
db: pool=main 85 0;
jobs: queue=x 60 0.75; queue=y 20 0.25;
idle: pod=c, zone=2 5 0;
)");
}

TEST(ValueOf, AQuantileOfWhatASeriesSaidLastIsNotWhatAnotherSaidBefore) {
  // H still reports, but observed nothing: the readings of L, which is silent, are not its own.
  EXPECT_EQ(Told(One("slow", "p95 over 10s > 500ms", ", min_count: 1"), R"(
series L observation http_request_duration_ms unit=ms pod=a
series H histogram http_request_duration_ms unit=ms pod=b
0s..2min every 30s: H=100:0,inf:0
10s: L=900
show 80s slow
end 2min)"),
            R"(
10s slow firing crossed 900 ms
1min20s slow is firing: firing since 09:00:10: points of http_request_duration_ms are missing, and their silence proves nothing yet
)");
}

TEST(UnitFactor, KnowsWhatFits) {
  EXPECT_EQ(UnitFactor("s", "ms"), 1000);
  EXPECT_EQ(UnitFactor("ms", "s"), 0.001);
  EXPECT_EQ(UnitFactor("1", "%"), 100);
  EXPECT_EQ(UnitFactor("%", "1"), 0.01);
  EXPECT_EQ(UnitFactor("", "ms"), 1);
  EXPECT_EQ(UnitFactor("{request}", "ms"), 1);
  EXPECT_EQ(UnitFactor("KiBy", "By"), 1024);
  EXPECT_FALSE(UnitFactor("By", "ms").has_value());
  EXPECT_FALSE(UnitFactor("%", "ms").has_value());
}

}  // namespace
}  // namespace liveops::engine
