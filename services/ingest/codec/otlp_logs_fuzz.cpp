// OTLP's logs: what libprotobuf takes is taken, line by line; whatever is taken is UTF-8 within its
// limits and can be written.
#include <google/protobuf/stubs/logging.h>

#include "common/base/text.h"
#include "common/plan/log_count.h"
#include "common/testing/fuzz.h"
#include "services/ingest/codec/log_batches.h"
#include "services/ingest/codec/otlp_logs.h"
#include "services/ingest/codec/otlp_logs_for_tests.h"

namespace liveops::fuzz {

using namespace liveops::ingest;

std::vector<std::string> Seeds() {
  LogsRequest request = LogsOf("shop");
  OtlpLogRecord& record = AddLine(request, 1'770'000'000'000, 17, "card declined");
  record.set_trace_id(std::string(16, '\x01'));
  record.set_span_id(std::string(8, '\x02'));
  SetAttribute(record.mutable_attributes(), "http.route", "/pay/:id");
  SetAttribute(record.mutable_attributes(), "exception.type", "CardError");
  std::vector<std::string> seeds = {request.SerializeAsString()};
  LogsRequest other = LogsOf("");
  OtlpLogRecord& slow = AddLine(other, 0, 0, "LOG:  duration: 1234.5 ms  statement: SELECT 1");
  slow.set_severity_text("WARNING");
  auto& map = *AddLine(other, 5, 9, "").mutable_body()->mutable_kvlist_value();
  SetAttribute(map.mutable_values(), "a", "b");
  seeds.push_back(other.SerializeAsString());
  return seeds;
}

std::vector<std::string> Words() {
  return {"# Query_time: ", "  Lock_time: ", "duration: ", " ms  execute ", "service.name",
          "http.target",    "/a?b",          "\xff\xff",   "\xe2\x80"};
}

void Run(std::string_view input) {
  google::protobuf::SetLogHandler(nullptr);
  const admit::LogLimits limits{64, 4, 16, 32};
  const auto read = ReadOtlpLogs(input, limits);
  LogsRequest request;
  if (request.ParseFromArray(input.data(), static_cast<int>(input.size()))) {
    Demand(read.ok(), "what libprotobuf takes is taken");
    std::uint64_t lines = 0;
    for (const auto& resource : request.resource_logs()) {
      for (const auto& scope : resource.scope_logs())
        lines += static_cast<std::uint64_t>(scope.log_records_size());
    }
    Demand(read->lines == lines, "line by line");
  }
  if (!read.ok()) return;
  for (const admit::LogGroup& group : read->groups) {
    for (const admit::LogLine& line : group.lines) {
      Demand(line.message.size() <= 256 && IsValidUtf8(line.message), "a message is bounded UTF-8");
      Demand(line.attributes.size() <= limits.attributes, "attributes are bounded");
      Demand(IsValidUtf8(line.endpoint) && IsValidUtf8(line.logger), "all texts are UTF-8");
      for (const auto& [name, value] : line.attributes)
        Demand(IsValidUtf8(name) && IsValidUtf8(value), "all texts are UTF-8");
      (void)plan::Contains(line.message, "a*b**c");
    }
    wire::Source source{"e", 1, 1};
    for (const std::string& record : EncodeLogs(group, {}, 1000, source))
      Demand(!record.empty(), "lines can be written");
  }
}

}  // namespace liveops::fuzz
