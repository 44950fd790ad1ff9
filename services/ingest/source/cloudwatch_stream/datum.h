#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "services/ingest/admit/admit.h"

// A metric stream's two formats, read into the same datums:
//   OpenTelemetry 1.0: ExportMetricsServiceRequest messages, each with its length in front as a
//     varint; each datum is a summary
//     (https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch-metric-streams-formats-opentelemetry-100.html,
//     …-translation-100.html)
//   JSON: an object a line
//     (https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch-metric-streams-formats-json.html)
namespace liveops::ingest::cloudwatch {

// What CloudWatch has of one metric in one period: a set of statistics.
struct Datum {
  std::string account;
  std::string region;
  std::string space;  // namespace: "AWS/ApplicationELB"
  std::string metric;
  std::vector<std::pair<std::string, std::string>> dimensions;  // sorted by name
  std::int64_t start_ms = 0;                                    // real
  std::int64_t end_ms = 0;
  double count = 0;  // of samples, above 0
  double sum = 0;
  double min = 0;
  double max = 0;
  // Percentiles that the stream was told to add: (above 0 and below 1, value), ascending.
  std::vector<std::pair<double, double>> percentiles;
};

// Reads the data of one record of a delivery, in whichever format it is. What cannot be read, or is
// no set of statistics, is added to `rejections` datum by datum; of a message or line that is
// malformed, as one. Pure; no bytes make it throw.
void ReadRecord(std::string_view data, const std::function<void(const Datum&)>& each,
                std::vector<admit::Rejection>& rejections);

}  // namespace liveops::ingest::cloudwatch
