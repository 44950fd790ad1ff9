#pragma once

#include <string>
#include <string_view>

#include "common/base/result.h"

namespace google::protobuf {
class Message;
}

// OTLP's JSON (https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding); unknown fields
// are ignored.
namespace liveops::ingest {

// An ExportMetricsServiceRequest in protobuf's binary format. kInvalid: it is none.
Result<std::string> OtlpOfJson(std::string_view json);
// Likewise an ExportTraceServiceRequest.
Result<std::string> OtlpTracesOfJson(std::string_view json);
// Likewise an ExportLogsServiceRequest.
Result<std::string> OtlpLogsOfJson(std::string_view json);

// For those who read other messages. kInvalid, naming the message: it is none.
Status ReadOtlpJson(std::string_view json, google::protobuf::Message& message);
// The id of a trace or span as it was meant: OTLP writes ids in hexadecimal, where protobuf's JSON,
// by which it was read, has base64. Empty when it was no id.
std::string IdOfOtlpJson(std::string_view read);

}  // namespace liveops::ingest
