#include "services/liveopsctl/render/spans.h"

#include <fmt/format.h>

#include "common/base/text.h"
#include "common/base/time.h"
#include "common/runtime/exemplars.h"
#include "services/liveopsctl/render/json.h"
#include "services/liveopsctl/render/table.h"

namespace liveops::ctl {

std::string RenderSpans(const v1::ListSlowestSpansResponse& response, const std::string& service,
                        const Style& style) {
  if (response.spans_size() == 0) {
    return fmt::format("no span of {} that counts came to {} in the last minutes\n",
                       Printable(service), Printable(response.instance()));
  }
  Table table({"OPERATION", "TOOK", "ENDED", "STATUS", "TRACE", "SPAN"});
  for (const v1::SlowSpan& span : response.spans()) {
    table.Row({span.operation(), FormatNumber(span.duration_ms()) + " ms", FormatUtc(span.end_ms()),
               span.error() ? Cell("error", Tone::kBad) : Cell("ok", Tone::kPlain), span.trace_id(),
               span.span_id()});
  }
  return fmt::format("the slowest that came to {} in the last five to ten minutes:\n",
                     Printable(response.instance())) +
         table.ToString(style);
}

std::string RenderTraces(const std::vector<v1::Exemplar>& traces, const Style& style) {
  if (traces.empty()) return "";
  std::string out = Paint(style, Tone::kStrong, "Traces") + "\n";
  for (const v1::Exemplar& trace : traces) {
    const std::string operation = runtime::OperationOf(trace);
    out += "  " + runtime::TraceIdOf(trace) + "  " +
           Printable((operation.empty() ? "" : operation + "  ") +
                     FormatValue(trace.value(), trace.unit())) +
           (runtime::HasFailed(trace) ? ", failed" : "") + "  " + FormatUtc(trace.time_ms()) + "\n";
  }
  return out;
}

std::string TracesJson(const std::vector<v1::Exemplar>& traces) {
  std::string out;
  for (const v1::Exemplar& trace : traces) {
    out += fmt::format(
        "{}{{\"trace_id\":\"{}\",\"span_id\":\"{}\",\"operation\":{},\"value\":{},\"unit\":{},"
        "\"failed\":{},\"time_ms\":\"{}\"}}",
        out.empty() ? "" : ",", runtime::TraceIdOf(trace), runtime::SpanIdOf(trace),
        JsonString(runtime::OperationOf(trace)), trace.value(), JsonString(trace.unit()),
        runtime::HasFailed(trace), trace.time_ms());
  }
  return "[" + out + "]";
}

}  // namespace liveops::ctl
