#pragma once

#include <optional>
#include <string>
#include <string_view>

// Inside this folder.
namespace liveops::ingest {

// The bytes that hexadecimal digits, of either case, write; nothing when it is no such text.
std::optional<std::string> BytesOfHex(std::string_view digits);

}  // namespace liveops::ingest
