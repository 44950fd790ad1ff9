#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "services/rule-evaluation/engine/timeline.h"

namespace liveops::engine {
namespace {

using testing::One;
using testing::PlanOf;
using testing::Play;
using testing::Script;
using testing::Told;

const std::string kUp =
    PlanOf("  - {name: up, expect: at least 3 by pod, severity: high, owner: on-call}");

TEST(Roll, FiresWhenTheSilenceOfOneIsProvenAndNamesIt) {
  const Script script{{{"first", kUp}},
                      R"(
plan 0s first
series A gauge cpu pod=a
series B gauge cpu pod=b
series C delta requests pod=c
0s..10min every 5s: A=1 B=1
0s..3min every 5s: C=1
show 2min up
show 4min30s up
show 8min58s up
9min..12min every 5s: C=1
9min5s..12min every 5s: A=1 B=1
end 12min)",
                      {}};
  const auto outcome = Play(script);
  EXPECT_EQ(outcome.fault, "");
  EXPECT_EQ("\n" + outcome.told, R"(
2min up is ok: count of reporting pod is 3, not below 3
4min2s up firing crossed 2
4min30s up is firing: count of reporting pod is 2, below 3 since 09:04:00; silent: pod=c since 09:03:00
8min58s up is firing: count of reporting pod is 2, below 3 since 09:04:00; silent: pod=c since 09:03:00
9min2s up resolved recovered 3
)");
  ASSERT_EQ(outcome.transitions.size(), 2u);
  const Transition& fired = outcome.transitions[0];
  ASSERT_EQ(fired.top.size(), 1u);
  EXPECT_EQ(fired.top[0].label, "pod=c");
  EXPECT_TRUE(std::isnan(fired.top[0].value));
  EXPECT_EQ(fired.unit, "1");
}

TEST(Roll, UnprovenSilenceIsUnknown) {
  // From 3 min on ingest says that it refuses: who is missing may be there.
  EXPECT_EQ(Told(kUp, R"(
series A gauge cpu pod=a
series B gauge cpu pod=b
series C gauge cpu pod=c
0s..3min every 5s: A=1 B=1 C=1
3min5s..9min every 5s: A=1 B=1
refuse i 3min10s..6min
show 6min up
end 9min)"),
            R"(
6min up is ok: points of series with the label pod are missing, and their silence proves nothing yet
7min4s up firing crossed 2
)");
}

TEST(Roll, OneThatNeverSpokeIsGivenTimeAndThenMissed) {
  EXPECT_EQ(Told(kUp, R"(
series A gauge cpu pod=a
series B gauge cpu pod=b
0s..15min every 5s: A=1 B=1
show 5min up
end 15min)"),
            R"(
5min up is ok: the window reaches back before what is known; it proves nothing yet
12min32s up firing crossed 2
)");
}

TEST(Roll, NobodyAtAllIsBlindAndAllSilentIsZero) {
  EXPECT_EQ(Told(kUp, R"(
series A gauge cpu
0s..3min every 5s: A=1
show 3min up
end 15min)"),
            R"(
3min up is blind: no point of series with the label pod seen since the plan came into force
)");
  EXPECT_EQ(Told(PlanOf("  - {name: up, expect: at least 1 of cpu by pod, no_data: fire, severity: "
                        "high, owner: on-call}"),
                 R"(
series A gauge cpu pod=a
series B gauge memory pod=b
0s..3min every 5s: A=1
0s..15min every 5s: B=1
end 15min)"),
            R"(
4min2s up firing crossed 0
)");
}

TEST(Roll, TwoSeriesOfOneSpeakForEachOther) {
  EXPECT_EQ(Told(One("up", "fewer than 1 by pod"), R"(
series A gauge cpu pod=a
series B delta requests pod=a
0s..3min every 5s: A=1
0s..6min every 5s: B=1
end 8min)"),
            R"(
7min2s up firing crossed 0
)");
}

TEST(Roll, LevelsAndClear) {
  EXPECT_EQ(
      Told(PlanOf("  - {name: up, expect: at least 3 by pod, clear: '>= 3 for 30s', severity: "
                  "medium, owner: on-call, levels: [{severity: critical, when: '< 2'}]}"),
           R"(
series A gauge cpu pod=a
series B gauge cpu pod=b
series C gauge cpu pod=c
0s..20min every 5s: A=1
0s..3min every 5s: B=1 C=1
3min5s..6min every 5s: B=1
9min..20min every 5s: B=1
12min..20min every 5s: C=1
end 14min)"),
      R"(
4min2s up firing crossed 2
7min2s up firing escalated 1, critical from medium
9min2s up firing eased 2, medium from critical
12min32s up resolved recovered 3
)");
}

TEST(Roll, AmongOtherTestsItIsJudgedThoughTheyAreSilent) {
  EXPECT_EQ(Told(One("up", "last(heat) > 90 or fewer than 2 by pod"), R"(
series H gauge heat
series A gauge cpu pod=a
series B gauge cpu pod=b
0s..1min every 5s: H=1
0s..20min every 5s: A=1
0s..10min every 5s: B=1
end 12min)"),
            R"(
11min2s up firing crossed 1
)");
}

TEST(Roll, WhoIsNotNeededForTheNumberIsForgottenAfterAnHour) {
  // Of e, the pod d's other series, nothing is left either; c makes up the three.
  EXPECT_EQ(Told(kUp, R"(
series A gauge cpu pod=a
series B gauge cpu pod=b
series C gauge cpu pod=c
series D gauge cpu pod=d
series E gauge memory pod=d
0s..100min every 30s: A=1 B=1
0s..2min every 30s: C=1 D=1 E=1
2min30s..3min every 30s: C=1
show 30min up
show 90min up
end 90min5s)"),
            R"(
4min32s up firing crossed 2
30min up is firing: count of reporting pod is 2, below 3 since 09:04:30; silent: pod=c since 09:03:00, pod=d since 09:02:00
1h30min up is firing: count of reporting pod is 2, below 3 since 09:04:30; silent: pod=c since 09:03:00
)");
}

TEST(Roll, AProbeCountsWhoSpokeSince) {
  EXPECT_EQ(Told(PlanOf(""), R"(
series A gauge cpu pod=a
series B gauge cpu pod=b
0s..10min every 5s: A=1
0s..4min every 5s: B=1
6min..10min every 5s: B=1
probe 4min5s p within=5min at least 2 by pod over 30s
end 10min)"),
            R"(
6min1s probe:p firing true 2
)");
}

}  // namespace
}  // namespace liveops::engine
