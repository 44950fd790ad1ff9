#include "services/ingest/admit/known_series.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace liveops::admit {
namespace {

using Pairs = std::vector<KnownSeries::Pair>;

TEST(KnownSeries, FindsAgainWhatWasSpelled) {
  const Limits limits;
  KnownSeries known(limits);
  EXPECT_EQ(known.Find({1, 1}), nullptr);
  const Pairs labels = {{"zone", "a"}, {"code", "200"}};
  known.Add({1, 1}, "shop", SeriesKind::kGauge, "cpu", labels);
  known.Add({1, 2}, "bank", SeriesKind::kGauge, "cpu", labels);
  const KnownSeries::Place place = known.Add({1, 3}, "shop", SeriesKind::kGauge, "memory", {});
  ASSERT_NE(known.Find({1, 3}), nullptr);
  EXPECT_EQ(known.Find({1, 3})->series, place.series);
  EXPECT_EQ(known.services(), 2u);
  EXPECT_EQ(known.service(known.Find({1, 1})->service), "shop");
  EXPECT_EQ(known.service(known.Find({1, 2})->service), "bank");
  SeriesTable& shop = known.table(place.service);
  EXPECT_EQ(shop.size(), 2u);
  EXPECT_FALSE(shop.At(0).refusal);
  EXPECT_EQ(shop.NameOf(0), "cpu{code=\"200\",zone=\"a\"}");
}

TEST(KnownSeries, IsTheSameSeriesAsOneOfABatch) {
  const Limits limits;
  KnownSeries known(limits);
  const auto place =
      known.Add({1, 1}, "shop", SeriesKind::kGauge, "cpu", Pairs{{"zone", "a"}, {"code", "200"}});
  SeriesTable::Entry& entry = known.table(place.service).At(place.series);
  ASSERT_FALSE(entry.refusal);
  SeriesTable batch("shop", limits);
  const std::string_view strings[] = {"cpu", ""};
  const SeriesInput input{static_cast<int>(SeriesKind::kGauge), 0, 1,
                          std::string_view("\x04"
                                           "code\x03"
                                           "200\x04"
                                           "zone\x01"
                                           "a",
                                           16)};
  batch.Add(strings, std::span(&input, 1));
  EXPECT_EQ(entry.fingerprint, batch.At(0).fingerprint);
}

TEST(KnownSeries, WhatMayNotEnterIsRefusedByItsTable) {
  const Limits limits;
  KnownSeries known(limits);
  const auto refusal = [&](std::uint64_t n, std::string_view metric, const Pairs& labels) {
    const auto place = known.Add({2, n}, "shop", SeriesKind::kGauge, metric, labels);
    return known.table(place.service).At(place.series).refusal;
  };
  EXPECT_EQ(refusal(1, "", {}), Refusal::kBadMetric);
  EXPECT_EQ(refusal(2, "cpu", {{"a", "1"}, {"a", "2"}}), Refusal::kBadLabels);
  EXPECT_EQ(refusal(3, "cpu", {{"", "1"}}), Refusal::kBadLabels);
  EXPECT_EQ(refusal(4, "cpu", {{"a", std::string(2000, 'x')}}), Refusal::kBadLabels);
  EXPECT_EQ(refusal(5, "cpu", {{"a", "1"}}), std::nullopt);
}

TEST(KnownSeries, CountsItsBytesAndForgetsThem) {
  const Limits limits;
  KnownSeries known(limits);
  const std::string value(500, 'x');
  for (std::uint64_t i = 0; i < 100; ++i)
    known.Add({3, i}, "shop", SeriesKind::kGauge, "cpu", Pairs{{"a", value}});
  EXPECT_GT(known.bytes(), 50'000u);
  EXPECT_GT(known.RecordBytes(*known.Find({3, 1})), 500u);
  EXPECT_EQ(known.size(), 100u);
  known.Clear();
  EXPECT_EQ(known.bytes(), 0u);
  EXPECT_EQ(known.size(), 0u);
  EXPECT_EQ(known.Find({3, 1}), nullptr);
  EXPECT_EQ(known.Add({3, 1}, "shop", SeriesKind::kGauge, "cpu", {}).series, 0u);
}

// Each takes as long as the one before it: else this would take minutes.
TEST(KnownSeries, LearnsManyOneByOne) {
  const Limits limits;
  KnownSeries known(limits);
  for (std::uint64_t i = 0; i < 200'000; ++i) {
    const std::string path = std::to_string(i);
    known.Add({4, i}, "shop", SeriesKind::kGauge, "cpu", Pairs{{"path", path}});
  }
  EXPECT_EQ(known.table(0).size(), 200'000u);
  EXPECT_FALSE(known.table(0).At(123'456).refusal);
}

}  // namespace
}  // namespace liveops::admit
