#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace liveops {

// W3C Trace Context (https://www.w3.org/TR/trace-context/), as carried in Kafka and HTTP headers
// "traceparent".
struct TraceContext {
  std::string trace_id;  // 32 lower-case hex digits
  std::string span_id;   // 16

  std::string ToHeader() const;  // "00-<trace>-<span>-01"
};

// A fresh random one.
TraceContext NewTrace();
// The same trace, a new span.
TraceContext ChildOf(const TraceContext& parent);
std::optional<TraceContext> ParseTraceparent(std::string_view header);

}  // namespace liveops
