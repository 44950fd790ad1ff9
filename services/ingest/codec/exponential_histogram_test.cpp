#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "common/base/labels.h"
#include "common/sketch/sketch.h"
#include "opentelemetry/proto/collector/metrics/v1/metrics_service.pb.h"
#include "services/ingest/codec/otlp.h"

namespace liveops::ingest {
namespace {

namespace otlp = opentelemetry::proto::metrics::v1;
using OtlpRequest = opentelemetry::proto::collector::metrics::v1::ExportMetricsServiceRequest;
using Point = otlp::ExponentialHistogramDataPoint;
using testing::ElementsAre;

constexpr std::uint64_t kNowNano = 1'770'000'000'000'000'000;

// Bucket i of a scale lies between the powers i and i + 1 of 2^(2^-scale).
std::int32_t IndexOf(double value, int scale) {
  return static_cast<std::int32_t>(std::ceil(std::ldexp(std::log2(value), scale)) - 1);
}

void Fill(Point::Buckets& buckets, const std::vector<double>& magnitudes, int scale) {
  if (magnitudes.empty()) return;
  const auto [least, greatest] = std::minmax_element(magnitudes.begin(), magnitudes.end());
  buckets.set_offset(IndexOf(*least, scale));
  std::vector<std::uint64_t> counts(
      static_cast<std::size_t>(IndexOf(*greatest, scale) - buckets.offset() + 1));
  for (const double v : magnitudes)
    ++counts[static_cast<std::size_t>(IndexOf(v, scale) - buckets.offset())];
  for (const std::uint64_t n : counts) buckets.add_bucket_counts(n);
}

// What an SDK makes of the observations, in buckets of that scale.
Point Of(const std::vector<double>& observations, int scale) {
  Point point;
  point.set_time_unix_nano(kNowNano);
  point.set_scale(scale);
  point.set_count(observations.size());
  std::vector<double> positive;
  std::vector<double> negative;
  for (const double v : observations) {
    point.set_sum(point.sum() + v);
    if (v == 0) point.set_zero_count(point.zero_count() + 1);
    if (v > 0) positive.push_back(v);
    if (v < 0) negative.push_back(-v);
  }
  Fill(*point.mutable_positive(), positive, scale);
  Fill(*point.mutable_negative(), negative, scale);
  return point;
}

// The finest scale at which all of them take at most 160 buckets, as SDKs choose it.
int ScaleFor(const std::vector<double>& positive) {
  const auto [least, greatest] = std::minmax_element(positive.begin(), positive.end());
  int scale = 20;
  while (IndexOf(*greatest, scale) - IndexOf(*least, scale) + 1 > 160) --scale;
  return scale;
}

struct Read {
  std::string bytes;
  OtlpBatches out;

