#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "common/base/result.h"
#include "services/liveopsctl/cli/command.h"

// Argument texts to values. Errors are kInvalid with a sentence for the person who typed them.
namespace liveops::ctl {

// "http_5xx_count=12", "cpu=-0.5". The value must be finite.
Result<Sample> ParseSample(std::string_view text);

// "endpoint=/games"; the value may be empty and may hold "=".
Result<std::pair<std::string, std::string>> ParseLabel(std::string_view text);

// "gauge", "delta" or "observation".
Result<SampleKind> ParseSampleKind(std::string_view text);

// RFC 3339, e.g. "2026-02-04T09:15:00Z", "2026-02-04 18:15:00.5+09:00", to Unix milliseconds (finer
// digits dropped).
Result<std::int64_t> ParseRfc3339(std::string_view text);

}  // namespace liveops::ctl
