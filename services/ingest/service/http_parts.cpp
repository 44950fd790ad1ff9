#include "services/ingest/service/http_parts.h"

#include <algorithm>

#include "common/base/base64.h"
#include "common/base/text.h"

namespace liveops::ingest {

http::Reply Text(int status, std::string_view text) {
  return {status, "text/plain; charset=utf-8", std::string(text) + "\n", {}};
}

int HttpStatusOf(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInvalid:
      return 400;
    case ErrorCode::kDenied:
      return 403;
    case ErrorCode::kUnavailable:
    case ErrorCode::kTimeout:
      return 503;
    default:
      return 500;
  }
}

void AddRetryAfter(http::Reply& reply, Duration wait) {
  std::erase_if(reply.headers, [](const auto& header) { return header.first == "Retry-After"; });
  const std::int64_t seconds = (wait.count() + 999) / 1000;
  reply.headers.emplace_back("Retry-After", std::to_string(std::max<std::int64_t>(1, seconds)));
}

std::string ContentFault(std::string_view what, std::string_view given) {
  if (given.empty()) return "no content " + std::string(what) + " is given";
  return "the content " + std::string(what) + " \"" + ScrubUtf8(Truncate(given, 80)) +
         "\" is not taken";
}

http::Reply ToReply(const Error& error) { return Text(HttpStatusOf(error.code), error.message); }

bool AllForeign(const WriteAnswer& answer) {
  return answer.accepted_points == 0 && !answer.rejections.empty() &&
         std::all_of(answer.rejections.begin(), answer.rejections.end(), [](const auto& rejection) {
           return rejection.reason == admit::Refusal::kForeign;
         });
}

std::string_view Trim(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r\n";
  const std::size_t first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

bool SameWord(std::string_view text, std::string_view word) {
  return text.size() == word.size() &&
         std::equal(text.begin(), text.end(), word.begin(),
                    [](char x, char y) { return (x >= 'A' && x <= 'Z' ? x + 32 : x) == y; });
}

std::optional<std::pair<std::string, std::string>> ReadBasic(std::string_view header) {
  constexpr std::string_view kBasic = "Basic ";
  if (!header.starts_with(kBasic)) return std::nullopt;
  const auto read = ReadBase64(Trim(header.substr(kBasic.size())));
  if (!read) return std::nullopt;
  const std::string& text = *read;
  const std::size_t colon = text.find(':');
  if (colon == std::string::npos) return std::nullopt;
  return std::pair(text.substr(0, colon), text.substr(colon + 1));
}

MediaType ParseMediaType(std::string_view text) {
  MediaType out;
  out.type = Trim(text.substr(0, text.find(';')));
  while (text.find(';') != std::string_view::npos) {
    text.remove_prefix(text.find(';') + 1);
    std::string_view parameter = Trim(text.substr(0, text.find(';')));
    const std::size_t equals = parameter.find('=');
    if (equals == std::string_view::npos || !SameWord(Trim(parameter.substr(0, equals)), "proto"))
      continue;
    out.proto = Trim(parameter.substr(equals + 1));
    if (out.proto.size() >= 2 && out.proto.front() == '"' && out.proto.back() == '"')
      out.proto = out.proto.substr(1, out.proto.size() - 2);
  }
  return out;
}

}  // namespace liveops::ingest
