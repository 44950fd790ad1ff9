#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <variant>
#include <vector>

#include "common/base/epoch_filter.h"
#include "common/base/time.h"

// One record of liveops.remediations.v1 as the policy reads it: plain values, no proto.
namespace liveops::remediation {

// The exact thing that will be done. Its digest (policy/identity.h) is what a person approves.
struct Action {
  std::string kind;                                  // "kubectl"
  std::string target;                                // "deployment/backend-api"
  std::string ns;                                    // namespace
  std::vector<std::string> argv;                     // complete; empty = could not be resolved
  std::map<std::string, std::string> preconditions;  // must still be so when it runs
  std::map<std::string, std::string> effect;         // how to recognise that it was done
  std::string description;                           // for people; not part of the digest
};

struct Proposed {
  std::string service;
  std::string scenario;
  std::string alarm_id;  // the scenario's own condition
  Instant episode{};
  std::string page_with;  // alarm id, may be empty
  Action action;
  std::string digest;  // 32 bytes
  std::string approver_owner;
  Instant expires{};
  std::string requested_by;        // certificate name of who applied the plan; "" = not known
  std::uint64_t plan_version = 0;  // 0 = before it was kept: `requested_by` names no certificate
  std::string expect;              // canonical condition, empty = nothing is checked afterwards
  Duration expect_within{0};
  std::string condition;  // what was seen, for people
};

struct Approved {
  std::string digest;
  std::string by;
  Instant expires{};  // an intent after this is void
};

struct Denied {
  std::string by;
  std::string reason;
};

struct Intent {
  std::string digest;
  std::string executor;
  Duration timeout{0};  // steady; afterwards a new owner may read back
};

struct Effect {
  int exit_code = 0;
  std::string output;
  bool read_back =
      false;             // found done, whatever the tool's exit said or whether it was seen at all
  std::string observed;  // "revision 44, template 5d8…", in the words of Action::effect
  std::string probe_id;
};

// Values equal those of the wire's RemediationOutcome.
enum class OutcomeKind : std::uint8_t {
  kVerified = 1,
  kIneffective = 2,
  kUnknown = 3,
  kFailed = 4,
  kRefused = 5,
  kExpired = 6,
  kWithdrawn = 7,
};
const char* OutcomeName(OutcomeKind kind);

struct Outcome {
  OutcomeKind kind = OutcomeKind::kUnknown;
  std::string detail;
};

struct Record {
  std::string id;
  Instant clock{};  // that the writer went by
  std::int32_t partition = 0;
  std::int64_t offset = 0;
  std::int64_t epoch = EpochFilter::kNoEpoch;
  std::variant<Proposed, Approved, Denied, Intent, Effect, Outcome> body;
};

}  // namespace liveops::remediation
