#include "services/ingest/codec/attributes.h"

#include <charconv>
#include <cmath>
#include <cstdint>
#include <span>

#include "common/base/hash.h"

namespace liveops::ingest {
namespace {

using opentelemetry::proto::common::v1::AnyValue;

constexpr int kDepthMax = 8;
// Longer texts are refused by admission's limit on a label value; there is no need to build them.
constexpr std::size_t kTextMax = 8 << 10;

void AppendQuoted(std::string_view text, std::string& out) {
  out += '"';
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  out += '"';
}

void AppendJson(const AnyValue& value, int depth, std::string& out);

void AppendScalar(const AnyValue& value, std::string& out) {
  char buffer[40];
  switch (value.value_case()) {
    case AnyValue::kBoolValue:
      out += value.bool_value() ? "true" : "false";
      break;
    case AnyValue::kIntValue:
      out.append(buffer, std::to_chars(buffer, buffer + sizeof(buffer), value.int_value()).ptr);
      break;
    case AnyValue::kDoubleValue:
      out.append(buffer, std::to_chars(buffer, buffer + sizeof(buffer), value.double_value()).ptr);
      break;
    case AnyValue::kBytesValue: {
      const std::string& bytes = value.bytes_value();
      out += Hex(std::span(reinterpret_cast<const std::uint8_t*>(bytes.data()),
                           std::min(bytes.size(), kTextMax)));
      break;
    }
    default:
      out += "null";
  }
}

void AppendContainer(const AnyValue& value, int depth, std::string& out) {
  if (depth >= kDepthMax) {
    out += "null";
    return;
  }
  bool first = true;
  const auto separate = [&] {
    if (!first) out += ',';
    first = false;
    return out.size() < kTextMax;
  };
  if (value.has_array_value()) {
    out += '[';
    for (const AnyValue& element : value.array_value().values()) {
      if (!separate()) break;
      AppendJson(element, depth + 1, out);
    }
    out += ']';
    return;
  }
  out += '{';
  for (const auto& pair : value.kvlist_value().values()) {
    if (!separate()) break;
    AppendQuoted(pair.key(), out);
    out += ':';
    AppendJson(pair.value(), depth + 1, out);
  }
  out += '}';
}

void AppendJson(const AnyValue& value, int depth, std::string& out) {
  if (value.has_string_value()) {
    AppendQuoted(value.string_value(), out);
  } else if (value.has_array_value() || value.has_kvlist_value()) {
    AppendContainer(value, depth, out);
  } else {
    AppendScalar(value, out);
  }
}

}  // namespace

std::string AttributeText(const AnyValue& value) {
  if (value.has_string_value()) return value.string_value();
  if (value.value_case() == AnyValue::VALUE_NOT_SET) return "";
  std::string out;
  AppendJson(value, 0, out);
  return out;
}

void AppendAttributes(const Attributes& attributes, LabelPairs& out) {
  for (const auto& attribute : attributes)
    out.emplace_back(attribute.key(), AttributeText(attribute.value()));
}

}  // namespace liveops::ingest
