#include "services/notifier/policy/dedup.h"

namespace liveops::notifier {

const char* DedupReasonName(DedupReason reason) {
  switch (reason) {
    case DedupReason::kOff:
      return "off";
    case DedupReason::kNotAnOpening:
      return "not-an-opening";
    case DedupReason::kFirstEpisode:
      return "first-episode";
    case DedupReason::kAsk:
      return "ask";
    case DedupReason::kAsking:
      return "asking";
    case DedupReason::kFree:
      return "free";
    case DedupReason::kCannotTell:
      return "cannot-tell";
    case DedupReason::kWindowOpen:
      return "window-open";
    case DedupReason::kWindowEnded:
      return "window-ended";
  }
  return "unknown";
}

DedupDecision AskDedup(const Desired& desired, const Delivered& delivered,
                       const NoticeDecision& notice, const DedupView& view, Instant now,
                       SteadyTime steady) {
  if (desired.dedup <= Duration::zero()) return {DedupReason::kOff};
  const bool opening = IsOpening(notice.notice);
  if (!opening || delivered.AnyMayHaveArrived()) return {DedupReason::kNotAnOpening};
  if (!desired.refire) return {DedupReason::kFirstEpisode};
  switch (view.state) {
    case DedupView::State::kNotAsked:
      return {DedupReason::kAsk};
    case DedupView::State::kAsking:
      return {steady - view.asked < kDedupPatience ? DedupReason::kAsking
                                                   : DedupReason::kCannotTell};
    case DedupView::State::kFree:
      return {DedupReason::kFree};
    case DedupView::State::kHeld:
      return {now < view.until ? DedupReason::kWindowOpen : DedupReason::kWindowEnded};
    case DedupView::State::kCannotTell:
      return {DedupReason::kCannotTell};
  }
  return {DedupReason::kCannotTell};
}

}  // namespace liveops::notifier
