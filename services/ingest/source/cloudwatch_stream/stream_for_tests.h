#pragma once

#include <cmath>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "opentelemetry/proto/collector/metrics/v1/metrics_service.pb.h"

// For tests: datums as a metric stream writes them, in both formats.
namespace liveops::ingest::cloudwatch {

struct Told {
  std::string space = "AWS/ApplicationELB";
  std::string metric = "RequestCount";
  std::map<std::string, std::string> dimensions = {{"LoadBalancer", "app/edge/1"},
                                                   {"TargetGroup", "targetgroup/shop/2"}};
  std::int64_t start_ms = 1'770'000'000'000 - 180'000;
  double count = 4;
  double sum = 400;
  double min = 50;
  double max = 200;
  std::vector<std::pair<std::string, double>> percentiles{};  // "99", value
  std::string unit = "Count";
};

inline std::string AsJson(const std::vector<Told>& datums) {
  std::string out;
  for (const Told& told : datums) {
    out += R"({"metric_stream_name":"all","account_id":"123456789012","region":"eu-central-1",)";
    out += R"("namespace":")" + told.space + R"(","metric_name":")" + told.metric +
           R"(","dimensions":{)";
    const char* comma = "";
    for (const auto& [name, value] : told.dimensions)
      out += std::exchange(comma, ",") + ("\"" + name + "\":\"" + value + "\"");
    out += R"(},"timestamp":)" + std::to_string(told.start_ms) + R"(,"value":{"max":)" +
           std::to_string(told.max) + R"(,"min":)" + std::to_string(told.min) + R"(,"sum":)" +
           std::to_string(told.sum) + R"(,"count":)" + std::to_string(told.count);
    for (const auto& [percent, value] : told.percentiles)
      out += ",\"p" + percent + "\":" + std::to_string(value);
    out += R"(},"unit":")" + told.unit + "\"}\n";
  }
  return out;
}

inline std::string AsOtlp(const std::vector<Told>& datums) {
  opentelemetry::proto::collector::metrics::v1::ExportMetricsServiceRequest request;
  auto* const resource = request.add_resource_metrics();
  const auto tag = [](auto* list, const std::string& key, const std::string& value) {
    auto* const attribute = list->Add();
    attribute->set_key(key);
    attribute->mutable_value()->set_string_value(value);
  };
  auto* const about = resource->mutable_resource()->mutable_attributes();
  tag(about, "cloud.provider", "aws");
  tag(about, "cloud.account.id", "123456789012");
  tag(about, "cloud.region", "eu-central-1");
  for (const Told& told : datums) {
    auto* const metric = resource->add_scope_metrics()->add_metrics();
    metric->set_name("amazonaws.com/" + told.space + "/" + told.metric);
    auto* const point = metric->mutable_summary()->add_data_points();
    point->set_start_time_unix_nano(static_cast<std::uint64_t>(told.start_ms) * 1'000'000);
    point->set_time_unix_nano(static_cast<std::uint64_t>(told.start_ms + 60'000) * 1'000'000);
    point->set_count(static_cast<std::uint64_t>(told.count));
    point->set_sum(told.sum);
    const auto at = [&](double quantile, double value) {
      auto* const one = point->add_quantile_values();
      one->set_quantile(quantile);
      one->set_value(value);
    };
    at(0, told.min);
    for (const auto& [percent, value] : told.percentiles) at(std::stod(percent) / 100, value);
    at(1, told.max);
    tag(point->mutable_attributes(), "Namespace", told.space);
    tag(point->mutable_attributes(), "MetricName", told.metric);
    auto* const dimensions = point->add_attributes();
    dimensions->set_key("Dimensions");
    for (const auto& [name, value] : told.dimensions)
      tag(dimensions->mutable_value()->mutable_kvlist_value()->mutable_values(), name, value);
  }
  const std::string message = request.SerializeAsString();
  std::string out;
  for (std::size_t n = message.size(); true; n >>= 7) {
    out.push_back(static_cast<char>((n & 0x7f) | (n > 0x7f ? 0x80 : 0)));
    if (n <= 0x7f) break;
  }
  return out + message;
}

}  // namespace liveops::ingest::cloudwatch
