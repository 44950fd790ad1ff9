// The table of docs/language.md: what each aggregate is, by what the series are.
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "services/rule-evaluation/engine/timeline.h"

namespace liveops::engine {
namespace {

using testing::One;
using testing::PlanOf;
using testing::Told;

// What the alarms of every aggregate say of `m` at 62 s: a line each with its value over the minute
// up to 60 s, or why it has none.
std::string Said(std::string_view script) {
  const std::vector<std::string> aggregates = {"last",  "avg",      "min",  "max", "stddev", "sum",
                                               "count", "increase", "rate", "p50", "p100"};
  std::string alarms;
  std::string shows;
  for (std::string name : aggregates) {
    const std::string written = name == "p100" ? "p99.999" : name;
    alarms += "  - {name: " + name + ", when: " + written + "(m) > 1000000, page: false}\n";
    shows += "show 62s " + name + "\n";
  }
  std::string told = Told(PlanOf(alarms), "series S " + std::string(script) + shows + "end 63s\n");
  for (const std::string_view needless :
       {"1min2s ", ", not above 1000000 /s", ", not above 1000000", " is ok"}) {
    for (std::size_t at = 0; (at = told.find(needless, at)) != std::string::npos;) {
      told.erase(at, needless.size());
    }
  }
  return told;
}

// 30 10 60 20 50 40 in the window; what came before it is not in it.
std::string SaidOfSix(const std::string& kind) {
  return Said(kind + R"( m
0s: S=999
10s: S=30
20s: S=10
30s: S=60
40s: S=20
50s: S=50
60s: S=40
)");
}

TEST(Aggregates, OfAGauge) {
  EXPECT_EQ(SaidOfSix("gauge"),
            R"(
last: m is 40
avg: average of m is 35
min: least m is 10
max: greatest m is 60
stddev: standard deviation of m is 17.08
sum: sum of m is 40
count: count of m is 6
increase is blind: no point of m seen since the plan came into force
rate is blind: no point of m seen since the plan came into force
p50: p50 of m is 30.12
p100: p100 of m is 60
)");
}

TEST(Aggregates, OfACounterAreThoseOfTheIncreasesThatItReported) {
  const std::string as_it_grows = R"(
last: m is 40
avg: average of m is 35
min: least m is 10
max: greatest m is 60
stddev: standard deviation of m is 17.08
sum: sum of m is 210
count: count of m is 210
increase: increase of m is 210
rate: rate of m is 3.5 /s
p50 is blind: no point of m seen since the plan came into force
p100 is blind: no point of m seen since the plan came into force
)";
  EXPECT_EQ(SaidOfSix("delta"), as_it_grows);
  EXPECT_EQ(Said(R"(cumulative m
0s: S=7000
10s: S=7030
20s: S=7040
30s: S=7100
40s: S=20
50s: S=70
60s: S=110
)"),
            as_it_grows);
}

TEST(Aggregates, OfObservations) {
  EXPECT_EQ(SaidOfSix("observation"),
            R"(
last: m is 40
avg: average of m is 35
min: least m is 10
max: greatest m is 60
stddev: standard deviation of m is 17.09
sum: sum of m is 210
count: count of m is 6
increase: increase of m is 6
rate: rate of m is 0.1 /s
p50: p50 of m is 30.12
p100: p100 of m is 60
)");
}

// One of each bucket; "sum by the bounds".
TEST(Aggregates, OfAHistogramAreWhatItsBucketsShow) {
  const std::string as_the_buckets_show = R"(
last is blind: no point of m seen since the plan came into force
avg: average of m is 35
min: least m is 0
max: greatest m is 60
stddev: standard deviation of m is 17.32
sum: sum of m is 210
count: count of m is 6
increase: increase of m is 6
rate: rate of m is 0.1 /s
p50: p50 of m is 29.88
p100: p100 of m is 59.75
)";
  EXPECT_EQ(Said(R"(histogram m
0s: S=10:9,20:0,30:0,40:0,50:0,60:0,inf:0/10s
10s: S=10:0,20:0,30:1,40:0,50:0,60:0,inf:0/10s
20s: S=10:1,20:0,30:0,40:0,50:0,60:0,inf:0/10s
30s: S=10:0,20:0,30:0,40:0,50:0,60:1,inf:0/10s
40s: S=10:0,20:1,30:0,40:0,50:0,60:0,inf:0/10s
50s: S=10:0,20:0,30:0,40:0,50:1,60:0,inf:0/10s
60s: S=10:0,20:0,30:0,40:1,50:0,60:0,inf:0/10s
)"),
            as_the_buckets_show);
  EXPECT_EQ(Said(R"(histogram_cumulative m
0s: S=10:9,20:0,30:0,40:0,50:0,60:0,inf:0
10s: S=10:9,20:0,30:1,40:0,50:0,60:0,inf:0
20s: S=10:10,20:0,30:1,40:0,50:0,60:0,inf:0
30s: S=10:10,20:0,30:1,40:0,50:0,60:1,inf:0
40s: S=10:10,20:1,30:1,40:0,50:0,60:1,inf:0
50s: S=10:10,20:1,30:1,40:0,50:1,60:1,inf:0
60s: S=10:10,20:1,30:1,40:1,50:1,60:1,inf:0
)"),
            as_the_buckets_show);
}

// A first total, and one of another count that begins between, say nothing but where to count from.
TEST(Aggregates, ABaselineIsNoIncrease) {
  EXPECT_EQ(Told(One("burst", "last(jobs) over 10s > 500", ", min_count: 1"), R"(
series J cumulative jobs
0s: J=7000
show 13s burst
30s: J=7020
60s: J=7060
show 73s burst
90s: J=7700
end 93s)"),
            R"(
13s burst is ok: points of jobs are missing, and their silence proves nothing yet
1min13s burst is ok: jobs is 40, not above 500
1min30s burst firing crossed 640
)");
}

// "A minimum count: of the denominator or observations, not points, not gauges."
TEST(Aggregates, ReadingsAreNoEventsOfWhichThereMayBeTooFew) {
  EXPECT_EQ(Told(PlanOf(R"(  - {name: hot, when: p90(cpu_utilization) over 5min > 90%, page: false}
  - {name: slow, when: p90(took) over 5min > 90ms, page: false}
)"),
                 R"(
series C gauge cpu_utilization unit=%
series L observation took unit=ms
0s..5min every 60s: C=95 L=95
show 5min3s slow
end 5min4s)"),
            R"(
3min hot firing crossed 95 %
5min3s slow is ok: too few events to judge by: 5, min_count is 20
)");
}

}  // namespace
}  // namespace liveops::engine
