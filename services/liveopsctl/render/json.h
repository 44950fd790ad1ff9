#pragma once

#include <string>
#include <string_view>

namespace google::protobuf {
class Message;
}

namespace liveops::ctl {

// A server's message as one line of JSON by protobuf's own rules (field names as in the .proto
// files, fields without a value written too, 64-bit numbers as strings, bytes as base64), without a
// line end. Control characters are escaped.
std::string MessageJson(const google::protobuf::Message& message);

// A JSON object with one field more, whose value is JSON, too.
std::string WithField(std::string object, std::string_view name, std::string_view value);

// A JSON string with its quotes.
std::string JsonString(std::string_view text);

// {"error":{"code":"…","message":"…"}} and a line end.
std::string ErrorJson(std::string_view code, std::string_view message);

}  // namespace liveops::ctl
