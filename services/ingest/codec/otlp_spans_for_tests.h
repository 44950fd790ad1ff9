#pragma once

#include <cstdint>
#include <string>

#include "opentelemetry/proto/collector/trace/v1/trace_service.pb.h"

// For tests: requests with spans.
namespace liveops::ingest {

inline constexpr std::int64_t kSpanEndMs = 1'770'000'000'000;

inline void AddAttribute(opentelemetry::proto::trace::v1::Span& span, const std::string& key,
                         const std::string& value) {
  auto* const pair = span.add_attributes();
  pair->set_key(key);
  pair->mutable_value()->set_string_value(value);
}
inline void AddAttribute(opentelemetry::proto::trace::v1::Span& span, const std::string& key,
                         const char* value) {
  AddAttribute(span, key, std::string(value));
}
inline void AddAttribute(opentelemetry::proto::trace::v1::Span& span, const std::string& key,
                         std::int64_t value) {
  auto* const pair = span.add_attributes();
  pair->set_key(key);
  pair->mutable_value()->set_int_value(value);
}
inline void AddAttribute(opentelemetry::proto::trace::v1::Span& span, const std::string& key,
                         int value) {
  AddAttribute(span, key, std::int64_t{value});
}

struct SpanRequest {
  opentelemetry::proto::collector::trace::v1::ExportTraceServiceRequest request;

  explicit SpanRequest(const std::string& service = "shop") { Resource(service); }

  // What follows is of this service; "" = of one without a name.
  void Resource(const std::string& service) {
    auto& resource = *request.add_resource_spans();
    if (!service.empty()) {
      auto* const pair = resource.mutable_resource()->add_attributes();
      pair->set_key("service.name");
      pair->mutable_value()->set_string_value(service);
    }
    resource.add_scope_spans();
  }

  // One that took so long, and ended so many ms after kSpanEndMs.
  opentelemetry::proto::trace::v1::Span& Add(const std::string& name,
                                             opentelemetry::proto::trace::v1::Span::SpanKind kind,
                                             double duration_ms, std::int64_t after_ms = 0) {
    auto& span = *request.mutable_resource_spans(request.resource_spans_size() - 1)
                      ->mutable_scope_spans(0)
                      ->add_spans();
    span.set_name(name);
    span.set_kind(kind);
    const auto end = static_cast<std::uint64_t>(kSpanEndMs + after_ms) * 1'000'000;
    span.set_end_time_unix_nano(end);
    span.set_start_time_unix_nano(end - static_cast<std::uint64_t>(duration_ms * 1e6));
    ++last_;
    span.set_trace_id(std::string(15, 't') + static_cast<char>(last_));
    span.set_span_id(std::string(7, 's') + static_cast<char>(last_));
    return span;
  }

 private:
  int last_ = 0;
};

}  // namespace liveops::ingest
