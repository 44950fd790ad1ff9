#pragma once

#include "services/notifier/policy/facts.h"
#include "services/notifier/policy/notice.h"

namespace liveops::notifier {

// What the dedup table (Redis) is known to say about one (alarm, destination).
struct DedupView {
  enum class State {
    kNotAsked,
    kAsking,      // since `asked`
    kFree,        // no window is open
    kHeld,        // the last page opened a window until `until`
    kCannotTell,  // no answer, or no generation mark: the table may have lost windows
  } state = State::kNotAsked;
  SteadyTime asked{};
  Instant until{};
};

enum class DedupReason {
  kOff,           // the plan has no dedup window
  kNotAnOpening,  // only the first page of an episode can wait: resolves and repeats never do
  kFirstEpisode,  // the alarm never fired before
  kAsk,           // ask the table
  kAsking,        // wait for its answer, kDedupPatience at most
  kFree,
  kCannotTell,  // a page too many is better than a page too few
  kWindowOpen,  // waits until the window ends
  kWindowEnded,
};
const char* DedupReasonName(DedupReason reason);

struct DedupDecision {
  DedupReason reason = DedupReason::kOff;
  bool goes_out() const {
    return reason != DedupReason::kAsk && reason != DedupReason::kAsking &&
           reason != DedupReason::kWindowOpen;
  }
};

inline constexpr Duration kDedupPatience{300};  // steady

// Stage 3. Pure.
DedupDecision AskDedup(const Desired& desired, const Delivered& delivered,
                       const NoticeDecision& notice, const DedupView& view, Instant now,
                       SteadyTime steady);

}  // namespace liveops::notifier
