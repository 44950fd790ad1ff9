#include <gtest/gtest.h>

#include "services/rule-evaluation/engine/clock.h"
#include "services/rule-evaluation/engine/sessions.h"
#include "services/rule-evaluation/engine/timeline.h"

namespace liveops::engine {
namespace {

using testing::Outcome;
using testing::PlanOf;
using testing::Told;

const std::string kRules =
    PlanOf(R"(  - {name: errors, when: 5xx > 1%, severity: critical, owner: on-call}
  - {name: down, when: req/min < 10, no_data: fire, severity: critical, owner: on-call}
  - {name: hot, when: 'last(cpu_utilization) > 90% for 2min', severity: high, owner: on-call})");

constexpr const char* kSeries = R"(
plan -2min p
series E delta http_5xx_count
series R delta http_request_count
series C gauge cpu_utilization unit=%
)";

Outcome Played(std::string_view text, const std::string& plan = kRules) {
  testing::Script script;
  script.plans["p"] = plan;
  script.text = kSeries + std::string(text);
  return Play(script);
}

TEST(TimeOf, LatePointsAreCountedAndNeverATransition) {
  const Outcome o = Played(R"(
0s..3min every 5s: E=0 R=100
100s: E=100 R=100 @delay=10s @emitter=slow
end 3min)");
  EXPECT_EQ(o.fault, "");
  EXPECT_EQ(o.told, "");
  EXPECT_EQ(o.counters.points_late, 2u);
}

TEST(TimeOf, OtlpMayBeFiveSecondsLate) {
  const Outcome o = Played(R"(
series O delta http_5xx_count via=otlp
series P delta http_request_count via=otlp
0s..3min every 10s: O=0/10s P=100/10s @otlp
100s: O=50/10s P=100/10s @otlp @delay=4s
end 3min)");
  EXPECT_EQ(o.counters.points_late, 0u);
  EXPECT_EQ(o.told, "");  // it was a repeat of a series and a time
  const Outcome fresh = Played(R"(
series O delta http_5xx_count via=otlp
series P delta http_request_count via=otlp
0s..90s every 10s: O=0/10s P=100/10s @otlp
99s: O=50/9s P=100/9s @otlp @delay=4s
end 2min)");
  EXPECT_EQ(fresh.counters.points_late, 0u);
  EXPECT_EQ(fresh.told, "1min43s errors firing crossed 8.333 %\n");
}

TEST(TimeOf, RemoteWriteMayBeFifteenSecondsLate) {
  const auto played = [](const char* delay) {
    return Played(std::string(R"(
series O cumulative http_5xx_count
series P cumulative http_request_count
0s..90s every 10s: O=10 P=1000 @remote
100s: O=500 P=2000 @remote @delay=)") +
                      delay + "\nend 3min\n",
                  PlanOf("  - {name: errors, when: 5xx > 1%, severity: critical, owner: on-call}"));
  };
  const Outcome in_time = played("14s");
  EXPECT_EQ(in_time.counters.points_late, 0u);
  EXPECT_EQ(in_time.told, "1min54s errors firing crossed 49 %\n");
  const Outcome late = played("17s");
  EXPECT_EQ(late.counters.points_late, 2u);
  EXPECT_EQ(late.told, "");
}

TEST(TimeOf, SoMayTheFirstPointOfANewRule) {
  const Outcome o = Played(R"(
series O gauge cpu_utilization via=otlp unit=%
10s: O=95 @otlp @delay=4500ms
end 30s)",
                           PlanOf("  - {name: hot, when: last(cpu_utilization) > 90%, severity: "
                                  "high, owner: on-call}"));
  EXPECT_EQ(o.fault, "");
  EXPECT_EQ(o.told, "14s500ms hot firing crossed 95 %\n");
  EXPECT_EQ(o.counters.points_late, 0u);
}

