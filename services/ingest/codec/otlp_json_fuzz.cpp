// OTLP in JSON, and in Snappy's blocks: what is taken is a request.
#include <google/protobuf/stubs/logging.h>
#include <google/protobuf/util/json_util.h>

#include "common/testing/fuzz.h"
#include "services/ingest/codec/otlp.h"
#include "services/ingest/codec/otlp_exporter_for_tests.h"
#include "services/ingest/codec/otlp_json.h"
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
  return seeds;
}

std::vector<std::string> Words() {
  return {"resourceMetrics", "scopeMetrics", "metrics",    "dataPoints",   "asDouble",
          "asInt",           "timeUnixNano", "attributes", "stringValue",  "kvlistValue",
          "arrayValue",      "values",       "\"NaN\"",    "\"Infinity\"", "null",
          "1e999",           "\\ud800",      "[[[[[[[[",   "{\"a\":"};
}

void Run(std::string_view input) {
  google::protobuf::SetLogHandler(nullptr);
  if (const auto request = ingest::OtlpOfJson(input); request.ok())
    Demand(ingest::ReadOtlp(*request, std::size_t{1} << 40).ok(), "what JSON says can be read");
  if (const auto bytes = ingest::ReadSnappyBlock(input, 1 << 16); bytes.ok())
    Demand(bytes->size() == ingest::SnappyLength(input), "a block is as long as it says");
}

}  // namespace liveops::fuzz
