#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "common/plan/expression.h"

namespace liveops::plan {

inline Binding Metric(Binding::Kind kind, const std::string& metric, const std::string& unit,
                      double capacity = 0) {
  Binding binding;
  binding.kind = kind;
  binding.measure.value().metric = metric;
  binding.measure.unit = unit;
  binding.measure.capacity = capacity;
  return binding;
}

inline Binding Ratio(const std::string& part, const std::string& whole) {
  Binding binding = Metric(Binding::Kind::kMeasure, part, "");
  binding.measure.value().aggregate = Aggregate::kIncrease;
  binding.measure.operands.push_back(binding.measure.value());
  binding.measure.operands[1].metric = whole;
  binding.measure.form = Measure::Form::kRatio;
  return binding;
}

// The names that the tests of expressions use.
inline const Bindings& Seed() {
  static const Bindings bindings = [] {
    Bindings b;
    b.names["latency"] = Metric(Binding::Kind::kDistribution, "http_request_duration_ms", "ms");
    b.names["CPU"] = Metric(Binding::Kind::kMetric, "cpu_utilization", "%");
    b.names["Disk usage"] = Metric(Binding::Kind::kMetric, "disk_utilization", "%");
    b.names["DB connections"] = Metric(Binding::Kind::kMetric, "db_connection_count", "", 200);
    b.names["hit rate"] = Metric(Binding::Kind::kMetric, "redis_hit_rate", "1");
    b.names["heap"] = Metric(Binding::Kind::kMetric, "heap_bytes", "By");
    b.names["queue"] = Metric(Binding::Kind::kMetric, "queue_length", "jobs");
    b.names["5xx"] = Ratio("http_5xx_count", "http_request_count");
    b.names["5xx error"] = Ratio("http_5xx_count", "http_request_count");
    b.names["req/min"] = Metric(Binding::Kind::kMeasure, "http_request_count", "");
    b.names["req/min"].measure.value().aggregate = Aggregate::kRate;
    b.names["req/min"].measure.value().per = std::chrono::minutes(1);
    b.default_distribution = "latency";
    return b;
  }();
  return bindings;
}

// The canonical form, or "error OFFSET: message".
inline std::string Canonical(std::string_view text) {
  const auto parsed = ParseExpression(text, &Seed());
  if (!parsed.value)
    return "error " + std::to_string(parsed.error.offset) + ": " + parsed.error.message;
  return CanonicalText(*parsed.value);
}

}  // namespace liveops::plan
