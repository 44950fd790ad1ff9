#include "services/ingest/admit/split.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>

namespace liveops::admit {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::int64_t kBase = 1'000'000;  // domain; the map below adds an hour
constexpr std::int64_t kHour = 3'600'000;
const TimeMap kMap{RealFromMs(0), InstantFromMs(kHour), 1.0};
constexpr std::int32_t kPartitions = 16;
constexpr const char* kService = "shop";

SpreadStep At(std::int64_t domain_ms, int spread) {
  return {RealFromMs(domain_ms - kHour), spread};
}

// Forty series of two metrics, one point each; series i has the value i.
Admitted Batch() {
  Admitted batch;
  batch.strings = {"requests", "1", "errors", "ms"};
  batch.base_time_ms = kBase;
  for (std::uint32_t i = 0; i < 40; ++i) {
    const std::string name = std::to_string(i);
    const std::string_view parts[] = {name};
    const std::string& labels = batch.rewritten.emplace_back("labels of " + name);
    Series series{FingerprintOf(parts), SeriesKind::kCounterDelta, 0, 1, labels};
    if (i >= 20) series.metric = 2, series.unit = 3;
    batch.series.push_back(std::move(series));
    batch.point_series.push_back(i);
    batch.point_time_delta_ms.push_back(i);
    batch.point_value.push_back(i);
  }
  return batch;
}

// Where each point of the batch went, by its value.
std::map<double, std::int32_t> Places(const std::vector<Part>& parts) {
  std::map<double, std::int32_t> places;
  for (const Part& part : parts) {
    for (const double value : part.batch.point_value) {
      EXPECT_TRUE(places.emplace(value, part.partition).second) << "twice: " << value;
    }
  }
  return places;
}

std::int32_t Expected(const Series& series, int spread) {
  return SpreadPartitionOf(kService, series.fingerprint, spread, kPartitions);
}

TEST(Split, EachSeriesGoesToItsPartitionWithAllThatItNeeds) {
  const Admitted batch = Batch();
  const std::vector<SpreadStep> steps = {At(kBase - 1, 4)};
  const std::vector<Part> parts = Split(batch, kService, steps, kMap, kPartitions);
  ASSERT_EQ(parts.size(), 4u);
  EXPECT_EQ(Places(parts).size(), 40u);
  for (const Part& part : parts) {
    const Admitted& got = part.batch;
    EXPECT_EQ(got.base_time_ms, kBase);
    EXPECT_EQ(got.series.size(), got.points());
    EXPECT_LE(got.strings.size(), 4u);
    EXPECT_THAT(got.point_duration_ms, IsEmpty());
    for (std::size_t i = 0; i < got.points(); ++i) {
      const auto original = static_cast<std::size_t>(got.point_value[i]);
      const Series& before = batch.series[original];
      const Series& after = got.series[got.point_series[i]];
      EXPECT_EQ(part.partition, Expected(before, 4));
      EXPECT_EQ(after.fingerprint, before.fingerprint);
      EXPECT_EQ(after.labels, before.labels);
      EXPECT_EQ(got.strings[after.metric], batch.strings[before.metric]);
      EXPECT_EQ(got.strings[after.unit], batch.strings[before.unit]);
      EXPECT_EQ(got.point_time_delta_ms[i], batch.point_time_delta_ms[original]);
    }
  }
}

TEST(Split, ThePartsStandInTheOrderOfTheirPartitions) {
  const std::vector<SpreadStep> steps = {At(0, 16)};
  const std::vector<Part> parts = Split(Batch(), kService, steps, kMap, kPartitions);
  for (std::size_t i = 1; i < parts.size(); ++i) {
    EXPECT_LT(parts[i - 1].partition, parts[i].partition);
  }
}

TEST(Split, APointGoesByTheSpreadOfItsEventTime) {
  const Admitted batch = Batch();
  // The points lie at kBase + 0 … 39.
  const std::vector<SpreadStep> steps = {At(kBase + 10, 8), At(kBase + 30, 2)};
  const std::map<double, std::int32_t> places =
      Places(Split(batch, kService, steps, kMap, kPartitions));
  ASSERT_EQ(places.size(), 40u);
  for (const auto& [value, partition] : places) {
    const int spread = value < 10 ? 1 : value < 30 ? 8 : 2;
    EXPECT_EQ(partition, Expected(batch.series[static_cast<std::size_t>(value)], spread)) << value;
  }
}

TEST(Split, ASeriesThatMovesInMidBatchIsInBothParts) {
  Admitted batch = Batch();
  batch.series.resize(1);
  batch.point_series = {0, 0, 0};
  batch.point_time_delta_ms = {0, 1, 2};
  batch.point_duration_ms = {0, 5, 5};
  batch.point_value = {1, 2, 3};
  // Series 0 does not stay at home under one of these.
  int spread = 2;
  while (Expected(batch.series[0], spread) == PartitionOf(kService, kPartitions)) ++spread;
  const std::vector<SpreadStep> steps = {At(kBase + 1, spread)};
  const std::vector<Part> parts = Split(batch, kService, steps, kMap, kPartitions);
  ASSERT_EQ(parts.size(), 2u);
  const bool home_first = parts[0].partition == PartitionOf(kService, kPartitions);
  const Admitted& home = parts[home_first ? 0 : 1].batch;
  const Admitted& away = parts[home_first ? 1 : 0].batch;
  EXPECT_THAT(home.point_value, ElementsAre(1));
  EXPECT_THAT(home.point_duration_ms, IsEmpty()) << "all are 0";
  EXPECT_THAT(away.point_value, ElementsAre(2, 3));
  EXPECT_THAT(away.point_duration_ms, ElementsAre(5, 5));
  EXPECT_EQ(home.series[0].labels, away.series[0].labels);
}

TEST(Split, HistogramsGoWithTheirSeries) {
  Admitted batch = Batch();
  batch.point_series.clear();
  batch.point_time_delta_ms.clear();
  batch.point_value.clear();
  const double bounds[] = {1, 2};
  const std::uint64_t counts[] = {1, 2, 3};
  for (std::uint32_t i = 0; i < 40; ++i) {
    batch.histograms.push_back({i, 0, 7, i, 1.5, bounds, counts});
  }
  const std::vector<SpreadStep> steps = {At(0, 4)};
  std::size_t seen = 0;
  for (const Part& part : Split(batch, kService, steps, kMap, kPartitions)) {
    for (const Histogram& histogram : part.batch.histograms) {
      ++seen;
      EXPECT_EQ(part.partition, Expected(batch.series[histogram.count], 4));
      EXPECT_EQ(part.batch.series[histogram.series].labels,
                "labels of " + std::to_string(histogram.count));
      EXPECT_EQ(histogram.bounds.size(), 2u);
      EXPECT_EQ(histogram.duration_ms, 7u);
    }
  }
  EXPECT_EQ(seen, 40u);
}

// What a retry stands on: the rest of the batch, the versions to come and the order do not matter.
TEST(Split, APointKeepsItsPlaceWhateverComesBesideOrAfterIt) {
  const std::vector<SpreadStep> then = {At(kBase + 20, 4)};
  const std::vector<SpreadStep> now = {At(kBase + 20, 4), At(kBase + 40, 8)};
  const Admitted whole = Batch();
  const std::map<double, std::int32_t> first =
      Places(Split(whole, kService, then, kMap, kPartitions));
  Admitted some = Batch();
  some.base_time_ms -= 5;
  for (std::int64_t& delta : some.point_time_delta_ms) delta += 5;
  some.point_series.erase(some.point_series.begin(), some.point_series.begin() + 7);
  some.point_time_delta_ms.erase(some.point_time_delta_ms.begin(),
                                 some.point_time_delta_ms.begin() + 7);
  some.point_value.erase(some.point_value.begin(), some.point_value.begin() + 7);
  const std::map<double, std::int32_t> second =
      Places(Split(some, kService, now, kMap, kPartitions));
  EXPECT_EQ(second.size(), 33u);
  for (const auto& [value, partition] : second) EXPECT_EQ(first.at(value), partition) << value;
}

}  // namespace
}  // namespace liveops::admit
