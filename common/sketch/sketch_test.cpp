#include "common/sketch/sketch.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "common/sketch/panes.h"

namespace liveops::sketch {
namespace {

double Exact(std::vector<double> values, double q) {
  std::sort(values.begin(), values.end());
  const auto rank =
      static_cast<std::size_t>(std::max(1.0, std::ceil(q * static_cast<double>(values.size()))));
  return values[rank - 1];
}

TEST(Sketch, RelativeErrorIsAtMostOnePerCent) {
  std::mt19937_64 random(7);
  std::lognormal_distribution<double> shape(3, 2);
  for (const int n : {1, 2, 20, 1000, 20000}) {
    Sketch sketch;
    std::vector<double> values;
    for (int i = 0; i < n; ++i) {
      values.push_back(shape(random));
      sketch.Add(values.back());
    }
    for (const double q : {0.0, 0.01, 0.5, 0.9, 0.95, 0.99, 0.999, 1.0}) {
      const double exact = Exact(values, q);
      EXPECT_NEAR(*sketch.Quantile(q), exact, exact * 0.01) << n << " values, q " << q;
    }
    EXPECT_EQ(sketch.count(), n);
  }
}

TEST(Sketch, OneValueIsGivenBackExactly) {
  Sketch sketch;
  for (int i = 0; i < 100; ++i) sketch.Add(512.3);
  EXPECT_EQ(*sketch.Quantile(0.95), 512.3);
  const Bounds bounds = Sketch::BinOf(512.3);
  EXPECT_LE(bounds.low, 512.3);
  EXPECT_GT(bounds.high, 512.3);
  EXPECT_LT((bounds.high - bounds.low) / bounds.low, 0.02);
}

TEST(Sketch, NegativeAndZeroValuesKeepTheirOrder) {
  Sketch sketch;
  for (const double v : {-100.0, -10.0, -1.0, 0.0, 0.0, 1.0, 10.0, 100.0}) sketch.Add(v);
  EXPECT_NEAR(*sketch.Quantile(0.0), -100, 1);
  EXPECT_NEAR(*sketch.Quantile(0.25), -10, 0.1);
  EXPECT_EQ(*sketch.Quantile(0.5), 0);
  EXPECT_NEAR(*sketch.Quantile(1.0), 100, 1);
}

TEST(Sketch, IgnoresWhatIsNoNumber) {
  Sketch sketch;
  sketch.Add(std::numeric_limits<double>::quiet_NaN());
  sketch.Add(std::numeric_limits<double>::infinity());
  sketch.Add(1, 0);
  sketch.Add(1, -1);
  EXPECT_TRUE(sketch.empty());
  EXPECT_FALSE(sketch.Quantile(0.5).has_value());
}

TEST(Sketch, MergeEqualsOneSketchOfAll) {
  std::mt19937_64 random(11);
  std::uniform_int_distribution<int> shape(-1000, 100000);
  Sketch whole;
  std::vector<Sketch> parts(7);
  for (int i = 0; i < 5000; ++i) {
    const double v = shape(random);
    whole.Add(v);
    parts[static_cast<std::size_t>(i) % parts.size()].Add(v);
  }
  Sketch merged;
  for (const Sketch& part : parts) merged.Merge(part);
  EXPECT_EQ(merged, whole);  // whole numbers add up exactly in any order
}

TEST(Sketch, HistogramIsLinearInsideTheBucket) {
  const std::vector<double> bounds{100, 200, 400};
  Sketch sketch;
  sketch.AddHistogram(bounds, std::vector<std::uint64_t>{0, 100, 0, 0}, 15000);
  EXPECT_EQ(sketch.count(), 100);
  EXPECT_EQ(sketch.sum(), 15000);
  for (const double q : {0.1, 0.25, 0.5, 0.75, 0.95}) {
    EXPECT_NEAR(*sketch.Quantile(q), 100 + 100 * q, (100 + 100 * q) * 0.01) << q;
  }
}

TEST(Sketch, HistogramEndsAreTheFirstAndTheLastBound) {
  const std::vector<double> bounds{10, 20};
  Sketch above;
  above.AddHistogram(bounds, std::vector<std::uint64_t>{0, 0, 5}, 500);
  EXPECT_EQ(*above.Quantile(0.99), 20);
  Sketch below;
  below.AddHistogram(bounds, std::vector<std::uint64_t>{100, 0, 0}, 500);
  EXPECT_NEAR(*below.Quantile(0.5), 5, 0.05);
  EXPECT_GE(*below.Quantile(0.0), 0);
  Sketch negative;
  negative.AddHistogram(std::vector<double>{-20, -10, 10}, std::vector<std::uint64_t>{0, 10, 20, 0},
                        0);
  EXPECT_NEAR(*negative.Quantile(0.2), -14, 0.5);
  EXPECT_NEAR(*negative.Quantile(0.99), 9.7, 0.3);
  EXPECT_NEAR(negative.count(), 30, 1e-9);
}

TEST(Sketch, BrokenHistogramsAreIgnored) {
  Sketch sketch;
  sketch.AddHistogram(std::vector<double>{1, 2}, std::vector<std::uint64_t>{1, 2}, 3);
  sketch.AddHistogram(std::vector<double>{2, 1}, std::vector<std::uint64_t>{1, 2, 3}, 3);
  sketch.AddHistogram(std::vector<double>{}, std::vector<std::uint64_t>{1}, 3);
  sketch.AddHistogram(std::vector<double>{std::numeric_limits<double>::infinity()},
                      std::vector<std::uint64_t>{1, 1}, 3);
  EXPECT_TRUE(sketch.empty());
  EXPECT_EQ(sketch.sum(), 0);
}

TEST(Sketch, BinsAreBoundedAndHighQuantilesStayRight) {
  Sketch sketch;
  std::vector<double> values;
  for (int e = -300; e <= 300; ++e) {
    for (int m = 0; m < 16; ++m) {
      values.push_back(std::ldexp(1.0 + m / 16.0, e));
      sketch.Add(values.back());
    }
  }
  EXPECT_LE(sketch.bins(), Sketch::kBinsMax);
  const double exact = Exact(values, 0.99);
  EXPECT_NEAR(*sketch.Quantile(0.99), exact, exact * 0.01);
}

TEST(Sketch, WritesAndReads) {
  Sketch sketch;
  for (int i = -50; i < 5000; i += 7) sketch.Add(i * 0.37);
  ByteWriter out;
  sketch.Write(out);
  ByteReader in(out.bytes());
  Sketch copy;
  ASSERT_TRUE(copy.Read(in));
  EXPECT_TRUE(in.AtEnd());
  EXPECT_EQ(copy, sketch);
  for (std::size_t cut = 0; cut < out.size(); cut += 5) {
    ByteReader part(std::string_view(out.bytes()).substr(0, cut));
    Sketch broken;
    EXPECT_FALSE(broken.Read(part)) << cut;
  }
}

TEST(Panes, IndexHoldsTheEnd) {
  EXPECT_EQ(PaneIndex(2000, 2000), 1);
  EXPECT_EQ(PaneIndex(2001, 2000), 2);
  EXPECT_EQ(PaneIndex(1, 2000), 1);
  EXPECT_EQ(PaneIndex(0, 2000), 0);
  EXPECT_EQ(PaneIndex(-1, 2000), 0);
  EXPECT_EQ(LastEnded(3999, 2000), 1);
  EXPECT_EQ(LastEnded(4000, 2000), 2);
  EXPECT_EQ(LastEnded(-1, 2000), -1);
}

TEST(Panes, KeepsTheOrderAndTheNewestBeforeTheWindow) {
  Panes<double> panes;
  for (const int i : {5, 7, 6, 30, 29}) panes.At(i) += i;
  double sum = 0;
  panes.ForRange(6, 29, [&](double v) { sum += v; });
  EXPECT_EQ(sum, 6 + 7 + 29);
  EXPECT_EQ(panes.NewestUpTo(28)->index, 7);
  EXPECT_EQ(panes.NewestUpTo(4), nullptr);
  for (int i = 31; i < 60; ++i) panes.At(i) = i;
  panes.DropBefore(50);
  EXPECT_EQ(panes.entries().front().index, 49);
}

}  // namespace
}  // namespace liveops::sketch
