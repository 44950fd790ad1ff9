#include "integration-tests/benchmarks/engine/population.h"

#include <gtest/gtest.h>

#include <set>

#include "integration-tests/benchmarks/engine/engine_run.h"
#include "services/rule-evaluation/codec/decoder.h"

namespace liveops::bench {
namespace {

PopulationOptions Small() {
  PopulationOptions options;
  options.services = 25;
  options.ruled_services = 25;
  return options;
}

TEST(Population, IsAlwaysTheSame) {
  Population a(Small());
  Population b(Small());
  for (int step = 0; step < 3; ++step) {
    const auto of_a = a.NextStep();
    const auto of_b = b.NextStep();
    ASSERT_EQ(of_a.size(), of_b.size());
    for (std::size_t i = 0; i < of_a.size(); ++i) {
      ASSERT_EQ(of_a[i].value, of_b[i].value);
      ASSERT_EQ(of_a[i].append, of_b[i].append);
    }
  }
}

TEST(Population, ARecordHoldsASampleOfEachSeriesOfAService) {
  Population population(Small());
  evaluation::Decoder decoder;
  std::set<Fingerprint> fingerprints;
  std::int64_t points = 0;
  RealTime last{};
  for (const LogRecord& record : population.NextStep()) {
    EXPECT_LE(last, record.append);
    last = record.append;
    const auto view = decoder.Decode(0, record.append, record.value);
    ASSERT_TRUE(view.ok()) << view.error().message;
    const auto* batch = std::get_if<engine::BatchView>(&(*view)->body);
    if (batch == nullptr) continue;
    EXPECT_EQ(batch->series.size(), 100u);
    EXPECT_EQ(batch->point_value.size(), 100u);
    points += static_cast<std::int64_t>(batch->point_value.size());
    for (const engine::SeriesView& series : batch->series) fingerprints.insert(series.fingerprint);
  }
  EXPECT_EQ(points, population.points_per_step());
  EXPECT_EQ(fingerprints.size(), static_cast<std::size_t>(population.series()));
}

TEST(Population, OnlyTheSickServiceAlarms) {
  for (const bool classic : {false, true}) {
    PopulationOptions options = Small();
    options.classic_buckets = classic;
    options.rules_per_service = 5;
    EngineRun run(options);
    run.Warm(Duration(360'000));
    EXPECT_EQ(run.fault(), "");
    EXPECT_EQ(run.fired(), 2);  // its two rules on the share of 5xx
    EXPECT_EQ(run.points_fed(), 72 * run.series());
  }
}

}  // namespace
}  // namespace liveops::bench
