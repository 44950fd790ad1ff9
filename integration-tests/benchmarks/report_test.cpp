#include "integration-tests/benchmarks/report.h"

#include <gtest/gtest.h>

namespace liveops::bench {
namespace {

TEST(Percentile, IsTheNearestRank) {
  std::vector<double> samples;
  for (int i = 100; i >= 1; --i) samples.push_back(i);
  EXPECT_EQ(Percentile(samples, 0.5), 50);
  EXPECT_EQ(Percentile(samples, 0.99), 99);
  EXPECT_EQ(Percentile(samples, 1.0), 100);
  EXPECT_EQ(Median({3, 1, 2}), 2);
}

TEST(Report, MarksAMissedLimit) {
  Report report;
  report.Add({"page_latency_p50_ms", 4.0, "ms", true, 5});
  report.Add({"page_latency_p99_ms", 31.0, "ms", true, 25});
  EXPECT_NE(report.Table().find("MISSED"), std::string::npos);
  EXPECT_EQ(report.Json(),
            "[\n  {\"name\": \"page_latency_p50_ms\", \"value\": 4, \"unit\": \"ms\", \"better\": "
            "\"lower\"},\n"
            "  {\"name\": \"page_latency_p99_ms\", \"value\": 31, \"unit\": \"ms\", \"better\": "
            "\"lower\"}\n]\n");
}

}  // namespace
}  // namespace liveops::bench
