#pragma once

#include <string_view>

// Inside this folder.
namespace liveops::admit {

// UTF-8 without control characters; may be empty.
bool IsPlainWord(std::string_view text);

}  // namespace liveops::admit
