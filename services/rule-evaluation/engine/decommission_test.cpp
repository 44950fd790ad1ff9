// A report that some series stopped for good tells scale-in from loss.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "services/rule-evaluation/engine/timeline.h"

namespace liveops::engine {
namespace {

using testing::One;
using testing::Told;

const std::string kDown = One("down", "rate(jobs) by pod < 1", ", no_data: fire");

TEST(Decommission, TellsScaleInFromLoss) {
  // Pod b is lost, pod c was stopped.
  EXPECT_EQ(Told(kDown, R"(
series A delta jobs pod=a
series B delta jobs pod=b
series C delta jobs pod=c
0s..8min every 5s: A=100
0s..3min every 5s: B=100 C=100
decommission 3min2s pod=c reason=scale-in
end 8min)"),
            R"(
4min2s down{pod="b"} no_data silent
)");
}

TEST(Decommission, ClosesTheNoDataThatIsOpen) {
  EXPECT_EQ(Told(kDown, R"(
series A delta jobs pod=a
series B delta jobs pod=b
0s..8min every 5s: A=100
0s..3min every 5s: B=100
decommission 6min pod=b
end 8min)"),
            R"(
4min2s down{pod="b"} no_data silent
6min down{pod="b"} gone decommissioned 20 /s
)");
}

TEST(Decommission, WhatFiresIsGoneAndNotResolved) {
  EXPECT_EQ(Told(One("hot", "last(cpu) by pod > 90"), R"(
series A gauge cpu pod=a
series B gauge cpu pod=b
0s..2min every 5s: A=50 B=95
decommission 2min1s pod=b reason=scale-in
end 3min)"),
            R"(
0s hot{pod="b"} firing crossed 95
2min1s hot{pod="b"} gone decommissioned 95
)");
}

// One left: what it counted stays in the window, its silence says nothing.
TEST(Decommission, WhatItCountedCounts) {
  EXPECT_EQ(Told(One("few", "count(jobs) over 1min < 1300"), R"(
series A delta jobs pod=a
series B delta jobs pod=b
0s..5min every 5s: A=100
0s..2min every 5s: B=100
decommission 2min1s pod=b
end 5min)"),
            R"(
6s few firing crossed 360
32s few resolved recovered 1400
2min58s few firing crossed 1260
)");
}

TEST(Decommission, AGaugeThatLeftIsNoPartOfAValueAtOnce) {
  EXPECT_EQ(Told(One("hot", "max(cpu) over 5min > 90"), R"(
series A gauge cpu pod=a
series B gauge cpu pod=b
0s..4min every 5s: A=50
0s..2min every 5s: B=95
decommission 2min30s pod=b
end 4min)"),
            R"(
0s hot firing crossed 95
2min32s hot resolved recovered 50
)");
}

TEST(Decommission, TheLastOfAnAlarmWithoutGroupsClosesIt) {
  EXPECT_EQ(Told(One("down", "rate(jobs) < 1", ", no_data: fire"), R"(
series A delta jobs pod=a
0s..2min every 5s: A=100
decommission 2min1s pod=a
show 20min down
21min..22min every 5s: A=1
end 25min)"),
            R"(
20min down is ok: no series of jobs at present
21min250ms down firing crossed 0.2 /s
23min2s down no_data silent
)");
}

// What comes late, dated from before, does not bring it back; what is newer does.
TEST(Decommission, OneThatSpeaksAgainIsBack) {
  EXPECT_EQ(Told(kDown, R"(
series A delta jobs pod=a
series B delta jobs pod=b
0s..20min every 5s: A=100
0s..3min every 5s: B=100
decommission 3min1s pod=b
179s: B=100 @delay=3s
show 3min8s down{pod="b"}
8min: B=100
485s..9min every 5s: B=100
end 12min)"),
            R"(
10min2s down{pod="b"} no_data silent
)");
}

// At least N counts what reports; who left in order is not among those who are missed.
TEST(Decommission, AtLeastNCountsWhoReports) {
  EXPECT_EQ(Told(testing::PlanOf("  - {name: few, expect: at least 2 by pod, page: false}"), R"(
series A delta jobs pod=a
series B delta jobs pod=b
series C delta jobs pod=c
0s..25min every 5s: A=100
0s..20min every 5s: B=100 C=100
decommission 20min2s pod=b
decommission 20min40s pod=c reason=scale-in
show 20min30s few
show 21min few
end 25min)"),
            R"(
20min30s few is ok: count of reporting pod is 2, not below 2
20min42s few firing crossed 1
21min few is firing: count of reporting pod is 1, below 2 since 09:20:40
)");
}

TEST(Decommission, AllLabelsThatAreNamedMustBeThere) {
  EXPECT_EQ(Told(kDown, R"(
series A delta jobs pod=a zone=x
series B delta jobs pod=a zone=y
0s..3min every 5s: A=100 B=100
decommission 3min1s pod=a zone=x
end 8min)"),
            R"(
4min2s down{pod="a"} no_data silent
)");
}

// A page of another alarm names it as what changed.
TEST(Decommission, IsAChange) {
  const testing::Script script{{{"shop", One("hot", "last(cpu) > 90")}},
                               R"(
series A gauge cpu pod=a
plan 0s shop
0s..1min every 5s: A=50
decommission 62s pod=b zone=x reason=scale-in
65s: A=95
end 70s)",
                               {}};
  const auto outcome = testing::Play(script);
  EXPECT_EQ(outcome.fault, "");
  ASSERT_EQ(outcome.transitions.size(), 1u);
  ASSERT_EQ(outcome.transitions[0].changes.size(), 1u);
  EXPECT_EQ(outcome.transitions[0].changes[0].description,
            "decommissioned pod=b, zone=x (scale-in)");
}

}  // namespace
}  // namespace liveops::engine
