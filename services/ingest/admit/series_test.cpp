// Which series and labels are admitted, and what makes two of them one.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "common/base/bytes.h"
#include "common/base/labels.h"
#include "services/ingest/admit/admit_test_support.h"
#include "services/ingest/admit/series_table.h"

namespace liveops::admit {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

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

// Room for so many.
struct Room : SeriesGuard {
  explicit Room(std::size_t series) : max(series) {}
  std::uint64_t generation() const override { return turns; }
  void Expect(const Fingerprint&) const override {}
  bool Keep(const Fingerprint& series) override {
    ++asked;
    if (!kept.contains(series) && kept.size() >= max) return false;
    kept.insert(series);
    return true;
  }
  std::string Full() const override { return "no room"; }
  std::size_t max;
  std::set<Fingerprint> kept;
  std::uint64_t turns = 1;
  int asked = 0;
};

TEST(Guard, ANewSeriesBeyondTheLimitIsRefusedByThePoint) {
  Room guard(1);
  Batch batch;
  const std::vector<std::string_view> strings(batch.strings.begin(), batch.strings.end());
  const BatchInput input{batch.service, strings, batch.series, batch.base, batch.point_series,
                         batch.times,   {},      batch.values, {}};
  for (int round = 0; round < 2; ++round) {
    const auto admission = Admit(input, batch.limits, RealFromMs(kNow), batch.map, &guard);
    ASSERT_TRUE(admission.ok()) << admission.error().message;
    EXPECT_THAT(admission->batch.point_value, testing::ElementsAre(3)) << "the known one stays";
    ASSERT_EQ(admission->rejections.size(), 1u);
    EXPECT_EQ(admission->rejections[0].reason, Refusal::kTooManySeries);
    EXPECT_EQ(admission->rejections[0].points, 1u);
    EXPECT_THAT(admission->rejections[0].example,
                testing::HasSubstr("latency{endpoint=\"/games\"}: no room"));
  }
}

TEST(Guard, APointThatIsRefusedAnywayMakesNothingKnown) {
  Room guard(5);
  Batch batch;
  batch.times = {7'200'000, 7'200'000};
  const std::vector<std::string_view> strings(batch.strings.begin(), batch.strings.end());
  const BatchInput input{batch.service, strings, batch.series, batch.base, batch.point_series,
                         batch.times,   {},      batch.values, {}};
  ASSERT_TRUE(Admit(input, batch.limits, RealFromMs(kNow), batch.map, &guard).ok());
  EXPECT_EQ(guard.kept.size(), 0u);
}

// A stream's table asks once a turn, and is known again after each.
TEST(Guard, ALongStreamKeepsItsSeriesKnown) {
  Room guard(1);
  Batch batch;
  const std::vector<std::string_view> strings(batch.strings.begin(), batch.strings.end());
  const BatchInput input{batch.service, strings, batch.series, batch.base, batch.point_series,
                         batch.times,   {},      batch.values, {}};
  SeriesTable table(batch.service, batch.limits);
  table.Add(strings, batch.series);
  for (int turn = 0; turn < 4; ++turn) {
    const auto admission = Admit(input, table, batch.limits, RealFromMs(kNow), batch.map, &guard);
    ASSERT_TRUE(admission.ok());
    EXPECT_THAT(admission->batch.point_value, testing::ElementsAre(3)) << turn;
    EXPECT_EQ(guard.kept.size(), 1u);
    EXPECT_EQ(guard.asked, 2 * turn + 2) << "once a generation, and who was refused again";
    ++guard.turns;
  }
}

}  // namespace
}  // namespace liveops::admit
