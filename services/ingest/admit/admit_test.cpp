#include "services/ingest/admit/admit.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "common/base/labels.h"
#include "services/ingest/admit/admit_test_support.h"

namespace liveops::admit {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(Admit, KeepsAGoodBatch) {
  Batch batch;
  batch.durations = {1000, 0};
  const auto result = batch.Admit();
  ASSERT_TRUE(result.ok()) << result.error().message;
  EXPECT_TRUE(result->rejections.empty());
  const Admitted& out = result->batch;
  EXPECT_EQ(out.points(), 2u);
  EXPECT_EQ(out.base_time_ms + out.point_time_delta_ms[0], kNow - 10);
  EXPECT_THAT(out.point_duration_ms, ElementsAre(1000, 0));
  ASSERT_EQ(out.series.size(), 2u);
  EXPECT_EQ(out.strings[out.series[0].metric], "requests");
  EXPECT_EQ(out.strings[out.series[0].unit], "");
  EXPECT_EQ(out.strings[out.series[1].unit], "ms");
  EXPECT_EQ(out.series[1].kind, SeriesKind::kGauge);
  EXPECT_EQ(Labels::Decode(out.series[0].labels)->ToString(), "{endpoint=\"/games\"}");
}

TEST(Admit, DropsSeriesAndStringsThatNobodyNames) {
  Batch batch;
  batch.point_series = {1};
  batch.times = {0};
  batch.values = {1};
  const auto result = batch.Admit();
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result->batch.series.size(), 1u);
  EXPECT_THAT(result->batch.strings, ElementsAre("latency", "ms"));
  EXPECT_TRUE(result->batch.point_duration_ms.empty());
}

TEST(Admit, AnEmptyBatchIsNoMistake) {
  Batch batch;
  batch.point_series.clear();
  batch.times.clear();
  batch.values.clear();
  const auto result = batch.Admit();
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result->batch.points(), 0u);
}

TEST(Admit, RefusesColumnsOfUnequalLength) {
  for (int column = 0; column < 3; ++column) {
    Batch batch;
    if (column == 0) batch.point_series.push_back(0);
    if (column == 1) batch.times.pop_back();
    if (column == 2) batch.durations = {1, 2, 3};
    batch.ExpectInvalid("differ in length");
  }
}

TEST(Admit, RefusesBatchesBeyondTheLimits) {
  Batch batch;
  batch.limits.series_per_batch = 2;
  batch.ExpectInvalid("3 series, at most 2");
  batch.limits = {};
  batch.limits.points_per_batch = 1;
  batch.ExpectInvalid("2 points, at most 1");
}

TEST(Admit, RefusesBadServices) {
  Batch batch;
  for (const std::string& service : {std::string(), std::string(129, 's'), std::string("a\nb"),
                                     std::string("a\0b", 3), std::string("\xff")}) {
    batch.service = service;
    EXPECT_FALSE(batch.Admit().ok());
  }
  batch.service = "한국-서비스";
  EXPECT_TRUE(batch.Admit().ok());
}

TEST(Admit, RefusesTheFutureByThePoint) {
  Batch batch;
  batch.times[0] = 10'001;
  batch.ExpectFirstRefused(
      Refusal::kFuture,
      "requests{endpoint=\"/games\"}: its time is 10s ahead, at most 10s are allowed");
  batch.times[0] = 10'000;
  EXPECT_TRUE(batch.Admit()->rejections.empty());
  batch.times[0] = 4'102'444'800'000 - kNow;  // 2100
  batch.ExpectFirstRefused(Refusal::kFuture, "ahead");
}

TEST(Admit, RefusesThePastByThePoint) {
  Batch batch;
  batch.times[0] = -9'000'000;
  batch.ExpectFirstRefused(Refusal::kTooOld, "its time is 2h 30min behind, at most 2h are allowed");
  batch.times[0] = -7'200'001;
  batch.ExpectFirstRefused(Refusal::kTooOld, "behind");
  batch.times[0] = -7'200'000;
  EXPECT_TRUE(batch.Admit()->rejections.empty());
  batch.times[0] = -kNow;  // 1970
  batch.ExpectFirstRefused(Refusal::kTooOld, "behind");
}

TEST(Admit, TimesThatOverflowAreRefused) {
  constexpr auto kMin = std::numeric_limits<std::int64_t>::min();
  constexpr auto kMax = std::numeric_limits<std::int64_t>::max();
  Batch batch;
  batch.times[0] = kMax;
  batch.ExpectFirstRefused(Refusal::kFuture, "not a time");
  batch.base = -kNow;
  batch.times = {kMin, 2 * kNow};
  batch.ExpectFirstRefused(Refusal::kTooOld, "");
  batch.base = kMax;
  batch.times = {kMin, kNow - kMax};
  batch.ExpectFirstRefused(Refusal::kTooOld, "");
}

TEST(Admit, RefusesKindsThatDoNotFit) {
  Batch batch;
  for (const int kind : {0, -1, 7, 1'000'000}) {
    batch.series[0].kind = kind;
    batch.ExpectFirstRefused(Refusal::kBadKind, "");
  }
  batch.series[0].kind = 5;
  batch.ExpectFirstRefused(Refusal::kBadKind, "single value");
}

TEST(Admit, RefusesValuesThatAreNoNumbers) {
  Batch batch;
  for (const double value : {std::nan(""), HUGE_VAL, -HUGE_VAL}) {
    batch.values[0] = value;
    batch.ExpectFirstRefused(Refusal::kNotFinite, "requests");
  }
  batch.values[0] = -1;
  batch.ExpectFirstRefused(Refusal::kNegative, "-1");
  batch.series[0].kind = 3;  // a gauge may be
  EXPECT_TRUE(batch.Admit()->rejections.empty());
}

