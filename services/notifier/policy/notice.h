#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "services/notifier/policy/facts.h"

namespace liveops::notifier {

enum class NoticeReason {
  kDue,                 // not told yet
  kRepeatAfterFailure,  // the last attempt surely did not arrive
  kRepeatAfterUnknown,  // it may have arrived: a channel without idempotency says that it may be a
                        // repeat
  kSuperseded,          // over before anything can have arrived: recorded, not sent
  kAllTold,
  kNoLongerRouted,  // the plan in force sends the alarm elsewhere: only its end will be told here
};
const char* NoticeReasonName(NoticeReason reason);

struct NoticeDecision {
  NoticeReason reason = NoticeReason::kAllTold;
  Notice notice = Notice::kFiring;
  std::string subject;
  std::uint32_t step = 0;
  std::uint32_t number = 1;  // of the attempt
  bool may_repeat = false;
  std::vector<std::string> carries;   // proposals that this message tells too
  std::optional<Instant> first_told;  // a resolve again: when it was delivered the first time
  plan::Severity severity = plan::Severity::kMedium;  // how bad it is
  std::optional<plan::Severity> was;  // how bad this destination was told it was, if otherwise

  bool sends() const {
    return reason == NoticeReason::kDue || reason == NoticeReason::kRepeatAfterFailure ||
           reason == NoticeReason::kRepeatAfterUnknown;
  }
};

// Stage 2, level-triggered: the earliest thing that is so and was not told. Keeps the order
// (trigger before resolve, no trigger after a resolve, after a trigger of unknown outcome the
// resolve still goes out, and once more later), and lets what is over by now fall away. Pure.
NoticeDecision NextNotice(Channel channel, bool routed, const Desired& desired,
                          const Delivered& delivered);

// Every notice is settled and no more can come: the alarm is over and so are its remedies.
bool IsFinished(Channel channel, bool routed, const Desired& desired, const Delivered& delivered);

}  // namespace liveops::notifier
