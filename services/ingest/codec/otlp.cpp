#include "services/ingest/codec/otlp.h"

#include <limits>
#include <map>
#include <unordered_map>

#include "common/base/bytes.h"
#include "common/base/labels.h"
#include "common/base/text.h"
#include "services/ingest/codec/attributes.h"

namespace liveops::ingest {
namespace {

namespace otlp = opentelemetry::proto::metrics::v1;

constexpr std::string_view kServiceAttribute = "service.name";
constexpr const char* kUnknownService = "unknown_service";
constexpr std::size_t kPointBytes =
    24;  // upper estimate of a point in a record, without its series
constexpr std::size_t kSeriesBytes = 40;  // of a series, without its strings
constexpr std::int64_t kNanosPerMs = 1'000'000;

std::int64_t MsOfNanos(std::uint64_t nanos) {
  return static_cast<std::int64_t>(nanos / kNanosPerMs);
}

struct Times {
  std::int64_t time_ms = 0;
  std::uint64_t duration_ms = 0;
};

// Series of one service found so far, by identity, and how large its present batch has grown.
struct Builder {
  std::size_t batch = 0;  // index into OtlpBatches::batches
  std::size_t bytes = 0;
  std::unordered_map<std::string, std::uint32_t> series;
  std::unordered_map<std::string_view, std::uint32_t> strings;
};

class Reader {
 public:
  explicit Reader(std::size_t bytes_max) : bytes_max_(bytes_max) {}

  void Resource(const otlp::ResourceMetrics& resource) {
    std::string service;
    resource_.clear();
    for (const auto& attribute : resource.resource().attributes()) {
      if (attribute.key() == kServiceAttribute) {
        service = AttributeText(attribute.value());
      } else {
        resource_.emplace_back(attribute.key(), AttributeText(attribute.value()));
      }
    }
    service_ = service.empty() ? kUnknownService : service;
    builder_ = nullptr;
    for (const otlp::ScopeMetrics& scope : resource.scope_metrics()) {
      for (const otlp::Metric& metric : scope.metrics()) Metric(metric);
    }
  }

  OtlpBatches Take() {
    out_.rejections = std::move(refused_.rejections);
    return std::move(out_);
  }

 private:
  void Metric(const otlp::Metric& metric) {
    switch (metric.data_case()) {
      case otlp::Metric::kGauge:
        return Numbers(metric, metric.gauge().data_points(), admit::SeriesKind::kGauge);
      case otlp::Metric::kSum:
        return Sum(metric);
      case otlp::Metric::kHistogram:
        return Histogram(metric);
      case otlp::Metric::kExponentialHistogram:
        return Unsupported(metric, metric.exponential_histogram().data_points_size(),
                           "exponential histograms are not taken; use explicit bucket boundaries");
      case otlp::Metric::kSummary:
        return Unsupported(metric, metric.summary().data_points_size(),
                           "summaries are not taken; use a histogram");
      default:
        return;  // no data, no points
    }
  }

  void Sum(const otlp::Metric& metric) {
    const otlp::Sum& sum = metric.sum();
    if (sum.aggregation_temporality() == otlp::AGGREGATION_TEMPORALITY_CUMULATIVE) {
      return Numbers(
          metric, sum.data_points(),
          sum.is_monotonic() ? admit::SeriesKind::kCounterCumulative : admit::SeriesKind::kGauge);
    }
    if (sum.aggregation_temporality() != otlp::AGGREGATION_TEMPORALITY_DELTA) {
      return Unsupported(metric, sum.data_points_size(),
                         "a sum without delta or cumulative temporality is not taken");
    }
    if (!sum.is_monotonic()) {
      return Unsupported(
          metric, sum.data_points_size(),
          "a delta sum that is not monotonic is not taken; export up-down counters cumulatively");
    }
    Numbers(metric, sum.data_points(), admit::SeriesKind::kCounterDelta);
  }

  template <typename Points>
  void Numbers(const otlp::Metric& metric, const Points& points, admit::SeriesKind kind) {
    for (const otlp::NumberDataPoint& point : points) {
      if (NoValue(point.flags())) continue;
      auto times = TimesOf(metric, point.start_time_unix_nano(), point.time_unix_nano());
      if (!times) continue;
      if (kind == admit::SeriesKind::kGauge) times->duration_ms = 0;
      double value =
          std::numeric_limits<double>::quiet_NaN();  // neither form: refused as not finite
      if (point.has_as_double()) value = point.as_double();
      if (point.has_as_int()) value = static_cast<double>(point.as_int());
      const std::uint32_t series = Series(metric, kind, point.attributes(), kPointBytes);
      OtlpBatch& batch = Batch();
      if (batch.points() == 0) batch.base_time_ms = times->time_ms;
      batch.point_series.push_back(series);
      batch.point_time_delta_ms.push_back(times->time_ms - batch.base_time_ms);
      batch.point_duration_ms.push_back(times->duration_ms);
      batch.point_value.push_back(value);
    }
  }

