#include <fmt/format.h>
#include <gtest/gtest.h>

#include "services/rule-evaluation/engine/timeline.h"

namespace liveops::engine {
namespace {

using testing::One;
using testing::PlanOf;
using testing::Told;

TEST(Distinct, CountsLabelValuesThatSpeakNotSeries) {
  EXPECT_EQ(Told(One("many", "distinct(logins, user) > 2"), R"(
series A delta logins user=ann pod=1
series B delta logins user=ann pod=2
series C delta logins user=bob pod=1
series D delta logins user=cy pod=2
series E delta logins pod=3
0s..2min every 5s: A=1 B=1 C=0 E=1
show 1min many
2min5s..3min every 5s: A=1 B=1 C=1 D=1
show 2min30s many
3min5s..6min every 5s: A=1 C=1
end 6min)"),
            R"(
1min many is ok: count of distinct user in logins is 2, not above 2
2min5s many firing crossed 3
2min30s many is firing: count of distinct user in logins is 3, above 2 since 09:02:05
4min2s many resolved recovered 2
)");
}

TEST(Distinct, OneWhoSpeaksSeldomCountsForTwoIntervals) {
  EXPECT_EQ(Told(One("few", "distinct(beats, host) over 10s < 2"), R"(
series A gauge beats host=a
series B gauge beats host=b
0s..6min every 30s: A=1 B=1
6min30s..12min every 30s: A=1
end 9min)"),
            R"(
7min32s few firing crossed 1
)");
}

TEST(Distinct, AGroupThatFellSilentLeaves) {
  EXPECT_EQ(Told(PlanOf("  - {name: many, when: \"distinct(logins, user) by zone > 1\", severity: "
                        "high, owner: on-call}"),
                 R"(
series A delta logins user=ann zone=x
series B delta logins user=bob zone=x
series C delta logins user=cy zone=y
0s..10min every 5s: C=1
0s..3min every 5s: A=1 B=1
end 10min)"),
            R"(
0s many{zone="x"} firing crossed 2
4min2s many{zone="x"} gone gone 2
)");
}

TEST(Distinct, StandsInAFormulaAndAgainstAnEarlierTime) {
  EXPECT_EQ(Told(One("per", "count(logins) / distinct(logins, user) > 100"), R"(
series A delta logins user=ann
series B delta logins user=bob
0s..3min every 5s: A=1/5s B=1/5s
3min5s..4min every 5s: A=40/5s B=1/5s
show 2min per
end 4min)"),
            R"(
2min per is ok: count(logins) / distinct(logins, user) is 11.4, not above 100
3min25s per firing crossed 109.3
)");
  EXPECT_EQ(Told(One("half", "distinct(logins, user) over 10s <= 50% compared to 2min ago"), R"(
series A delta logins user=ann
series B delta logins user=bob
0s..8min every 5s: A=1
0s..5min every 5s: B=1
show 4min half
end 6min)"),
            R"(
4min half is ok: count of distinct user in logins is 100 % of 2min ago (now 2, 2min ago 2), not at or below 50 %
5min17s half firing crossed 50 %
)");
}

TEST(Distinct, OfManyIsAnEstimate) {
  std::string script = "\n";
  for (int i = 0; i < 1000; ++i) script += fmt::format("series U{} gauge seen user=u{}\n", i, i);
  for (int second = 1; second <= 90; second += 30) {
    script += fmt::format("{}s:", second);
    for (int i = 0; i < 1000; ++i) script += fmt::format(" U{}=1", i);
    script += "\n";
  }
  const std::string told =
      Told(One("many", "distinct(seen, user) > 900"), script + "show 80s many\nend 90s");
  EXPECT_NE(told.find("many firing crossed"), std::string::npos) << told;
  EXPECT_NE(told.find("count of distinct user in seen is 999, above 900"), std::string::npos)
      << told;
}

}  // namespace
}  // namespace liveops::engine