TEST(Admit, RefusesStartsBeyondReason) {
  Batch batch;
  batch.durations = {std::numeric_limits<std::uint64_t>::max(), 0};
  batch.ExpectFirstRefused(Refusal::kBadStart, "100 years");
}

TEST(Admit, CountsAndGivesOneExampleAReason) {
  Batch batch;
  batch.point_series = {0, 0, 0, 1};
  batch.times = {99'999, 99'999, 0, 0};
  batch.values = {1, 1, std::nan(""), 1};
  const auto result = batch.Admit();
  ASSERT_TRUE(result.ok());
  ASSERT_EQ(result->rejections.size(), 2u);
  EXPECT_EQ(result->rejections[0].points, 2u);
  EXPECT_EQ(result->rejections[1].points, 1u);
  EXPECT_EQ(result->rejected_points(), 3u);
  EXPECT_EQ(result->batch.points(), 1u);
}

struct HistogramBatch : Batch {
  std::vector<double> bounds{10, 100};
  std::vector<std::uint64_t> counts{1, 2, 3};
  HistogramBatch() { histograms = {{2, 0, 60'000, 6, 500, bounds, counts}}; }
  void ExpectRefused(Refusal reason, const std::string& example) {
    const auto result = Admit();
    ASSERT_TRUE(result.ok());
    ASSERT_EQ(result->rejections.size(), 1u);
    EXPECT_EQ(result->rejections[0].reason, reason);
    EXPECT_THAT(result->rejections[0].example, HasSubstr(example));
    EXPECT_TRUE(result->batch.histograms.empty());
    EXPECT_EQ(result->batch.points(), 2u);
  }
};

TEST(Admit, KeepsHistograms) {
  HistogramBatch batch;
  const auto result = batch.Admit();
  ASSERT_TRUE(result.ok());
  ASSERT_EQ(result->batch.histograms.size(), 1u);
  EXPECT_EQ(result->batch.points(), 3u);
  const Histogram& histogram = result->batch.histograms[0];
  EXPECT_EQ(result->batch.series[histogram.series].kind, SeriesKind::kHistogramDelta);
  EXPECT_EQ(histogram.duration_ms, 60'000u);
  EXPECT_EQ(histogram.count, 6u);
}

TEST(Admit, RefusesHistogramsThatDoNotFit) {
  HistogramBatch batch;
  batch.histograms[0].count = 7;
  batch.ExpectRefused(Refusal::kBadHistogram, "add up to 6, its count is 7");
  batch = {};
  batch.bounds = {100, 10};
  batch.histograms[0].bounds = batch.bounds;
  batch.ExpectRefused(Refusal::kBadHistogram, "ascending");
  batch = {};
  batch.bounds = {10, HUGE_VAL};
  batch.histograms[0].bounds = batch.bounds;
  batch.ExpectRefused(Refusal::kBadHistogram, "finite");
  batch = {};
  batch.counts = {1, 2};
  batch.histograms[0].bucket_counts = batch.counts;
  batch.ExpectRefused(Refusal::kBadHistogram, "2 bounds and 2 bucket counts");
  batch = {};
  batch.counts = {UINT64_MAX, 1, 6};
  batch.histograms[0].bucket_counts = batch.counts;
  batch.ExpectRefused(Refusal::kBadHistogram, "overflow");
  batch = {};
  batch.limits.histogram_buckets = 2;
  batch.histograms[0].bounds = batch.bounds;
  batch.histograms[0].bucket_counts = batch.counts = {1, 2, 3};
  batch.histograms[0].bucket_counts = batch.counts;
  batch.ExpectRefused(Refusal::kBadHistogram, "3 buckets");
  batch = {};
  batch.histograms[0].sum = std::nan("");
  batch.histograms[0].bounds = batch.bounds;
  batch.histograms[0].bucket_counts = batch.counts;
  batch.ExpectRefused(Refusal::kNotFinite, "sum");
  batch = {};
  batch.histograms[0].series = 0;
  batch.ExpectRefused(Refusal::kBadKind, "histogram");
}

TEST(Admit, MapsTimesToDomainTime) {
  Batch batch;
  batch.map = {RealFromMs(kNow - 60'000), InstantFromMs(5'000'000), 60.0};
  batch.times = {-10'000, 0};
  batch.durations = {1'000, 0};
  const auto result = batch.Admit();
  ASSERT_TRUE(result.ok());
  const Admitted& out = result->batch;
  EXPECT_EQ(out.base_time_ms + out.point_time_delta_ms[0], 5'000'000 + 60 * 50'000);
  EXPECT_EQ(out.base_time_ms + out.point_time_delta_ms[1], 5'000'000 + 60 * 60'000);
  EXPECT_EQ(out.point_duration_ms[0], 60'000u);
}

TEST(Admit, OneStartStaysOneStartWhateverTheSpeedRounds) {
  Batch batch;
  batch.map = {RealFromMs(kNow - 12'345), InstantFromMs(7), 0.37};
  batch.series[0].kind = 2;
  std::optional<std::int64_t> start;
  for (int i = 0; i < 50; ++i) {
    batch.times[0] = -1000 + i;
    batch.durations = {static_cast<std::uint64_t>(9000 + i), 0};
    const auto result = batch.Admit();
    ASSERT_TRUE(result.ok());
    const Admitted& out = result->batch;
    const std::int64_t found = out.base_time_ms + out.point_time_delta_ms[0] -
                               static_cast<std::int64_t>(out.point_duration_ms[0]);
    EXPECT_EQ(found, start.value_or(found));
    start = found;
  }
}

}  // namespace
}  // namespace liveops::admit
