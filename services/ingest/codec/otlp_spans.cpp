#include "services/ingest/codec/otlp_spans.h"

#include <google/protobuf/arena.h>

#include <algorithm>
#include <charconv>
#include <numeric>
#include <tuple>
#include <utility>

#include "common/base/text.h"
#include "opentelemetry/proto/collector/trace/v1/trace_service.pb.h"
#include "services/ingest/codec/attributes.h"
#include "services/ingest/codec/otlp_attributes.h"
#include "services/ingest/codec/otlp_packer.h"

namespace liveops::ingest {
namespace {

namespace otlp = opentelemetry::proto::trace::v1;
using Request = opentelemetry::proto::collector::trace::v1::ExportTraceServiceRequest;

constexpr std::uint64_t kNanosPerMs = 1'000'000;

// What of a span's attributes is used; of two names of one thing the newer counts.
struct Http {
  std::string route;
  std::string method;
  int status = 0;  // 0 = none

  explicit Http(const Attributes& attributes) {
    std::string old_method;
    std::string status_text;
    std::string old_status_text;
    for (const auto& pair : attributes) {
      const std::string& key = pair.key();
      if (key == "http.route") route = AttributeText(pair.value());
      if (key == "http.request.method") method = AttributeText(pair.value());
      if (key == "http.method") old_method = AttributeText(pair.value());
      if (key == "http.response.status_code") status_text = AttributeText(pair.value());
      if (key == "http.status_code") old_status_text = AttributeText(pair.value());
    }
    if (method.empty()) method = old_method;
    if (status_text.empty()) status_text = old_status_text;
    int number = 0;
    const char* const end = status_text.data() + status_text.size();
    const auto read = std::from_chars(status_text.data(), end, number);
    if (read.ec == std::errc() && read.ptr == end && number >= 100 && number <= 599)
      status = number;
  }
};

std::string OperationOf(const otlp::Span& span, const Http& http) {
  if (http.route.empty()) return span.name();
  return http.method.empty() ? http.route : http.method + " " + http.route;
}

class Reader {
 public:
  explicit Reader(std::size_t bytes_max) : packer_(bytes_max, out_.batches) {}

  void Resource(const otlp::ResourceSpans& resource) {
    service_.clear();
    for (const auto& pair : resource.resource().attributes()) {
      if (pair.key() == "service.name") service_ = AttributeText(pair.value());
    }
    if (service_.empty()) service_ = "unknown_service";
    for (const auto& scope : resource.scope_spans()) {
      for (const auto& span : scope.spans()) Span(span);
    }
  }

  // In the order of their ends, for which nothing else is certain: a request holds the spans of
  // many processes.
  OtlpSpans Take() {
    std::vector<std::size_t> order(out_.spans.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    const auto rank = [&](std::size_t i) {
      return std::tuple(std::string_view(out_.spans[i].service), out_.spans[i].end_ms, i);
    };
    std::sort(order.begin(), order.end(),
              [&](std::size_t a, std::size_t b) { return rank(a) < rank(b); });
    std::vector<CountedSpan> sorted;
    sorted.reserve(order.size());
    for (const std::size_t i : order) {
      CountedSpan& span = sorted.emplace_back(std::move(out_.spans[i]));
      if (sorted.size() == 1 || sorted[sorted.size() - 2].service != span.service)
        packer_.Of(span.service);
      packer_.Add(admit::SeriesKind::kObservation, kSpanMetric, "ms", span.labels, span.end_ms, 0,
                  span.duration_ms);
    }
    out_.spans = std::move(sorted);
    out_.batches.rejections = std::move(refused_.rejections);
    return std::move(out_);
  }

 private:
  void Span(const otlp::Span& span) {
    if (span.kind() != otlp::Span::SPAN_KIND_SERVER &&
        span.kind() != otlp::Span::SPAN_KIND_CONSUMER) {
      ++out_.others;
      return;
    }
    const std::uint64_t start = span.start_time_unix_nano();
    const std::uint64_t end = span.end_time_unix_nano();
    if (start == 0 || start > end) {
      refused_.Reject(admit::Refusal::kBadStart, 1,
                      "span " + ScrubUtf8(Truncate(span.name(), 100)) +
                          (start == 0 ? ": it has no start" : ": its start lies after its end"));
      ++out_.batches.refused[service_];
      return;
    }
    const Http http(span.attributes());
    const bool error =
        span.status().code() == otlp::Status::STATUS_CODE_ERROR || http.status >= 500;
    const bool ok = span.status().code() == otlp::Status::STATUS_CODE_OK;
    const std::string operation = OperationOf(span, http);
    const char status_class[] = {static_cast<char>('0' + http.status / 100), 'x', 'x'};
    own_ = {{"span.kind", span.kind() == otlp::Span::SPAN_KIND_SERVER ? "SPAN_KIND_SERVER"
                                                                      : "SPAN_KIND_CONSUMER"},
            {"span.name", operation},
            {"status.code", error ? "STATUS_CODE_ERROR"
                            : ok  ? "STATUS_CODE_OK"
                                  : "STATUS_CODE_UNSET"}};
    if (http.status > 0) own_.push_back({"status.class", {status_class, sizeof status_class}});
    std::string labels;
    EncodeLabels({}, own_, scratch_, labels);
    out_.spans.push_back({service_, operation, span.trace_id(), span.span_id(),
                          static_cast<std::int64_t>(end / kNanosPerMs),
                          static_cast<double>(end - start) / static_cast<double>(kNanosPerMs),
                          error, std::move(labels)});
  }

  OtlpSpans out_;
  OtlpPacker packer_;
  admit::Admission refused_;
  std::string service_;
  std::vector<Attribute> own_;
  std::vector<Attribute> scratch_;
};

}  // namespace

Result<OtlpSpans> ReadOtlpSpans(std::string_view request, std::size_t bytes_max) {
  google::protobuf::Arena arena;
  Request* const message = google::protobuf::Arena::CreateMessage<Request>(&arena);
  if (!message->ParseFromArray(request.data(), static_cast<int>(request.size()))) {
    return InvalidError(
        "the message is not an opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest: "
        "it "
        "is malformed or a text in it is not UTF-8");
  }
  Reader reader(bytes_max);
  for (const auto& resource : message->resource_spans()) reader.Resource(resource);
  return reader.Take();
}

}  // namespace liveops::ingest
