#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "common/base/result.h"
#include "common/base/time.h"

// Inside services/ingest/source alone: what the translators of JSON share. No bytes make them
// throw.
namespace liveops::ingest::source {

using Json = nlohmann::json;

// kInvalid: not JSON, or nested deeper than 32.
Result<Json> ReadJson(std::string_view body);

// A string as it is, a number or a truth value as JSON writes it; nothing when there is none, null,
// a list or a mapping.
std::optional<std::string> TextOf(const Json& value);
// The same of a member; "" where there is nothing.
std::string TextAt(const Json& object, const char* key);

// RFC 3339, with Z or an offset. Go's zero time (year 1) is nothing.
std::optional<RealTime> ReadTime(std::string_view text);
// Unix seconds or milliseconds, whichever gives a time of this century.
std::optional<RealTime> ReadUnixTime(std::string_view text);

}  // namespace liveops::ingest::source
