#include "services/ingest/source/cloudwatch_stream/datum.h"

#include <google/protobuf/io/coded_stream.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

#include "common/base/text.h"
#include "opentelemetry/proto/collector/metrics/v1/metrics_service.pb.h"
#include "services/ingest/source/alert/json_reading.h"

namespace liveops::ingest::cloudwatch {
namespace {

using source::Json;
namespace otlp = opentelemetry::proto;

constexpr std::int64_t kMinuteMs = 60'000;  // JSON says when a period began, and not how long it is
constexpr double kCountMax = 1e15;          // beyond it a double is no whole number any more
constexpr std::size_t kExampleBytes = 200;

class Intake {
 public:
  Intake(const std::function<void(const Datum&)>& each, std::vector<admit::Rejection>& rejections)
      : each_(each), rejections_(rejections) {}

  void Reject(admit::Refusal reason, const std::string& why) {
    for (admit::Rejection& rejection : rejections_) {
      if (rejection.reason == reason) return void(++rejection.points);
    }
    rejections_.push_back({reason, 1, Truncate(ScrubUtf8(why), kExampleBytes)});
  }

  void Take(Datum& datum) {
    const std::string name = datum.space + "/" + datum.metric;
    if (datum.space.empty() || datum.metric.empty()) {
      return Reject(
          admit::Refusal::kBadMetric,
          "a datum without a namespace or a name; is the stream's format opentelemetry1.0 "
          "or json?");
    }
    for (const double value : {datum.count, datum.sum, datum.min, datum.max}) {
      if (!std::isfinite(value)) return Reject(admit::Refusal::kNotFinite, name);
    }
    if (datum.count <= 0 || datum.count > kCountMax || datum.min > datum.max)
      return Reject(admit::Refusal::kUnsupported, name + " is no set of statistics");
    if (datum.start_ms <= 0 || datum.end_ms <= datum.start_ms)
      return Reject(admit::Refusal::kBadStart, name + " is of no period");
    std::erase_if(datum.percentiles, [](const auto& p) {
      return !(p.first > 0 && p.first < 1) || !std::isfinite(p.second);
    });
    std::sort(datum.percentiles.begin(), datum.percentiles.end());
    std::sort(datum.dimensions.begin(), datum.dimensions.end());
    each_(datum);
  }

