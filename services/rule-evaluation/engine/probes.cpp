// Probes: did an action help? A condition, judged over windows that begin with it.
#include <algorithm>
#include <string>
#include <utility>

#include "common/plan/parse.h"
#include "services/rule-evaluation/engine/activate.h"
#include "services/rule-evaluation/engine/home.h"
#include "services/rule-evaluation/engine/readings.h"

namespace liveops::engine {
namespace {

struct Asked {
  RuleSpec spec;
  bool readable = false;  // the expression is a condition
};

Asked AskedBy(const Service& service, const Probe& probe) {
  Asked asked;
  RuleSpec& spec = asked.spec;
  spec.name = "probe:" + probe.id;
  spec.purpose = Purpose::kProbe;
  spec.severity = plan::Severity::kCritical;
  spec.expression = probe.expression;
  const auto condition = plan::ParseCondition(probe.expression);
  if (!condition.ok()) return asked;
  asked.readable = true;
  spec.when = *condition;
  spec.expression = plan::CanonicalText(spec.when);
  // How many events make it count is the plan's word, where the probe is a plan's `expect`.
  for (const plan::Remediation& r : plan::Parse(service.text).plan.remediations) {
    if (!r.expect || r.expect->condition != *condition) continue;
    spec.min_count = static_cast<double>(r.min_count);
    spec.owner = r.approval_from;
  }
  return asked;
}

// False when no series that it reads lie here, as far as the plan says.
bool Begin(State& s, Service& service, const RuleSpec& spec, const Probe& probe) {
  const std::vector<Role> roles = RolesOf(s, service, spec);
  for (const Role role : roles) NewRule(s, service, spec, role, probe);
  return !roles.empty();
}

// A plan that is on its way may say otherwise.
void Await(Service& service, Probe probe) {
  std::vector<Probe>& awaiting = service.awaiting;
  if (awaiting.size() >= kProbesAwaitingMax) awaiting.erase(awaiting.begin());
  awaiting.push_back(std::move(probe));
}

// The home alone says so.
void TellRefused(State& s, Service& service, RuleSpec spec, const Probe& probe,
                 std::vector<Transition>& out) {
  const std::vector<Role> roles = RolesOf(s, service, spec);
  if (roles.empty() || roles.front() == Role::kSource) return;
  const auto rule =
      MakeRule(std::move(spec), s.next_number++, s.service_index.find(service.name)->second);
  rule->probe = probe;
  Group nobody;
  nobody.life.since = s.now();
  Judgement j;
  j.at = s.now();
  out.push_back(Tell(s, *rule, nobody, AlarmState::kResolved, "refused", j));
}

}  // namespace

void StartProbe(State& s, const ProbeStartView& view, std::vector<Transition>& out) {
  Service& service = ServiceOf(s, view.service);
  BeforeService(s, s.service_index.find(service.name)->second);
  Probe probe{std::string(view.probe_id), std::string(view.expression), s.now(), view.within};
  Asked asked = AskedBy(service, probe);
  const std::string& name = asked.spec.name;
  const bool runs = FindRule(service, name) != nullptr || FindRule(service, name, true) != nullptr;
  const bool waits = std::any_of(service.awaiting.begin(), service.awaiting.end(),
                                 [&](const Probe& other) { return other.id == probe.id; });
  if (runs || waits) return;
  if (!asked.readable) {
    TellRefused(s, service, std::move(asked.spec), probe, out);
  } else if (Begin(s, service, asked.spec, probe)) {
    Rebind(s, service);
  } else {
    Await(service, std::move(probe));
  }
}

void RestartProbes(State& s, Service& service) {
  std::vector<std::pair<RuleSpec, Probe>> probes;
  while (true) {
    const auto it = std::find_if(service.rules.begin(), service.rules.end(),
                                 [](const auto& rule) { return rule->probe.has_value(); });
    if (it == service.rules.end()) break;
    const bool again = std::any_of(probes.begin(), probes.end(), [&](const auto& probe) {
      return probe.second.id == (*it)->probe->id;
    });
    if (!again) probes.emplace_back((*it)->spec, *(*it)->probe);
    RemoveRule(s, service, **it);
  }
  for (const auto& [spec, probe] : probes) {
    if (!Begin(s, service, spec, probe)) Await(service, probe);
  }
}

void StartAwaiting(State& s, Service& service) {
  ForgetAwaiting(s, service);
  std::erase_if(service.awaiting, [&](const Probe& probe) {
    const Asked asked = AskedBy(service, probe);
    return !asked.readable || Begin(s, service, asked.spec, probe);
  });
}

void ForgetAwaiting(const State& s, Service& service) {
  std::erase_if(service.awaiting, [&](const Probe& probe) { return IsOver(s, probe, s.now()); });
}

bool IsOver(const State& s, const Probe& probe, Instant now) {
  return now >= probe.started + probe.within + Duration(s.Scaled(kGiveUpMs));
}

}  // namespace liveops::engine
