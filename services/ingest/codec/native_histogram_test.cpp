#include "services/ingest/codec/native_histogram.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <random>
#include <string>

#include "remote_write_2.pb.h"

namespace liveops::ingest {
namespace {

namespace v2 = io::prometheus::write::v2;

// A program's histogram: what a client library would make of the observations.
v2::Histogram Of(const std::vector<double>& observations, int schema, bool floats = false,
                 double zero_threshold = 1e-10) {
  v2::Histogram out;
  out.set_schema(schema);
  out.set_zero_threshold(zero_threshold);
  std::map<std::int64_t, std::uint64_t> positive;
  std::map<std::int64_t, std::uint64_t> negative;
  std::uint64_t zeros = 0;
  double sum = 0;
  for (const double v : observations) {
    sum += v;
    if (std::abs(v) <= zero_threshold) {
      ++zeros;
    } else {
      // The bucket with index i ends at 2^(i * 2^-schema).
      const auto index =
          static_cast<std::int64_t>(std::ceil(std::log2(std::abs(v)) * std::exp2(schema) - 1e-12));
      ++(v > 0 ? positive : negative)[index];
    }
  }
  const auto lay = [&](const auto& buckets, auto* spans, auto* deltas, auto* counts) {
    std::int64_t next = 0;
    std::int64_t last = 0;
    for (const auto& [index, count] : buckets) {
      if (spans->empty() || index != next) {
        v2::BucketSpan& span = *spans->Add();
        span.set_offset(static_cast<std::int32_t>(index - next));
      }
      v2::BucketSpan& span = *spans->rbegin();
      span.set_length(span.length() + 1);
      next = index + 1;
      const auto signed_count = static_cast<std::int64_t>(count);
      if (floats) {
        counts->Add(static_cast<double>(count) + 0.25);
      } else {
        deltas->Add(signed_count - last);
      }
      last = signed_count;
    }
  };
  lay(positive, out.mutable_positive_spans(), out.mutable_positive_deltas(),
      out.mutable_positive_counts());
  lay(negative, out.mutable_negative_spans(), out.mutable_negative_deltas(),
      out.mutable_negative_counts());
  out.set_sum(sum);
  out.set_timestamp(1);
  if (floats) {
    out.set_count_float(static_cast<double>(observations.size()));
    out.set_zero_count_float(static_cast<double>(zeros));
  } else {
    out.set_count_int(observations.size());
    out.set_zero_count_int(zeros);
  }
  return out;
}

// How many observations the laid histogram has at or below a bound.
std::uint64_t UpTo(const NativeHistogram& laid, std::size_t bound) {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i <= bound; ++i) sum += laid.counts()[i];
  return sum;
}

TEST(NativeHistogram, EverySchemaCountsWhatLiesBelowEachOfItsBounds) {
  std::mt19937_64 random(7);
  for (int schema = -4; schema <= 8; ++schema) {
    std::vector<double> observations;
    for (int i = 0; i < 2000; ++i)
      observations.push_back(std::exp2(std::uniform_real_distribution<>(-12, 12)(random)));
    const v2::Histogram histogram = Of(observations, schema, schema % 2 == 0);
    NativeHistogram laid;
    ASSERT_TRUE(laid.Read(histogram.SerializeAsString()));
    ASSERT_EQ(laid.Lay(), std::nullopt) << schema;
    EXPECT_EQ(laid.count(), observations.size());
    EXPECT_LE(laid.counts().size(), 402u);
    for (std::size_t i = 0; i < laid.bounds().size(); ++i) {
      const auto below = std::count_if(observations.begin(), observations.end(),
                                       [&](double v) { return v <= laid.bounds()[i]; });
      ASSERT_EQ(UpTo(laid, i), static_cast<std::uint64_t>(below)) << schema << " " << i;
    }
    EXPECT_EQ(laid.ladder(), schema < 3 ? std::to_string(schema) : "");
  }
}

TEST(NativeHistogram, QuantilesAreAtMostOneBucketOff) {
  NativeHistogram laid;
  ASSERT_TRUE(laid.Read(Of({0.3}, 8).SerializeAsString()));
  ASSERT_EQ(laid.Lay(), std::nullopt);
  for (std::size_t i = 1; i < laid.bounds().size(); ++i)
    EXPECT_LT(laid.bounds()[i] / laid.bounds()[i - 1], 1.0906);
}

TEST(NativeHistogram, WhatLiesOffTheLadder) {
  const v2::Histogram histogram = Of({-5, -1e-3, 0, 1e-9, 1, 1e12, 1e300}, 3);
  NativeHistogram laid;
  ASSERT_TRUE(laid.Read(histogram.SerializeAsString()));
  ASSERT_EQ(laid.Lay(), std::nullopt);
  EXPECT_EQ(laid.counts().front(), 4u);
  EXPECT_EQ(laid.counts().back(), 2u);
  EXPECT_EQ(laid.count(), 7u);
}

TEST(NativeHistogram, AWideZeroBucketEndsWhereItEnds) {
  NativeHistogram laid;
  ASSERT_TRUE(laid.Read(Of({0.1, 0.2, 3}, 3, false, 0.25).SerializeAsString()));
  ASSERT_EQ(laid.Lay(), std::nullopt);
  const auto at = std::lower_bound(laid.bounds().begin(), laid.bounds().end(), 0.25);
  EXPECT_EQ(laid.counts()[static_cast<std::size_t>(at - laid.bounds().begin())], 2u);
}

TEST(NativeHistogram, CustomBoundsStayAsTheyAre) {
  v2::Histogram histogram;
  histogram.set_schema(-53);
  for (const double bound : {0.1, 0.5, 1.0}) histogram.add_custom_values(bound);
  v2::BucketSpan& span = *histogram.add_positive_spans();
  span.set_offset(1);
  span.set_length(3);
  for (const std::int64_t delta : {4, -1, 2}) histogram.add_positive_deltas(delta);
  histogram.set_count_int(12);
  NativeHistogram laid;
  ASSERT_TRUE(laid.Read(histogram.SerializeAsString()));
  ASSERT_EQ(laid.Lay(), std::nullopt);
  EXPECT_EQ(std::vector<double>(laid.bounds().begin(), laid.bounds().end()),
            (std::vector<double>{0.1, 0.5, 1}));
  EXPECT_EQ(std::vector<std::uint64_t>(laid.counts().begin(), laid.counts().end()),
            (std::vector<std::uint64_t>{0, 4, 3, 5}));
}

TEST(NativeHistogram, WhatDoesNotFitIsSaid) {
  const auto problem = [](const v2::Histogram& histogram) {
    NativeHistogram laid;
    EXPECT_TRUE(laid.Read(histogram.SerializeAsString()));
    return laid.Lay().value_or("none");
  };
  v2::Histogram good = Of({1, 2, 3, 100}, 3);
  EXPECT_EQ(problem(good), "none");
  v2::Histogram few = good;
  few.mutable_positive_deltas()->RemoveLast();
  v2::Histogram many = good;
  many.add_positive_deltas(1);
  v2::Histogram below = good;
  below.set_positive_deltas(0, -1);
  v2::Histogram over = good;
  over.set_positive_deltas(0, INT64_MAX);
  over.set_positive_deltas(1, INT64_MAX);
  v2::Histogram long_span = good;
  long_span.mutable_positive_spans(0)->set_length(UINT32_MAX);
  v2::Histogram not_a_count = Of({1, 2}, 3, true);
  not_a_count.set_positive_counts(0, std::nan(""));
  v2::Histogram schema = good;
  schema.set_schema(INT32_MIN);
  for (const auto& histogram : {few, many, below, over, long_span, not_a_count, schema})
    EXPECT_NE(problem(histogram), "none");
}

}  // namespace
}  // namespace liveops::ingest
