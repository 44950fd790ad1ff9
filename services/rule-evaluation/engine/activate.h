#pragma once

#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

#include "services/rule-evaluation/engine/state.h"

// The rules of a plan, and probes: how they come into force. Steps of Shard::Apply, as in state.h.
namespace liveops::engine {

// --- activate.cpp ---
void ActivatePlan(State& s, const PlanActivationView& plan, std::vector<Transition>& out);
bool AdoptTransition(State& s, const Transition& truth);
// Adopted alarms that the plan in force does not have any more are told as withdrawn.
void WithdrawAdopted(State& s, std::vector<Transition>& out);
// The one that lives as the plan says, or the source beside it that only feeds windows; nullptr
// when there is none.
Rule* FindRule(Service& service, std::string_view name, bool source = false);
Rule& NewRule(State& s, Service& service, RuleSpec spec, Role role,
              const std::optional<Probe>& probe = {});

// --- probes.cpp ---
// So many await a plan; then the oldest is given up.
inline constexpr std::size_t kProbesAwaitingMax = 64;
void StartProbe(State& s, const ProbeStartView& probe, std::vector<Transition>& out);
// The series lie on other shards by now: windows begin anew.
void RestartProbes(State& s, Service& service);
// The plan is another: some of those that await it may have a part here.
void StartAwaiting(State& s, Service& service);
// Forgets those of which nobody wants to hear any more.
void ForgetAwaiting(const State& s, Service& service);
// Has its time passed, for the home too, which may have waited for a source?
bool IsOver(const State& s, const Probe& probe, Instant now);

// --- deployment.cpp ---
void ApplyDeployment(State& s, const DeploymentView& deployment);

}  // namespace liveops::engine
