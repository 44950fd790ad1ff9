#include "common/plan/log_count.h"

#include <cstring>

namespace liveops::plan {

bool Contains(std::string_view text, std::string_view pattern) {
  while (!pattern.empty()) {
    const std::size_t star = pattern.find('*');
    const std::string_view piece = pattern.substr(0, star);
    // glibc's search is linear; that of std::string_view is not.
    const void* const found = memmem(text.data(), text.size(), piece.data(), piece.size());
    if (found == nullptr) return false;
    const auto begin = static_cast<std::size_t>(static_cast<const char*>(found) - text.data());
    text.remove_prefix(begin + piece.size());
    if (star == std::string_view::npos) return true;
    pattern.remove_prefix(star + 1);
  }
  return true;
}

bool Counts(const LogCount& count, LogLevel level, std::string_view message) {
  return (!count.level || level >= *count.level) && Contains(message, count.match);
}

}  // namespace liveops::plan
