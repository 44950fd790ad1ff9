#include "common/base/log_level.h"

#include <algorithm>
#include <utility>

namespace liveops {
namespace {

constexpr std::size_t kWordMax = 16;

constexpr std::pair<std::string_view, LogLevel> kWords[] = {
    {"trace", LogLevel::kTrace},      {"verbose", LogLevel::kTrace},
    {"debug", LogLevel::kDebug},      {"info", LogLevel::kInfo},
    {"information", LogLevel::kInfo}, {"informational", LogLevel::kInfo},
    {"log", LogLevel::kInfo},         {"notice", LogLevel::kInfo},
    {"warn", LogLevel::kWarn},        {"warning", LogLevel::kWarn},
    {"err", LogLevel::kError},        {"error", LogLevel::kError},
    {"severe", LogLevel::kError},     {"crit", LogLevel::kFatal},
    {"critical", LogLevel::kFatal},   {"alert", LogLevel::kFatal},
    {"emerg", LogLevel::kFatal},      {"emergency", LogLevel::kFatal},
    {"panic", LogLevel::kFatal},      {"fatal", LogLevel::kFatal},
};

}  // namespace

const char* LogLevelName(LogLevel level) {
  switch (level) {
    case LogLevel::kUnknown:
      return "unknown";
    case LogLevel::kTrace:
      return "trace";
    case LogLevel::kDebug:
      return "debug";
    case LogLevel::kInfo:
      return "info";
    case LogLevel::kWarn:
      return "warn";
    case LogLevel::kError:
      return "error";
    case LogLevel::kFatal:
      return "fatal";
  }
  return "unknown";
}

std::optional<LogLevel> ParseLogLevel(std::string_view name) {
  for (const LogLevel level : kLogLevels) {
    if (level != LogLevel::kUnknown && name == LogLevelName(level)) return level;
  }
  return std::nullopt;
}

LogLevel LogLevelOfWord(std::string_view word) {
  if (word.size() > kWordMax) return LogLevel::kUnknown;
  char lower[kWordMax];
  std::transform(word.begin(), word.end(), lower, [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
  });
  for (const auto& [known, level] : kWords) {
    if (known == std::string_view(lower, word.size())) return level;
  }
  return LogLevel::kUnknown;
}

LogLevel LogLevelOfSeverity(std::uint64_t number) {
  return number >= 1 && number <= 24 ? kLogLevels[(number - 1) / 4 + 1] : LogLevel::kUnknown;
}

}  // namespace liveops
