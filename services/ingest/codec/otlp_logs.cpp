#include "services/ingest/codec/otlp_logs.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <utility>

#include "common/base/text.h"
#include "common/wire/wire.h"
#include "services/ingest/codec/attributes.h"
#include "services/ingest/codec/fields.h"
#include "services/ingest/codec/rejection_sentence.h"

namespace liveops::ingest {
namespace {

using wire::Tag;
using wire::Type;

constexpr std::string_view kServiceAttribute = "service.name";
constexpr std::string_view kSdkAttributes = "telemetry.";
constexpr const char* kUnknownService = "unknown_service";
constexpr std::size_t kServiceBytes = 1024;  // admission's limit is shorter
constexpr std::size_t kEndpointBytes = 256;
constexpr std::size_t kLoggerBytes = 128;
constexpr std::size_t kEventNameBytes = 256;
constexpr std::uint64_t kNanosPerMs = 1'000'000;

// In the order in which they say what the endpoint is.
constexpr std::array<std::string_view, 3> kEndpoints = {"http.route", "url.path", "http.target"};

// The text of an AnyValue; nothing when it is none.
std::optional<std::string> TextOf(std::string_view message, std::size_t bytes_max) {
  wire::Reader in(message);
  std::string_view text;
  // As nearly every one is: a text.
  if (in.At<Tag(1, Type::kBytes)>() && in.Bytes(text) && in.AtEnd())
    return admit::LogText(text, bytes_max);
  opentelemetry::proto::common::v1::AnyValue value;
  if (!value.ParseFromArray(message.data(), static_cast<int>(message.size()))) return std::nullopt;
  return admit::LogText(AttributeText(value), bytes_max);
}

struct Pair {
  std::string_view key;
  std::string_view value;  // an AnyValue
};

bool ReadPair(std::string_view message, Pair& pair) {
  return ForEachField(message, [&](std::uint32_t tag, wire::Reader& in) {
    if (tag == Tag(1, Type::kBytes)) return Taken(in.Bytes(pair.key));
    if (tag == Tag(2, Type::kBytes)) return Taken(in.Bytes(pair.value));
    return Took::kSkip;
  });
}

class Reader {
 public:
  explicit Reader(const admit::LogLimits& limits) : limits_(limits) {}

  bool Request(std::string_view message) {
    return ForEachMessage(message, 1, [&](std::string_view inside) { return Resource(inside); });
  }
  OtlpLogs Take() { return std::move(out_); }

 private:
  bool Resource(std::string_view message) {
    admit::LogGroup& group = out_.groups.emplace_back();
    const bool read = ForEachMessage(message, 1, [&](std::string_view resource) {
      return ForEachMessage(resource, 1, [&](std::string_view bytes) {
        Pair pair;
        if (!ReadPair(bytes, pair)) return false;
        if (pair.key == kServiceAttribute) {
          group.service = TextOf(pair.value, kServiceBytes).value_or("");
        } else if (!pair.key.starts_with(kSdkAttributes)) {
          std::uint32_t dropped = 0;  // what wrote the lines is told as far as there is room
          Add(pair, group.resource, dropped);
        }
        return true;
      });
    });
    if (group.service.empty()) group.service = kUnknownService;
    return read &&
           ForEachMessage(message, 2, [&](std::string_view scope) { return Scope(scope, group); });
  }

  bool Scope(std::string_view message, admit::LogGroup& group) {
    std::string_view name;
    return ForEachMessage(message, 1,
                          [&](std::string_view scope) {
                            return ForEachMessage(scope, 1, [&](std::string_view text) {
                              name = text;
                              return true;
                            });
                          }) &&
           ForEachMessage(message, 2, [&](std::string_view record) {
             admit::LogLine& line = group.lines.emplace_back();
             ++out_.lines;
             line.logger = admit::LogText(name, kLoggerBytes);
             return Record(record, line);
           });
  }

