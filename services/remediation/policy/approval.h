#pragma once

#include <string>
#include <string_view>

#include "services/remediation/policy/ledger.h"

namespace liveops::remediation {

// Should an approval by `who` be appended to the log? The log decides in the end (Ledger); this
// spares it what cannot count and gives the caller a reason.
enum class ApprovalAnswer : std::uint8_t {
  kAppend,
  kAlready,        // approved before: the first one's result is the answer
  kNothingToRun,   // the action could not be resolved
  kDigestDiffers,  // what was seen is not what is proposed
  kSelf,           // the requester cannot approve
  kNoRequester,    // who asked is not known, so a self-given approval could not be told
  kExpired,
  kClosed,
};
struct ApprovalDecision {
  ApprovalAnswer answer = ApprovalAnswer::kAppend;
  std::string detail;  // for people; empty for kAppend and kAlready
};
ApprovalDecision DecideApproval(const Remediation& r, std::string_view digest, std::string_view who,
                                Instant now);

enum class DenialAnswer : std::uint8_t {
  kAppend,
  kAlready,   // denied before
  kUnderWay,  // an intent stands: it may have happened
  kClosed,
};
struct DenialDecision {
  DenialAnswer answer = DenialAnswer::kAppend;
  std::string detail;
};
DenialDecision DecideDenial(const Remediation& r);

// How it ended, for people: "expired: nobody approved …".
std::string HowItEnded(const Remediation& r);

}  // namespace liveops::remediation