TEST(TimeOf, FromTheFirstNativePointOnNothingWaitsForOtlp) {
  const Outcome o = Played(R"(
119s: C=5
end 3min)",
                           PlanOf("  - {name: idle, when: last(cpu_utilization) over 1h < 10%, "
                                  "severity: high, owner: on-call}"));
  EXPECT_EQ(o.fault, "");
  EXPECT_EQ(o.told, "2min2s idle firing crossed 5 %\n");
}

TEST(TimeOf, ARetriedBatchCountsOnce) {
  const Outcome o = Played(R"(
0s..1min every 5s: E=0 R=100
61s: E=5 R=100 @seq=50
61s: E=5 R=100 @seq=50 @delay=1s
61s: E=5 R=100 @seq=50 @delay=1500ms
61s: E=0 R=100 @seq=49 @delay=1600ms   # overtaken: new
show 70s errors
end 70s)");
  EXPECT_EQ(o.fault, "");
  EXPECT_EQ(o.told,
            "1min10s errors is ok: ratio of http_5xx_count to http_request_count is 0.4032 %, not "
            "above 1 %\n");
  EXPECT_EQ(o.counters.points_duplicate, 4u);
}

TEST(TimeOf, WithoutSequencesAPointNotAfterTheLastIsDropped) {
  const Outcome o = Played(R"(
0s..1min every 5s: E=0 R=100 @noseq
60s: E=50 R=100 @noseq @delay=500ms
59s: E=50 R=100 @noseq @delay=1500ms
end 70s)");
  EXPECT_EQ(o.told, "");
  EXPECT_EQ(o.counters.points_duplicate, 4u);
}

TEST(TimeOf, OneFutureStampMakesNoHonestEventLate) {
  const Outcome o = Played(R"(
0s..5min every 5s: E=0 R=100 C=50
60s: E=90 R=100 C=99 @event=+1h @emitter=fast
60s..2min every 5s: C=99 @event=+1h @emitter=fast
200s: E=100 R=100
end 5min)");
  EXPECT_EQ(o.counters.points_late, 0u);
  EXPECT_EQ(o.counters.points_future, 16u);
  EXPECT_EQ(o.told,
            "3min20s errors firing crossed 7.692 %\n4min22s errors resolved recovered 0 %\n");
}

// Everything that happens without the fault, and nothing else.
TEST(TimeOf, AClockThatJumpsAnHourCausesNoTransition) {
  constexpr const char* kLoad = R"(
0s..10min every 5s: E=0 R=100 C=95
end 10min)";
  const Outcome calm = Played(kLoad);
  EXPECT_EQ(calm.told, "2min hot firing crossed 95 %\n");
  for (const char* fault :
       {"broker 3min..10min +1h", "broker 3min..10min -1h", "broker 3min..5min +1h",
        "broker 3min..5min -1h", "broker 1min..2min +1h", "broker 1min..90s -1h"}) {
    const Outcome o = Played(std::string(fault) + kLoad);
    EXPECT_EQ(o.fault, "") << fault;
    EXPECT_EQ(o.told, calm.told) << fault;
    EXPECT_EQ(o.counters.clock_steps_held, 1u) << fault;
    EXPECT_EQ(o.counters.points_late, 0u) << fault;
  }
}

TEST(TimeOf, AnEmittersClockThatJumpsCausesNoTransition) {
  for (const char* shift : {"+1h", "-1h"}) {
    const Outcome o =
        Played("0s..3min every 5s: E=0 R=100 C=50\n185s..8min every 5s: E=0 R=100 C=50 @event=" +
               std::string(shift) + "\n485s..10min every 5s: E=0 R=100 C=50\nend 10min");
    EXPECT_EQ(o.fault, "") << shift;
    EXPECT_EQ(o.told, "") << shift;
  }
}

