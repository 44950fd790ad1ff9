#include "services/ingest/codec/otlp_json.h"

#include <google/protobuf/util/json_util.h>

#include <cstdint>

#include "common/base/text.h"
#include "opentelemetry/proto/collector/logs/v1/logs_service.pb.h"
#include "opentelemetry/proto/collector/metrics/v1/metrics_service.pb.h"
#include "opentelemetry/proto/collector/trace/v1/trace_service.pb.h"

namespace liveops::ingest {
namespace {

// What base64 read as the three bytes: four characters.
void AppendBase64(std::string_view three, std::string& out) {
  constexpr std::string_view kAlphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::uint32_t bits = 0;
  for (const char c : three) bits = bits << 8 | static_cast<unsigned char>(c);
  for (int shift = 18; shift >= 0; shift -= 6) out += kAlphabet[bits >> shift & 63];
}

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

Status ReadOtlpJson(std::string_view json, google::protobuf::Message& message) {
  google::protobuf::util::JsonParseOptions options;
  options.ignore_unknown_fields = true;
  const auto status = google::protobuf::util::JsonStringToMessage(
      google::protobuf::StringPiece(json.data(), json.size()), &message, options);
  if (status.ok()) return {};
  return InvalidError("the body is not an " + message.GetDescriptor()->name() +
                      " in JSON: " + ScrubUtf8(Truncate(status.message().ToString(), 200)));
}

std::string IdOfOtlpJson(std::string_view read) {
  if (read.size() != 24 && read.size() != 12) return "";
  std::string text;
  for (std::size_t i = 0; i < read.size(); i += 3) AppendBase64(read.substr(i, 3), text);
  std::string id;
  for (std::size_t i = 0; i < text.size(); i += 2) {
    const int high = HexDigit(text[i]);
    const int low = HexDigit(text[i + 1]);
    if (high < 0 || low < 0) return "";
    id += static_cast<char>(high << 4 | low);
  }
  return id;
}

Result<std::string> OtlpOfJson(std::string_view json) {
  opentelemetry::proto::collector::metrics::v1::ExportMetricsServiceRequest request;
  if (const Status s = ReadOtlpJson(json, request); !s) return s.error();
  return request.SerializeAsString();
}

Result<std::string> OtlpTracesOfJson(std::string_view json) {
  opentelemetry::proto::collector::trace::v1::ExportTraceServiceRequest request;
  if (const Status s = ReadOtlpJson(json, request); !s) return s.error();
  for (auto& resource : *request.mutable_resource_spans()) {
    for (auto& scope : *resource.mutable_scope_spans()) {
      for (auto& span : *scope.mutable_spans()) {
        span.set_trace_id(IdOfOtlpJson(span.trace_id()));
        span.set_span_id(IdOfOtlpJson(span.span_id()));
      }
    }
  }
  return request.SerializeAsString();
}

Result<std::string> OtlpLogsOfJson(std::string_view json) {
  opentelemetry::proto::collector::logs::v1::ExportLogsServiceRequest request;
  if (const Status s = ReadOtlpJson(json, request); !s) return s.error();
  for (auto& resource : *request.mutable_resource_logs()) {
    for (auto& scope : *resource.mutable_scope_logs()) {
      for (auto& line : *scope.mutable_log_records()) {
        line.set_trace_id(IdOfOtlpJson(line.trace_id()));
        line.set_span_id(IdOfOtlpJson(line.span_id()));
      }
    }
  }
  return request.SerializeAsString();
}

}  // namespace liveops::ingest
