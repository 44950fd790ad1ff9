#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/labels.h"
#include "common/wire/text_for_tests.h"
#include "opentelemetry/proto/collector/metrics/v1/metrics_service.pb.h"
#include "services/ingest/codec/attributes.h"
#include "services/ingest/codec/otlp.h"

// For tests: what the hand-written reader makes of an OTLP request, and what the data model, read
// from libprotobuf's objects, makes of it, as text.
namespace liveops::ingest::testing {

namespace otlp = opentelemetry::proto::metrics::v1;

// --- what came out, a line a point, in no order ---

struct OtlpPoints {
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

inline std::string ValueText(double v) { return wire::testing::Bits(v); }

template <typename Bounds, typename Counts>
std::string ValueText(std::uint64_t count, double sum, const Bounds& bounds, const Counts& counts) {
  std::string out = fmt::format("{} {}", count, ValueText(sum));
  for (const double b : bounds) out += " <" + ValueText(b);
  for (const std::uint64_t c : counts) out += fmt::format(" {}", c);
  return out;
}

inline std::string Read(std::string_view bytes, std::size_t bytes_max = std::size_t{1} << 40) {
  const auto read = ReadOtlp(bytes, bytes_max);
  if (!read.ok()) return "refused";
  OtlpPoints out;
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
  static std::string Read(std::string_view bytes) {
    OtlpRequest request;
    if (!request.ParseFromString(std::string(bytes))) return "refused";
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
    } else if (metric.has_exponential_histogram()) {
      const auto& histogram = metric.exponential_histogram();
      const auto temporality = histogram.aggregation_temporality();
      if (temporality != kDelta && temporality != kCumulative)
        return refuse(histogram.data_points_size());
      for (const auto& point : histogram.data_points())
        ExponentialPoint(metric, point, temporality == kDelta);
    } else {
      refuse(metric.summary().data_points_size());
    }
  }

  void Number(const otlp::Metric& metric, const otlp::NumberDataPoint& point, int kind) {
    double value = std::numeric_limits<double>::quiet_NaN();
    if (point.has_as_double()) value = point.as_double();
    if (point.has_as_int()) value = static_cast<double>(point.as_int());
    Point(metric, point, kind, ValueText(value));
  }

  // Each bucket by the exponent of its upper bound; fine ones are halved together until they are
  // of scale 3.
  void ExponentialPoint(const otlp::Metric& metric,
                        const otlp::ExponentialHistogramDataPoint& point, bool delta) {
    const std::int32_t scale = std::min(point.scale(), 3);
    const double step = std::ldexp(1.0, -std::max(scale, -1000));
    std::vector<double> bounds;
    for (int i = -17 * 8; i <= 33 * 8; ++i) {
      const double exponent = i / 8.0;
      if (std::fmod(exponent, step) == 0) bounds.push_back(exponent);
    }
    std::vector<std::uint64_t> kept(bounds.size() + 1);
    std::uint64_t total = 0;
    bool overflow = false;
    const auto count_at = [&](std::size_t place, std::uint64_t count) {
      kept[place] += count;
      overflow |= __builtin_add_overflow(total, count, &total);
    };
    std::size_t zero_place = 0;
    for (const double bound : bounds) zero_place += std::exp2(bound) < point.zero_threshold();
    count_at(zero_place, point.zero_count());
    for (const std::uint64_t count : point.negative().bucket_counts()) count_at(0, count);
    std::int64_t index = point.positive().offset();
    for (const std::uint64_t count : point.positive().bucket_counts()) {
      std::int64_t merged = index++;
      for (std::int64_t s = std::min<std::int64_t>(point.scale(), 100); s > 3; --s) merged >>= 1;
      const double end = static_cast<double>(merged + 1) * step;
      std::size_t place = 0;
      for (const double bound : bounds) place += bound < end;
      count_at(place, count);
    }
    const bool told =
        (point.flags() & 1) == 0 && point.start_time_unix_nano() <= point.time_unix_nano();
    if (told && overflow) {
      ++out_.refused[service_];
      return;
    }
    std::vector<double> values;
    for (const double bound : bounds) values.push_back(std::exp2(bound));
    LabelPairs ladder;
    if (delta) {
      // Of the empty buckets at both ends one stays, to show where the next begins.
      while (kept.size() > 2 && kept.back() == 0 && kept[kept.size() - 2] == 0) {
        kept.pop_back();
        values.pop_back();
      }
      while (kept.size() > 2 && kept[0] == 0 && kept[1] == 0) {
        kept.erase(kept.begin());
        values.erase(values.begin());
      }
    } else if (scale < 3) {
      ladder.emplace_back("native_histogram_schema", std::to_string(std::max(scale, -10)));
    }
    Point(metric, point, delta ? 5 : 6, ValueText(point.count(), point.sum(), values, kept),
          ladder);
  }

  void Point(const otlp::Metric& metric, const auto& point, int kind, const std::string& value,
             const LabelPairs& more = {}) {
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
    pairs.insert(pairs.end(), more.begin(), more.end());
    out_.Add(service_, kind, metric.name(), metric.unit(), Labels(std::move(pairs)).Encode(),
             time_ms, covered, value);
  }

  OtlpPoints out_;
  std::string service_;
  LabelPairs common_;
};

}  // namespace liveops::ingest::testing