TEST(TimeOf, AStepOfAllClocksIsAdoptedWithoutATransition) {
  // Broker and emitters alike step an hour: their hosts' clock was set.
  const Outcome o = Played(R"(
0s..3min every 5s: E=0 R=100 C=95
185s..10min every 5s: E=0 R=100 C=95 @event=+1h
broker 3min..10min +1h
show 10min hot
end 10min)");
  EXPECT_EQ(o.fault, "");
  EXPECT_EQ(o.told,
            "2min hot firing crossed 95 %\n"
            "10min hot is firing: cpu_utilization is 95 %, above 90 % since 09:00:00\n");
}

TEST(TimeOf, AShortStallWaitsForWhatWasQueued) {
  // Nothing is written for 4 s; then comes all that was queued. It is not late.
  const Outcome o = Played(R"(
ticks i 0s..60s
ticks i 64s..3min
0s..60s every 1s: E=0 R=100
61s: E=1 R=100 @delay=3100ms
62s: E=80 R=100 @delay=2100ms
63s: E=1 R=100 @delay=1100ms
64s..3min every 1s: E=0 R=100
end 3min)");
  EXPECT_EQ(o.fault, "");
  EXPECT_EQ(o.counters.points_late, 0u);
  EXPECT_EQ(o.told,
            "1min4s100ms errors firing crossed 1.35 %\n2min6s errors resolved recovered 0 %\n");
}

TEST(TimeOf, AGapNeitherResolvesNorFires) {
  // Ten minutes in which nothing could be written. The window after it is unknown until it is
  // wholly covered.
  const Outcome o = Played(R"(
ticks i 0s..3min
ticks i 13min..20min
0s..150s every 5s: E=0 R=100 C=50
155s..3min every 5s: E=50 R=100 C=95
13min: E=0/1s R=1/1s C=50
785s..20min every 5s: E=0 R=100 C=50
show 13min30s errors
end 20min)");
  EXPECT_EQ(o.fault, "");
  EXPECT_EQ(o.told,
            "2min35s errors firing crossed 4.237 %\n"
            "13min30s errors is firing: firing since 09:02:35: the window reaches back before what "
            "is known; it "
            "proves nothing yet\n"
            "14min2s errors resolved recovered 0 %\n");
}

TEST(TimeOf, DomainTimeMayRunFaster) {
  testing::Script script;
  script.map.real_origin = RealFromMs(testing::kNine);
  script.map.domain_origin = InstantFromMs(testing::kNine);
  script.map.speed = 10;
  script.plans["p"] = kRules;
  script.text = std::string(kSeries) + R"(
ticks i 0s..8min
0s..4min every 5s: E=2 R=100 C=95
4min5s..8min every 5s: E=0 R=100 C=50
end 8min)";
  const Outcome o = Play(script);
  EXPECT_EQ(o.fault, "");
  EXPECT_EQ(o.told,
            "0s errors firing crossed 2 %\n"
            "2min hot firing crossed 95 %\n"
            "4min16s hot resolved recovered 50 %\n"
            "4min40s errors resolved recovered 1 %\n");
}

TEST(PartitionClock, FollowsTheAppendTimeThatTicksExplain) {
  PartitionClock clock;
  EXPECT_TRUE(clock.OnTick(RealFromMs(1000), "a", 1, 50).first);
  EXPECT_EQ(clock.OnTick(RealFromMs(1260), "a", 1, 300).to, RealFromMs(1260));
  EXPECT_EQ(clock.OnTick(RealFromMs(1250), "a", 1, 550).to, RealFromMs(1260));  // never back
  EXPECT_EQ(clock.OnRecord(RealFromMs(3200), {}).to, RealFromMs(3200));
  EXPECT_EQ(clock.OnRecord(RealFromMs(9000), {}).to, RealFromMs(3200));  // the next tick will tell
  EXPECT_EQ(clock.OnTick(RealFromMs(9010), "a", 1, 8300).to, RealFromMs(9010));
  EXPECT_EQ(clock.steps_held(), 0u);
}

