#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "services/notifier/policy/dedup.h"
#include "services/notifier/policy/facts.h"
#include "services/notifier/policy/notice.h"
#include "services/notifier/policy/pace.h"

namespace liveops::notifier {

// May this process act for the destination at all?
enum class Standing {
  kReady,
  kNotOwner,      // another process owns the destination's partition
  kCatchingUp,    // the desired state is not read to its end yet: history must not page
  kLeaseRunning,  // the last owner may still act on an attempt of its own
};

// Real time, after which a provider has surely taken up whatever it ever will of a request of
// unknown outcome: then the resolve behind it is sent again.
inline constexpr Duration kResolveAgainAfter{60'000};

// All that is known of one (group, destination) besides the facts themselves.
struct Situation {
  Standing standing = Standing::kReady;
  std::optional<SteadyTime> ready_at;      // kLeaseRunning: when that ends
  bool routed = true;                      // the plan in force sends the group here
  bool configured = true;                  // the destination has its URL or key
  bool in_flight = false;                  // an attempt is under way
  std::optional<SteadyTime> last_attempt;  // when the last attempt of this process ended
  DedupView dedup;
  Duration resolve_again_after = kResolveAgainAfter;  // domain
};

enum class Verdict {
  kSend,      // write the attempt, then send
  kRecord,    // nothing is sent; the outcome is recorded (superseded, or rejected: not configured)
  kAskDedup,  // ask the table, then decide again
  kWait,      // until `until`/`until_domain`, or until something changes
  kNothing,
};

enum class StepReason {
  kDue,
  kRepeatAfterFailure,
  kRepeatAfterUnknown,
  kSuperseded,
  kNotConfigured,
  kAllTold,
  kNoLongerRouted,
  kNotOwner,
  kCatchingUp,
  kLeaseRunning,
  kAttemptUnderWay,
  kDedupAsk,
  kDedupAsking,
  kDedupWindow,
  kResolveAgainLater,
  kBackOff,
  kRequestsUnderWay,
  kRateLimit,
  kRetryAfter,
  kCircuitOpen,
  kCircuitProbing,
};
const char* StepReasonName(StepReason reason);

struct Step {
  Verdict verdict = Verdict::kNothing;
  StepReason reason = StepReason::kAllTold;
  NoticeDecision notice;                // of kSend, kRecord and kWait
  std::optional<SteadyTime> until;      // kWait
  std::optional<Instant> until_domain;  // kWait for a dedup window or kResolveAgainLater
  // The whole destination waits, not this group alone.
  bool DestinationWaits() const {
    return verdict == Verdict::kWait && reason >= StepReason::kRequestsUnderWay;
  }
};

// The one pipeline: standing, notice (order, supersede), configuration, holds (a resolve again,
// dedup window, back-off), pace. Pure.
Step NextStep(const Destination& destination, const Desired& desired, const Delivered& delivered,
              const Situation& situation, const Pace& pace, Instant now, SteadyTime steady);

// Who goes first where not all can: severity, then the older episode, then the name.
struct Priority {
  plan::Severity severity = plan::Severity::kLow;
  Instant episode{};
  std::string group;
  friend bool operator==(const Priority&, const Priority&) = default;
  friend auto operator<=>(const Priority&, const Priority&) = default;
};

}  // namespace liveops::notifier
