#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/time.h"
#include "common/plan/model.h"

// The facts that the notifier decides by: what is so (Desired) and what was told (Delivered). Plain
// values.
namespace liveops::notifier {

enum class Channel { kSlack, kPagerDuty };

// Where pages go: "slack:#oncall", "pagerduty:oncall".
struct Destination {
  Channel channel = Channel::kSlack;
  std::string name;  // "#oncall", "oncall"

  std::string Id() const;
  friend bool operator==(const Destination&, const Destination&) = default;
};
std::optional<Destination> ParseDestination(std::string_view id);

enum class Notice {
  kFiring,
  kAcknowledged,
  kRemedyProposed,
  kRemedyClosed,
  kResolved,  // or gone, withdrawn, replaced: the text says which
  kNoData,
  kEased,  // it fires on, and is less bad than what was told
  kStale,  // of an alert that others judge: nobody tells of it any more
};
const char* NoticeName(Notice notice);  // "firing", "acknowledged", …
// Says that an alarm is open.
bool IsOpening(Notice notice);

enum class Outcome {
  kDelivered,
  kFailed,      // surely nothing arrived; to be tried again
  kUnknown,     // it may have arrived
  kRejected,    // the provider will never take it: dead-lettered
  kSuperseded,  // overtaken before anything was sent
};
const char* OutcomeName(Outcome outcome);

// The subject of a resolve that is sent a second time.
inline constexpr const char* kResolveAgain = "again";

// What became of one notice.
struct Told {
  Notice notice = Notice::kFiring;
  Outcome outcome = Outcome::kDelivered;
  std::uint32_t attempts = 0;
  Instant clock{};
  std::string detail;
  std::string subject;     // remedy notices: the remediation's id; kResolveAgain
  std::uint32_t step = 0;  // of the transition that was told
  std::optional<plan::Severity> severity = {};  // that was told; an older version did not note it

  bool MayHaveArrived() const {
    return outcome == Outcome::kDelivered || outcome == Outcome::kUnknown;
  }
  // Nothing more will be done about it.
  bool Settled() const {
    return outcome == Outcome::kDelivered || outcome == Outcome::kRejected ||
           outcome == Outcome::kSuperseded;
  }
};

// All that one destination was told of one group, in the order of telling. At most two entries a
// (notice, subject): the newest, and before it one that may have arrived when the newest surely did
// not.
struct Delivered {
  std::vector<Told> told;

  void Record(Told entry);
  // Takes over what another memory of the same deliveries says, if it knows more: a later attempt,
  // or what became of one that is in doubt here. False: nothing new.
  bool Learn(const Told& entry);
  // The newest entry of that (notice, subject), or nullptr.
  const Told* Find(Notice notice, std::string_view subject = "") const;
  bool AnyMayHaveArrived() const;
  // The newest clock of all entries; epoch when there are none.
  Instant LastClock() const;
};

enum class Phase {
  kNone,  // no alarm of its own: the group carries a remediation that no page carries
  kFiring,
  kNoData,
  kResolved,
  kGone,
  kWithdrawn,
  kReplaced,  // a newer episode of the alarm began without a word about this one's end
  kStale,     // open, and nobody tells of it any more
};
bool IsOpen(Phase phase);
bool IsClosed(Phase phase);  // kNone is neither
// What is told of an open phase.
Notice OpeningOf(Phase phase);

struct Remedy {
  std::string id;
  bool closed = false;
  bool acted = false;     // it ran, or may have
  bool escalate = false;  // refused, or unknown: a person must hear of it, whatever was told before
};

// What is so of one group: one episode of one alarm.
struct Desired {
  std::string group;  // `<alarm id>@<episode_ms>`
  std::string alarm_id;
  Instant episode{};
  plan::Severity severity = plan::Severity::kMedium;
  Phase phase = Phase::kNone;
  std::uint32_t step = 0;  // of the newest transition
  bool acknowledged = false;
  bool refire = false;  // an earlier episode of the alarm is known
  Duration dedup{0};    // of the plan in force; 0 = off
  std::vector<Remedy> remedies;
};

std::string GroupId(std::string_view alarm_id, Instant episode);

}  // namespace liveops::notifier
