#include "services/remediation/policy/step.h"

#include "common/base/text.h"

namespace liveops::remediation {
namespace {

StepDecision Close(OutcomeKind kind, std::string detail) {
  return {Step::kClose, Outcome{kind, std::move(detail)}};
}

StepDecision WhenProposed(const Remediation& r, const StepInput& input) {
  if (r.proposed->action.argv.empty()) {
    return Close(OutcomeKind::kRefused, r.proposed->action.description);
  }
  if (input.condition_over) {
    return Close(OutcomeKind::kWithdrawn, "the condition ended before anybody approved");
  }
  if (input.now >= r.proposed->expires) {
    return Close(OutcomeKind::kExpired, "nobody approved within " +
                                            FormatElapsed(r.proposed->expires - r.proposed_at) +
                                            " of the proposal");
  }
  return {};
}

StepDecision WhenApproved(const Remediation& r, const StepInput& input) {
  if (input.condition_over) {
    return Close(OutcomeKind::kWithdrawn, "the condition ended before the action ran");
  }
  if (input.now >= r.approved->expires) {
    return Close(OutcomeKind::kExpired,
                 "approved by " + r.approved->by + ", but no executor ran it in time");
  }
  if (!input.may_act) return {};
  if (!input.guardrail.allowed()) return Close(OutcomeKind::kRefused, input.guardrail.detail);
  return {Step::kIntend, std::nullopt};
}

StepDecision WhenVerifying(const Remediation& r, const StepInput& input) {
  const Effect& effect = *r.effect;
  if (!EffectSeen(r.proposed->action, effect)) {
    std::string detail = "the tool ended with exit code " + std::to_string(effect.exit_code);
    if (!effect.output.empty()) detail += ": " + Truncate(effect.output, 300);
    detail += effect.observed.empty() ? "; what is in force could not be read"
                                      : "; found " + effect.observed;
    // Without a look at the target, a tool that did not finish may yet have done it.
    return Close(effect.observed.empty() ? OutcomeKind::kUnknown : OutcomeKind::kFailed, detail);
  }
  if (r.proposed->expect.empty()) {
    return Close(OutcomeKind::kVerified,
                 "done: " + effect.observed + "; the plan names nothing more to check");
  }
  const std::string seen = input.probe_seen.empty() ? "" : " (" + input.probe_seen + ")";
  if (input.probe_true) {
    return *input.probe_true
               ? Close(OutcomeKind::kVerified, r.proposed->expect + " became true" + seen)
               : Close(OutcomeKind::kIneffective,
                       r.proposed->expect + " did not become true within " +
                           FormatDuration(r.proposed->expect_within) + seen);
  }
  if (input.now >= r.effect_at + r.proposed->expect_within + input.probe_grace) {
    return Close(OutcomeKind::kUnknown,
                 "done: " + effect.observed +
                     ", but the check gave no answer; a person must look whether it helped");
  }
  return {input.probe_started ? Step::kNone : Step::kStartProbe, std::nullopt};
}

}  // namespace

const char* StepName(Step step) {
  switch (step) {
    case Step::kNone:
      return "none";
    case Step::kClose:
      return "close";
    case Step::kIntend:
      return "intend";
    case Step::kReadBack:
      return "read_back";
    case Step::kStartProbe:
      return "start_probe";
  }
  return "?";
}

StepDecision NextStep(const Remediation& r, const StepInput& input) {
  switch (r.phase) {
    case Phase::kProposed:
      return WhenProposed(r, input);
    case Phase::kApproved:
      return WhenApproved(r, input);
    case Phase::kRunning:
      if (input.intent_is_ours || !input.intent_timed_out || !input.may_act) return {};
      return {Step::kReadBack, std::nullopt};
    case Phase::kVerifying:
      return WhenVerifying(r, input);
    case Phase::kClosed:
      return {};
  }
  return {};
}

}  // namespace liveops::remediation
