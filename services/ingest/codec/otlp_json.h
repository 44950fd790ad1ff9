#pragma once

#include <string>
#include <string_view>

#include "common/base/result.h"

namespace liveops::ingest {

// An ExportMetricsServiceRequest in protobuf's binary format out of OTLP's JSON
// (https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding); unknown fields are ignored.
// kInvalid: it is none.
Result<std::string> OtlpOfJson(std::string_view json);

}  // namespace liveops::ingest