 private:
  const std::function<void(const Datum&)>& each_;
  std::vector<admit::Rejection>& rejections_;
};

// --- OpenTelemetry -------------------------------------------------------------------------------

void ReadAttributes(const otlp::metrics::v1::SummaryDataPoint& point, Datum& datum) {
  for (const auto& attribute : point.attributes()) {
    if (attribute.key() == "Namespace") datum.space = attribute.value().string_value();
    if (attribute.key() == "MetricName") datum.metric = attribute.value().string_value();
    if (attribute.key() != "Dimensions") continue;
    for (const auto& dimension : attribute.value().kvlist_value().values())
      datum.dimensions.emplace_back(dimension.key(), dimension.value().string_value());
  }
}

void ReadPoint(const otlp::metrics::v1::SummaryDataPoint& point, Datum datum, Intake& intake) {
  constexpr std::uint64_t kNsPerMs = 1'000'000;
  ReadAttributes(point, datum);
  datum.start_ms = static_cast<std::int64_t>(point.start_time_unix_nano() / kNsPerMs);
  datum.end_ms = static_cast<std::int64_t>(point.time_unix_nano() / kNsPerMs);
  datum.count = static_cast<double>(point.count());
  datum.sum = point.sum();
  datum.min = datum.max = std::numeric_limits<double>::quiet_NaN();
  for (const auto& at : point.quantile_values()) {
    if (at.quantile() == 0) datum.min = at.value();
    if (at.quantile() == 1) datum.max = at.value();
    datum.percentiles.emplace_back(at.quantile(), at.value());
  }
  intake.Take(datum);
}

void ReadResource(const otlp::metrics::v1::ResourceMetrics& resource, Intake& intake) {
  Datum common;
  for (const auto& attribute : resource.resource().attributes()) {
    if (attribute.key() == "cloud.account.id") common.account = attribute.value().string_value();
    if (attribute.key() == "cloud.region") common.region = attribute.value().string_value();
  }
  for (const auto& scope : resource.scope_metrics()) {
    for (const auto& metric : scope.metrics()) {
      if (!metric.has_summary())
        intake.Reject(admit::Refusal::kUnsupported, metric.name() + " is no summary");
      for (const auto& point : metric.summary().data_points()) ReadPoint(point, common, intake);
    }
  }
}

void ReadMessages(std::string_view data, Intake& intake) {
  while (!data.empty()) {
    google::protobuf::io::CodedInputStream stream(
        reinterpret_cast<const std::uint8_t*>(data.data()), static_cast<int>(data.size()));
    std::uint32_t length = 0;
    const bool headed = stream.ReadVarint32(&length);
    const auto head = static_cast<std::size_t>(stream.CurrentPosition());
    otlp::collector::metrics::v1::ExportMetricsServiceRequest request;
    if (!headed || length == 0 || length > data.size() - head ||
        !request.ParseFromArray(data.data() + head, static_cast<int>(length))) {
      return intake.Reject(admit::Refusal::kUnsupported,
                           "a record holds neither lines of JSON nor OpenTelemetry's messages with "
                           "their length in front");
    }
    for (const auto& resource : request.resource_metrics()) ReadResource(resource, intake);
    data.remove_prefix(head + length);
  }
}

// --- JSON ----------------------------------------------------------------------------------------

std::optional<double> NumberAt(const Json& object, const char* key) {
  const auto at = object.find(key);
  if (at == object.end() || !at->is_number()) return std::nullopt;
  return at->get<double>();
}

// "p99.9": 0.999.
std::optional<double> QuantileOf(std::string_view key) {
  double percent = 0;
  if (key.size() < 2 || key.front() != 'p') return std::nullopt;
  const char* const end = key.data() + key.size();
  const auto [stop, error] = std::from_chars(key.data() + 1, end, percent);
  if (error != std::errc() || stop != end) return std::nullopt;
  return percent / 100;
}

void ReadLine(std::string_view line, Intake& intake) {
  const Result<Json> json = source::ReadJson(line);
  if (!json || !json->is_object())
    return intake.Reject(admit::Refusal::kUnsupported, "a line is no JSON object");
  Datum datum;
  datum.account = source::TextAt(*json, "account_id");
  datum.region = source::TextAt(*json, "region");
  datum.space = source::TextAt(*json, "namespace");
  datum.metric = source::TextAt(*json, "metric_name");
  if (const auto dimensions = json->find("dimensions");
      dimensions != json->end() && dimensions->is_object()) {
    for (const auto& [name, value] : dimensions->items())
      datum.dimensions.emplace_back(name, source::TextOf(value).value_or(""));
  }
  const auto value = json->find("value");
  const double started = NumberAt(*json, "timestamp").value_or(0);
  constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
  if (value != json->end() && value->is_object()) {
    datum.count = NumberAt(*value, "count").value_or(kNone);
    datum.sum = NumberAt(*value, "sum").value_or(kNone);
    datum.min = NumberAt(*value, "min").value_or(kNone);
    datum.max = NumberAt(*value, "max").value_or(kNone);
    for (const auto& [name, number] : value->items()) {
      if (const auto quantile = QuantileOf(name); quantile && number.is_number())
        datum.percentiles.emplace_back(*quantile, number.get<double>());
    }
  }
  if (started > 0 && started < kCountMax) {
    datum.start_ms = static_cast<std::int64_t>(started);
    datum.end_ms = datum.start_ms + kMinuteMs;
  }
  intake.Take(datum);
}

}  // namespace

void ReadRecord(std::string_view data, const std::function<void(const Datum&)>& each,
                std::vector<admit::Rejection>& rejections) {
  Intake intake(each, rejections);
  // A message may begin with "{", too: of 123 bytes, and then its first field follows.
  const bool json = data.starts_with("{") && !data.starts_with("{\n");
  if (!json) return ReadMessages(data, intake);
  for (const std::string_view line : Split(data, '\n')) {
    if (!Trim(line).empty()) ReadLine(line, intake);
  }
}

}  // namespace liveops::ingest::cloudwatch
