#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/base/time.h"

namespace liveops::bench {

// What the engine is measured with: services whose every instance has 20 series, a sample of each
// every 5 s, and a rule for each service.
struct PopulationOptions {
  int services = 1000;
  int instances = 5;  // of a service
  int ruled_services = 1000;
  int rules_per_service = 1;
  Duration ratio_window{180'000};
  Duration quantile_window{300'000};
  Duration gauge_window{60'000};
  // Request durations as 12 classic cumulative buckets a instance, series of their own with a label
  // `le`; or, as OpenTelemetry has it, as one histogram with 11 bounds.
  bool classic_buckets = true;
};

// A record of metrics.v1.
struct LogRecord {
  RealTime append{};
  std::string value;
};

// The log of such a population, always the same. Of each instance:
//   http_requests_total              cumulative, by `code`: 200, 201, 301, 404, 500, 503
//   http_request_duration_seconds    cumulative, by `le`: .005 … 10, +Inf (or a histogram)
//   cpu, memory                      gauges
// with the labels service, instance, region, env. Rule i of service s is, by (s + i) % 5,
//   0, 1: the share of 500 and 503 over 3 min > 5 %
//   2, 3: p95(http_request_duration_seconds) over 5min > 0.8s
//   4:    avg(cpu) by instance > 90 for 5min
// In svc-0 every seventh request fails; nothing else is wrong anywhere.
//
// A MetricBatch is of one service, and its points must not be older than the watermark: so a record
// holds one sample of each of a service's series (100), and 2,000 points that a collector gathers
// at one moment are 20 records with one event time.
class Population {
 public:
  static constexpr std::int64_t kStepMs = 5000;

  explicit Population(const PopulationOptions& options);

  std::int64_t series() const;
  std::int64_t points_per_step() const { return series(); }
  // A tick, then the plan of each service.
  std::vector<LogRecord> Opening() const;
  // The next 5 s: a tick each 250 ms and a record of each service.
  std::vector<LogRecord> NextStep();
  static std::string ServiceName(int service);
  std::string PlanOf(int service) const;

 private:
  static constexpr int kCodes = 6;
  static constexpr int kBuckets = 12;

  struct Instance {
    double codes[kCodes] = {};
    std::uint64_t buckets[kBuckets] = {};  // in each, not cumulative over them
    double seconds = 0;
  };

  LogRecord TickAt(std::int64_t at_ms) const;
  LogRecord RecordOf(int service, std::int64_t at_ms);
  void Advance(int service, Instance& instance, std::uint64_t salt) const;
  // What no sample changes: the first fields of a service's batch.
  std::string FixedPart(int service) const;

  const PopulationOptions options_;
  std::int64_t step_ = 0;
  std::vector<std::string> fixed_;  // by service
  std::vector<Instance> instances_;
};

}  // namespace liveops::bench
