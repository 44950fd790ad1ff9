#include "services/remediation/service/keeper.h"

#include <time.h>

#include <algorithm>

#include "common/base/hash.h"
#include "common/runtime/topics.h"
#include "common/telemetry/log.h"
#include "common/telemetry/trace.h"
#include "liveops/v1/remediations.pb.h"
#include "services/remediation/policy/identity.h"

// What comes in: records, claims, time.
namespace liveops::remediation {
namespace {

std::string TraceId(const std::string& traceparent) {
  const std::optional<TraceContext> trace = ParseTraceparent(traceparent);
  return trace ? trace->trace_id : std::string();
}

// A record that no honest writer makes, rather than one that came too late.
bool Forged(Verdict verdict) {
  return verdict == Verdict::kIdMismatch || verdict == Verdict::kDigestMismatch ||
         verdict == Verdict::kNoEpoch || verdict == Verdict::kSelfApproval;
}

const char* BodyName(const Body& body) {
  constexpr const char* kNames[] = {"proposed", "approved", "denied",
                                    "intent",   "effect",   "outcome"};
  return kNames[body.index()];
}

}  // namespace

SteadyTime LeaseClockNow() {
  timespec now{};
  ::clock_gettime(CLOCK_BOOTTIME, &now);
  return SteadyTime(std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec));
}

Keeper::Keeper(KeeperOptions options, const TimeMap& time_map, runtime::Writer& writer,
               kafka::Producer& producer, Tool& tool, Jobs& jobs)
    : options_(std::move(options)),
      time_map_(time_map),
      writer_(writer),
      producer_(producer),
      tool_(tool),
      jobs_(jobs),
      partitions_(static_cast<std::size_t>(options_.partitions)),
      scenarios_(options_.partitions),
      clock_(time_map.speed) {}

void Keeper::OnAlarm(const kafka::Record& record) {
  const std::lock_guard lock(mutex_);
  const Result<std::optional<Instant>> clock = scenarios_.Apply(record);
  if (!clock.ok()) {
    log::Warn("record_not_read", {{"topic", record.topic},
                                  {"partition", record.partition},
                                  {"offset", record.offset},
                                  {"problem", clock.error().message}});
    ++counters_["records_not_read"];
    return;
  }
  latest_append_ = std::max(latest_append_, time_map_.ToDomain(record.append_time));
  if (!caught_up_) return;  // history says nothing about now
  if (*clock) Anchor(**clock, options_.now());
  StepAll();
}

void Keeper::OnRemediation(const kafka::Record& record) {
  const std::lock_guard lock(mutex_);
  Partition& part = At(record.partition);
  latest_append_ = std::max(latest_append_, time_map_.ToDomain(record.append_time));
  v1::RemediationRecord proto;
  if (!proto.ParseFromString(record.value) ||
      proto.body_case() == v1::RemediationRecord::BODY_NOT_SET) {
    log::Warn("record_not_read", {{"topic", record.topic},
                                  {"partition", record.partition},
                                  {"offset", record.offset},
                                  {"problem", "not a RemediationRecord"}});
    ++counters_["records_not_read"];
    // Only the owner, so that it is buried once.
    if (Acting(record.partition)) runtime::DeadLetter(producer_, record, "not a RemediationRecord");
  } else if (proto.has_claim()) {
    OnClaim(part, record, proto.claim().session());
  } else if (proto.has_released()) {
    if (part.claim && runtime::EpochOf(record) == part.claim->offset) part.claim->released = true;
  } else {
    Fold(part, record, proto);
  }
  part.position = record.offset + 1;
  folded_.notify_all();
  if (caught_up_) StepAll();
}

void Keeper::Anchor(Instant clock, SteadyTime seen) {
  if (clock_is_guess_) {
    clock_ = runtime::SteadyDomainClock(time_map_.speed);
    clock_is_guess_ = false;
  }
  clock_.Anchor(clock, seen);
}

