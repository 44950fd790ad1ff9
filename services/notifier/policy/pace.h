#pragma once

#include <algorithm>
#include <optional>

#include "common/base/time.h"
#include "services/notifier/policy/facts.h"

namespace liveops::notifier {

struct PaceLimits {
  double per_second = 0;  // 0 = no limit
  double burst = 1;
  int in_flight_max = 8;
  int failures_to_open = 3;    // in a row
  Duration open_first{2'000};  // doubles with each failed probe
  Duration open_max{60'000};
  Duration retry_after_default{30'000};  // a 429 that does not say how long
  Duration retry_after_max{600'000};     // what a provider may ask for at most
};

enum class PaceReason {
  kFree,
  kInFlight,  // enough requests are under way
  kRateLimit,
  kRetryAfter,      // the provider asked for a pause
  kCircuitOpen,     // it failed several times in a row
  kCircuitProbing,  // one request is under way to see whether it is back
};
const char* PaceReasonName(PaceReason reason);

// What an answer says about the destination as a whole (the notice's own outcome is another
// matter).
enum class Health {
  kAnswered,   // it works, whatever it thought of this notice
  kThrottled,  // 429
  kFailed,     // 5xx, no answer, no connection
};

// Stage 4, one a destination: rate, Retry-After, circuit breaker. In steady time, since they are
// about the outside world. Pure: time is an argument. One thread at a time.
class Pace {
 public:
  struct Decision {
    PaceReason reason = PaceReason::kFree;
    // Ask again then; absent = when a request finishes.
    std::optional<SteadyTime> until;
    bool free() const { return reason == PaceReason::kFree; }
  };

  explicit Pace(PaceLimits limits) : limits_(limits), tokens_(std::max(1.0, limits.burst)) {}

  Decision Ask(SteadyTime now) const;
  void Started(SteadyTime now);
  void Finished(SteadyTime now, Health health, std::optional<Duration> retry_after);
  // A request that was begun but never left.
  void NotSent();

  int failures_in_a_row() const { return failures_; }

 private:
  double TokensAt(SteadyTime now) const;

  PaceLimits limits_;
  double tokens_;
  std::optional<SteadyTime> filled_;  // when tokens_ was right
  int in_flight_ = 0;
  std::optional<SteadyTime> paused_until_;
  int failures_ = 0;
  std::optional<SteadyTime> open_until_;
  Duration open_for_{0};
};

// Stage 5: how long a notice waits after its n-th failed attempt (n >= 1): 500 ms, doubled each
// time, at most 60 s, and up to a quarter more by `salt`, so that a backlog does not come back in
// step.
Duration BackOff(std::uint32_t attempts, std::uint64_t salt);

}  // namespace liveops::notifier
