#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/bytes.h"
#include "services/ingest/admit/admit.h"

// For the tests of this folder.
namespace liveops::admit {

inline constexpr std::int64_t kNow = 1'770'000'000'000;

inline std::string Pairs(
    std::initializer_list<std::pair<std::string_view, std::string_view>> pairs) {
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
    EXPECT_THAT(result->rejections[0].example, testing::HasSubstr(example));
    EXPECT_THAT(result->batch.point_value, testing::ElementsAre(120));
    ASSERT_EQ(result->batch.series.size(), 1u);
    EXPECT_EQ(result->batch.strings[result->batch.series[0].metric], "latency");
  }
  void ExpectInvalid(const std::string& message) {
    const auto result = Admit();
    ASSERT_FALSE(result.ok());
    EXPECT_EQ(result.error().code, ErrorCode::kInvalid);
    EXPECT_THAT(result.error().message, testing::HasSubstr(message));
  }
};

}  // namespace liveops::admit
