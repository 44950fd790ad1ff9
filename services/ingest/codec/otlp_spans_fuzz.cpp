// OTLP's spans: whatever libprotobuf takes is taken, each span counted, refused or of another kind,
// and what is counted makes points that can be admitted.
#include <google/protobuf/stubs/logging.h>

#include <algorithm>
#include <tuple>

#include "common/base/labels.h"
#include "common/testing/fuzz.h"
#include "services/ingest/codec/otlp_spans.h"
#include "services/ingest/codec/otlp_spans_for_tests.h"

namespace liveops::fuzz {

using namespace liveops::ingest;
using opentelemetry::proto::trace::v1::Span;

std::vector<std::string> Seeds() {
  SpanRequest request("shop");
  AddAttribute(request.Add("GET /games", Span::SPAN_KIND_SERVER, 12), "http.route", "/games/:id");
  Span& failed = request.Add("orders process", Span::SPAN_KIND_CONSUMER, 0.5, 1500);
  failed.mutable_status()->set_code(opentelemetry::proto::trace::v1::Status::STATUS_CODE_ERROR);
  AddAttribute(failed, "http.response.status_code", 503);
  request.Add("SELECT", Span::SPAN_KIND_CLIENT, 3);
  request.Resource("");
  request.Add("", Span::SPAN_KIND_SERVER, 1).set_start_time_unix_nano(0);
  return {request.request.SerializeAsString(), SpanRequest("bank").request.SerializeAsString()};
}

std::vector<std::string> Words() {
  return {"service.name", "http.route",       "http.request.method",
          "http.method",  "http.status_code", "span.name",
          "status.code",  "\xff\xff",         "http.response.status_code",
          "503"};
}

void Run(std::string_view input) {
  google::protobuf::SetLogHandler(nullptr);
  const auto read = ReadOtlpSpans(input, 1000);
  opentelemetry::proto::collector::trace::v1::ExportTraceServiceRequest request;
  const bool taken = request.ParseFromArray(input.data(), static_cast<int>(input.size()));
  Demand(read.ok() == taken, "what libprotobuf takes is taken");
  if (!taken) return;
  std::uint64_t spans = 0;
  for (const auto& resource : request.resource_spans()) {
    for (const auto& scope : resource.scope_spans())
      spans += static_cast<std::uint64_t>(scope.spans_size());
  }
  std::uint64_t refused = 0;
  for (const admit::Rejection& rejection : read->batches.rejections) refused += rejection.points;
  Demand(read->spans.size() + refused + read->others == spans, "each span is accounted for");
  std::uint64_t points = 0;
  for (const OtlpBatch& batch : read->batches.batches) points += batch.input().points();
  Demand(points == read->spans.size(), "a point for each span that is counted");
  const auto rank = [](const CountedSpan& s) { return std::tie(s.service, s.end_ms); };
  Demand(std::is_sorted(read->spans.begin(), read->spans.end(),
                        [&](const auto& a, const auto& b) { return rank(a) < rank(b); }),
         "in the order of their ends");
  for (const CountedSpan& span : read->spans) {
    Demand(span.duration_ms >= 0, "no span ends before it starts");
    Demand(Labels::Decode(span.labels).has_value(), "labels can be read");
  }
}

}  // namespace liveops::fuzz
