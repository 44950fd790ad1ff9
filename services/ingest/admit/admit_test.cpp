#include "services/ingest/admit/admit.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "common/base/bytes.h"
#include "common/base/labels.h"

namespace liveops::admit {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::int64_t kNow = 1'770'000'000'000;

std::string Pairs(std::initializer_list<std::pair<std::string_view, std::string_view>> pairs) {
  ByteWriter writer;
  for (const auto& [name, value] : pairs) {
    writer.String(name);
    writer.String(value);
  }
  return writer.Take();
}

// A batch that owns its bytes, to be bent by the tests.
struct Batch {
  std::string service = "backend-api";
  std::vector<std::string> strings{"", "requests", "latency", "ms"};
  std::string labels = Pairs({{"endpoint", "/games"}});
  std::vector<SeriesInput> series{{1, 1, 0, labels}, {3, 2, 3, labels}, {5, 2, 3, labels}};
  std::int64_t base = kNow;
  std::vector<std::uint32_t> point_series{0, 1};
  std::vector<std::int64_t> times{-10, -5};
  std::vector<std::uint64_t> durations;
  std::vector<double> values{3, 120};
  std::vector<HistogramInput> histograms;
  Limits limits;
  TimeMap map;
  std::vector<std::string_view> views;

  Result<Admission> Admit() {
    views.assign(strings.begin(), strings.end());
    return admit::Admit(
        {service, views, series, base, point_series, times, durations, values, histograms}, limits,
        RealFromMs(kNow), map);
  }
  // Expects that of the two points the first is refused and the second kept.
  void ExpectFirstRefused(Refusal reason, const std::string& example) {
    const auto result = Admit();
    ASSERT_TRUE(result.ok()) << result.error().message;
    ASSERT_EQ(result->rejections.size(), 1u);
    EXPECT_EQ(result->rejections[0].reason, reason) << RefusalWord(result->rejections[0].reason);
    EXPECT_EQ(result->rejections[0].points, 1u);
    EXPECT_THAT(result->rejections[0].example, HasSubstr(example));
    EXPECT_THAT(result->batch.point_value, ElementsAre(120));
    ASSERT_EQ(result->batch.series.size(), 1u);
    EXPECT_EQ(result->batch.strings[result->batch.series[0].metric], "latency");
  }
  void ExpectInvalid(const std::string& message) {
    const auto result = Admit();
    ASSERT_FALSE(result.ok());
    EXPECT_EQ(result.error().code, ErrorCode::kInvalid);
    EXPECT_THAT(result.error().message, HasSubstr(message));
  }
};

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
  batch.ExpectFirstRefused(Refusal::kFuture, "requests{endpoint=\"/games\"}: its time is 10s");
  batch.times[0] = 10'000;
  EXPECT_TRUE(batch.Admit()->rejections.empty());
  batch.times[0] = 4'102'444'800'000 - kNow;  // 2100
  batch.ExpectFirstRefused(Refusal::kFuture, "ahead");
}

