#include "services/liveopsctl/cli/values.h"

#include <gtest/gtest.h>

namespace liveops::ctl {
namespace {

TEST(ParseRfc3339, ReadsOffsetsAndFractions) {
  EXPECT_EQ(ParseRfc3339("1970-01-01T00:00:00Z").value(), 0);
  EXPECT_EQ(ParseRfc3339("2026-02-04T09:15:00Z").value(), 1770196500000);
  EXPECT_EQ(ParseRfc3339("2026-02-04 18:15:00.5+09:00").value(), 1770196500500);
  EXPECT_EQ(ParseRfc3339("2026-02-04T09:15:00.25Z").value(), 1770196500250);
  EXPECT_EQ(ParseRfc3339("2026-02-04T09:15:00.123456789Z").value(), 1770196500123);
  EXPECT_EQ(ParseRfc3339("2026-02-03T23:45:00-09:30").value(), 1770196500000);
  EXPECT_EQ(ParseRfc3339("2024-02-29T00:00:00Z").value(), 1709164800000);
}

TEST(ParseRfc3339, RefusesWhatIsNoTime) {
  for (const char* text :
       {"", "2026-02-04", "2026-02-04T09:15:00", "2026-02-30T00:00:00Z", "2025-02-29T00:00:00Z",
        "2026-02-04T24:00:00Z", "2026-02-04T09:60:00Z", "2026-02-04T09:15:00.Z",
        "2026-02-04T09:15:00Zx", "2026-02-04T09:15:00+9:00", "2026-13-04T09:15:00Z", "now"}) {
    EXPECT_FALSE(ParseRfc3339(text).ok()) << text;
  }
}

TEST(ParseSample, TakesNumbersOnly) {
  EXPECT_EQ(ParseSample("http_5xx_count=1e3")->value, 1000);
  for (const char* text : {"x", "=1", "x=", "x= 1", "x=1 ", "x=1;2", "x=inf", "x=1e999"}) {
    EXPECT_FALSE(ParseSample(text).ok()) << text;
  }
}

}  // namespace
}  // namespace liveops::ctl
