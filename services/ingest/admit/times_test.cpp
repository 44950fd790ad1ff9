#include <gtest/gtest.h>

#include "services/ingest/admit/admit.h"

namespace liveops::admit {
namespace {

TEST(MedianTime, IsThatOfTheBatch) {
  const std::vector<std::int64_t> deltas = {5, -7, 3'600'000};
  BatchInput batch;
  EXPECT_FALSE(MedianTime(batch));
  batch.base_time_ms = 1000;
  batch.point_time_delta_ms = deltas;
  EXPECT_EQ(MedianTime(batch), RealFromMs(1005));
  HistogramInput histogram;
  histogram.time_delta_ms = -9;
  const std::vector<HistogramInput> histograms(4, histogram);
  batch.histograms = histograms;
  EXPECT_EQ(MedianTime(batch), RealFromMs(991));
  batch.base_time_ms = INT64_MAX;  // what overflows is no time
  EXPECT_EQ(MedianTime(batch), RealFromMs(INT64_MAX - 9));
}

TEST(MedianTime, LooksAtAFewOfAMillion) {
  const std::vector<std::int64_t> deltas(1'000'000, 3);
  BatchInput batch;
  batch.point_time_delta_ms = deltas;
  EXPECT_EQ(MedianTime(batch), RealFromMs(3));
}

TEST(Admission, TellsWhetherATimeWasRefused) {
  Admission admission;
  admission.Reject(Refusal::kNotFinite, 1, "");
  EXPECT_FALSE(admission.refused_for_time());
  admission.Reject(Refusal::kTooOld, 1, "");
  EXPECT_TRUE(admission.refused_for_time());
}

}  // namespace
}  // namespace liveops::admit
