#include "services/ingest/service/census.h"

#include <gtest/gtest.h>

#include "common/base/labels.h"
#include "services/ingest/service/world_for_tests.h"

namespace liveops::ingest {
namespace {

const RealTime kStart = RealFromMs(1'800'000'000'000);

Fingerprint Series(std::uint64_t i) { return {i, i * 0x9E3779B97F4A7C15}; }

TEST(Census, RefusesNewcomersOnly) {
  Census census(3, 100);
  const auto shop = census.Of("shop", kStart);
  for (std::uint64_t i = 1; i <= 3; ++i) EXPECT_TRUE(shop->Keep(Series(i)));
  EXPECT_FALSE(shop->Keep(Series(4)));
  for (std::uint64_t i = 1; i <= 3; ++i) EXPECT_TRUE(shop->Keep(Series(i)));
  EXPECT_EQ(census.size(), 3u);
  EXPECT_TRUE(census.Of("web", kStart)->Keep(Series(4))) << "a limit is a service's own";
}

TEST(Census, AllServicesTogetherHaveALimitToo) {
  Census census(3, 4);
  const auto shop = census.Of("shop", kStart);
  for (std::uint64_t i = 1; i <= 3; ++i) EXPECT_TRUE(shop->Keep(Series(i)));
  EXPECT_TRUE(census.Of("web", kStart)->Keep(Series(1)));
  EXPECT_FALSE(census.Of("web", kStart)->Keep(Series(2)));
  EXPECT_FALSE(census.Of("api", kStart)->Keep(Series(1)));
  EXPECT_TRUE(shop->Keep(Series(1)));
}

TEST(Census, WhatIsSentStaysAndWhatIsSilentMakesRoom) {
  Census census(2, 100);
  RealTime now = kStart;
  census.Of("shop", now)->Keep(Series(1));
  census.Of("shop", now)->Keep(Series(2));
  const std::uint64_t generation = census.Of("shop", now)->generation();
  for (int turns = 0; turns < 5; ++turns) {
    now += Census::kTurn;
    EXPECT_TRUE(census.Of("shop", now)->Keep(Series(1)));
    EXPECT_EQ(census.Of("shop", now)->Keep(Series(3)), turns > 0) << turns;
  }
  EXPECT_EQ(census.Of("shop", now)->generation(), generation + 5);
  EXPECT_EQ(census.size(), 2u);
}

TEST(Census, AServiceThatIsSilentIsForgotten) {
  Census census(2, 2);
  census.Of("shop", kStart)->Keep(Series(1));
  census.Of("shop", kStart)->Keep(Series(2));
  EXPECT_FALSE(census.Of("web", kStart)->Keep(Series(1)));
  (void)census.Of("web", kStart + Census::kTurn);
  EXPECT_TRUE(census.Of("web", kStart + 2 * Census::kTurn)->Keep(Series(1)));
  EXPECT_EQ(census.size(), 1u);
}

TEST(Census, AClockThatGoesBackTurnsNothing) {
  Census census(2, 2);
  const std::uint64_t generation = census.Of("shop", kStart)->generation();
  census.Of("shop", kStart)->Keep(Series(1));
  EXPECT_EQ(census.Of("shop", kStart - 3 * Census::kTurn)->generation(), generation);
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

}  // namespace
}  // namespace liveops::ingest