  bool Record(std::string_view message, admit::LogLine& line) {
    record_ = {};
    const bool read = ForEachField(message, [&](std::uint32_t tag, wire::Reader& in) {
      std::string_view bytes;
      Pair pair;
      switch (tag) {
        case Tag(1, Type::kFixed64):
          return Taken(in.Fixed64(record_.nanos));
        case Tag(11, Type::kFixed64):
          return Taken(in.Fixed64(record_.observed_nanos));
        case Tag(2, Type::kVarint):
          return Taken(in.Varint(record_.severity));
        case Tag(3, Type::kBytes):
          return Taken(in.Bytes(record_.severity_text));
        case Tag(5, Type::kBytes):
          record_.has_body = true;
          return Taken(in.Bytes(record_.body));
        case Tag(6, Type::kBytes):
          if (!in.Bytes(bytes) || !ReadPair(bytes, pair)) return Took::kMalformed;
          Attribute(pair, line);
          return Took::kYes;
        case Tag(9, Type::kBytes):
          if (!in.Bytes(bytes)) return Took::kMalformed;
          line.trace_id = bytes.size() == 16 ? bytes : std::string_view();
          return Took::kYes;
        case Tag(10, Type::kBytes):
          if (!in.Bytes(bytes)) return Took::kMalformed;
          line.span_id = bytes.size() == 8 ? bytes : std::string_view();
          return Took::kYes;
        case Tag(12, Type::kBytes):
          return Taken(in.Bytes(record_.event));
        default:
          return Took::kSkip;
      }
    });
    if (read) Settle(line);
    return read;
  }

  void Settle(admit::LogLine& line) {
    const std::uint64_t nanos = record_.nanos != 0 ? record_.nanos : record_.observed_nanos;
    line.time_ms = static_cast<std::int64_t>(nanos / kNanosPerMs);
    line.level = LogLevelOfSeverity(record_.severity);
    if (line.level == LogLevel::kUnknown) line.level = LogLevelOfWord(record_.severity_text);
    if (record_.has_body) line.message = TextOf(record_.body, limits_.message_bytes).value_or("");
    if (line.message.empty()) line.message = admit::LogText(record_.event, kEventNameBytes);
    for (std::size_t i = 0; i < kEndpoints.size() && line.endpoint.empty(); ++i)
      line.endpoint = std::move(record_.endpoints[i]);
    line.query_ms = admit::SlowQueryMs(line.message).value_or(0);
  }

  void Attribute(const Pair& pair, admit::LogLine& line) {
    const auto found = std::find(kEndpoints.begin(), kEndpoints.end(), pair.key);
    if (found == kEndpoints.end()) return Add(pair, line.attributes, line.dropped_attributes);
    std::string endpoint = TextOf(pair.value, kEndpointBytes).value_or("");
    if (pair.key == kEndpoints.back())
      endpoint.resize(std::min(endpoint.size(), endpoint.find('?')));
    record_.endpoints[static_cast<std::size_t>(found - kEndpoints.begin())] = std::move(endpoint);
  }

  void Add(const Pair& pair, admit::LogAttributes& out, std::uint32_t& dropped) const {
    auto text = out.size() < limits_.attributes ? TextOf(pair.value, limits_.attribute_value_bytes)
                                                : std::nullopt;
    if (!text) {
      ++dropped;
      return;
    }
    out.emplace_back(admit::LogText(pair.key, limits_.attribute_name_bytes), *std::move(text));
  }

  // Of the line that is read.
  struct Fields {
    std::uint64_t nanos = 0;
    std::uint64_t observed_nanos = 0;
    std::uint64_t severity = 0;
    std::string_view severity_text;
    bool has_body = false;
    std::string_view body;
    std::string_view event;
    std::array<std::string, kEndpoints.size()> endpoints;
  };

  const admit::LogLimits& limits_;
  OtlpLogs out_;
  Fields record_;
};

}  // namespace

Result<OtlpLogs> ReadOtlpLogs(std::string_view request, const admit::LogLimits& limits) {
  Reader reader(limits);
  if (reader.Request(request)) return reader.Take();
  return InvalidError(
      "the message is not an opentelemetry.proto.collector.logs.v1.ExportLogsServiceRequest: it is "
      "malformed");
}

opentelemetry::proto::collector::logs::v1::ExportLogsServiceResponse OtlpLogsResponse(
    const std::vector<admit::Rejection>& rejections) {
  opentelemetry::proto::collector::logs::v1::ExportLogsServiceResponse response;
  std::uint64_t rejected = 0;
  for (const admit::Rejection& r : rejections) rejected += r.points;
  if (rejected == 0) return response;
  auto* const partial = response.mutable_partial_success();
  partial->set_rejected_log_records(static_cast<std::int64_t>(rejected));
  partial->set_error_message(ScrubUtf8(RejectionSentence(rejections, "log line")));
  return response;
}

}  // namespace liveops::ingest