TEST(Admit, RefusesThePastByThePoint) {
  Batch batch;
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

TEST(Admit, RefusesUnknownSeries) {
  Batch batch;
  batch.point_series[0] = 3;
  batch.ExpectFirstRefused(Refusal::kUnknownSeries, "series index 3 of 3");
  batch.point_series[0] = UINT32_MAX;
  batch.ExpectFirstRefused(Refusal::kUnknownSeries, "4294967295");
}

TEST(Admit, RefusesBadMetricsAndUnits) {
  for (const std::string& name :
       {std::string(), std::string(256, 'm'), std::string("a\x1b[31m"), std::string("\xc3(")}) {
    Batch batch;
    batch.strings[1] = name;
    batch.ExpectFirstRefused(Refusal::kBadMetric, "");
  }
  Batch batch;
  batch.series[0].metric = 4;
  batch.ExpectFirstRefused(Refusal::kBadMetric, "series 0");
  batch.series[0] = {1, 1, 99, batch.labels};
  batch.ExpectFirstRefused(Refusal::kBadMetric, "string table");
  batch.strings.push_back(std::string(64, 'u'));
  batch.series[0].unit = 4;
  batch.ExpectFirstRefused(Refusal::kBadMetric, "unit");
}

TEST(Admit, RefusesBadLabels) {
  const auto refused = [](const std::string& labels, const std::string& why) {
    Batch batch;
    batch.series[0].labels = labels;
    batch.ExpectFirstRefused(Refusal::kBadLabels, why);
  };
  refused(Pairs({{"a", "1"}}).substr(0, 3), "cut off");
  refused(Pairs({{"a", "1"}}) +
              "\x01"
              "b",
          "cut off");
  refused("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", "cut off");
  refused(Pairs({{"a", "1"}, {"a", "2"}}), "twice");
  refused(Pairs({{"b", "1"}, {"a", "2"}, {"b", "1"}}), "twice");
  refused(Pairs({{"", "1"}}), "no name");
  refused(Pairs({{std::string(129, 'n'), "1"}}), "129 bytes");
  refused(Pairs({{"a", std::string(1025, 'v')}}), "1025 bytes");
  refused(Pairs({{"a\n", "1"}}), "control");
  refused(Pairs({{"a", "\xff"}}), "not UTF-8");
  ByteWriter many;
  for (int i = 0; i < 1000; ++i) {
    many.String("label" + std::to_string(i));
    many.String("x");
  }
  refused(many.bytes(), "more than 64 labels");
}

TEST(Admit, LabelsInAnyOrderAreOneSeries) {
  Batch batch;
  const std::string forth = Pairs({{"a", "1"}, {"b", "\r\n\x1b[31m<!channel>"}});
  const std::string back = Pairs({{"b", "\r\n\x1b[31m<!channel>"}, {"a", "1"}});
  batch.series = {{3, 1, 0, forth}, {3, 1, 0, back}};
  const auto result = batch.Admit();
  ASSERT_TRUE(result.ok());
  ASSERT_TRUE(result->rejections.empty());
  EXPECT_EQ(result->batch.series[0].fingerprint, result->batch.series[1].fingerprint);
  EXPECT_EQ(result->batch.series[1].labels, forth);
  EXPECT_TRUE(Labels::Decode(result->batch.series[1].labels));
}

TEST(Admit, ALengthSpelledInMoreBytesIsTheSameLabel) {
  Batch batch;
  const std::string spelled = std::string(
      "\x81\x00"
      "a\x01"
      "1",
      5);
  const std::string plain = Pairs({{"a", "1"}});
  batch.series = {{3, 1, 0, spelled}, {3, 1, 0, plain}};
  const auto result = batch.Admit();
  ASSERT_TRUE(result.ok());
  ASSERT_EQ(result->batch.series.size(), 2u);
  EXPECT_EQ(result->batch.series[0].fingerprint, result->batch.series[1].fingerprint);
}

TEST(Admit, TheFingerprintIsOfServiceMetricKindUnitAndLabels) {
  const auto fingerprint = [](auto bend) {
    Batch batch;
    bend(batch);
    return batch.Admit()->batch.series[0].fingerprint;
  };
  const Fingerprint plain = fingerprint([](Batch&) {});
  EXPECT_EQ(plain, fingerprint([](Batch& b) { b.values[0] = 9; }));
  EXPECT_NE(plain, fingerprint([](Batch& b) { b.service = "other"; }));
  EXPECT_NE(plain, fingerprint([](Batch& b) { b.strings[1] = "other"; }));
  EXPECT_NE(plain, fingerprint([](Batch& b) { b.series[0].kind = 2; }));
  EXPECT_NE(plain, fingerprint([](Batch& b) { b.series[0].unit = 3; }));
  EXPECT_NE(plain, fingerprint([](Batch& b) { b.series[0].labels = {}; }));
  const std::array<std::string_view, 5> parts = {"backend-api", "requests", "\x01", "",
                                                 "\x08"
                                                 "endpoint\x06/games"};
  EXPECT_EQ(plain, FingerprintOf(parts));
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
