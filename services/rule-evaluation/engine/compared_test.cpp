#include <fmt/format.h>
#include <gtest/gtest.h>

#include "services/rule-evaluation/engine/timeline.h"

namespace liveops::engine {
namespace {

using testing::One;
using testing::Told;

TEST(Compared, FiresByThePartOfWhatWasAndResolves) {
  EXPECT_EQ(Told(One("more", "req/min > 150% compared to 10min ago"), R"(
series R delta http_request_count
0s..12min every 10s: R=100/10s
12min10s..14min every 10s: R=200/10s
14min10s..16min every 10s: R=100/10s
show 5min more
show 12min more
show 13min30s more
end 16min)"),
            R"(
5min more is ok: rate of http_request_count is 600 /min now; nothing is known of it 10min ago
12min more is ok: rate of http_request_count is 100 % of 10min ago (now 600 /min, 10min ago 600 /min), not above 150 %
12min34s more firing crossed 151.7 %
13min30s more is firing: rate of http_request_count is 200 % of 10min ago (now 1200 /min, 10min ago 600 /min), above 150 % since 09:12:32
14min32s more resolved recovered 150 %
)");
}

TEST(Compared, WithoutDataThenItIsUnknownAndSaysSo) {
  // Nothing came from 1min to 3min; ten minutes later there is nothing to compare with.
  EXPECT_EQ(Told(One("more", "p95 > 150% compared to 10min ago"), R"(
series L observation http_request_duration_ms unit=ms
0s..1min every 1s: L=100
3min..10min every 1s: L=100
10min1s..15min every 1s: L=400
show 12min more
show 12min30s more
show 14min30s more
end 15min)"),
            R"(
10min22s more firing crossed 400 %
12min more is firing: firing since 09:10:20: too few events to judge by: 2, min_count is 20
12min30s more is firing: firing since 09:10:20: p95 of http_request_duration_ms is 400 ms now; nothing is known of it 10min ago
14min30s more is firing: p95 of http_request_duration_ms is 400 % of 10min ago (now 400 ms, 10min ago 100 ms), above 150 % since 09:10:20
)");
}

TEST(Compared, FewEventsInEitherWindowWithholdTrue) {
  EXPECT_EQ(Told(One("more", "p95 > 150% compared to 5min ago"), R"(
series L observation http_request_duration_ms unit=ms
0s..2min every 10s: L=100
2min1s..4min every 1s: L=100
5min1s..9min every 1s: L=400
show 6min30s more
end 9min)"),
            R"(
6min30s more is ok: too few events to judge by: 6, min_count is 20
7min18s more firing crossed 400 %
)");
}

TEST(Compared, GroupsGaugesAndLess) {
  EXPECT_EQ(Told(One("less", "avg(CPU) by pod < 50% compared to 5min ago"), R"(
series A gauge cpu_utilization pod=a unit=%
series B gauge cpu_utilization pod=b unit=%
0s..7min every 5s: A=80 B=80
7min5s..10min every 5s: A=20 B=80
show 8min30s less
end 10min)"),
            R"(
7min48s less{pod="a"} firing crossed 43.75 %
8min30s less is firing: average of cpu_utilization is 25 % of 5min ago (now 20 %, 5min ago 80 %), below 50 % since 09:07:46
8min30s less is ok: average of cpu_utilization is 100 % of 5min ago (now 80 %, 5min ago 80 %), not below 50 %
)");
}

TEST(Compared, AHoleOfThatTimeIsNothingToCompareWith) {
  // Points of the service were refused at 2min: five minutes later that is what it would be
  // compared with.
  EXPECT_EQ(Told(One("more", "req/min > 150% compared to 5min ago"), R"(
series R delta http_request_count
0s..2min every 10s: R=100/10s
2min10s..3min every 10s: R=10/10s
3min10s..10min every 10s: R=100/10s
refused 2min10s shop
refused 3min shop
show 7min40s more
end 10min)"),
            R"(
7min40s more is ok: rate of http_request_count is 600 /min now; nothing is known of it 5min ago
)");
  // And so is it when they were not refused, but fewer.
  EXPECT_EQ(Told(One("more", "req/min > 150% compared to 5min ago"), R"(
series R delta http_request_count
0s..2min every 10s: R=100/10s
2min10s..3min every 10s: R=10/10s
3min10s..10min every 10s: R=100/10s
show 7min40s more
end 10min)"),
            R"(
7min26s more firing crossed 156.2 %
7min40s more is firing: rate of http_request_count is 232.6 % of 5min ago (now 600 /min, 5min ago 258 /min), above 150 % since 09:07:24
8min40s more resolved recovered 149.3 %
)");
}

TEST(Compared, NothingIsToldEarlyAndZeroIsNoMeasure) {
  EXPECT_EQ(Told(One("more", "count(jobs) > 150% compared to 2min ago"), R"(
series J delta jobs
0s..4min every 10s: J=0/10s
4min10s..7min every 10s: J=10/10s
7min10s: J=1000/10s
show 5min30s more
end 7min20s)"),
            R"(
5min30s more is ok: count of jobs cannot be compared: now 52, 2min ago 0
6min4s more firing crossed 2900 %
6min38s more resolved recovered 150 %
7min12s more firing crossed 1750 %
)");
}

// In 1440 panes there is room for 9 and a half of the earlier window.
TEST(Compared, TheEarlierWindowIsAsLongAsTheOneNow) {
  EXPECT_EQ(
      Told(One("less", "increase(jobs) over 10s < 99.95% compared to 25min ago"), R"(
series J delta jobs
1s..30min every 1s: J=1000/1s
show 29min less
end 30min)"),
      "\n29min less is ok: increase of jobs is 100 % of 25min ago (now 10000, 25min ago 10000), "
      "not below 99.95 %\n");
}

TEST(Compared, AmongSeveralTestsEachIsTold) {
  EXPECT_EQ(Told(One("both", "5xx > 200% compared to 3min ago and 5xx > 1%"), R"(
series E delta http_5xx_count
series R delta http_request_count
0s..5min every 5s: E=1/5s R=100/5s
5min5s..8min every 5s: E=4/5s R=100/5s
show 2min30s both
show 4min30s both
end 8min)"),
            R"(
2min30s both is ok: ratio of http_5xx_count to http_request_count over 1min is 1 % now; nothing is known of it 3min ago; ratio of http_5xx_count to http_request_count over 1min is 1 %, not above 1 %
4min30s both is ok: ratio of http_5xx_count to http_request_count over 1min is 100 % of 3min ago (now 1 %, 3min ago 1 %), not above 200 %; ratio of http_5xx_count to http_request_count over 1min is 1 %, not above 1 %
5min24s both firing crossed 203.4 %
)");
}

}  // namespace
}  // namespace liveops::engine
