// The hand-written reader of OTLP against libprotobuf: whatever that takes is taken, and the same
// points come out.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "common/base/labels.h"
#include "common/wire/quiet_protobuf_for_tests.h"
#include "common/wire/wire_scribe_for_tests.h"
#include "opentelemetry/proto/collector/metrics/v1/metrics_service.pb.h"
#include "services/ingest/codec/attributes.h"
#include "services/ingest/codec/otlp.h"

namespace liveops::ingest {
namespace {

namespace otlp = opentelemetry::proto::metrics::v1;
using OtlpRequest = opentelemetry::proto::collector::metrics::v1::ExportMetricsServiceRequest;
using wire::testing::Chance;
using wire::testing::Scribe;

constexpr std::size_t kNoLimit = std::size_t{1} << 40;

// --- random requests ---

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
        metric.mutable_exponential_histogram()->add_data_points()->set_count(3);
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

// --- what came out, a line a point, in no order ---

struct Outcome {
  std::vector<std::string> points;
  std::uint64_t no_value = 0;
  std::map<std::string, std::uint64_t> refused;

  void Add(std::string_view service, int kind, std::string_view metric, std::string_view unit,
           std::string_view labels, std::int64_t time_ms, std::uint64_t duration_ms,
           const std::string& value) {
    const auto text = Labels::Decode(labels);
    points.push_back(fmt::format("{} {} {} {} {} {} {} {}", service, kind, metric, unit,
                                 text ? text->ToString() : "no labels", time_ms, duration_ms,
                                 value));
  }
  std::string Text() {
    std::sort(points.begin(), points.end());
    std::string out = fmt::format("{} without value\n", no_value);
    for (const auto& [service, n] : refused) out += fmt::format("{} refused of {}\n", n, service);
    for (const std::string& point : points) out += point + "\n";
    return out;
  }
};

std::string ValueText(double v) { return fmt::format("{:x}", std::bit_cast<std::uint64_t>(v)); }

template <typename Bounds, typename Counts>
std::string ValueText(std::uint64_t count, double sum, const Bounds& bounds, const Counts& counts) {
  std::string out = fmt::format("{} {}", count, ValueText(sum));
  for (const double b : bounds) out += " <" + ValueText(b);
  for (const std::uint64_t c : counts) out += fmt::format(" {}", c);
  return out;
}

std::string Read(const std::string& bytes) {
  const auto read = ReadOtlp(bytes, kNoLimit);
  if (!read.ok()) return "refused";
  Outcome out;
  out.no_value = read->no_value;
  out.refused = read->refused;
  for (const OtlpBatch& batch : read->batches) {
    const auto add = [&](std::uint32_t index, std::int64_t delta, std::uint64_t duration,
                         const std::string& value) {
      const admit::SeriesInput& s = batch.series[index];
      out.Add(batch.service, s.kind, batch.strings[s.metric], batch.strings[s.unit], s.labels,
              batch.base_time_ms + delta, duration, value);
    };
    for (std::size_t i = 0; i < batch.point_series.size(); ++i) {
      add(batch.point_series[i], batch.point_time_delta_ms[i], batch.point_duration_ms[i],
          ValueText(batch.point_value[i]));
    }
    for (const admit::HistogramInput& h : batch.histograms) {
      add(h.series, h.time_delta_ms, h.duration_ms,
          ValueText(h.count, h.sum, h.bounds, h.bucket_counts));
    }
  }
  return out.Text();
}

// --- what should: the data model, read from libprotobuf's objects ---

class Reference {
 public:
  static std::string Read(const std::string& bytes) {
    OtlpRequest request;
    if (!request.ParseFromString(bytes)) return "refused";
    Reference reference;
    for (const auto& resource : request.resource_metrics()) reference.Resource(resource);
    return reference.out_.Text();
  }

 private:
  void Resource(const otlp::ResourceMetrics& resource) {
    common_.clear();
    service_.clear();
    for (const auto& pair : resource.resource().attributes()) {
      if (pair.key() == "service.name") {
        service_ = AttributeText(pair.value());
      } else {
        common_.emplace_back(pair.key(), AttributeText(pair.value()));
      }
    }
    if (service_.empty()) service_ = "unknown_service";
    for (const auto& scope : resource.scope_metrics()) {
      for (const auto& metric : scope.metrics()) Metric(metric);
    }
  }

