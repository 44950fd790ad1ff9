#include "services/remediation/policy/approval.h"

namespace liveops::remediation {

std::string HowItEnded(const Remediation& r) {
  if (r.denied) {
    return "denied by " + r.denied->by + (r.denied->reason.empty() ? "" : ": " + r.denied->reason);
  }
  if (r.outcome) {
    return OutcomeName(r.outcome->kind) +
           (r.outcome->detail.empty() ? std::string() : ": " + r.outcome->detail);
  }
  return PhaseName(r.phase);
}

ApprovalDecision DecideApproval(const Remediation& r, std::string_view digest, std::string_view who,
                                Instant now) {
  const Proposed& proposed = *r.proposed;
  // Another digest is refused first, even when it was approved: the caller saw some other action.
  if (digest != proposed.digest) {
    return {ApprovalAnswer::kDigestDiffers,
            "the digest is not that of the proposed action: look at it again before approving"};
  }
  if (who.empty() || who == proposed.requested_by) {
    return {ApprovalAnswer::kSelf, "who requested it cannot approve it (" + std::string(who) + ")"};
  }
  if (r.approved) return {ApprovalAnswer::kAlready, ""};
  // Of a closed one its end is the better answer.
  if (r.open() && (proposed.requested_by.empty() || proposed.plan_version == 0)) {
    return {
        ApprovalAnswer::kNoRequester,
        "the proposal does not say who applied its plan, so nobody can be told from the one "
        "who asked: act by hand, or apply the plan again (any change will do) for the next one"};
  }
  if (!r.open()) return {ApprovalAnswer::kClosed, "it is closed, " + HowItEnded(r)};
  if (proposed.action.argv.empty()) {
    return {ApprovalAnswer::kNothingToRun, "there is no action to approve: it was not resolved"};
  }
  if (now >= proposed.expires) {
    return {ApprovalAnswer::kExpired, "the proposal expired " +
                                          FormatElapsed(now - proposed.expires) + " ago, at " +
                                          FormatUtc(ToMs(proposed.expires))};
  }
  return {};
}

DenialDecision DecideDenial(const Remediation& r) {
  if (r.denied) return {DenialAnswer::kAlready, ""};
  if (!r.open()) return {DenialAnswer::kClosed, "it is closed, " + HowItEnded(r)};
  if (r.phase != Phase::kProposed && r.phase != Phase::kApproved) {
    return {DenialAnswer::kUnderWay, "too late, it is " + std::string(PhaseName(r.phase))};
  }
  return {};
}

}  // namespace liveops::remediation
