#pragma once

#include <cstdint>

#include "services/rule-evaluation/engine/oracle/history.h"

namespace liveops::engine::oracle {

inline constexpr std::int64_t kMinute = 60'000;
inline constexpr std::int64_t kHour = 60 * kMinute;

// A random plan of long windows and so many hours of what its series say. The same seed gives the
// same history.
History MakeHistoryOfHours(std::uint64_t seed, std::int64_t hours);

}  // namespace liveops::engine::oracle
