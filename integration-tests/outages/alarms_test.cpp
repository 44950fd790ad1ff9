// `liveopsctl decommission` tells scale-in from loss: of two parts that fall silent one was
// reported as stopped.
#include <gmock/gmock.h>

#include <thread>

#include "integration-tests/outages/ground.h"

namespace liveops::outages {
namespace {

constexpr Duration kPageWithin{45'000};
constexpr const char* kNoData = "ALARM_STATE_NO_DATA";

class PlansAlarms : public Ground {
 protected:
  static std::string Id(const std::string& host) { return "scaled/hot{host=\"" + host + "\"}"; }
  static void Report(const std::string& host) {
    const auto ran = Stack().Ctl("operator-1", {"decommission", "scaled", "--label", "host=" + host,
                                                "--reason", "scale-in"});
    ASSERT_TRUE(ran.ok()) << ran.error().message;
    ASSERT_TRUE(ran->status.clean()) << ran->err;
    EXPECT_THAT(ran->out, ::testing::HasSubstr("host=" + host + " has stopped for good"));
  }
};

TEST_F(PlansAlarms, ADecommissionTellsScaleInFromLoss) {
  Apply("scaled", R"(service: scaled
owners:
  on-call: {title: On-call Engineer, slack: "#oncall", pagerduty: oncall}
alarms:
  - {name: hot, when: last(x) by host over 5s > 0.5, no_data: fire, severity: critical, owner: on-call}
)");
  auto a = Emit("scaled", "a", 0);
  auto b = Emit("scaled", "b", 0);
  auto c = Emit("scaled", "c", 0);
  for (const char* host : {"a", "b", "c"}) {
    ASSERT_TRUE(Await(kPageWithin, [&] { return Alarms().contains(Id(host)); })) << host;
  }
  b->Stop();
  c->Stop();
  Report("b");
  // The silence of c is a page; by then that of b would be one.
  ASSERT_TRUE(Await(kPageWithin, [] { return ToldOf("scaled").opened == 1; }))
      << ToldOf("scaled").all;
  EXPECT_TRUE(AwaitState(Id("c"), kNoData)) << Alarms()[Id("c")].state;
  EXPECT_TRUE(Await(kPageWithin, [] { return !Alarms().contains(Id("b")); }));
  std::this_thread::sleep_for(Duration(3'000));
  EXPECT_EQ(ToldOf("scaled").opened, 1) << ToldOf("scaled").all;
  // And it ends when c, too, is reported.
  Report("c");
  EXPECT_TRUE(Await(kPageWithin, [] { return ToldOf("scaled").resolves == 1; }))
      << ToldOf("scaled").all;
  EXPECT_TRUE(Await(kPageWithin, [] { return !Alarms().contains(Id("c")); }));
  EXPECT_TRUE(Alarms().contains(Id("a")));
  // One that speaks again is back.
  auto again = Emit("scaled", "b", 0);
  EXPECT_TRUE(AwaitState(Id("b"), kOk));
  EXPECT_EQ(ToldOf("scaled").opened, 1) << ToldOf("scaled").all;
}

TEST_F(PlansAlarms, AnObjectiveSaysWhatIsLeftOfItsBudget) {
  Apply("measured", R"(service: measured
owners:
  on-call: {title: On-call Engineer, slack: "#oncall", pagerduty: oncall}
slos:
  - {name: availability, objective: 99%, bad: http_5xx_count, total: http_request_count, over: 7d, owner: on-call}
alarms:
  - {name: hot, when: last(x) > 5, page: false}
)");
  const auto sent =
      Stack().Ctl("operator-1", {"send", "http_request_count=100", "http_5xx_count=1", "--service",
                                 "measured", "--kind", "delta", "--every", "1s", "--count", "5"});
  ASSERT_TRUE(sent.ok() && sent->status.clean()) << sent->err;
  std::string out;
  EXPECT_TRUE(Await(kPageWithin * 3, [&] {  // it is looked at each minute
    const auto listed = Stack().Ctl("viewer-1", {"slos", "list"});
    out = listed.ok() ? listed->out : listed.error().message;
    return out.find("99 %  7d") != std::string::npos && out.find(" 0 %") != std::string::npos;
  })) << out;
  RecordProperty("slos", out);
  const auto explained =
      Stack().Ctl("viewer-1", {"alarms", "explain", "measured/availability-fast-burn"});
  ASSERT_TRUE(explained.ok() && explained->status.clean());
  EXPECT_THAT(explained->out, ::testing::HasSubstr("at most 100 % of the week's error budget is"));
}

}  // namespace
}  // namespace liveops::outages
