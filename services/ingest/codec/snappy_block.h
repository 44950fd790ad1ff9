#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "common/base/result.h"

// Snappy's block format (https://github.com/google/snappy/blob/main/format_description.txt), not
// its framing format.
namespace liveops::ingest {

// The length that a block says its contents have; nothing when it says none.
std::optional<std::size_t> SnappyLength(std::string_view block);

// What a block holds. Its length is believed, and memory taken, only up to `bytes_max` and to what
// a block of its size can hold. kInvalid: it is larger, or no such block.
Result<std::string> ReadSnappyBlock(std::string_view block, std::size_t bytes_max);

}  // namespace liveops::ingest