TEST(PartitionClock, HoldsAStepUntilEventTimesAgree) {
  PartitionClock clock;
  clock.OnTick(RealFromMs(1000), "a", 1, 0);
  constexpr std::int64_t kHour = 3'600'000;
  EXPECT_EQ(clock.OnTick(RealFromMs(1250 + kHour), "a", 1, 250).to, RealFromMs(1250));
  EXPECT_EQ(clock.OnTick(RealFromMs(1500 + kHour), "a", 1, 500).to, RealFromMs(1500));
  EXPECT_TRUE(clock.holds_step());
  EXPECT_EQ(clock.steps_held(), 1u);
  // Against a session that counted through it, five batches must agree; the median decides.
  for (int i = 0; i < 4; ++i) {
    EXPECT_FALSE(clock.OnRecord(RealFromMs(1600 + kHour), RealFromMs(1500 + kHour)).corroborated);
  }
  EXPECT_TRUE(clock.OnRecord(RealFromMs(1600 + kHour), RealFromMs(1500)).corroborated);
  EXPECT_EQ(clock.now(), RealFromMs(1600 + kHour));
}

TEST(PartitionClock, AfterARestartOfAllOneBatchIsEnough) {
  PartitionClock clock;
  clock.OnTick(RealFromMs(1000), "a", 1, 5000);
  constexpr std::int64_t kDay = 86'400'000;
  clock.OnTick(RealFromMs(kDay), "a", 2, 100);
  clock.OnTick(RealFromMs(kDay + 250), "a", 2, 350);
  EXPECT_EQ(clock.now(), RealFromMs(1250));
  EXPECT_FALSE(clock.OnRecord(RealFromMs(kDay + 300), RealFromMs(kDay - kDay / 2)).corroborated);
  PartitionClock other;
  other.OnTick(RealFromMs(1000), "a", 1, 5000);
  other.OnTick(RealFromMs(kDay), "a", 2, 100);
  EXPECT_TRUE(other.OnRecord(RealFromMs(kDay + 300), RealFromMs(kDay + 200)).corroborated);
}

TEST(PartitionClock, GoesOnWhenTheAppendTimeFallsBack) {
  PartitionClock clock;
  clock.OnTick(RealFromMs(10'000'000), "a", 1, 0);
  for (int i = 1; i <= 8; ++i) clock.OnTick(RealFromMs(6'400'000 + i * 250), "a", 1, i * 250);
  EXPECT_EQ(clock.now(), RealFromMs(10'002'000));
  EXPECT_EQ(clock.steps_held(), 1u);
}

TEST(Sessions, EachSequenceOnce) {
  Sessions sessions;
  const Instant now = InstantFromMs(1);
  EXPECT_TRUE(sessions.Accept("e", 1, 5, now));
  EXPECT_FALSE(sessions.Accept("e", 1, 5, now));
  EXPECT_TRUE(sessions.Accept("e", 1, 3, now));
  EXPECT_FALSE(sessions.Accept("e", 1, 3, now));
  EXPECT_TRUE(sessions.Accept("e", 2, 5, now));
  EXPECT_TRUE(sessions.Accept("f", 1, 5, now));
  EXPECT_TRUE(sessions.Accept("e", 1, 1028, now));
  EXPECT_FALSE(sessions.Accept("e", 1, 4, now));  // behind the window
  EXPECT_FALSE(sessions.Accept("e", 1, 5, now));
  EXPECT_TRUE(sessions.Accept("e", 1, 6, now));
  EXPECT_TRUE(sessions.Accept("e", 1, 5000, now));
  EXPECT_TRUE(sessions.Accept("e", 1, 4999, now));
  EXPECT_TRUE(sessions.Accept("e", 1, 3977, now));
  EXPECT_FALSE(sessions.Accept("e", 1, 3976, now));
  sessions.ForgetBefore(InstantFromMs(2));
  EXPECT_EQ(sessions.size(), 0u);
}

}  // namespace
}  // namespace liveops::engine
