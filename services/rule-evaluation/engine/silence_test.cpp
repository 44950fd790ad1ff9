#include <gtest/gtest.h>

#include "services/rule-evaluation/engine/presence.h"
#include "services/rule-evaluation/engine/timeline.h"

namespace liveops::engine {
namespace {

using testing::PlanOf;
using testing::Told;

const std::string kDown = PlanOf(
    "  - {name: down, when: req/min < 10, no_data: fire, severity: critical, owner: on-call}");
const std::string kHot = PlanOf(
    "  - {name: hot, when: last(cpu_utilization) by pod > 90%, severity: high, owner: on-call}");

TEST(SilenceOf, BlindUntilAPointWasSeen) {
  EXPECT_EQ(Told(kDown, R"(
show 10min down
end 10min)"),
            "\n10min down is blind: no point of http_request_count seen since the plan came into "
            "force\n");
}

TEST(SilenceOf, SilenceIsAStateAndReturns) {
  EXPECT_EQ(Told(kDown, R"(
series R delta http_request_count
0s..3min every 5s: R=100
show 4min30s down
5min..8min every 5s: R=100
end 8min)"),
            R"(
4min2s down no_data silent
4min30s down is no_data: no data: no point of http_request_count since 09:03:00
5min2s down resolved returned 1200 /min
)");
}

// How often it speaks is not known before its second point.
TEST(SilenceOf, OneThatSpeaksSeldomIsNotSilent) {
  EXPECT_EQ(Told(kDown, R"(
series R delta http_request_count
0s..25min every 5min: R=100
end 30min)"),
            "\n");
}

// A repeat of what it said before the edit names the series, and says nothing in the new window.
TEST(SilenceOf, AfterAnEditOfTheWindowItIsProvenAnew) {
  const testing::Script script{
      {{"long", testing::One("few", "sum(jobs) over 45s < 100", ", no_data: fire")},
       {"short", testing::One("few", "sum(jobs) over 20s < 100", ", no_data: fire")}},
      R"(
series R delta jobs
plan 0s long
plan 2min2s short
0s..2min every 30s: R=5/30s @noseq
2min: R=5/30s @delay=4s @noseq
end 4min10s)",
      {}};
  const auto outcome = testing::Play(script);
  EXPECT_EQ(outcome.fault, "");
  EXPECT_EQ("\n" + outcome.told, R"(
47s few firing crossed 5
4min4s few no_data silent
)");
}

TEST(SilenceOf, AfterAPointAloneItTakesLonger) {
  EXPECT_EQ(Told(kDown, R"(
series R delta http_request_count
1s: R=100
end 20min)"),
            R"(
12min34s down no_data silent
)");
}

TEST(SilenceOf, ReturnsFiringWhenItIsTrue) {
  EXPECT_EQ(Told(kDown, R"(
series R delta http_request_count
0s..3min every 5s: R=100
185s..5min every 5s: R=0/5s
8min..520s every 5s: R=0/5s
525s..11min every 5s: R=100/5s
end 11min)"),
            R"(
4min2s down firing crossed 0 /min
6min2s down no_data silent
8min2s down firing returned 0 /min
8min46s down resolved recovered 97.96 /min
)");
}

TEST(SilenceOf, ARefusalMakesSilenceProveNothing) {
  EXPECT_EQ(Told(kDown, R"(
series R delta http_request_count
0s..3min every 5s: R=100
refuse i 185s..5min
show 5min down
end 7min)"),
            R"(
5min down is ok: points of http_request_count are missing, and their silence proves nothing yet
6min4s down no_data silent
)");
}

TEST(SilenceOf, RefusedPointsOfAServiceMakeItsSilenceProveNothing) {
  EXPECT_EQ(Told(kDown, R"(
series R delta http_request_count
0s..3min every 5s: R=100
refused 230s shop
end 6min)"),
            R"(
4min52s down no_data silent
)");
}

TEST(SilenceOf, RefusedPointsOfMoreServicesThanATickNamesAreThoseOfEach) {
  EXPECT_EQ(Told(kDown, R"(
series R delta http_request_count
0s..3min every 5s: R=100
refused 230s *
end 6min)"),
            R"(
4min52s down no_data silent
)");
}

TEST(SilenceOf, RefusedPointsOfAnUnknownServiceAreNobodys) {
  EXPECT_EQ(Told(kDown, R"(
series R delta http_request_count
0s..3min every 5s: R=100
refused 230s another
end 6min)"),
            R"(
4min2s down no_data silent
)");
}

TEST(SilenceOf, ALostInstanceMakesSilenceProveNothing) {
  // "b" is lost at 200 s; for 2 min it may hold what we miss, then it is given up.
  EXPECT_EQ(Told(kDown, R"(
series R delta http_request_count
ticks a 0s..10min
ticks b 0s..200s
0s..3min every 5s: R=100
end 10min)"),
            R"(
6min24s down no_data silent
)");
  // With a goodbye nothing is missed.
  EXPECT_EQ(Told(kDown, R"(
series R delta http_request_count
ticks a 0s..10min
ticks b 0s..10min
goodbye b 200s
0s..3min every 5s: R=100
end 10min)"),
            R"(
4min2s down no_data silent
)");
}

TEST(SilenceOf, AGapInTheLogProvesNothing) {
  EXPECT_EQ(Told(kDown, R"(
series R delta http_request_count
ticks i 0s..3min
ticks i 8min..20min
0s..3min every 5s: R=100
end 20min)"),
            // The gap counts for 2 min more (the series has not come back), then silence must last
            // its time.
            R"(
11min2s down no_data silent
)");
  // A new process: how long the gap was is not known, but that there was one.
  EXPECT_EQ(Told(kDown, R"(
series R delta http_request_count
ticks i 0s..3min
ticks i 8min..20min new
0s..3min every 5s: R=100
end 20min)"),
            R"(
6min2s down no_data silent
)");
  EXPECT_EQ(Told(kDown, R"(
series R delta http_request_count
ticks i 0s..3min
ticks i 8min..20min
0s..3min every 5s: R=100
481s: R=100
end 20min)"),
            // It came back: the gap is over.
            R"(
9min4s down no_data silent
)");
}

TEST(SilenceOf, KeepStaysFiring) {
  const std::string plan =
      PlanOf("  - {name: errors, when: 5xx > 1%, severity: critical, owner: on-call}");
  EXPECT_EQ(Told(plan, R"(
series E delta http_5xx_count
series R delta http_request_count
0s..3min every 5s: E=5 R=100
show 30min errors
show 2h errors
2h1min..7300s every 5s: E=0 R=100
end 7300s)"),
            R"(
0s errors firing crossed 5 %
30min errors is firing: firing since 09:00:00: no point of http_request_count since 09:03:00
2h errors is firing: firing since 09:00:00: no point of http_request_count in the last 1min
2h1min2s errors resolved recovered 0 %
)");
}

TEST(SilenceOf, AGroupWhoseLastSeriesLeftIsGone) {
  EXPECT_EQ(Told(kHot, R"(
series A gauge cpu_utilization pod=a unit=%
series B gauge cpu_utilization pod=b unit=%
0s..5min every 5s: B=10
0s..2min every 5s: A=95 @emitter=a
show 4min shop/hot{pod="a"}
end 5min)"),
            R"(
0s hot{pod="a"} firing crossed 95 %
3min2s hot{pod="a"} gone gone 95 %
)");
}

TEST(SilenceOf, GoneNeedsProof) {
  EXPECT_EQ(Told(kHot, R"(
series A gauge cpu_utilization pod=a unit=%
0s..2min every 5s: A=95
refuse i 125s..6min
show 6min shop/hot{pod="a"}
end 8min)"),
            R"(
0s hot{pod="a"} firing crossed 95 %
6min hot is firing: firing since 09:00:00: points of cpu_utilization are missing, and their silence proves nothing yet
7min4s hot{pod="a"} gone gone 95 %
)");
}

TEST(SilenceOf, ASilentSeriesDoesNotResolveWhatItMadeFire) {
  // One group; the hot pod's agent cannot get through, the other pod reports.
  const std::string plan =
      PlanOf("  - {name: hot, when: last(cpu_utilization) > 90%, severity: high, owner: on-call}");
  EXPECT_EQ(Told(plan, R"(
series A gauge cpu_utilization pod=a unit=%
series B gauge cpu_utilization pod=b unit=%
0s..2min every 5s: A=95 @emitter=a
0s..10min every 5s: B=10 @emitter=b
refused 122s shop
refused 150s shop
refused 200s shop
show 3min15s hot
end 10min)"),
            R"(
0s hot firing crossed 95 %
3min15s hot is firing: firing since 09:00:00: points of cpu_utilization are missing, and their silence proves nothing yet
4min22s hot resolved recovered 10 %
)");
}

TEST(Presence, GivesUpALostInstance) {
  Presence presence;
  presence.OnTick(RealFromMs(0), "a", 1, true, false);
  presence.OnTick(RealFromMs(0), "b", 1, true, false);
  EXPECT_TRUE(presence.Proves(RealFromMs(0)));
  presence.OnTick(RealFromMs(3000), "a", 1, true, false);
  EXPECT_TRUE(presence.OnClock(RealFromMs(3000)).empty());
  EXPECT_FALSE(presence.Proves(RealFromMs(2999)));
  presence.OnTick(RealFromMs(3100), "b", 2, true, false);  // it is back
  EXPECT_FALSE(presence.in_doubt(RealFromMs(3100)));
  presence.OnTick(RealFromMs(130'000), "a", 1, true, false);
  EXPECT_EQ(presence.OnClock(RealFromMs(130'000)), std::vector<std::string>{"b"});
}

}  // namespace
}  // namespace liveops::engine
