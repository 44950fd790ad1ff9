#include "services/notifier/policy/notice.h"

#include <algorithm>
#include <optional>

namespace liveops::notifier {
namespace {

// A notice that is wanted at `step`, against the newest entry about it; nothing when it is settled.
std::optional<NoticeDecision> Attempt(Channel channel, const Delivered& delivered, Notice notice,
                                      const std::string& subject, std::uint32_t step) {
  NoticeDecision next{.reason = NoticeReason::kDue,
                      .notice = notice,
                      .subject = subject,
                      .step = step,
                      .number = 1,
                      .may_repeat = false,
                      .carries = {},
                      .first_told = {},
                      .severity = plan::Severity::kMedium,
                      .was = {}};
  bool unknown = false;
  for (const Told& entry : delivered.told) {
    if (entry.notice != notice || entry.subject != subject) continue;
    if (entry.step == step) {
      if (entry.Settled()) return std::nullopt;
      next.number = std::max(next.number, entry.attempts + 1);
      next.reason = NoticeReason::kRepeatAfterFailure;
    }
    unknown |= entry.outcome == Outcome::kUnknown;
  }
  if (unknown) {
    next.reason = NoticeReason::kRepeatAfterUnknown;
    next.may_repeat =
        channel == Channel::kSlack;  // PagerDuty takes a repeat as the same by its dedup_key
  }
  return next;
}

// The newest page that may have arrived, or nullptr.
const Told* NewestOpening(const Delivered& delivered) {
  const auto newest = std::find_if(
      delivered.told.rbegin(), delivered.told.rend(),
      [](const Told& entry) { return IsOpening(entry.notice) && entry.MayHaveArrived(); });
  return newest == delivered.told.rend() ? nullptr : &*newest;
}

// How bad the destination knows it to be.
std::optional<plan::Severity> ToldSeverity(const Delivered& delivered) {
  const auto newest =
      std::find_if(delivered.told.rbegin(), delivered.told.rend(), [](const Told& entry) {
        return (IsOpening(entry.notice) || entry.notice == Notice::kEased) &&
               entry.MayHaveArrived();
      });
  return newest == delivered.told.rend() ? std::nullopt : newest->severity;
}

// Less bad than what was told: where a word more wakes nobody. A PagerDuty alert keeps the severity
// that it had at its worst, since what is sent to it may open it anew when a person has closed it.
std::optional<NoticeDecision> EasedNotice(Channel channel, const Desired& desired,
                                          const Delivered& delivered) {
  const auto told = ToldSeverity(delivered);
  if (channel == Channel::kPagerDuty || !told || *told >= desired.severity) return std::nullopt;
  return Attempt(channel, delivered, Notice::kEased, "", desired.step);
}

// Firing, no data or stale, whichever is so now, and once more where it is worse than what was
// told.
std::optional<NoticeDecision> OpeningNotice(Channel channel, const Desired& desired,
                                            const Delivered& delivered) {
  const Notice wanted = OpeningOf(desired.phase);
  const Told* newest = NewestOpening(delivered);
  // Told already, whatever came and went since without reaching anybody.
  const auto known = ToldSeverity(delivered);
  const bool worse = known && desired.severity < *known;
  if (newest && newest->notice == wanted && newest->outcome == Outcome::kDelivered && !worse) {
    return std::nullopt;
  }
  auto next = Attempt(channel, delivered, wanted, "", desired.step);
  if (!next) return std::nullopt;
  for (const Remedy& remedy : desired.remedies) {
    const Told* told = delivered.Find(Notice::kRemedyProposed, remedy.id);
    if (!remedy.closed && (!told || !told->Settled())) next->carries.push_back(remedy.id);
  }
  return next;
}

std::optional<NoticeDecision> RemedyNotice(Channel channel, const Desired& desired,
                                           const Delivered& delivered) {
  // PagerDuty has no place for a proposal after the resolve.
  if (channel == Channel::kPagerDuty && !IsOpen(desired.phase)) return std::nullopt;
  for (const Remedy& remedy : desired.remedies) {
    const Told* proposed = delivered.Find(Notice::kRemedyProposed, remedy.id);
    if (!remedy.closed) {
      if (auto next = Attempt(channel, delivered, Notice::kRemedyProposed, remedy.id, 0)) {
        return next;
      }
      continue;
    }
    // An alert that is open is told only what a person must act on.
    if (channel == Channel::kPagerDuty && !remedy.escalate) continue;
    const bool heard_of = proposed && proposed->MayHaveArrived();
    if (!heard_of && !remedy.acted && !remedy.escalate) continue;
    if (auto next = Attempt(channel, delivered, Notice::kRemedyClosed, remedy.id, 0)) return next;
  }
  return std::nullopt;
}

std::optional<NoticeDecision> ClosingNotice(Channel channel, const Desired& desired,
                                            const Delivered& delivered) {
  const Told* told = delivered.Find(Notice::kResolved);
  if (told && told->Settled()) return std::nullopt;
  if (!delivered.AnyMayHaveArrived()) {
    NoticeDecision over;
    over.reason = NoticeReason::kSuperseded;
    over.notice = Notice::kResolved;
    over.step = desired.step;
    return over;
  }
  return Attempt(channel, delivered, Notice::kResolved, "", desired.step);
}

// An opening of unknown outcome may still be on its way when the resolve is delivered, and would
// then stand for good: the resolve is sent once more, later.
std::optional<NoticeDecision> ResolveAgain(Channel channel, const Desired& desired,
                                           const Delivered& delivered) {
  const Told* opening = NewestOpening(delivered);
  const Told* resolved = delivered.Find(Notice::kResolved);
  if (!opening || opening->outcome != Outcome::kUnknown) return std::nullopt;
  if (!resolved || resolved->outcome != Outcome::kDelivered) return std::nullopt;
  const Told* again = delivered.Find(Notice::kResolved, kResolveAgain);
  if (again && again->MayHaveArrived()) return std::nullopt;
  auto next = Attempt(channel, delivered, Notice::kResolved, kResolveAgain, desired.step);
  if (!next) return std::nullopt;
  next->reason = NoticeReason::kRepeatAfterUnknown;
  next->may_repeat = channel == Channel::kSlack;
  next->first_told = resolved->clock;
  return next;
}

std::optional<NoticeDecision> Next(Channel channel, bool routed, const Desired& desired,
                                   const Delivered& delivered) {
  if (IsClosed(desired.phase)) {
    if (auto closing = ClosingNotice(channel, desired, delivered)) return closing;
    if (auto remedy = RemedyNotice(channel, desired, delivered)) return remedy;
    return ResolveAgain(channel, desired, delivered);
  }
  if (!routed) return std::nullopt;
  if (IsOpen(desired.phase)) {
    if (auto opening = OpeningNotice(channel, desired, delivered)) return opening;
    if (auto eased = EasedNotice(channel, desired, delivered)) return eased;
    if (desired.acknowledged && delivered.AnyMayHaveArrived()) {
      if (auto ack = Attempt(channel, delivered, Notice::kAcknowledged, "", 0)) return ack;
    }
  }
  return RemedyNotice(channel, desired, delivered);
}

}  // namespace

const char* NoticeReasonName(NoticeReason reason) {
  switch (reason) {
    case NoticeReason::kDue:
      return "due";
    case NoticeReason::kRepeatAfterFailure:
      return "repeat-after-failure";
    case NoticeReason::kRepeatAfterUnknown:
      return "repeat-after-unknown";
    case NoticeReason::kSuperseded:
      return "superseded";
    case NoticeReason::kAllTold:
      return "all-told";
    case NoticeReason::kNoLongerRouted:
      return "no-longer-routed";
  }
  return "unknown";
}

NoticeDecision NextNotice(Channel channel, bool routed, const Desired& desired,
                          const Delivered& delivered) {
  if (auto next = Next(channel, routed, desired, delivered)) {
    next->severity = desired.severity;
    const auto told = ToldSeverity(delivered);
    const bool tells = IsOpening(next->notice) || next->notice == Notice::kEased;
    if (tells && told && *told != desired.severity) next->was = told;
    return *next;
  }
  NoticeDecision nothing;
  nothing.reason =
      !routed && !IsClosed(desired.phase) ? NoticeReason::kNoLongerRouted : NoticeReason::kAllTold;
  return nothing;
}

bool IsFinished(Channel channel, bool routed, const Desired& desired, const Delivered& delivered) {
  if (IsOpen(desired.phase)) return false;
  for (const Remedy& remedy : desired.remedies) {
    if (!remedy.closed && channel == Channel::kSlack) return false;
  }
  return NextNotice(channel, routed, desired, delivered).reason == NoticeReason::kAllTold;
}

}  // namespace liveops::notifier