  void Histogram(const otlp::Metric& metric) {
    const otlp::Histogram& histogram = metric.histogram();
    const bool delta = histogram.aggregation_temporality() == otlp::AGGREGATION_TEMPORALITY_DELTA;
    if (!delta && histogram.aggregation_temporality() != otlp::AGGREGATION_TEMPORALITY_CUMULATIVE) {
      return Unsupported(metric, histogram.data_points_size(),
                         "a histogram without delta or cumulative temporality is not taken");
    }
    const auto kind =
        delta ? admit::SeriesKind::kHistogramDelta : admit::SeriesKind::kHistogramCumulative;
    for (const otlp::HistogramDataPoint& point : histogram.data_points()) {
      if (NoValue(point.flags())) continue;
      const auto times = TimesOf(metric, point.start_time_unix_nano(), point.time_unix_nano());
      if (!times) continue;
      const auto bounds = static_cast<std::size_t>(point.explicit_bounds_size());
      const auto counts = static_cast<std::size_t>(point.bucket_counts_size());
      const std::uint32_t series =
          Series(metric, kind, point.attributes(), kPointBytes + 20 + 8 * bounds + 10 * counts);
      OtlpBatch& batch = Batch();
      if (batch.points() == 0) batch.base_time_ms = times->time_ms;
      batch.histograms.push_back({series, times->time_ms - batch.base_time_ms, times->duration_ms,
                                  point.count(), point.sum(),
                                  std::span(point.explicit_bounds().data(), bounds),
                                  std::span(point.bucket_counts().data(), counts)});
    }
  }

  bool NoValue(std::uint32_t flags) {
    if ((flags & otlp::DATA_POINT_FLAGS_NO_RECORDED_VALUE_MASK) == 0) return false;
    ++out_.no_value;
    return true;
  }

  std::optional<Times> TimesOf(const otlp::Metric& metric, std::uint64_t start_nano,
                               std::uint64_t time_nano) {
    const std::int64_t time_ms = MsOfNanos(time_nano);
    if (start_nano == 0) return Times{time_ms, 0};
    if (start_nano > time_nano) {
      Refuse(admit::Refusal::kBadStart, 1, Name(metric) + ": its start lies after its time");
      return std::nullopt;
    }
    return Times{time_ms, static_cast<std::uint64_t>(time_ms - MsOfNanos(start_nano))};
  }

  void Unsupported(const otlp::Metric& metric, int points, const char* why) {
    Refuse(admit::Refusal::kUnsupported, static_cast<std::uint64_t>(points),
           Name(metric) + ": " + why);
  }

  void Refuse(admit::Refusal reason, std::uint64_t points, const std::string& example) {
    refused_.Reject(reason, points, example);
    if (points > 0) out_.refused[service_] += points;
  }

  static std::string Name(const otlp::Metric& metric) {
    return ScrubUtf8(Truncate(metric.name(), 100));
  }

  OtlpBatch& Batch() { return out_.batches[builder_->batch]; }

  // The index of the point's series in the present batch, which has room for it.
  std::uint32_t Series(const otlp::Metric& metric, admit::SeriesKind kind,
                       const Attributes& attributes, std::size_t point_bytes) {
    LabelPairs pairs = resource_;
    AppendAttributes(attributes, pairs);
    const std::string labels = Labels(std::move(pairs)).Encode();
    ByteWriter identity;
    identity.Varint(static_cast<std::uint64_t>(kind));
    identity.String(metric.name());
    identity.String(metric.unit());
    identity.String(labels);
    if (builder_ == nullptr) builder_ = &builders_[service_];
    const std::size_t series_bytes =
        kSeriesBytes + labels.size() + metric.name().size() + metric.unit().size();
    if (out_.batches.empty() || builder_->bytes == 0 ||
        builder_->bytes + point_bytes + series_bytes > bytes_max_) {
      StartBatch();
    }
    builder_->bytes += point_bytes;
    const auto found = builder_->series.find(identity.bytes());
    if (found != builder_->series.end()) return found->second;
    builder_->bytes += series_bytes;
    OtlpBatch& batch = Batch();
    const auto index = static_cast<std::uint32_t>(batch.series.size());
    batch.labels.push_back(labels);
    batch.series.push_back({static_cast<int>(kind), StringIndex(metric.name()),
                            StringIndex(metric.unit()), batch.labels.back()});
    builder_->series.emplace(identity.Take(), index);
    return index;
  }

  void StartBatch() {
    *builder_ = {};
    builder_->batch = out_.batches.size();
    builder_->bytes = 200;  // envelope
    out_.batches.emplace_back().service = service_;
  }

  std::uint32_t StringIndex(std::string_view text) {
    OtlpBatch& batch = Batch();
    const auto [found, fresh] =
        builder_->strings.try_emplace(text, static_cast<std::uint32_t>(batch.strings.size()));
    if (fresh) batch.strings.push_back(text);
    return found->second;
  }

  const std::size_t bytes_max_;
  OtlpBatches out_;
  admit::Admission refused_;
  std::string service_;
  LabelPairs resource_;
  std::map<std::string, Builder> builders_;
  Builder* builder_ = nullptr;  // of service_
};

}  // namespace

admit::BatchInput OtlpBatch::input() const {
  return {service,           strings,      series,
          base_time_ms,      point_series, point_time_delta_ms,
          point_duration_ms, point_value,  histograms};
}

OtlpBatches ReadOtlp(const OtlpRequest& request, std::size_t bytes_max) {
  Reader reader(bytes_max);
  for (const auto& resource : request.resource_metrics()) reader.Resource(resource);
  return reader.Take();
}

std::string RejectionSentence(const std::vector<admit::Rejection>& rejections) {
  std::uint64_t points = 0;
  std::string reasons;
  for (const admit::Rejection& rejection : rejections) {
    points += rejection.points;
    reasons += (reasons.empty() ? "" : "; ") + std::string(admit::RefusalWord(rejection.reason)) +
               " (" + std::to_string(rejection.points) + "), e.g. " + ScrubUtf8(rejection.example);
  }
  if (points == 0) return "";
  return std::to_string(points) + (points == 1 ? " data point" : " data points") +
         " refused: " + reasons;
}

}  // namespace liveops::ingest
