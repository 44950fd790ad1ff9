#include "services/ingest/service/clock.h"

#include <gtest/gtest.h>

namespace liveops::ingest {
namespace {

constexpr std::int64_t kNow = 1'770'000'000'000;
constexpr std::int64_t kHour = 3'600'000;

TEST(IngestClock, GoesByTheMedianOfThePartitionsAndSteadyTime) {
  IngestClock clock(3);
  const SteadyTime start{};
  EXPECT_FALSE(clock.Now(start));
  clock.Report(0, RealFromMs(kNow), start);
  EXPECT_EQ(clock.Now(start + Duration(1500)), RealFromMs(kNow + 1500));
  clock.Report(1, RealFromMs(kNow + 3), start);
  clock.Report(2, RealFromMs(kNow + 3'600'000), start);  // one broker an hour fast
  EXPECT_EQ(clock.Now(start), RealFromMs(kNow + 3));
  clock.Report(7, RealFromMs(0), start);
  clock.Report(-1, RealFromMs(0), start);
  EXPECT_EQ(clock.Now(start), RealFromMs(kNow + 3));
}

// Three partitions that tick each 250 ms, and emitters that send every second.
struct Clocks {
  IngestClock clock{3};
  std::int64_t at_ms = 0;  // steady time
  SteadyTime now() const { return SteadyTime{} + Duration(at_ms); }

  // For `ms`, the brokers' clock is off by `broker_ms`, and the emitters' each by theirs.
  void Run(std::int64_t ms, std::int64_t broker_ms, const std::vector<std::int64_t>& emitters) {
    for (const std::int64_t end = at_ms + ms; at_ms < end; at_ms += 250) {
      for (std::int32_t p = 0; p < 3; ++p)
        clock.Report(p, RealFromMs(kNow + at_ms + broker_ms), now());
      if (at_ms % 1000 != 0) continue;
      for (std::size_t i = 0; i < emitters.size(); ++i) Send(i, emitters[i]);
    }
  }
  std::optional<ClockReading> Send(std::size_t emitter, std::int64_t off_ms) {
    return clock.NowFor("emitter-" + std::to_string(emitter), RealFromMs(kNow + at_ms + off_ms),
                        now());
  }
  std::int64_t Off() const { return ToMs(*clock.Now(now())) - kNow - at_ms; }
};

TEST(IngestClock, AStepOfTheBrokersTimeThatTheEventsDoNotFollowMovesNothing) {
  for (const std::int64_t step : {kHour, -kHour, std::int64_t{30'000}, std::int64_t{-30'000}}) {
    Clocks c;
    c.Run(10'000, 0, {0, -800});
    for (int i = 0; i < 20; ++i) {
      c.Run(30'000, step, {0, -800});
      ASSERT_EQ(c.Off(), 0) << step;
      EXPECT_FALSE(c.Send(0, 0)->doubted);
    }
    c.Run(10'000, 0, {0, -800});
    EXPECT_EQ(c.Off(), 0);
    EXPECT_EQ(c.clock.steps_held(), 1u);
  }
}

TEST(IngestClock, AStepThatTheEventsFollowIsAdopted) {
  for (const std::int64_t step : {kHour, -kHour, std::int64_t{15'000}}) {
    Clocks c;
    c.Run(10'000, 0, {0, -800});
    c.Run(3000, step, {step, step - 800});
    EXPECT_EQ(c.Off(), 0);
    // Until then nothing of theirs is refused for good.
    EXPECT_TRUE(c.Send(0, step)->doubted);
    c.Run(4000, step, {step, step - 800});
    EXPECT_EQ(c.Off(), step);
    EXPECT_FALSE(c.Send(0, step)->doubted);
  }
}

TEST(IngestClock, WithoutAnyEventsAStepIsHeldUntilSomeCome) {
  Clocks c;
  c.Run(2000, 0, {});
  c.Run(60'000, kHour, {});
  EXPECT_EQ(c.Off(), 0);
  EXPECT_FALSE(c.Send(0, kHour)->doubted);
  EXPECT_EQ(c.Off(), kHour);
}

TEST(IngestClock, AnEmitterOnTheHostOfTheBrokerProvesNothing) {
  for (const std::int64_t step : {kHour, -kHour}) {
    Clocks c;
    c.Run(10'000, 0, {0, 0, 0});
    c.Run(600'000, step, {step, 0, 0});
    EXPECT_EQ(c.Off(), 0);
    EXPECT_FALSE(c.Send(0, step)->doubted);  // by now it is decided against it
    // One against one is no majority either.
    Clocks even;
    even.Run(10'000, 0, {0, 0});
    even.Run(600'000, step, {step, 0});
    EXPECT_EQ(even.Off(), 0);
  }
}

TEST(IngestClock, WhoFellSilentIsHeardNoMore) {
  Clocks c;
  c.Run(10'000, 0, {0, 0, 0});
  c.Run(100'000, kHour, {kHour});
  EXPECT_EQ(c.Off(), 0);
  c.Run(30'000, kHour, {kHour});
  EXPECT_EQ(c.Off(), kHour);
}

TEST(IngestClock, AnEmitterWhoseClockIsFarAheadSaysNothing) {
  Clocks c;
  c.Run(10'000, 0, {0, 3 * kHour});
  c.Run(10'000, kHour, {kHour, 4 * kHour});
  EXPECT_EQ(c.Off(), kHour);
}

TEST(IngestClock, AStepMustStand) {
  Clocks c;
  c.Run(2000, 0, {0});
  for (int i = 1; i <= 10; ++i) c.Run(3000, i * kHour, {i * kHour});
  EXPECT_EQ(c.Off(), 0);
  EXPECT_EQ(c.clock.steps_held(), 1u);
}

TEST(IngestClock, SmallDifferencesAreFollowed) {
  Clocks c;
  c.Run(1000, 0, {});
  for (int i = 1; i <= 10; ++i) c.Run(250, i * 1900, {});
  EXPECT_EQ(c.Off(), 19'000);
  EXPECT_EQ(c.clock.steps_held(), 0u);
}

TEST(IngestClock, HearsABoundedNumberOfEmittersAndNoNonsense) {
  Clocks c;
  c.Run(1000, 0, {});
  for (std::size_t i = 0; i < 2 * IngestClock::kEmittersMax; ++i) c.Send(i, 0);
  EXPECT_FALSE(c.clock.NowFor("x", RealFromMs(INT64_MAX), c.now())->doubted);
  EXPECT_FALSE(c.clock.NowFor("x", std::nullopt, c.now())->doubted);
  c.Run(7000, kHour, {});
  // Those beyond the bound were not kept, so the first ones alone can be against it.
  for (std::size_t i = 0; i < IngestClock::kEmittersMax / 2; ++i) c.Send(i, kHour);
  EXPECT_EQ(c.Off(), 0);
  c.Send(IngestClock::kEmittersMax / 2, kHour);
  EXPECT_EQ(c.Off(), kHour);
}

}  // namespace
}  // namespace liveops::ingest
