#pragma once

#include <cstdint>

#include "common/wire/wire_scribe_for_tests.h"
#include "opentelemetry/proto/collector/metrics/v1/metrics_service.pb.h"

// For tests: random requests of every shape that OTLP's metrics have.
namespace liveops::ingest::testing {

namespace otlp = opentelemetry::proto::metrics::v1;
using OtlpRequest = opentelemetry::proto::collector::metrics::v1::ExportMetricsServiceRequest;
using wire::testing::Chance;

class Exporter {
 public:
  explicit Exporter(std::uint64_t seed) : chance_(seed) {}

  OtlpRequest Request() {
    OtlpRequest request;
    for (std::uint64_t n = chance_.Below(3); n > 0; --n) Resource(*request.add_resource_metrics());
    return request;
  }

 private:
  void Value(opentelemetry::proto::common::v1::AnyValue& value, int depth) {
    switch (chance_.Below(depth > 0 ? 12 : 8)) {
      case 0:
        return value.set_int_value(static_cast<std::int64_t>(chance_.Number()));
      case 1:
        return value.set_bool_value(chance_.OneIn(2));
      case 2:
        return value.set_double_value(chance_.Double());
      case 3:
        return value.set_bytes_value("\xff\x01");
      case 4:
        return;
      case 8:
        for (std::uint64_t n = chance_.Below(3); n > 0; --n)
          Value(*value.mutable_array_value()->add_values(), depth - 1);
        return;
      case 9:
        for (std::uint64_t n = chance_.Below(3); n > 0; --n)
          Pair(*value.mutable_kvlist_value()->add_values(), depth - 1);
        return;
      default:
        return value.set_string_value(chance_.Pick({"", "a", "größe", "GET", "/api/v1"}));
    }
  }
  void Pair(opentelemetry::proto::common::v1::KeyValue& pair, int depth = 2) {
    pair.set_key(chance_.Pick({"", "service.name", "host", "code", "zone", "endpoint"}));
    if (!chance_.OneIn(10)) Value(*pair.mutable_value(), depth);
  }
  void Pairs(auto* pairs) {
    for (std::uint64_t n = chance_.Below(5); n > 0; --n) Pair(*pairs->Add());
  }
  void Times(auto& point) {
    if (!chance_.OneIn(6)) point.set_time_unix_nano(chance_.Number());
    if (chance_.OneIn(2)) point.set_start_time_unix_nano(chance_.Number());
    if (chance_.OneIn(8)) point.set_flags(static_cast<std::uint32_t>(chance_.Below(4)));
    Pairs(point.mutable_attributes());
    if (chance_.OneIn(10)) point.add_exemplars()->set_as_double(1);
  }
  void Numbers(auto* points) {
    for (std::uint64_t n = chance_.Below(4); n > 0; --n) {
      otlp::NumberDataPoint& point = *points->Add();
      Times(point);
      if (chance_.OneIn(3)) {
        point.set_as_int(static_cast<std::int64_t>(chance_.Number()));
      } else if (!chance_.OneIn(9)) {
        point.set_as_double(chance_.Double());
      }
    }
  }
  std::int32_t Signed(std::int32_t usual) {
    if (chance_.OneIn(10)) return static_cast<std::int32_t>(chance_.Number());
    return static_cast<std::int32_t>(chance_.Below(static_cast<std::uint64_t>(2 * usual))) - usual;
  }
  void Buckets(otlp::ExponentialHistogramDataPoint::Buckets& buckets) {
    buckets.set_offset(Signed(300));
    for (std::uint64_t n = chance_.Below(8); n > 0; --n)
      buckets.add_bucket_counts(chance_.OneIn(10) ? chance_.Number() : chance_.Below(200));
  }
  void Exponential(otlp::ExponentialHistogramDataPoint& point) {
    Times(point);
    point.set_scale(Signed(24));
    point.set_count(chance_.Number());
    if (chance_.OneIn(2)) point.set_sum(chance_.Double());
    if (chance_.OneIn(2)) point.set_zero_count(chance_.Below(5));
    if (chance_.OneIn(2)) point.set_zero_threshold(chance_.Double());
    if (!chance_.OneIn(4)) Buckets(*point.mutable_positive());
    if (chance_.OneIn(3)) Buckets(*point.mutable_negative());
    if (chance_.OneIn(2)) point.set_min(chance_.Double());
  }
  void Metric(otlp::Metric& metric) {
    metric.set_name(chance_.Pick({"", "cpu", "http.server.duration", "queue"}));
    metric.set_unit(chance_.Pick({"", "ms", "1"}));
    const auto temporality = static_cast<otlp::AggregationTemporality>(chance_.Below(4));
    switch (chance_.Below(7)) {
      case 0:
        return Numbers(metric.mutable_gauge()->mutable_data_points());
      case 1:
      case 2:
        metric.mutable_sum()->set_aggregation_temporality(temporality);
        metric.mutable_sum()->set_is_monotonic(!chance_.OneIn(3));
        return Numbers(metric.mutable_sum()->mutable_data_points());
      case 3:
        metric.mutable_histogram()->set_aggregation_temporality(temporality);
        for (std::uint64_t n = chance_.Below(3); n > 0; --n) {
          otlp::HistogramDataPoint& point = *metric.mutable_histogram()->add_data_points();
          Times(point);
          point.set_count(chance_.Number());
          if (chance_.OneIn(2)) point.set_sum(chance_.Double());
          for (std::uint64_t b = chance_.Below(4); b > 0; --b)
            point.add_explicit_bounds(chance_.Double());
          for (std::uint64_t b = chance_.Below(4); b > 0; --b)
            point.add_bucket_counts(chance_.Number());
        }
        return;
      case 4:
        metric.mutable_summary()->add_data_points()->set_count(3);
        return;
      case 5:
        metric.mutable_exponential_histogram()->set_aggregation_temporality(temporality);
        for (std::uint64_t n = chance_.Below(3); n > 0; --n)
          Exponential(*metric.mutable_exponential_histogram()->add_data_points());
        return;
      default:
        return;
    }
  }
  void Resource(otlp::ResourceMetrics& resource) {
    Pairs(resource.mutable_resource()->mutable_attributes());
    for (std::uint64_t s = chance_.Below(3); s > 0; --s) {
      auto& scope = *resource.add_scope_metrics();
      scope.mutable_scope()->set_name("library");
      for (std::uint64_t n = chance_.Below(4); n > 0; --n) Metric(*scope.add_metrics());
    }
  }

  Chance chance_;
};

}  // namespace liveops::ingest::testing
