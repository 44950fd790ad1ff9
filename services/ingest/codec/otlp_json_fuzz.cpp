// OTLP in JSON, of each signal, and in Snappy's blocks: what is taken is a request.
#include <google/protobuf/stubs/logging.h>
#include <google/protobuf/util/json_util.h>

#include "common/testing/fuzz.h"
#include "services/ingest/codec/otlp.h"
#include "services/ingest/codec/otlp_exporter_for_tests.h"
#include "services/ingest/codec/otlp_json.h"
#include "services/ingest/codec/otlp_logs.h"
#include "services/ingest/codec/otlp_spans.h"
#include "services/ingest/codec/snappy_block.h"

namespace liveops::fuzz {

std::vector<std::string> Seeds() {
  std::vector<std::string> seeds = {std::string("\x05\x10hello", 7)};
  for (std::uint64_t seed = 0; seeds.size() < 60; ++seed) {
    std::string json;
    const auto request = ingest::testing::Exporter(seed).Request();
    const auto made = google::protobuf::util::MessageToJsonString(request, &json);
    if (made.ok() && json.size() <= 3000) seeds.push_back(std::move(json));
  }
  seeds.emplace_back(
      R"({"resourceSpans":[{"scopeSpans":[{"spans":[{"name":"GET","kind":2,"traceId":)"
      R"("5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b174","startTimeUnixNano":"1",)"
      R"("endTimeUnixNano":"2"}]}]}]})");
  seeds.emplace_back(
      R"({"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":{"stringValue":"down"},)"
      R"("severityNumber":17,"traceId":"5b8efff798038103d269b633813fc60c"}]}]}]})");
  return seeds;
}

std::vector<std::string> Words() {
  return {"resourceMetrics", "scopeMetrics",  "metrics",
          "dataPoints",      "asDouble",      "asInt",
          "timeUnixNano",    "attributes",    "stringValue",
          "kvlistValue",     "arrayValue",    "values",
          "\"NaN\"",         "\"Infinity\"",  "null",
          "1e999",           "\\ud800",       "[[[[[[[[",
          "{\"a\":",         "resourceSpans", "scopeSpans",
          "spans",           "resourceLogs",  "scopeLogs",
          "logRecords",      "traceId",       "spanId",
          "exemplars",       "histogram",     "5b8efff798038103d269b633813fc60c"};
}

void Run(std::string_view input) {
  google::protobuf::SetLogHandler(nullptr);
  if (const auto request = ingest::OtlpOfJson(input); request.ok())
    Demand(ingest::ReadOtlp(*request, std::size_t{1} << 40).ok(), "what JSON says can be read");
  if (const auto request = ingest::OtlpTracesOfJson(input); request.ok())
    Demand(ingest::ReadOtlpSpans(*request, std::size_t{1} << 40).ok(), "and so of spans");
  if (const auto request = ingest::OtlpLogsOfJson(input); request.ok())
    Demand(ingest::ReadOtlpLogs(*request, {}).ok(), "and so of lines");
  if (const auto bytes = ingest::ReadSnappyBlock(input, 1 << 16); bytes.ok())
    Demand(bytes->size() == ingest::SnappyLength(input), "a block is as long as it says");
}

}  // namespace liveops::fuzz
