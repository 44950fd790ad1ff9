#include "services/remediation/policy/guardrails.h"

#include <algorithm>

namespace liveops::remediation {
namespace {

bool Acted(const Remediation& r) {
  return r.intent && !(r.outcome && r.outcome->kind == OutcomeKind::kRefused);
}

}  // namespace

const char* GuardrailName(Guardrail guardrail) {
  switch (guardrail) {
    case Guardrail::kAllowed:
      return "allowed";
    case Guardrail::kCoolingDown:
      return "cooling_down";
    case Guardrail::kTooManyActions:
      return "too_many_actions";
    case Guardrail::kRemedyDoesNotHelp:
      return "remedy_does_not_help";
  }
  return "?";
}

GuardrailDecision CheckGuardrails(const Guardrails& guardrails, const Ledger& ledger,
                                  std::string_view target_key, std::string_view scenario,
                                  Instant now) {
  int same_remedy = 0;
  int in_hour = 0;
  bool any = false;
  Instant last{};
  for (const auto& [id, r] : ledger.all()) {
    if (!Acted(r) || r.target_key() != target_key) continue;
    const Duration age = now - r.intent_at;
    if (age < guardrails.same_remedy_window && r.proposed->scenario == scenario) ++same_remedy;
    if (age < Duration(3600'000)) ++in_hour;
    last = any ? std::max(last, r.intent_at) : r.intent_at;
    any = true;
  }
  const std::string target(target_key);
  if (same_remedy >= guardrails.same_remedy_max) {
    return {Guardrail::kRemedyDoesNotHelp,
            "this remedy ran " + std::to_string(same_remedy) + " times on " + target + " within " +
                FormatDuration(guardrails.same_remedy_window) +
                " and the trouble came back: it stops here, a person must look"};
  }
  if (in_hour >= guardrails.actions_per_hour) {
    return {Guardrail::kTooManyActions,
            std::to_string(in_hour) + " actions on " + target + " within the last hour, " +
                std::to_string(guardrails.actions_per_hour) + " are allowed"};
  }
  if (any && now - last < guardrails.cooldown) {
    return {Guardrail::kCoolingDown, "the last action on " + target + " was " +
                                         FormatElapsed(std::max(now - last, Duration(0))) +
                                         " ago, the cool-down is " +
                                         FormatDuration(guardrails.cooldown)};
  }
  return {};
}

std::vector<std::string> LeftBehind(const Guardrails& guardrails, const Ledger& ledger,
                                    std::string_view target_key, std::string_view name,
                                    Instant now) {
  std::vector<std::string> values;
  for (const auto& [id, r] : ledger.all()) {
    if (!Acted(r) || r.target_key() != target_key) continue;
    if (now - r.intent_at >= guardrails.same_remedy_window) continue;
    const auto it = r.proposed->action.preconditions.find(std::string(name));
    if (it != r.proposed->action.preconditions.end()) values.push_back(it->second);
  }
  return values;
}

}  // namespace liveops::remediation
