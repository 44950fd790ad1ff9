#pragma once

#include <optional>
#include <string>

#include "services/remediation/policy/guardrails.h"
#include "services/remediation/policy/ledger.h"

namespace liveops::remediation {

// What the owner of a remediation's partition does next. Level-triggered: asked again and again,
// after every record and after a takeover alike, so there is no second path for recovery.
enum class Step : std::uint8_t {
  kNone,        // wait
  kClose,       // append StepDecision::outcome
  kIntend,      // append an intent, run once it is read back as the first
  kReadBack,    // somebody's intent has no effect and its time is over: look, never run
  kStartProbe,  // append the probe that says whether it helped
};
const char* StepName(Step step);

// What the ledger does not know.
struct StepInput {
  Instant now{};
  bool condition_over = false;  // the scenario's alarm has ended, or began anew
  bool may_act = false;         // the former owner's lease is over
  bool intent_is_ours =
      false;  // written under our claim by this very process: its executor will report
  bool intent_timed_out = false;   // Intent::timeout of steady time since we could first see it
  bool probe_started = false;      // by this process
  std::optional<bool> probe_true;  // the probe's transition, when there is one
  std::string probe_seen;          // its value, for people
  Duration probe_grace{
      120'000};  // domain time beyond `expect_within` after which a silent probe is given up
  GuardrailDecision guardrail;  // for this remediation, now; looked at only while it is approved
};

struct StepDecision {
  Step step = Step::kNone;
  std::optional<Outcome> outcome;  // set for kClose
};

StepDecision NextStep(const Remediation& r, const StepInput& input);

}  // namespace liveops::remediation
