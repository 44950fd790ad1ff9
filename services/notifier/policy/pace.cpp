#include "services/notifier/policy/pace.h"

#include <cmath>

namespace liveops::notifier {

const char* PaceReasonName(PaceReason reason) {
  switch (reason) {
    case PaceReason::kFree:
      return "free";
    case PaceReason::kInFlight:
      return "in-flight";
    case PaceReason::kRateLimit:
      return "rate-limit";
    case PaceReason::kRetryAfter:
      return "retry-after";
    case PaceReason::kCircuitOpen:
      return "circuit-open";
    case PaceReason::kCircuitProbing:
      return "circuit-probing";
  }
  return "unknown";
}

double Pace::TokensAt(SteadyTime now) const {
  if (!filled_) return tokens_;
  const double seconds = std::chrono::duration<double>(now - *filled_).count();
  return std::min(std::max(1.0, limits_.burst), tokens_ + seconds * limits_.per_second);
}

Pace::Decision Pace::Ask(SteadyTime now) const {
  if (open_until_) {
    if (now < *open_until_) return {PaceReason::kCircuitOpen, open_until_};
    if (in_flight_ > 0) return {PaceReason::kCircuitProbing, std::nullopt};
  }
  if (paused_until_ && now < *paused_until_) return {PaceReason::kRetryAfter, paused_until_};
  if (in_flight_ >= limits_.in_flight_max) return {PaceReason::kInFlight, std::nullopt};
  if (limits_.per_second > 0) {
    const double tokens = TokensAt(now);
    if (tokens < 1.0) {
      const double wait_ms = std::ceil((1.0 - tokens) / limits_.per_second * 1000.0);
      return {PaceReason::kRateLimit, now + Duration(static_cast<std::int64_t>(wait_ms))};
    }
  }
  return {};
}

void Pace::Started(SteadyTime now) {
  ++in_flight_;
  if (limits_.per_second <= 0) return;
  // A wait is rounded to whole milliseconds; what rounding lacks must not make the count negative.
  tokens_ = std::max(0.0, TokensAt(now) - 1.0);
  filled_ = now;
}

void Pace::NotSent() { in_flight_ = std::max(0, in_flight_ - 1); }

void Pace::Finished(SteadyTime now, Health health, std::optional<Duration> retry_after) {
  in_flight_ = std::max(0, in_flight_ - 1);
  if (health == Health::kAnswered) {
    failures_ = 0;
    open_until_.reset();
    return;
  }
  if (health == Health::kThrottled || retry_after) {
    const Duration pause = std::clamp(retry_after.value_or(limits_.retry_after_default),
                                      Duration(100), limits_.retry_after_max);
    paused_until_ = std::max(paused_until_.value_or(now), now + pause);
  }
  if (health == Health::kThrottled) {
    failures_ = 0;  // it is there: the pause is enough
    open_until_.reset();
    return;
  }
  ++failures_;
  if (failures_ < limits_.failures_to_open) return;
  const bool first = failures_ == limits_.failures_to_open;
  // Requests that were under way when it opened end here too; they lengthen nothing.
  if (!first && open_until_ && now < *open_until_) return;
  open_for_ = first ? limits_.open_first : std::min(open_for_ * 2, limits_.open_max);
  open_until_ = now + open_for_;
}

Duration BackOff(std::uint32_t attempts, std::uint64_t salt) {
  const std::uint32_t doublings = std::min<std::uint32_t>(attempts > 0 ? attempts - 1 : 0, 7);
  const Duration base = std::min(Duration(500) * (1 << doublings), Duration(60'000));
  return base + base * static_cast<std::int64_t>(salt % 256) / 1024;
}

}  // namespace liveops::notifier
