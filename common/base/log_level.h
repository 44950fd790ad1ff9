#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace liveops {

// How bad a log line is, in the six ranges of OpenTelemetry's severity
// (https://opentelemetry.io/docs/specs/otel/logs/data-model/#field-severitynumber).
enum class LogLevel : std::uint8_t { kUnknown, kTrace, kDebug, kInfo, kWarn, kError, kFatal };
inline constexpr std::array<LogLevel, 7> kLogLevels = {
    LogLevel::kUnknown, LogLevel::kTrace, LogLevel::kDebug, LogLevel::kInfo,
    LogLevel::kWarn,    LogLevel::kError, LogLevel::kFatal};

const char* LogLevelName(LogLevel level);  // "unknown", "trace", …, "fatal"
// One of those names, "unknown" aside.
std::optional<LogLevel> ParseLogLevel(std::string_view name);
// What the word of a logging library means, in any case: "WARNING", "err", "CRITICAL", "notice";
// kUnknown for what is none.
LogLevel LogLevelOfWord(std::string_view word);
// Of a SeverityNumber, 1 to 24; kUnknown for others.
LogLevel LogLevelOfSeverity(std::uint64_t number);

}  // namespace liveops
