#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "common/base/result.h"

namespace liveops {

using Duration = std::chrono::milliseconds;

// Domain time: what windows, holds, dedup and expiry are reckoned in. Milliseconds since the Unix
// epoch.
struct DomainClockTag {
  using rep = std::int64_t;
  using period = std::milli;
  using duration = Duration;
};
using Instant = std::chrono::time_point<DomainClockTag, Duration>;

// Real time as the outside world writes it: broker append times, emitters' stamps. Milliseconds
// since the Unix epoch.
struct RealClockTag {
  using rep = std::int64_t;
  using period = std::milli;
  using duration = Duration;
};
using RealTime = std::chrono::time_point<RealClockTag, Duration>;

// Monotonic time for I/O deadlines, retries and sessions; never compared across processes.
using SteadyTime = std::chrono::steady_clock::time_point;

inline Instant InstantFromMs(std::int64_t ms) { return Instant(Duration(ms)); }
inline std::int64_t ToMs(Instant t) { return t.time_since_epoch().count(); }
inline RealTime RealFromMs(std::int64_t ms) { return RealTime(Duration(ms)); }
inline std::int64_t ToMs(RealTime t) { return t.time_since_epoch().count(); }

// The map between the two clocks: domain = domain_origin + speed * (real - real_origin).
// Written once per installation (DomainTime in controls.v1); speed is 1 outside the sandbox's demo.
// Thread-safe: immutable.
struct TimeMap {
  RealTime real_origin{};
  Instant domain_origin{};
  double speed = 1.0;

  Instant ToDomain(RealTime real) const;
  RealTime ToReal(Instant domain) const;
  // Lengths of time.
  Duration ToDomain(Duration real) const;
  Duration ToReal(Duration domain) const;
};

// The host's wall clock. For people (log lines, "applied at"), for senders' stamps, and nowhere
// else: no service decides by it.
RealTime WallClockNow();

// "90s", "5min", "1h30min", "250ms", "1d": the words of the plan language. Units ms, s, sec, m,
// min, h, hr, d, w; terms may follow each other, each unit smaller than the one before.
Result<Duration> ParseDuration(std::string_view text);

// The shortest exact form in the words that ParseDuration reads, e.g. "5min", "1h30min", "0s".
std::string FormatDuration(Duration d);

// For people: two leading units, e.g. "3min 20s", "420ms".
std::string FormatElapsed(Duration d);

// ISO 8601 in UTC with milliseconds, e.g. "2026-02-04T09:15:00.250Z".
std::string FormatUtc(std::int64_t unix_ms);
// Reads what FormatUtc writes; the fraction may be missing or of any length (beyond milliseconds it
// is cut).
std::optional<std::int64_t> ParseUtc(std::string_view text);

}  // namespace liveops
