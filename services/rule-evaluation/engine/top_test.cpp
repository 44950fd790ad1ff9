#include <gtest/gtest.h>

#include "services/rule-evaluation/engine/timeline.h"

namespace liveops::engine {
namespace {

using testing::PlanOf;
using testing::Told;

const std::string kTwo = PlanOf(
    "  - {name: hot, when: \"topk(2, last(cpu_utilization) by pod) > 50%\", severity: high, owner: "
    "on-call}");

TEST(Top, TheGreatestAloneFireAndOneThatLeavesThemResolves) {
  EXPECT_EQ(Told(kTwo, R"(
series A gauge cpu_utilization pod=a unit=%
series B gauge cpu_utilization pod=b unit=%
series C gauge cpu_utilization pod=c unit=%
0s..4min every 5s: A=90 B=80 C=70
show 3min hot
4min5s..8min every 5s: A=90 B=80 C=95
show 6min hot
8min5s..10min every 5s: A=10 B=20 C=95
end 10min)"),
            R"(
2s hot{pod="a"} firing crossed 90 %
2s hot{pod="b"} firing crossed 80 %
3min hot is firing: cpu_utilization is 90 %, above 50 % since 09:00:00
3min hot is firing: cpu_utilization is 80 %, above 50 % since 09:00:00
3min hot is ok: cpu_utilization is 70 %, above 50 %, but not among the 2 greatest
4min8s hot{pod="b"} resolved recovered 80 %
4min8s hot{pod="c"} firing crossed 95 %
6min hot is firing: cpu_utilization is 90 %, above 50 % since 09:00:00
6min hot is ok: cpu_utilization is 80 %, above 50 %, but not among the 2 greatest
6min hot is firing: cpu_utilization is 95 %, above 50 % since 09:04:06
8min8s hot{pod="a"} resolved recovered 10 %
)");
}

TEST(Top, OneWhoseValueIsNotKnownMayBeAmongThem) {
  // From 3 min on c says nothing, and ingest may have refused it: whether b is among the two
  // greatest is not known. When the silence is proven c has left.
  EXPECT_EQ(Told(kTwo, R"(
series A gauge cpu_utilization pod=a unit=%
series B gauge cpu_utilization pod=b unit=%
series C gauge cpu_utilization pod=c unit=%
0s..3min every 5s: A=90 B=40 C=30
3min5s..9min every 5s: A=90 B=60
refuse i 3min10s..6min
show 5min hot
end 9min)"),
            R"(
2s hot{pod="a"} firing crossed 90 %
3min8s hot{pod="b"} firing crossed 60 %
5min hot is firing: cpu_utilization is 90 %, above 50 % since 09:00:00
5min hot is firing: firing since 09:03:06: cpu_utilization is 60 %, above 50 %, but not known to be among the 2 greatest
5min hot is ok: points of cpu_utilization are missing, and their silence proves nothing yet
)");
}

TEST(Top, FewerGroupsThanThatAreAllAmongThem) {
  EXPECT_EQ(Told(kTwo, R"(
series A gauge cpu_utilization pod=a unit=%
series B gauge cpu_utilization pod=b unit=%
0s..2min every 5s: A=90 B=90
end 2min)"),
            R"(
2s hot{pod="a"} firing crossed 90 %
2s hot{pod="b"} firing crossed 90 %
)");
}

TEST(Top, EqualOnesGoByTheirLabels) {
  EXPECT_EQ(Told(kTwo, R"(
series C gauge cpu_utilization pod=cc unit=%
series B gauge cpu_utilization pod=b unit=%
series A gauge cpu_utilization pod=aaa unit=%
0s..2min every 5s: C=90 B=90 A=90
end 2min)"),
            R"(
2s hot{pod="b"} firing crossed 90 %
2s hot{pod="aaa"} firing crossed 90 %
)");
}

TEST(Top, LevelsAndOtherTestsCountAmongThem) {
  EXPECT_EQ(Told(PlanOf("  - {name: hot, when: \"topk(1, last(cpu_utilization) by pod) > 50% and "
                        "last(load) > 5\", severity: medium, owner: on-call, levels: [{severity: "
                        "critical, when: '> 85%'}]}"),
                 R"(
series A gauge cpu_utilization pod=a unit=%
series B gauge cpu_utilization pod=b unit=%
series L gauge load
0s..3min every 5s: A=90 B=88 L=1
3min5s..5min every 5s: A=90 B=88 L=9
5min5s..6min every 5s: A=80 B=88 L=9
end 6min)"),
            R"(
3min8s hot{pod="a"} firing crossed 90 %
5min8s hot{pod="a"} resolved recovered 80 %
5min8s hot{pod="b"} firing crossed 88 %
)");
}

}  // namespace
}  // namespace liveops::engine
