#include "services/liveopsctl/render/json.h"

#include <fmt/format.h>
#include <google/protobuf/util/json_util.h>

#include "common/base/text.h"

namespace liveops::ctl {

std::string MessageJson(const google::protobuf::Message& message) {
  google::protobuf::util::JsonPrintOptions options;
  options.preserve_proto_field_names = true;
  options.always_print_primitive_fields = true;
  std::string out;
  const auto status = google::protobuf::util::MessageToJsonString(message, &out, options);
  return status.ok() ? out : "null";
}

std::string WithField(std::string object, std::string_view name, std::string_view value) {
  const bool first = object == "{}";
  object.pop_back();
  return fmt::format("{}{}{}:{}}}", object, first ? "" : ",", JsonString(name), value);
}

std::string JsonString(std::string_view text) {
  std::string out = "\"";
  const std::string valid = ScrubUtf8(text);
  for (std::size_t i = 0; i < valid.size(); ++i) {
    const auto c = static_cast<unsigned char>(valid[i]);
    const auto next = i + 1 < valid.size() ? static_cast<unsigned char>(valid[i + 1]) : 0u;
    if (c == '"' || c == '\\') {
      out += '\\';
      out += valid[i];
    } else if (c < 0x20 || c == 0x7f) {
      out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
    } else if (c == 0xc2 && next >= 0x80 && next < 0xa0) {  // C1 controls
      out += fmt::format("\\u{:04x}", next);
      ++i;
    } else {
      out += valid[i];
    }
  }
  return out + "\"";
}

std::string ErrorJson(std::string_view code, std::string_view message) {
  return fmt::format("{{\"error\":{{\"code\":{},\"message\":{}}}}}\n", JsonString(code),
                     JsonString(message));
}

}  // namespace liveops::ctl