  Read(const Point& point, otlp::AggregationTemporality temporality) {
    OtlpRequest request;
    auto* const metric = request.add_resource_metrics()->add_scope_metrics()->add_metrics();
    metric->set_name("latency");
    metric->mutable_exponential_histogram()->set_aggregation_temporality(temporality);
    *metric->mutable_exponential_histogram()->add_data_points() = point;
    bytes = request.SerializeAsString();
    auto read = ReadOtlp(bytes, 700'000);
    EXPECT_TRUE(read.ok());
    out = *std::move(read);
  }
  const admit::HistogramInput& point() const { return out.batches.at(0).histograms.at(0); }
  std::string labels() const {
    return Labels::Decode(out.batches.at(0).series.at(0).labels)->ToString();
  }
};

Read Delta(const Point& point) { return {point, otlp::AGGREGATION_TEMPORALITY_DELTA}; }
Read Cumulative(const Point& point) { return {point, otlp::AGGREGATION_TEMPORALITY_CUMULATIVE}; }

std::vector<double> Spread(std::mt19937_64& random, double from, double to, int n = 2000) {
  std::vector<double> out;
  for (int i = 0; i < n; ++i)
    out.push_back(std::exp2(std::uniform_real_distribution<>(from, to)(random)));
  return out;
}

TEST(ExponentialHistogram, EveryScaleCountsWhatLiesBelowEachOfItsBounds) {
  std::mt19937_64 random(11);
  for (int scale = -10; scale <= 12; ++scale) {
    const std::vector<double> observations = Spread(random, -6, 6);
    for (const Read& read : {Delta(Of(observations, scale)), Cumulative(Of(observations, scale))}) {
      const admit::HistogramInput& point = read.point();
      ASSERT_EQ(point.bucket_counts.size(), point.bounds.size() + 1);
      std::uint64_t up_to = 0;
      for (std::size_t i = 0; i < point.bounds.size(); ++i) {
        up_to += point.bucket_counts[i];
        const auto below = std::count_if(observations.begin(), observations.end(),
                                         [&](double v) { return v <= point.bounds[i]; });
        ASSERT_EQ(up_to, static_cast<std::uint64_t>(below)) << scale << " " << point.bounds[i];
      }
      EXPECT_EQ(up_to + point.bucket_counts.back(), observations.size());
    }
  }
}

// The promise of exponential_ladder.h: at most one bucket off (9.1 %), and the sketch's 1 %.
TEST(ExponentialHistogram, QuantilesAreWithinTheStatedErrorOfTheTruth) {
  std::mt19937_64 random(5);
  double worst = 0;
  for (int round = 0; round < 200; ++round) {
    const double from = std::uniform_real_distribution<>(-10, 10)(random);
    const double width = std::uniform_real_distribution<>(0.01, 19)(random);
    std::vector<double> observations = Spread(random, from, from + width, 1 + round * 7);
    const int scale = ScaleFor(observations);
    ASSERT_GE(scale, 3);
    const Point made = Of(observations, scale);
    std::sort(observations.begin(), observations.end());
    for (const Read& read : {Delta(made), Cumulative(made)}) {
      sketch::Sketch sketch;
      sketch.AddHistogram(read.point().bounds, read.point().bucket_counts, read.point().sum);
      for (const double q : {0.01, 0.5, 0.9, 0.95, 0.99, 1.0}) {
        const auto rank = static_cast<std::size_t>(
            std::ceil(q * static_cast<double>(observations.size()) * (1 - 1e-12)));
        const double truth = observations[std::max<std::size_t>(rank, 1) - 1];
        worst = std::max(worst, std::abs(*sketch.Quantile(q) / truth - 1));
      }
    }
  }
  EXPECT_LT(worst, 0.091 + 0.01);
  EXPECT_GT(worst, 0.01) << "the bound is not idle";
}

TEST(ExponentialHistogram, ADeltaPointSaysOnlyWhatItCounted) {
  const Read read = Delta(Of({1.5, 1.5, 3}, 0));
  EXPECT_THAT(std::vector<double>(read.point().bounds.begin(), read.point().bounds.end()),
              ElementsAre(1, 2, 4));
  EXPECT_THAT(std::vector<std::uint64_t>(read.point().bucket_counts.begin(),
                                         read.point().bucket_counts.end()),
              ElementsAre(0, 2, 1, 0));
  EXPECT_EQ(read.point().sum, 6);
  EXPECT_EQ(read.labels(), "");
  EXPECT_EQ(Delta(Of({}, 5)).point().count, 0u);
}

TEST(ExponentialHistogram, ACumulativeSeriesHasOneLadderAScale) {
  const Read narrow = Cumulative(Of({100, 101}, 20));
  const Read wide = Cumulative(Of({1e-3, 1e3}, 3));
  EXPECT_TRUE(std::equal(narrow.point().bounds.begin(), narrow.point().bounds.end(),
                         wide.point().bounds.begin(), wide.point().bounds.end()));
  EXPECT_EQ(narrow.point().bounds.size(), 401u);
  EXPECT_EQ(narrow.labels(), "");
  EXPECT_EQ(Cumulative(Of({1e-3, 1e3}, 2)).labels(), "{native_histogram_schema=\"2\"}");
  EXPECT_EQ(Cumulative(Of({1e-3, 1e3}, -11)).labels(), "{native_histogram_schema=\"-10\"}");
}

TEST(ExponentialHistogram, ZeroAndWhatIsBelowIt) {
  Point point = Of({-5, 0, 0, 8}, 3);
  point.set_zero_threshold(0.25);
  const Read read = Cumulative(point);
  const auto& bounds = read.point().bounds;
  const auto place = [&](double bound) {
    return static_cast<std::size_t>(std::lower_bound(bounds.begin(), bounds.end(), bound) -
                                    bounds.begin());
  };
  EXPECT_EQ(read.point().bucket_counts[place(0.25)], 2u);
  EXPECT_EQ(read.point().bucket_counts[place(8)], 1u);
  EXPECT_EQ(read.point().bucket_counts.front(), 1u);
}

TEST(ExponentialHistogram, NoScaleAndNoOffsetIsTooFar) {
  for (const std::int32_t scale : {INT32_MIN, -11, 0, 20, 67, INT32_MAX}) {
    for (const std::int32_t offset : {INT32_MIN, -1, 0, INT32_MAX}) {
      Point point = Of({}, scale);
      point.mutable_positive()->set_offset(offset);
      for (const std::uint64_t n : {3, 0, 4}) point.mutable_positive()->add_bucket_counts(n);
      const Read read = Cumulative(point);
      std::uint64_t all = 0;
      for (const std::uint64_t n : read.point().bucket_counts) all += n;
      EXPECT_EQ(all, 7u);
      if (scale == 67) {  // so fine that all of one side lies next to 1
        EXPECT_GT(read.point().bucket_counts[17 * 8 + (offset < -3 ? 0 : 1)], 0u) << offset;
      }
    }
  }
}

TEST(ExponentialHistogram, WhatDoesNotAddUpIsRefused) {
  Point point = Of({1, 2}, 3);
  point.set_zero_count(UINT64_MAX);
  const Read read = Delta(point);
  ASSERT_EQ(read.out.rejections.size(), 1u);
  EXPECT_EQ(read.out.rejections[0].reason, admit::Refusal::kBadHistogram);
  EXPECT_EQ(read.out.refused.at("unknown_service"), 1u);

  point = Of({1, 2}, 3);
  point.set_count(3);
  const Read other = Delta(point);
  const auto admitted = admit::Admit(other.out.batches.at(0).input(), {},
                                     RealFromMs(kNowNano / 1'000'000), TimeMap{});
  ASSERT_TRUE(admitted.ok());
  ASSERT_EQ(admitted->rejections.size(), 1u);
  EXPECT_EQ(admitted->rejections[0].reason, admit::Refusal::kBadHistogram);
}

}  // namespace
}  // namespace liveops::ingest
