#include "deploy/local/workload/model.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

namespace liveops::workload {
namespace {

struct Totals {
  double requests = 0;
  double failed = 0;
  double minutes = 0;
  double connections_max = 0;
  double cpu_max = 0;
  std::vector<double> latencies;

  double Quantile(double q) {
    std::sort(latencies.begin(), latencies.end());
    return latencies[static_cast<std::size_t>(q * static_cast<double>(latencies.size() - 1))];
  }
};

Totals Play(bool bad, int steps) {
  const ModelOptions options;
  Totals totals;
  for (int instance = 0; instance < options.instances; ++instance) {
    InstanceModel model(options, instance);
    for (int i = 0; i < steps; ++i) {
      for (const Sample& sample : model.Step(bad)) {
        if (sample.metric == "http_request_count") totals.requests += sample.value;
        if (sample.metric == "http_5xx_count") totals.failed += sample.value;
        if (sample.metric == "http_request_duration_ms") totals.latencies.push_back(sample.value);
        if (sample.metric == "db_connection_count") {
          totals.connections_max = std::max(totals.connections_max, sample.value);
        }
        if (sample.metric == "cpu_utilization")
          totals.cpu_max = std::max(totals.cpu_max, sample.value);
      }
    }
  }
  totals.minutes = steps * 5.0 / 60;
  return totals;
}

TEST(Model, AGoodVersionKeepsItsObjectives) {
  Totals totals = Play(false, 720);
  EXPECT_GT(totals.requests / totals.minutes, 600);
  EXPECT_LT(totals.requests / totals.minutes, 900);
  EXPECT_LT(totals.failed / totals.requests, 0.001);
  EXPECT_GT(totals.Quantile(0.95), 100);
  EXPECT_LT(totals.Quantile(0.95), 140);
  EXPECT_LT(totals.Quantile(0.99), 250);
  EXPECT_LT(totals.cpu_max, 70);
}

TEST(Model, TheBadVersionFailsAndIsSlow) {
  Totals totals = Play(true, 720);
  EXPECT_GT(totals.failed / totals.requests, 0.07);
  EXPECT_LT(totals.failed / totals.requests, 0.09);
  EXPECT_GT(totals.Quantile(0.95), 820);
  EXPECT_LT(totals.Quantile(0.95), 980);
  // Other alarms than those of errors and latency stay quiet: 80 % of 200 connections, 90 % CPU.
  EXPECT_LT(totals.connections_max, 150);
  EXPECT_LT(totals.cpu_max, 85);
}

TEST(Model, TheSameSeedGivesTheSameSamples) {
  const ModelOptions options;
  InstanceModel one(options, 1);
  InstanceModel two(options, 1);
  for (int i = 0; i < 20; ++i) {
    const auto a = one.Step(i > 10);
    const auto b = two.Step(i > 10);
    ASSERT_EQ(a.size(), b.size());
    for (std::size_t k = 0; k < a.size(); ++k) EXPECT_EQ(a[k].value, b[k].value);
  }
}

TEST(Model, CumulativeCountersNeverFall) {
  InstanceModel model(ModelOptions{}, 0);
  double last = 0;
  for (int i = 0; i < 100; ++i) {
    for (const Sample& sample : model.Step(false)) {
      if (sample.kind != Kind::kCounterCumulative) continue;
      EXPECT_GE(sample.value, last);
      last = sample.value;
    }
  }
  EXPECT_GT(last, 0);
}

TEST(TagOf, KnowsATagFromARegistrysPort) {
  EXPECT_EQ(TagOf("backend-api:2.4.0"), "2.4.0");
  EXPECT_EQ(TagOf("registry:5000/backend-api:2.4.0"), "2.4.0");
  EXPECT_EQ(TagOf("registry:5000/backend-api"), "");
  EXPECT_EQ(TagOf("backend-api"), "");
}

}  // namespace
}  // namespace liveops::workload
