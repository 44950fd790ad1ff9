#pragma once

#include <cstdint>

namespace liveops::evaluation {

// Far beyond any real time (the year 33658), and small enough that sums of two never overflow.
inline constexpr std::int64_t kTimeMax = 1'000'000'000'000'000;

inline bool Sane(std::int64_t ms) { return ms >= -kTimeMax && ms <= kTimeMax; }
inline bool Sane(std::uint64_t ms) { return ms <= static_cast<std::uint64_t>(kTimeMax); }

}  // namespace liveops::evaluation
