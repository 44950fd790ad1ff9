#include <thread>

#include "common/base/hash.h"
#include "common/base/text.h"
#include "common/telemetry/log.h"
#include "services/remediation/policy/identity.h"
#include "services/remediation/policy/match.h"
#include "services/remediation/service/keeper.h"

// What blocks: on the worker's thread, without the lock but where state is touched.
namespace liveops::remediation {
namespace {

constexpr int kReadBackTries = 3;
constexpr Duration kReadBackPause{500};

}  // namespace

void Keeper::Resolved(const std::string& id, const std::string& alarm_id,
                      const std::vector<std::string>& arguments, Result<Action> action) {
  const std::lock_guard lock(mutex_);
  const std::int32_t partition = flights_[id].partition;
  flights_.erase(id);
  const Scenarios::Scenario* scenario = scenarios_.Find(alarm_id);
  if (scenario == nullptr || !scenario->firing_now || !Acting(partition) || stopping_ ||
      ledger_.Find(id) != nullptr ||
      id != RemediationId(alarm_id, scenario->firing.episode, scenario->firing.scenario)) {
    return;  // it ended, or is another owner's now
  }
  const Scenarios::InForce* in_force = scenarios_.PlanOf(scenario->firing.service);
  const plan::Remediation* remedy =
      in_force == nullptr ? nullptr : FindRemedy(in_force->plan, scenario->firing.scenario);
  // Another plan may be in force by now: what it asks for is resolved at the next look.
  if (remedy == nullptr || remedy->kubectl != arguments) return;
  if (action.ok() && in_force->origin.applied_by.empty()) {
    // Tried again like a cluster that is away: the shard's owner may be about to tell the name.
    action = UnavailableError(
        "who applied version " + std::to_string(in_force->origin.version) +
        " of its plan is not known, and who asked must not approve; apply the plan again, any "
        "change will do");
  }
  const Result<Tool::Target> target = tool_.TargetOf(remedy->kubectl);
  const std::string ns = target.ok() ? target->ns : options_.ns;
  const std::string name = target.ok() ? target->target : scenario->firing.service;
  const Instant now = clock_.Now(options_.now());

  std::string refusal;
  if (!action.ok()) {
    const ErrorCode code = action.error().code;
    Retry& retry = retries_[id];
    if ((code == ErrorCode::kUnavailable || code == ErrorCode::kTimeout) &&
        ++retry.tries < options_.resolve_tries) {
      retry.not_before = options_.now() + options_.resolve_pause;
      log::Warn("resolve_failed", {{"remediation", id}, {"because", action.error().message}});
      return;
    }
    refusal = "no rollback of " + name + " is possible: " + action.error().message;
  } else {
    const GuardrailDecision decision = CheckGuardrails(
        options_.guardrails, ledger_, TargetKey(ns, name), scenario->firing.scenario, now);
    if (!decision.allowed()) refusal = decision.detail;
  }
  retries_.erase(id);
  Action proposed;
  if (refusal.empty()) {
    proposed = *action;
  } else {
    // Without an argv nobody can approve it; the next step closes it as refused, with this reason.
    proposed.kind = "kubectl";
    proposed.target = name;
    proposed.ns = ns;
    proposed.description = refusal;
  }
  Flight& flight = flights_[id];
  flight.kind = FlightKind::kRecording;
  flight.partition = partition;
  flight.since = options_.now();
  traces_[id] = scenario->traceparent;
  flight.sequence = Append(id, partition,
                           Propose(in_force->plan, in_force->origin, *remedy, scenario->firing,
                                   std::move(proposed), now),
                           now);
}

void Keeper::RunJob(const std::string& id, std::int32_t partition, std::int64_t epoch,
                    Action action, SteadyTime deadline, bool probe) {
  if (!StillOurs(partition, epoch)) return DropFlight(id);
  if (const Status check = tool_.Check(action); !check.ok()) {
    return Finish(id, Outcome{OutcomeKind::kRefused, "not run: " + check.error().message});
  }
  // The last look before the effect. A process that slept in between wakes up too late here,
  // whatever it has read so far.
  if (!StillOurs(partition, epoch)) return DropFlight(id);
  if (options_.now() >= deadline) {
    return Finish(id,
                  Outcome{OutcomeKind::kRefused, "not run: the checks before it took longer than " +
                                                     FormatDuration(options_.lease)});
  }
  const Result<Tool::Ran> ran = tool_.Run(action);
  if (!ran.ok()) {
    return Finish(id, Outcome{OutcomeKind::kRefused, "not run: " + ran.error().message});
  }
  const Result<Tool::Observation> seen = ReadBackWithPatience(action);
  Effect effect;
  effect.exit_code = ran->exit_code;
  effect.output = ran->output;
  effect.observed = seen.ok() ? seen->observed : "";
  effect.read_back = seen.ok() && seen->in_force && ran->exit_code != 0;
  if (probe) effect.probe_id = ProbeId(id);
  Finish(id, std::move(effect));
}

void Keeper::ReadBackJob(const std::string& id, const Action& action, bool probe) {
  const Result<Tool::Observation> seen = ReadBackWithPatience(action);
  if (seen.ok() && seen->in_force) {
    Effect effect;
    effect.read_back = true;
    effect.observed = seen->observed;
    effect.output = "found done; who ran it stopped before it could say so";
    if (probe) effect.probe_id = ProbeId(id);
    return Finish(id, std::move(effect));
  }
  const std::string found = seen.ok()
                                ? "found " + seen->observed
                                : "what is in force could not be read: " + seen.error().message;
  Finish(id, Outcome{OutcomeKind::kUnknown, "it was begun and how it ended is not known; " + found +
                                                ". It is not run again: a person must look"});
}

Result<Tool::Observation> Keeper::ReadBackWithPatience(const Action& action) {
  for (int tries = 1;; ++tries) {
    Result<Tool::Observation> seen = tool_.ReadBack(action);
    const bool may_heal = !seen.ok() && (seen.error().code == ErrorCode::kUnavailable ||
                                         seen.error().code == ErrorCode::kTimeout);
    if (!may_heal || tries == kReadBackTries) return seen;
    std::this_thread::sleep_for(kReadBackPause);
  }
}

void Keeper::Finish(const std::string& id, std::variant<Effect, Outcome> result) {
  const std::lock_guard lock(mutex_);
  if (abandoned_) return;
  Flight& flight = flights_[id];
  flight.kind = FlightKind::kHaveResult;
  flight.result = std::move(result);
  RecordResult(id);
}

void Keeper::DropFlight(const std::string& id) {
  const std::lock_guard lock(mutex_);
  log::Warn("remediation_not_run", {{"remediation", id}, {"because", "the claim was superseded"}});
  flights_.erase(id);
}

bool Keeper::StillOurs(std::int32_t partition, std::int64_t epoch) {
  const std::lock_guard lock(mutex_);
  return Acting(partition) && At(partition).epoch == epoch && !abandoned_;
}

}  // namespace liveops::remediation
