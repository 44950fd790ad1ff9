#include <algorithm>

#include "common/base/hash.h"
#include "common/runtime/topics.h"
#include "common/telemetry/log.h"
#include "liveops/v1/metrics.pb.h"
#include "liveops/v1/remediations.pb.h"
#include "services/remediation/policy/identity.h"
#include "services/remediation/policy/match.h"
#include "services/remediation/service/keeper.h"

// What is done: the policy's next steps, as records and jobs. Every function here runs under the
// lock.
namespace liveops::remediation {

void Keeper::StepAll() {
  TakeFailures();
  if (!caught_up_) return;
  // A step may close one, which changes the set.
  const std::vector<std::string> open(ledger_.open().begin(), ledger_.open().end());
  for (const std::string& id : open) StepOne(id);
  if (!stopping_) ProposeDue();
}

StepInput Keeper::InputFor(const Remediation& r, const Partition& part) {
  const SteadyTime now = options_.now();
  StepInput input;
  input.now = clock_.Now(now);
  input.condition_over = scenarios_.Over(r.proposed->alarm_id, r.proposed->episode);
  input.may_act = part.claim->lease_free || now - part.claimed_at >= options_.claim_wait;
  if (r.phase == Phase::kRunning) {
    const SteadyTime seen = intent_seen_.emplace(r.id, now).first->second;
    input.intent_timed_out = now - seen >= r.intent->timeout;
  }
  const auto probed = probes_started_.find(r.id);
  input.probe_started =
      probed != probes_started_.end() && probed->second >= SpreadOf(r.proposed->service);
  if (const Scenarios::Probe* probe = scenarios_.FindProbe(ProbeId(r.id)); probe != nullptr) {
    input.probe_true = probe->became_true;
    input.probe_seen = probe->seen;
  }
  input.probe_grace = time_map_.ToDomain(Duration(120'000));
  if (r.phase == Phase::kApproved) {
    input.guardrail = CheckGuardrails(options_.guardrails, ledger_, r.target_key(),
                                      r.proposed->scenario, input.now);
  }
  return input;
}

void Keeper::StepOne(const std::string& id) {
  const Remediation* r = ledger_.Find(id);
  if (r == nullptr || !r->open() || !Acting(r->partition)) return;
  if (const auto flight = flights_.find(id); flight != flights_.end()) {
    if (flight->second.kind == FlightKind::kHaveResult) RecordResult(id);
    return;
  }
  if (stopping_) return;
  const Partition& part = At(r->partition);
  const StepDecision decision = NextStep(*r, InputFor(*r, part));
  const auto append = [&](FlightKind kind, const Body& body) {
    Flight& flight = flights_[id];
    flight.kind = kind;
    flight.partition = r->partition;
    flight.since = options_.now();
    flight.sequence = Append(id, r->partition, body, clock_.Now(options_.now()));
  };
  switch (decision.step) {
    case Step::kNone:
      return;
    case Step::kClose:
      return append(FlightKind::kRecording, *decision.outcome);
    case Step::kIntend: {
      if (AnotherIntends(*r)) return;
      // Whoever takes over must wait out all that we may still do: the lease, the tool's time, and
      // some for looking.
      const Duration timeout = options_.lease + options_.run_timeout + Duration(2'000);
      return append(FlightKind::kIntending,
                    Intent{r->approved->digest, writer_.emitter(), timeout});
    }
    case Step::kReadBack:
      return StartReadBack(*r);
    case Step::kStartProbe:
      return StartProbe(*r);
  }
}

// Is an intent for the same target on its way into the log? What the guardrails allow is reckoned
// from the log, so the next one waits until it stands there.
bool Keeper::AnotherIntends(const Remediation& r) const {
  for (const auto& [id, flight] : flights_) {
    if (flight.kind != FlightKind::kIntending || id == r.id) continue;
    const Remediation* other = ledger_.Find(id);
    if (other != nullptr && other->target_key() == r.target_key()) return true;
  }
  return false;
}

void Keeper::ProposeDue() {
  for (const auto& [alarm_id, scenario] : scenarios_.all()) {
    if (!scenario.firing_now) continue;
    const Firing& firing = scenario.firing;
    const std::string id = RemediationId(alarm_id, firing.episode, firing.scenario);
    if (ledger_.Find(id) != nullptr || flights_.contains(id)) continue;
    const Scenarios::InForce* in_force = scenarios_.PlanOf(firing.service);
    const plan::Remediation* remedy =
        in_force == nullptr ? nullptr : FindRemedy(in_force->plan, firing.scenario);
    if (remedy == nullptr) continue;  // its plan was not read yet, or changed meanwhile
    const Result<Tool::Target> target = tool_.TargetOf(remedy->kubectl);
    // What cannot even be named still needs a place in the log to say so.
    const std::string key = target.ok() ? TargetKey(target->ns, target->target)
                                        : TargetKey(options_.ns, firing.service);
    const std::int32_t partition = PartitionOf(key, options_.partitions);
    if (!Acting(partition)) continue;
    const auto retry = retries_.find(id);
    if (retry != retries_.end() && options_.now() < retry->second.not_before) continue;
    StartResolving(id, scenario, *remedy, key, partition);
  }
}

void Keeper::StartResolving(const std::string& id, const Scenarios::Scenario& scenario,
                            const plan::Remediation& remedy, const std::string& key,
                            std::int32_t partition) {
  Flight& flight = flights_[id];
  flight.kind = FlightKind::kResolving;
  flight.partition = partition;
  flight.since = options_.now();
  const std::vector<std::string> avoid =
      LeftBehind(options_.guardrails, ledger_, key, "template", clock_.Now(options_.now()));
  jobs_.Post([this, id, alarm_id = scenario.firing.alarm_id, arguments = remedy.kubectl, avoid] {
    Resolved(id, alarm_id, arguments, tool_.Resolve(arguments, avoid));
  });
}

void Keeper::StartRun(const Remediation& r, std::int64_t epoch) {
  const SteadyTime deadline = flights_[r.id].since + options_.lease;
  jobs_.Post([this, id = r.id, partition = r.partition, epoch, action = r.proposed->action,
              deadline, probe = !r.proposed->expect.empty()] {
    RunJob(id, partition, epoch, action, deadline, probe);
  });
}

void Keeper::StartReadBack(const Remediation& r) {
  Flight& flight = flights_[r.id];
  flight.kind = FlightKind::kReadingBack;
  flight.partition = r.partition;
  log::Warn("remediation_read_back", {{"remediation", r.id}, {"executor", r.intent->executor}});
  jobs_.Post([this, id = r.id, action = r.proposed->action, probe = !r.proposed->expect.empty()] {
    ReadBackJob(id, action, probe);
  });
}

std::int32_t Keeper::SpreadOf(std::string_view service) const {
  const Scenarios::InForce* in_force = scenarios_.PlanOf(service);
  return std::clamp(in_force == nullptr ? 1 : in_force->plan.spread, 1, options_.partitions);
}

void Keeper::StartProbe(const Remediation& r) {
  v1::ShardRecord record;
  record.mutable_source()->set_emitter(writer_.emitter());
  record.mutable_source()->set_session(writer_.session());
  const std::uint64_t sequence = writer_.Next();
  record.mutable_source()->set_sequence(sequence);
  v1::ProbeStart* probe = record.mutable_probe();
  probe->set_probe_id(ProbeId(r.id));
  probe->set_service(r.proposed->service);
  probe->set_expression(r.proposed->expect);
  probe->set_within_ms(static_cast<std::uint64_t>(r.proposed->expect_within.count()));
  std::vector<kafka::Header> headers;
  if (const std::string trace = TraceOf(r.id); !trace.empty()) {
    headers.push_back({runtime::kTraceHeader, trace});
  }
  const std::string& service = r.proposed->service;
  const std::string bytes = record.SerializeAsString();
  // Wherever a series of the service may lie. If one of them is not written, or a plan has come
  // that names more, all are again: a probe that runs already goes on as it is.
  const std::int32_t spread = SpreadOf(service);
  probes_started_[r.id] = spread;
  const std::int32_t home = PartitionOf(service, options_.partitions);
  for (std::int32_t step = 0; step < spread; ++step) {
    producer_.Produce(runtime::topic::kMetrics, (home + step) % options_.partitions, service, bytes,
                      headers,
                      [this, id = r.id, sequence](const Result<kafka::Delivery>& delivery) {
                        if (delivery.ok()) return;
                        const std::lock_guard lock(failures_mutex_);
                        failures_.emplace_back(id, sequence);
                      });
  }
}

void Keeper::RecordResult(const std::string& id) {
  const Remediation* r = ledger_.Find(id);
  if (r == nullptr || r->phase != Phase::kRunning) {
    flights_.erase(id);
    return;
  }
  if (!Acting(r->partition)) return;  // kept: the partition may come back
  Flight& flight = flights_[id];
  const Body body = std::visit([](const auto& result) { return Body(result); }, *flight.result);
  flight.kind = FlightKind::kRecording;
  flight.sequence = Append(id, r->partition, body, clock_.Now(options_.now()));
}

std::uint64_t Keeper::Append(const std::string& id, std::int32_t partition, const Body& body,
                             Instant clock) {
  v1::RemediationRecord record;
  record.mutable_source()->set_emitter(writer_.emitter());
  record.mutable_source()->set_session(writer_.session());
  const std::uint64_t sequence = writer_.Next();
  record.mutable_source()->set_sequence(sequence);
  record.set_remediation_id(id);
  record.set_clock_ms(ToMs(clock));
  ToProto(body, &record);
  producer_.Produce(runtime::topic::kRemediations, partition, id, record.SerializeAsString(),
                    runtime::OwnerHeaders(At(partition).epoch, TraceOf(id)),
                    [this, id, sequence](const Result<kafka::Delivery>& delivery) {
                      if (delivery.ok()) return;
                      const std::lock_guard lock(failures_mutex_);
                      failures_.emplace_back(id, sequence);
                    });
  return sequence;
}

void Keeper::TakeFailures() {
  std::vector<std::pair<std::string, std::uint64_t>> failures;
  {
    const std::lock_guard lock(failures_mutex_);
    failures.swap(failures_);
  }
  for (const auto& [id, sequence] : failures) {
    log::Warn("append_failed", {{"remediation", id}});
    ++counters_["appends_failed"];
    const auto flight = flights_.find(id);
    if (flight == flights_.end()) {
      probes_started_.erase(id);
    } else if (flight->second.sequence == sequence) {
      // A result is kept and tried again; all else follows anew from the ledger.
      if (flight->second.result) {
        flight->second.kind = FlightKind::kHaveResult;
      } else {
        flights_.erase(flight);
      }
    }
  }
}

}  // namespace liveops::remediation
