#include "services/ingest/source/alert/json_reading.h"

#include <charconv>

namespace liveops::ingest::source {
namespace {

constexpr int kDepthMax = 32;

bool Digit(char c) { return c >= '0' && c <= '9'; }

// "+09:00" in ms.
std::optional<std::int64_t> ReadOffset(std::string_view text) {
  const bool shaped = text.size() == 6 && text[3] == ':' && Digit(text[1]) && Digit(text[2]) &&
                      Digit(text[4]) && Digit(text[5]);
  if (!shaped) return std::nullopt;
  const int minutes =
      ((text[1] - '0') * 10 + text[2] - '0') * 60 + (text[4] - '0') * 10 + text[5] - '0';
  return std::int64_t{text[0] == '-' ? -1 : 1} * minutes * 60'000;
}

}  // namespace

Result<Json> ReadJson(std::string_view body) {
  bool deep = false;
  const auto shallow = [&](int depth, Json::parse_event_t, Json&) {
    deep |= depth > kDepthMax;
    return !deep;
  };
  Json json = Json::parse(body.begin(), body.end(), shallow, false);
  if (deep) return InvalidError("the JSON is nested deeper than " + std::to_string(kDepthMax));
  if (json.is_discarded()) return InvalidError("the body is not JSON");
  return json;
}

std::optional<std::string> TextOf(const Json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_number() || value.is_boolean()) return value.dump();
  return std::nullopt;
}

std::string TextAt(const Json& object, const char* key) {
  if (!object.is_object()) return "";
  const auto at = object.find(key);
  return at == object.end() ? "" : TextOf(*at).value_or("");
}

std::optional<RealTime> ReadTime(std::string_view text) {
  std::string utc(text);
  std::int64_t offset = 0;
  if (!utc.empty() && utc.back() != 'Z') {
    const std::size_t sign = utc.find_last_of("+-");
    if (sign == std::string::npos || sign < 19) return std::nullopt;
    const auto read = ReadOffset(std::string_view(utc).substr(sign));
    if (!read) return std::nullopt;
    offset = *read;
    utc.resize(sign);
    utc += 'Z';
  }
  const auto ms = ParseUtc(utc);
  if (!ms || *ms <= 0) return std::nullopt;
  return RealFromMs(*ms - offset);
}

std::optional<RealTime> ReadUnixTime(std::string_view text) {
  std::int64_t value = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || stop != text.data() + text.size() || value <= 0) return std::nullopt;
  constexpr std::int64_t kSecondsMax = 100'000'000'000;  // the year 5138; as ms: 1973
  if (value > kSecondsMax * 1000) return std::nullopt;
  return RealFromMs(value < kSecondsMax ? value * 1000 : value);
}

}  // namespace liveops::ingest::source