void Keeper::OnClaim(Partition& part, const kafka::Record& record, std::uint64_t session) {
  Claim claim;
  claim.offset = record.offset;
  claim.session = session;
  claim.key = record.key;
  claim.lease_free = !part.claim || part.claim->released || part.claim->session == session;
  part.claim = claim;
  part.filter.Claim(record.offset);
  if (session == writer_.session()) {
    // The broker stamped it when we wrote it, moments ago: the one present that we are sure of at
    // the start.
    const bool known = part.epoch == record.offset;
    Anchor(time_map_.ToDomain(record.append_time), known ? part.claimed_at : options_.now());
  } else if (part.epoch >= 0 && record.offset > part.epoch) {
    part.need_claim = true;
    log::Warn("claim_superseded",
              {{"partition", record.partition}, {"epoch", part.epoch}, {"newer", record.offset}});
  }
}

void Keeper::Fold(Partition& part, const kafka::Record& record,
                  const v1::RemediationRecord& proto) {
  const bool ours = proto.source().session() == writer_.session();
  const auto flight = flights_.find(proto.remediation_id());
  const bool awaited =
      ours && flight != flights_.end() && flight->second.sequence == proto.source().sequence();
  const bool intending = awaited && flight->second.kind == FlightKind::kIntending;
  const SteadyTime written = awaited ? flight->second.since : SteadyTime{};
  if (awaited) flights_.erase(flight);

  const std::int64_t epoch = runtime::EpochOf(record);
  if (!part.filter.Valid(epoch)) {
    log::Info("record_void", {{"partition", record.partition},
                              {"offset", record.offset},
                              {"epoch", epoch},
                              {"claim", part.filter.current()}});
    ++counters_["records_void"];
    return;
  }
  Result<Record> decoded = FromProto(proto);
  if (!decoded.ok()) {
    log::Warn("record_not_read", {{"offset", record.offset}, {"problem", decoded.error().message}});
    if (Acting(record.partition)) runtime::DeadLetter(producer_, record, decoded.error().message);
    return;
  }
  decoded->partition = record.partition;
  decoded->offset = record.offset;
  decoded->epoch = epoch;
  const Verdict verdict = ledger_.Apply(*decoded);
  const std::string& id = decoded->id;
  const std::string* trace = record.FindHeader(runtime::kTraceHeader);
  if (verdict != Verdict::kApplied) {
    log::Warn("remediation_record_ignored",
              {{"remediation", id},
               {"record", BodyName(decoded->body)},
               {"reason", VerdictName(verdict)},
               {"offset", record.offset}},
              TraceId(TraceOf(id)));
    ++counters_[std::string("ignored_") + VerdictName(verdict)];
    if (Forged(verdict) && Acting(record.partition)) {
      runtime::DeadLetter(producer_, record, VerdictName(verdict));
    }
    return;
  }
  history_[id].push_back(record.value);
  if (trace != nullptr && std::holds_alternative<Proposed>(decoded->body)) traces_[id] = *trace;
  const Remediation& r = *ledger_.Find(id);
  if (caught_up_) {
    log::Info(std::string("remediation_") + BodyName(decoded->body),
              {{"remediation", id},
               {"phase", PhaseName(r.phase)},
               {"target", r.target_key()},
               {"outcome", r.outcome ? OutcomeName(r.outcome->kind) : ""},
               {"detail", r.outcome ? r.outcome->detail : r.proposed->action.description}},
              TraceId(TraceOf(id)));
    ++counters_[BodyName(decoded->body)];
  }
  if (!r.open()) {
    intent_seen_.erase(id);
    probes_started_.erase(id);
  }
  // Ours is the first intent, and no newer claim stands before it: this process, and no other, runs
  // it now.
  if (intending && Acting(record.partition) && epoch == part.epoch && r.phase == Phase::kRunning &&
      r.intent_offset == record.offset) {
    Flight& running = flights_[id];
    running.kind = FlightKind::kRunning;
    running.partition = record.partition;
    running.since = written;
    if (!stopping_) return StartRun(r, epoch);
    running.kind = FlightKind::kHaveResult;
    running.result = Outcome{OutcomeKind::kRefused, "not run: the service was told to stop"};
    RecordResult(id);
  }
}

void Keeper::CaughtUp() {
  const std::lock_guard lock(mutex_);
  caught_up_ = true;
  if (!clock_.anchored()) {
    // A replica that owns nothing: not before the newest record, until a live one says more.
    clock_.Anchor(latest_append_, options_.now());
    clock_is_guess_ = true;
  }
  log::Info("caught_up", {{"remediations", ledger_.all().size()},
                          {"open", ledger_.open().size()},
                          {"scenarios", scenarios_.all().size()}});
  StepAll();
  ForgetOld();
}

