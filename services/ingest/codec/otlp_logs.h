#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "common/base/result.h"
#include "opentelemetry/proto/collector/logs/v1/logs_service.pb.h"
#include "services/ingest/admit/log_line.h"

// OpenTelemetry's logs (https://opentelemetry.io/docs/specs/otel/logs/data-model/).
//
//   service    resource attribute `service.name`, or "unknown_service"
//   time       time_unix_nano, else observed_time_unix_nano, else none
//   level      severity_number, else severity_text
//   message    the body: a text as it is, all else as JSON; without one event_name
//   endpoint   attribute `http.route`, else `url.path`, else `http.target` without its query
//   query_ms   of the message: admit::SlowQueryMs
namespace liveops::ingest {

struct OtlpLogs {
  std::vector<admit::LogGroup> groups;  // one a resource; its lines may be none
  std::uint64_t lines = 0;
};

// Reads an ExportLogsServiceRequest. Other than libprotobuf it takes texts that are not UTF-8, so
// that a line which somebody else wrote costs its sender no other line: they are replaced. A body
// or attribute that is no AnyValue is left out. kInvalid: the message is malformed.
Result<OtlpLogs> ReadOtlpLogs(std::string_view request, const admit::LogLimits& limits);

// A partial success where lines were rejected; nothing is set where none were.
opentelemetry::proto::collector::logs::v1::ExportLogsServiceResponse OtlpLogsResponse(
    const std::vector<admit::Rejection>& rejections);

}  // namespace liveops::ingest
