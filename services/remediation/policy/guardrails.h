#pragma once

#include <string>
#include <vector>

#include "common/base/time.h"
#include "services/remediation/policy/ledger.h"

namespace liveops::remediation {

// Bounds that hold whoever approves, in domain time. They are reckoned from the log, so they hold
// across restarts.
struct Guardrails {
  Duration cooldown{10 * 60'000};             // between two actions on one target
  int actions_per_hour = 6;                   // on one target
  int same_remedy_max = 3;                    // the same scenario on the same target …
  Duration same_remedy_window{4 * 3600'000};  // … within this: it does not help, ask a person
};

enum class Guardrail : std::uint8_t {
  kAllowed,
  kCoolingDown,
  kTooManyActions,
  kRemedyDoesNotHelp,  // stops, and escalates
};
const char* GuardrailName(Guardrail guardrail);

struct GuardrailDecision {
  Guardrail guardrail = Guardrail::kAllowed;
  std::string detail;  // a sentence for people, empty when allowed
  bool allowed() const { return guardrail == Guardrail::kAllowed; }
};

// May `scenario` act on `target_key` now? Counts every intent in the ledger that was not refused
// before it ran.
GuardrailDecision CheckGuardrails(const Guardrails& guardrails, const Ledger& ledger,
                                  std::string_view target_key, std::string_view scenario,
                                  Instant now);

// Values of the precondition `name` of what acted on the target within the window: the states that
// were left behind because they were bad. A rollback must not lead back to one
// (kubernetes/website#6921).
std::vector<std::string> LeftBehind(const Guardrails& guardrails, const Ledger& ledger,
                                    std::string_view target_key, std::string_view name,
                                    Instant now);

}  // namespace liveops::remediation