void Keeper::Tick() {
  const std::lock_guard lock(mutex_);
  if (!caught_up_) return;
  StepAll();
  ForgetOld();
}

// Memory must not grow with the age of the log. Kept: what the guardrails count, and whatever could
// be proposed again, for a proposal made twice must be known as one.
void Keeper::ForgetOld() {
  const Instant now = clock_.Now(options_.now());
  if (now < forget_at_) return;
  forget_at_ = now + Duration(3600'000);
  const Guardrails& g = options_.guardrails;
  const Instant before = now - std::max({kKeepClosed, g.cooldown, g.same_remedy_window});
  std::vector<std::string> old;
  for (const auto& [id, r] : ledger_.all()) {
    if (!r.open() && r.closed_at < before &&
        scenarios_.Over(r.proposed->alarm_id, r.proposed->episode)) {
      old.push_back(id);
    }
  }
  for (const std::string& id : old) {
    ledger_.Forget(id);
    history_.erase(id);
    traces_.erase(id);
    flights_.erase(id);
    scenarios_.ForgetProbe(ProbeId(id));
  }
}

std::string Keeper::EncodeClaim() {
  v1::RemediationRecord record;
  record.mutable_source()->set_emitter(writer_.emitter());
  record.mutable_source()->set_session(writer_.session());
  record.mutable_source()->set_sequence(writer_.Next());
  record.mutable_claim()->set_owner(writer_.emitter());
  record.mutable_claim()->set_session(writer_.session());
  record.mutable_claim()->set_claimed_unix_ms(ToMs(WallClockNow()));
  return record.SerializeAsString();
}

void Keeper::Claimed(std::int32_t partition, std::int64_t epoch, SteadyTime claimed_at) {
  const std::lock_guard lock(mutex_);
  Partition& part = At(partition);
  part.epoch = epoch;
  part.claimed_at = claimed_at;
  // The reader may have been quicker than the answer that told us the epoch.
  part.need_claim =
      part.filter.current() > epoch && part.claim && part.claim->session != writer_.session();
  if (caught_up_) StepAll();
}

std::vector<std::int32_t> Keeper::NeedClaim() {
  const std::lock_guard lock(mutex_);
  std::vector<std::int32_t> partitions;
  for (std::int32_t p = 0; p < options_.partitions; ++p) {
    if (At(p).need_claim) partitions.push_back(p);
  }
  return partitions;
}

std::optional<Keeper::Release> Keeper::Revoked(std::int32_t partition) {
  const std::lock_guard lock(mutex_);
  Partition& part = At(partition);
  const std::int64_t epoch = part.epoch;
  const bool current = epoch >= 0 && part.filter.current() == epoch;
  part.epoch = -1;
  part.need_claim = false;
  if (!current) return std::nullopt;
  for (const auto& [id, flight] : flights_) {
    if (flight.partition == partition &&
        (flight.kind == FlightKind::kIntending || flight.kind == FlightKind::kRunning)) {
      return std::nullopt;
    }
  }
  v1::RemediationRecord record;
  record.mutable_source()->set_emitter(writer_.emitter());
  record.mutable_source()->set_session(writer_.session());
  record.mutable_source()->set_sequence(writer_.Next());
  record.set_clock_ms(ToMs(clock_.Now(options_.now())));
  record.mutable_released()->set_owner(writer_.emitter());
  record.mutable_released()->set_session(writer_.session());
  return Release{part.claim->key, record.SerializeAsString(), epoch};
}

std::int64_t Keeper::Position(std::int32_t partition) {
  const std::lock_guard lock(mutex_);
  return At(partition).position;
}

bool Keeper::Acting(std::int32_t partition) {
  const Partition& part = At(partition);
  return caught_up_ && part.epoch >= 0 && part.filter.current() == part.epoch && !part.need_claim;
}

std::string Keeper::TraceOf(const std::string& id) const {
  const auto it = traces_.find(id);
  return it == traces_.end() ? std::string() : it->second;
}

void Keeper::Stop() {
  const std::lock_guard lock(mutex_);
  stopping_ = true;
  folded_.notify_all();
}

void Keeper::Abandon() {
  const std::lock_guard lock(mutex_);
  abandoned_ = true;
}

}  // namespace liveops::remediation
