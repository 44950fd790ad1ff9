#include "services/notifier/policy/pipeline.h"

#include "common/base/hash.h"

namespace liveops::notifier {
namespace {

Step Nothing(StepReason reason) {
  Step step;
  step.reason = reason;
  return step;
}

Step Wait(StepReason reason, const NoticeDecision& notice, std::optional<SteadyTime> until) {
  Step step;
  step.verdict = Verdict::kWait;
  step.reason = reason;
  step.notice = notice;
  step.until = until;
  return step;
}

Step Do(Verdict verdict, StepReason reason, const NoticeDecision& notice) {
  Step step;
  step.verdict = verdict;
  step.reason = reason;
  step.notice = notice;
  return step;
}

StepReason ReasonOf(NoticeReason reason) {
  switch (reason) {
    case NoticeReason::kDue:
      return StepReason::kDue;
    case NoticeReason::kRepeatAfterFailure:
      return StepReason::kRepeatAfterFailure;
    case NoticeReason::kRepeatAfterUnknown:
      return StepReason::kRepeatAfterUnknown;
    case NoticeReason::kSuperseded:
      return StepReason::kSuperseded;
    case NoticeReason::kAllTold:
      return StepReason::kAllTold;
    case NoticeReason::kNoLongerRouted:
      return StepReason::kNoLongerRouted;
  }
  return StepReason::kAllTold;
}

StepReason ReasonOf(PaceReason reason) {
  switch (reason) {
    case PaceReason::kFree:
      return StepReason::kDue;
    case PaceReason::kInFlight:
      return StepReason::kRequestsUnderWay;
    case PaceReason::kRateLimit:
      return StepReason::kRateLimit;
    case PaceReason::kRetryAfter:
      return StepReason::kRetryAfter;
    case PaceReason::kCircuitOpen:
      return StepReason::kCircuitOpen;
    case PaceReason::kCircuitProbing:
      return StepReason::kCircuitProbing;
  }
  return StepReason::kDue;
}

// A resolve again, dedup and back-off: why this notice waits, if it does.
std::optional<Step> Hold(const Desired& desired, const Delivered& delivered,
                         const Situation& situation, const NoticeDecision& notice, Instant now,
                         SteadyTime steady) {
  if (notice.first_told && now < *notice.first_told + situation.resolve_again_after) {
    Step step = Wait(StepReason::kResolveAgainLater, notice, std::nullopt);
    step.until_domain = *notice.first_told + situation.resolve_again_after;
    return step;
  }
  const DedupDecision dedup = AskDedup(desired, delivered, notice, situation.dedup, now, steady);
  if (dedup.reason == DedupReason::kAsk) {
    return Do(Verdict::kAskDedup, StepReason::kDedupAsk, notice);
  }
  if (dedup.reason == DedupReason::kAsking) {
    return Wait(StepReason::kDedupAsking, notice, situation.dedup.asked + kDedupPatience);
  }
  if (dedup.reason == DedupReason::kWindowOpen) {
    Step step = Wait(StepReason::kDedupWindow, notice, std::nullopt);
    step.until_domain = situation.dedup.until;
    return step;
  }
  if (notice.number > 1 && situation.last_attempt) {
    const SteadyTime at =
        *situation.last_attempt + BackOff(notice.number - 1, Xxh64(desired.group));
    if (steady < at) return Wait(StepReason::kBackOff, notice, at);
  }
  return std::nullopt;
}

}  // namespace

const char* StepReasonName(StepReason reason) {
  switch (reason) {
    case StepReason::kDue:
      return "due";
    case StepReason::kRepeatAfterFailure:
      return "repeat-after-failure";
    case StepReason::kRepeatAfterUnknown:
      return "repeat-after-unknown";
    case StepReason::kSuperseded:
      return "superseded";
    case StepReason::kNotConfigured:
      return "not-configured";
    case StepReason::kAllTold:
      return "all-told";
    case StepReason::kNoLongerRouted:
      return "no-longer-routed";
    case StepReason::kNotOwner:
      return "not-owner";
    case StepReason::kCatchingUp:
      return "catching-up";
    case StepReason::kLeaseRunning:
      return "lease-running";
    case StepReason::kAttemptUnderWay:
      return "attempt-under-way";
    case StepReason::kDedupAsk:
      return "dedup-ask";
    case StepReason::kDedupAsking:
      return "dedup-asking";
    case StepReason::kDedupWindow:
      return "dedup-window";
    case StepReason::kResolveAgainLater:
      return "resolve-again-later";
    case StepReason::kBackOff:
      return "back-off";
    case StepReason::kRequestsUnderWay:
      return "requests-under-way";
    case StepReason::kRateLimit:
      return "rate-limit";
    case StepReason::kRetryAfter:
      return "retry-after";
    case StepReason::kCircuitOpen:
      return "circuit-open";
    case StepReason::kCircuitProbing:
      return "circuit-probing";
  }
  return "unknown";
}

Step NextStep(const Destination& destination, const Desired& desired, const Delivered& delivered,
              const Situation& situation, const Pace& pace, Instant now, SteadyTime steady) {
  if (situation.standing == Standing::kNotOwner) return Nothing(StepReason::kNotOwner);
  if (situation.standing == Standing::kCatchingUp) return Nothing(StepReason::kCatchingUp);
  if (situation.in_flight) return Nothing(StepReason::kAttemptUnderWay);

  const NoticeDecision notice =
      NextNotice(destination.channel, situation.routed, desired, delivered);
  const StepReason reason = ReasonOf(notice.reason);
  if (notice.reason == NoticeReason::kSuperseded) return Do(Verdict::kRecord, reason, notice);
  if (!notice.sends()) return Nothing(reason);
  if (!situation.configured) {
    return Do(Verdict::kRecord, StepReason::kNotConfigured, notice);
  }
  if (situation.standing == Standing::kLeaseRunning) {
    return Wait(StepReason::kLeaseRunning, notice, situation.ready_at);
  }
  if (auto held = Hold(desired, delivered, situation, notice, now, steady)) return *held;
  const Pace::Decision paced = pace.Ask(steady);
  if (!paced.free()) return Wait(ReasonOf(paced.reason), notice, paced.until);
  return Do(Verdict::kSend, reason, notice);
}

}  // namespace liveops::notifier
