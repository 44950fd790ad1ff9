#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace liveops {

// The bytes that base64 holds (RFC 4648, 4), with padding or without; nothing when it is none.
std::optional<std::string> ReadBase64(std::string_view text);

}  // namespace liveops
