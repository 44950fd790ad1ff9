#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "services/remediation/policy/record.h"

namespace liveops::remediation {

// Values equal those of the wire's RemediationPhase.
enum class Phase : std::uint8_t {
  kProposed = 1,
  kApproved = 2,
  kRunning = 3,    // an intent stands
  kVerifying = 4,  // an effect stands
  kClosed = 5,
};
const char* PhaseName(Phase phase);

// What became of a record when it was folded. Everything but kApplied leaves the ledger as it was.
enum class Verdict : std::uint8_t {
  kApplied,
  kDuplicate,       // the same proposal again
  kUnknownId,       // no proposal of that id
  kIdMismatch,      // the id is not that of (alarm, episode, scenario): forged or damaged
  kDigestMismatch,  // not the digest of the proposed action
  kNoEpoch,         // only an owner may write this, and it carries no claim
  kNothingToRun,    // the action was never resolved
  kSelfApproval,    // the requester cannot approve
  kNoRequester,     // who asked is not known, so nobody can approve
  kAlreadyApproved,
  kExpired,  // too late: the proposal, or the approval that it would run under
  kClosed,   // the remediation has ended
  kNotApproved,
  kNotFirst,    // another intent for this approval came first
  kOutOfOrder,  // does not follow from where the remediation stands
};
const char* VerdictName(Verdict verdict);

// How long an approval may wait for its executor, in domain time. Longer, and what the approver saw
// is history.
inline constexpr Duration kApprovalGood{15 * 60'000};

// One remediation as the log tells it.
struct Remediation {
  std::string id;
  std::int32_t partition = 0;
  Phase phase = Phase::kProposed;
  std::optional<Proposed> proposed;  // always set
  std::optional<Approved> approved;
  std::optional<Denied> denied;
  std::optional<Intent> intent;
  std::optional<Effect> effect;
  std::optional<Outcome> outcome;
  Instant proposed_at{};
  Instant intent_at{};
  Instant effect_at{};
  Instant closed_at{};
  std::int64_t approved_offset = -1;
  std::int64_t intent_offset = -1;
  std::int64_t intent_epoch = EpochFilter::kNoEpoch;

  bool open() const { return phase != Phase::kClosed; }
  // The key of what it acts on, "" when that is not known.
  std::string target_key() const;
};

// The fold of remediations.v1: the only copy of the state machine, for live reading and for replay
// alike.
//
//   proposed -> approved -> intent -> effect -> outcome
//
// The first valid approval wins, the first intent for it in log order wins, and a denial or an
// outcome ends it. Feed the valid records (EpochFilter) of each partition in log order; partitions
// may interleave in any way. Pure; one thread at a time.
class Ledger {
 public:
  Verdict Apply(const Record& record);
  // Drops a closed one. From then on its id is as good as new: only for one that cannot be proposed
  // again.
  void Forget(std::string_view id);

  const Remediation* Find(std::string_view id) const;
  // Those whose id begins so, in id order.
  std::vector<const Remediation*> FindPrefix(std::string_view prefix) const;
  const std::map<std::string, Remediation, std::less<>>& all() const { return all_; }
  // Ids of those that are not closed.
  const std::set<std::string>& open() const { return open_; }

 private:
  Verdict On(const Record& record, const Proposed& body);
  Verdict On(const Record& record, const Approved& body);
  Verdict On(const Record& record, const Denied& body);
  Verdict On(const Record& record, const Intent& body);
  Verdict On(const Record& record, const Effect& body);
  Verdict On(const Record& record, const Outcome& body);
  Remediation* FindMutable(std::string_view id);
  void Close(Remediation& r, Instant at);

  std::map<std::string, Remediation, std::less<>> all_;
  std::set<std::string> open_;
};

// Did the read-back find the action's effect in force? Decided from the record alone, so that every
// reader agrees.
bool EffectSeen(const Action& action, const Effect& effect);

}  // namespace liveops::remediation
