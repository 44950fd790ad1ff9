#pragma once

#include <string>

#include "opentelemetry/proto/collector/logs/v1/logs_service.pb.h"

// For tests: requests of OTLP's logs.
namespace liveops::ingest {

using LogsRequest = opentelemetry::proto::collector::logs::v1::ExportLogsServiceRequest;
using OtlpLogRecord = opentelemetry::proto::logs::v1::LogRecord;

inline void SetAttribute(
    google::protobuf::RepeatedPtrField<opentelemetry::proto::common::v1::KeyValue>* out,
    const std::string& key, const std::string& value) {
  auto& attribute = *out->Add();
  attribute.set_key(key);
  attribute.mutable_value()->set_string_value(value);
}

// A request of one resource with `service.name`; AddLine appends to it.
inline LogsRequest LogsOf(const std::string& service) {
  LogsRequest request;
  auto& group = *request.add_resource_logs();
  SetAttribute(group.mutable_resource()->mutable_attributes(), "service.name", service);
  group.add_scope_logs()->mutable_scope()->set_name("shop.payments");
  return request;
}

inline OtlpLogRecord& AddLine(LogsRequest& request, std::int64_t time_ms, int severity,
                              const std::string& message) {
  auto& groups = *request.mutable_resource_logs();
  OtlpLogRecord& line =
      *groups.Mutable(groups.size() - 1)->mutable_scope_logs(0)->add_log_records();
  line.set_time_unix_nano(static_cast<std::uint64_t>(time_ms) * 1'000'000);
  line.set_severity_number(static_cast<opentelemetry::proto::logs::v1::SeverityNumber>(severity));
  line.mutable_body()->set_string_value(message);
  return line;
}

}  // namespace liveops::ingest
