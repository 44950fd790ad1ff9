#include "services/remediation/policy/match.h"

#include "services/remediation/policy/identity.h"

namespace liveops::remediation {

std::string_view ScenarioOf(std::string_view alarm_name) {
  constexpr std::string_view kPrefix = "scenario:";
  return alarm_name.starts_with(kPrefix) ? alarm_name.substr(kPrefix.size()) : std::string_view();
}

const plan::Remediation* FindRemedy(const plan::Plan& plan, std::string_view scenario) {
  for (const plan::Remediation& remedy : plan.remediations) {
    if (remedy.name == scenario) return &remedy;
  }
  return nullptr;
}

Proposed Propose(const plan::Plan& plan, const PlanOrigin& origin, const plan::Remediation& remedy,
                 const Firing& firing, Action action, Instant now) {
  Proposed p;
  p.service = firing.service;
  p.scenario = firing.scenario;
  p.alarm_id = firing.alarm_id;
  p.episode = firing.episode;
  // The plan names an alarm of its own service.
  if (!remedy.page_with.empty()) p.page_with = plan.service + "/" + remedy.page_with;
  p.digest = ActionDigest(action);
  p.action = std::move(action);
  p.approver_owner = remedy.approval_from;
  p.expires = now + remedy.approval_within;
  p.requested_by = origin.applied_by;
  p.plan_version = origin.version;
  if (remedy.expect) {
    p.expect = plan::CanonicalText(remedy.expect->condition);
    p.expect_within = remedy.expect->within;
  }
  p.condition = firing.condition;
  return p;
}

}  // namespace liveops::remediation
