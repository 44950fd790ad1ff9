#include "services/ingest/codec/otlp_json.h"

#include <google/protobuf/util/json_util.h>

#include <cstdint>

#include "common/base/text.h"
#include "opentelemetry/proto/collector/logs/v1/logs_service.pb.h"
#include "opentelemetry/proto/collector/metrics/v1/metrics_service.pb.h"
#include "opentelemetry/proto/collector/trace/v1/trace_service.pb.h"
#include "services/ingest/codec/hex.h"

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

// Of all points of a Gauge, a Sum, a Histogram or an ExponentialHistogram.
template <typename Data>
void MendExemplarIds(Data& data) {
  for (auto& point : *data.mutable_data_points()) {
    for (auto& exemplar : *point.mutable_exemplars()) {
      exemplar.set_trace_id(IdOfOtlpJson(exemplar.trace_id()));
      exemplar.set_span_id(IdOfOtlpJson(exemplar.span_id()));
    }
  }
}

void MendExemplarIds(opentelemetry::proto::metrics::v1::Metric& metric) {
  if (metric.has_gauge()) MendExemplarIds(*metric.mutable_gauge());
  if (metric.has_sum()) MendExemplarIds(*metric.mutable_sum());
  if (metric.has_histogram()) MendExemplarIds(*metric.mutable_histogram());
  if (metric.has_exponential_histogram()) MendExemplarIds(*metric.mutable_exponential_histogram());
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
  return BytesOfHex(text).value_or("");
}

Result<std::string> OtlpOfJson(std::string_view json) {
  opentelemetry::proto::collector::metrics::v1::ExportMetricsServiceRequest request;
  if (const Status s = ReadOtlpJson(json, request); !s) return s.error();
  for (auto& resource : *request.mutable_resource_metrics()) {
    for (auto& scope : *resource.mutable_scope_metrics()) {
      for (auto& metric : *scope.mutable_metrics()) MendExemplarIds(metric);
    }
  }
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
