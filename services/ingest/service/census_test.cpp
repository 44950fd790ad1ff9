#include "services/ingest/service/census.h"

#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "common/base/labels.h"
#include "services/ingest/service/world_for_tests.h"

namespace liveops::ingest {
namespace {

const RealTime kStart = RealFromMs(1'800'000'000'000);

Fingerprint Series(std::uint64_t i) { return {i, i * 0x9E3779B97F4A7C15}; }

TEST(Census, RefusesNewcomersOnly) {
  Census census(3, 100);
  auto shop = census.Of("shop", kStart);
  for (std::uint64_t i = 1; i <= 3; ++i) EXPECT_TRUE(shop.Keep(Series(i)));
  EXPECT_FALSE(shop.Keep(Series(4)));
  for (std::uint64_t i = 1; i <= 3; ++i) EXPECT_TRUE(shop.Keep(Series(i)));
  EXPECT_EQ(census.size(), 3u);
  EXPECT_TRUE(census.Of("web", kStart).Keep(Series(4))) << "a limit is a service's own";
}

TEST(Census, AllServicesTogetherHaveALimitToo) {
  Census census(3, 4);
  auto shop = census.Of("shop", kStart);
  for (std::uint64_t i = 1; i <= 3; ++i) EXPECT_TRUE(shop.Keep(Series(i)));
  EXPECT_TRUE(census.Of("web", kStart).Keep(Series(1)));
  EXPECT_FALSE(census.Of("web", kStart).Keep(Series(2)));
  EXPECT_FALSE(census.Of("api", kStart).Keep(Series(1)));
  EXPECT_TRUE(shop.Keep(Series(1)));
}

TEST(Census, WhatIsSentStaysAndWhatIsSilentMakesRoom) {
  Census census(2, 100);
  RealTime now = kStart;
  census.Of("shop", now).Keep(Series(1));
  census.Of("shop", now).Keep(Series(2));
  const std::uint64_t generation = census.Of("shop", now).generation();
  for (int turns = 0; turns < 5; ++turns) {
    now += Census::kTurn;
    EXPECT_TRUE(census.Of("shop", now).Keep(Series(1)));
    EXPECT_EQ(census.Of("shop", now).Keep(Series(3)), turns > 0) << turns;
  }
  EXPECT_EQ(census.Of("shop", now).generation(), generation + 5);
  EXPECT_EQ(census.size(), 2u);
}

TEST(Census, AServiceThatIsSilentIsForgotten) {
  Census census(2, 2);
  census.Of("shop", kStart).Keep(Series(1));
  census.Of("shop", kStart).Keep(Series(2));
  EXPECT_FALSE(census.Of("web", kStart).Keep(Series(1)));
  (void)census.Of("web", kStart + Census::kTurn);
  EXPECT_TRUE(census.Of("web", kStart + 2 * Census::kTurn).Keep(Series(1)));
  EXPECT_EQ(census.size(), 1u);
}

TEST(Census, AServiceIsRememberedFromItsFirstSeriesOn) {
  Census census(2, 3);
  (void)census.Of("made-up", kStart);
  EXPECT_EQ(census.services(), 0u);
  EXPECT_TRUE(census.Of("shop", kStart).Keep(Series(1)));
  EXPECT_EQ(census.services(), 1u);
  EXPECT_TRUE(census.Of("shop", kStart).Keep(Series(2)));
  EXPECT_TRUE(census.Of("web", kStart).Keep(Series(1)));
  EXPECT_FALSE(census.Of("another", kStart).Keep(Series(1))) << "there is no room";
  EXPECT_EQ(census.services(), 2u);
}

TEST(Census, WhatComesBackToAForgottenServiceIsCountedAnew) {
  Census census(2, 10);
  auto before = census.Of("shop", kStart);
  EXPECT_TRUE(before.Keep(Series(1)));
  (void)census.Of("web", kStart + Census::kTurn);
  auto after = census.Of("shop", kStart + 2 * Census::kTurn);
  EXPECT_EQ(census.size(), 0u);
  EXPECT_NE(after.generation(), before.generation()) << "whoever kept it must ask again";
  EXPECT_TRUE(after.Keep(Series(1)));
  EXPECT_EQ(census.size(), 1u);
}

// Batches of one service at once, each of which sees new series of its own and those of others.
TEST(Census, BatchesAtOnceCountEachSeriesOnce) {
  constexpr std::uint64_t kSeries = 20'000;
  Census census(kSeries, kSeries);
  std::vector<std::thread> batches;
  std::atomic<int> refused = 0;
  for (std::uint64_t t = 0; t < 4; ++t) {
    batches.emplace_back([&, t] {
      auto shop = census.Of("shop", kStart);
      for (std::uint64_t i = 0; i < kSeries; ++i) {
        if (!shop.Keep(Series(1 + (i + t * kSeries / 4) % kSeries))) ++refused;
      }
    });
  }
  for (std::thread& batch : batches) batch.join();
  EXPECT_EQ(refused, 0);
  EXPECT_EQ(census.size(), kSeries);
  EXPECT_FALSE(census.Of("shop", kStart).Keep(Series(kSeries + 1)));
}

TEST(Census, AClockThatGoesBackTurnsNothing) {
  Census census(2, 2);
  const std::uint64_t generation = census.Of("shop", kStart).generation();
  census.Of("shop", kStart).Keep(Series(1));
  EXPECT_EQ(census.Of("shop", kStart - 3 * Census::kTurn).generation(), generation);
}

TEST(Census, TheLargestServicesAreTold) {
  Census census(10, 10);
  const auto keep = [&](const char* service, std::uint64_t series, RealTime now) {
    EXPECT_TRUE(census.Of(service, now).Keep(Series(series)));
  };
  keep("small", 1, kStart);
  for (std::uint64_t i = 1; i <= 3; ++i) keep("large", i, kStart);
  for (std::uint64_t i = 1; i <= 2; ++i) keep("middle", i, kStart);
  const RealTime later = kStart + Census::kTurn;
  keep("large", 4, later);  // beside those that were sent before the turn
  using Told = std::vector<std::pair<std::string, std::size_t>>;
  EXPECT_EQ(census.Largest(2), (Told{{"large", 4}, {"middle", 2}}));
  EXPECT_EQ(census.Largest(9), (Told{{"large", 4}, {"middle", 2}, {"small", 1}}));
  EXPECT_TRUE(census.Largest(0).empty());
}

TEST(Census, WhoeverSendsNewSeriesBeyondTheLimitIsTold) {
  World w;
  w.settings.limits.series_per_service = 1;
  w.Ready();
  v1::WriteRequest request = Request();
  auto* const second = request.mutable_batch()->add_series();
  second->set_kind(v1::SERIES_KIND_GAUGE);
  second->set_unit(1);
  second->set_labels(Labels(Labels::Pairs{{"instance", "b"}}).Encode());
  request.mutable_batch()->add_point_series(1);
  request.mutable_batch()->add_point_time_delta_ms(0);
  request.mutable_batch()->add_point_value(50);
  w.Write(request);
  ASSERT_TRUE(w.last->ok());
  EXPECT_EQ((*w.last)->accepted_points, 1u);
  ASSERT_EQ((*w.last)->rejections.size(), 1u);
  EXPECT_EQ((*w.last)->rejections[0].reason, admit::Refusal::kTooManySeries);
  EXPECT_EQ(w.core->Counters().at("rejected_points.too_many_series"), 1);
  EXPECT_EQ(w.core->Counters().at("series"), 1);
  const std::int32_t home = PartitionOf("backend-api", 4);
  EXPECT_EQ(w.core->refusals().Take(home).points["backend-api"], 1u)
      << "its silence proves nothing";
}

TEST(Census, ANameThatIsNoneIsNotRemembered) {
  World w;
  w.Ready();
  for (int i = 0; i < 20; ++i) {
    v1::WriteRequest request = Request("made\nup-" + std::to_string(i));
    w.Write(request);
    ASSERT_FALSE(w.last->ok());
    request.mutable_batch()->set_service("late-" + std::to_string(i));
    request.mutable_batch()->set_base_time_ms(kNow - 86'400'000);
    w.Write(request);
    ASSERT_TRUE(w.last->ok());
    EXPECT_EQ((*w.last)->accepted_points, 0u);
  }
  EXPECT_EQ(w.core->Counters().at("services"), 0);
  w.Write(Request());
  EXPECT_EQ(w.core->Counters().at("services"), 1);
}

}  // namespace
}  // namespace liveops::ingest
