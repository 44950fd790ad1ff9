#include "services/ingest/source/statsd/aggregator.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

namespace liveops::ingest::statsd {
namespace {

SteadyTime At(std::int64_t ms) { return SteadyTime(Duration(1'000'000 + ms)); }

class Aggregating : public testing::Test {
 protected:
  void Add(std::string_view packet, std::int64_t ms = 0) {
    const PacketCount count =
        ReadPacket(packet, [&](const Sample& s) { room_ = aggregator_.Add(s, At(ms)) && room_; });
    EXPECT_GT(count.values, 0u) << packet;
  }
  // By "service/metric{labels}"; of the flush from..to.
  void Flush(std::int64_t from, std::int64_t to) {
    batches_ = aggregator_.Flush(At(from), At(to));
    values_.clear();
    histograms_.clear();
    for (const auto& batch : batches_) {
      const admit::BatchInput in = batch->Input(RealFromMs(1'770'000'000'000));
      const auto name = [&](std::uint32_t series) {
        const admit::SeriesInput& s = in.series[series];
        units_.push_back(std::string(in.strings[s.unit]));
        return std::string(in.service) + "/" + std::string(in.strings[s.metric]) +
               Labels::Decode(s.labels)->ToString();
      };
      for (std::size_t i = 0; i < in.point_value.size(); ++i) {
        values_[name(in.point_series[i])] = in.point_value[i];
        kinds_[name(in.point_series[i])] = in.series[in.point_series[i]].kind;
        covered_[name(in.point_series[i])] = in.point_duration_ms[i];
      }
      for (const admit::HistogramInput& h : in.histograms) histograms_[name(h.series)] = h;
      // All of it is admitted.
      const auto admission = admit::Admit(in, {}, RealFromMs(1'770'000'000'000), {});
      ASSERT_TRUE(admission.ok()) << admission.error().message;
      EXPECT_EQ(admission->rejected_points(), 0u);
    }
  }

  Aggregator aggregator_{{"default", 3, Duration(60'000)}};
  bool room_ = true;
  std::vector<std::unique_ptr<admit::BatchBuilder>> batches_;
  std::map<std::string, double> values_;
  std::map<std::string, int> kinds_;
  std::map<std::string, std::uint64_t> covered_;
  std::map<std::string, admit::HistogramInput> histograms_;
  std::vector<std::string> units_;
};

TEST_F(Aggregating, CountersAreSummedAndScaledByTheirRate) {
  Add("hits:1|c\nhits:3|c|@0.1\nhits:2|c|#service:shop");
  Flush(0, 10'000);
  EXPECT_EQ(values_["default/hits"], 31);
  EXPECT_EQ(values_["shop/hits"], 2);
  EXPECT_EQ(kinds_["default/hits"], static_cast<int>(admit::SeriesKind::kCounterDelta));
  EXPECT_EQ(covered_["default/hits"], 10'000u);
  Flush(10'000, 20'000);
  EXPECT_EQ(values_["default/hits"], 0) << "none since";
}

TEST_F(Aggregating, OfAGaugeTheLastReadingStands) {
  Add("q:5|g\nq:7|g\nq:+3|g\nq:-4|g");
  Flush(0, 10'000);
  EXPECT_EQ(values_["default/q"], 6);
  EXPECT_EQ(kinds_["default/q"], static_cast<int>(admit::SeriesKind::kGauge));
  Add("q:-1|g", 12'000);
  Flush(10'000, 20'000);
  EXPECT_EQ(values_["default/q"], 5);
  Flush(20'000, 30'000);
  EXPECT_EQ(values_["default/q"], 5);
}

TEST_F(Aggregating, ASilentSeriesIsForgotten) {
  Add("q:5|g");
  Flush(50'000, 59'999);
  EXPECT_EQ(values_.size(), 1u);
  Flush(59'999, 60'000);
  EXPECT_EQ(values_.size(), 0u);
  EXPECT_EQ(aggregator_.size(), 0u);
}

TEST_F(Aggregating, TimingsAreCountedInBucketsThatAreNearTheTruth) {
  Add("t:100|ms\nt:100:100:100|ms\nt:200|ms|@0.25\nt:0|ms");
  Flush(0, 10'000);
  ASSERT_TRUE(histograms_.contains("default/t"));
  const admit::HistogramInput& h = histograms_["default/t"];
  EXPECT_EQ(h.count, 9u);
  EXPECT_EQ(h.sum, 400 + 800);
  EXPECT_EQ(std::accumulate(h.bucket_counts.begin(), h.bucket_counts.end(), std::uint64_t{0}), 9u);
  for (std::size_t i = 0; i < h.bounds.size(); ++i) {
    if (h.bucket_counts[i] != 4) continue;
    const double truth = h.bounds[i] < 150 ? 100 : 200;
    EXPECT_GE(h.bounds[i], truth);
    EXPECT_LT(h.bounds[i - 1], truth);
    EXPECT_LE(h.bounds[i], truth * 1.0443);
  }
  EXPECT_EQ(units_.back(), "ms");
  Flush(10'000, 20'000);
  EXPECT_EQ(histograms_["default/t"].count, 0u);
}

TEST_F(Aggregating, AnyNumberFindsABucket) {
  Add("t:1e308|d\nt:-5|d\nt:1e-300|d\nt:0|d");
  Flush(0, 10'000);
  EXPECT_EQ(histograms_["default/t"].count, 4u);
}

TEST_F(Aggregating, NewcomersBeyondTheRoomAreRefused) {
  Add("a:1|c\nb:1|c\nc:1|c");
  EXPECT_TRUE(room_);
  Add("d:1|c");
  EXPECT_FALSE(room_);
  Add("a:1|c");
  Flush(0, 10'000);
  EXPECT_EQ(values_["default/a"], 2) << "what is known goes on";
  EXPECT_EQ(values_.size(), 3u);
}

}  // namespace
}  // namespace liveops::ingest::statsd