  void Metric(const otlp::Metric& metric) {
    constexpr auto kDelta = otlp::AGGREGATION_TEMPORALITY_DELTA;
    constexpr auto kCumulative = otlp::AGGREGATION_TEMPORALITY_CUMULATIVE;
    const auto refuse = [&](int points) {
      if (points > 0) out_.refused[service_] += static_cast<std::uint64_t>(points);
    };
    if (metric.has_gauge()) {
      for (const auto& point : metric.gauge().data_points()) Number(metric, point, 3);
    } else if (metric.has_sum()) {
      const auto& sum = metric.sum();
      const bool cumulative = sum.aggregation_temporality() == kCumulative;
      if (!cumulative && (sum.aggregation_temporality() != kDelta || !sum.is_monotonic()))
        return refuse(sum.data_points_size());
      const int kind = !sum.is_monotonic() ? 3 : cumulative ? 2 : 1;
      for (const auto& point : sum.data_points()) Number(metric, point, kind);
    } else if (metric.has_histogram()) {
      const auto& histogram = metric.histogram();
      const auto temporality = histogram.aggregation_temporality();
      if (temporality != kDelta && temporality != kCumulative)
        return refuse(histogram.data_points_size());
      for (const auto& point : histogram.data_points()) {
        Point(
            metric, point, temporality == kDelta ? 5 : 6,
            ValueText(point.count(), point.sum(), point.explicit_bounds(), point.bucket_counts()));
      }
    } else {
      refuse(metric.summary().data_points_size() +
             metric.exponential_histogram().data_points_size());
    }
  }

  void Number(const otlp::Metric& metric, const otlp::NumberDataPoint& point, int kind) {
    double value = std::numeric_limits<double>::quiet_NaN();
    if (point.has_as_double()) value = point.as_double();
    if (point.has_as_int()) value = static_cast<double>(point.as_int());
    Point(metric, point, kind, ValueText(value));
  }

  void Point(const otlp::Metric& metric, const auto& point, int kind, const std::string& value) {
    if ((point.flags() & 1) != 0) {
      ++out_.no_value;
      return;
    }
    const std::uint64_t start = point.start_time_unix_nano();
    const std::uint64_t time = point.time_unix_nano();
    if (start > time) {
      ++out_.refused[service_];
      return;
    }
    const auto time_ms = static_cast<std::int64_t>(time / 1'000'000);
    const std::uint64_t covered =
        start == 0 || kind == 3 ? 0 : time / 1'000'000 - start / 1'000'000;
    LabelPairs pairs = common_;
    AppendAttributes(point.attributes(), pairs);
    out_.Add(service_, kind, metric.name(), metric.unit(), Labels(std::move(pairs)).Encode(),
             time_ms, covered, value);
  }

  Outcome out_;
  std::string service_;
  LabelPairs common_;
};

using OtlpDifferential = wire::testing::QuietProtobuf;

TEST_F(OtlpDifferential, WhatLibprotobufTakesIsTakenAndTheSame) {
  std::size_t lines = 0;
  int refused = 0;
  for (std::uint64_t seed = 0; seed < 20'000; ++seed) {
    std::string bytes = Exporter(seed).Request().SerializeAsString();
    // A second message behind the first adds to it.
    if (seed % 7 == 0) bytes += Exporter(seed + 1'000'000).Request().SerializeAsString();
    const std::string expected = Reference::Read(bytes);
    ASSERT_EQ(Read(bytes), expected) << "seed " << seed;
    lines += static_cast<std::size_t>(std::count(expected.begin(), expected.end(), '\n'));
    const std::string damaged = Scribe(seed).Damaged(bytes);
    const std::string of_damaged = Reference::Read(damaged);
    if (of_damaged == "refused") {
      ++refused;
      (void)Read(damaged);  // what it does not look into it may take
    } else {
      ASSERT_EQ(Read(damaged), of_damaged) << "damaged, seed " << seed;
    }
  }
  EXPECT_GT(lines, 30'000u);
  EXPECT_GT(refused, 3000);
}

TEST_F(OtlpDifferential, EveryPrefixOfARequest) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const std::string whole = Exporter(seed).Request().SerializeAsString();
    for (std::size_t size = 0; size <= std::min<std::size_t>(whole.size(), 2000); ++size) {
      // On its own heap block, so that a read past the end is one that a sanitizer sees.
      const std::string bytes = whole.substr(0, size);
      const std::string expected = Reference::Read(bytes);
      if (expected == "refused") {
        (void)Read(bytes);
      } else {
        ASSERT_EQ(Read(bytes), expected) << seed << " cut to " << size;
      }
    }
  }
}

}  // namespace
}  // namespace liveops::ingest
