#include "services/rule-evaluation/service/shard_owner.h"

#include <chrono>

#include "common/base/hash.h"
#include "common/plan/parse.h"
#include "common/runtime/topics.h"
#include "common/telemetry/log.h"
#include "common/telemetry/trace.h"
#include "services/rule-evaluation/service/plan_library.h"

namespace liveops::evaluation {
namespace {

namespace topic = runtime::topic;

constexpr auto kRetryPause = std::chrono::milliseconds(250);
constexpr auto kActivationPause = std::chrono::seconds(15);

// The transition's own span below the request that led to it, or a trace of its own (a tick
// decided).
std::string TraceOf(const kafka::Record& record) {
  if (const std::string* header = record.FindHeader(runtime::kTraceHeader)) {
    if (const std::optional<TraceContext> parent = ParseTraceparent(*header)) {
      return ChildOf(*parent).ToHeader();
    }
  }
  return NewTrace().ToHeader();
}

std::string TraceId(const std::string& traceparent) {
  const std::optional<TraceContext> context = ParseTraceparent(traceparent);
  return context ? context->trace_id : std::string();
}

std::int64_t Signed(std::uint64_t v) { return static_cast<std::int64_t>(v); }

}  // namespace

OwnerCounters& OwnerCounters::operator+=(const OwnerCounters& other) {
  transitions += other.transitions;
  readings += other.readings;
  rollups += other.rollups;
  known += other.known;
  contradictions += other.contradictions;
  adopted += other.adopted;
  poison += other.poison;
  delivery_failures += other.delivery_failures;
  plans_refused += other.plans_refused;
  rewritten += other.rewritten;
  reclaims += other.reclaims;
  return *this;
}

ShardOwner::ShardOwner(std::int32_t partition, std::uint64_t ownership, Takeover takeover,
                       OwnerPorts ports)
    : partition_(partition),
      ownership_(ownership),
      ports_(std::move(ports)),
      shard_(std::move(takeover.state.shard)),
      filter_(std::move(takeover.filter)),
      outbox_(SendTo(topic::kAlarms, DeliveryNote::Of::kTransitions)),
      readings_(SendTo(topic::kMetrics, DeliveryNote::Of::kReadings)),
      rollups_(SendTo(topic::kRollups, DeliveryNote::Of::kRollups)),
      readings_from_(takeover.readings_from),
      last_(std::move(takeover.state.last)),
      plans_(std::move(takeover.state.plans)),
      epoch_(takeover.epoch),
      claim_key_(std::move(takeover.claim_key)),
      next_offset_(takeover.start),
      live_at_(takeover.end),
      log_next_(takeover.epoch + 1) {
  log_filter_.Claim(epoch_);
  counters_.adopted = takeover.adopted;
  rollups_awaited_ = shard_.rollups_awaited();
  snapshot_offset_ = takeover.from_snapshot ? shard_.position() : -1;
  snapshot_wanted_ = !takeover.from_snapshot;
  ports_.table.Own(partition_, epoch_);
  for (const std::string& key : takeover.voided) Rewrite(key);
}

Outbox::Send ShardOwner::SendTo(const char* log, DeliveryNote::Of of) {
  return [this, log, of](const Outbox::Item& item) {
    ports_.producer.Produce(
        log, item.partition < 0 ? partition_ : item.partition, item.key, item.value,
        runtime::OwnerHeaders(epoch_, item.traceparent),
        [mailbox = ports_.mailbox, p = partition_, o = ownership_, of, id = item.id,
         attempt = item.attempt](const Result<kafka::Delivery>& result) {
          mailbox->Put(DeliveryNote{p, o, of, id, attempt, result});
        });
  };
}

engine::Source ShardOwner::NextSource() {
  return {ports_.writer.emitter(), ports_.writer.session(), ports_.writer.Next()};
}

bool ShardOwner::Apply(const kafka::Record& record, Decoder& decoder) {
  const SteadyTime begin = std::chrono::steady_clock::now();
  if (record.offset < next_offset_) return false;
  next_offset_ = record.offset + 1;
  ++records_since_snapshot_;
  if (filter_.active()) AdoptAll(filter_.Settle(record.offset - 1, last_));
  const Result<const engine::RecordView*> view =
      decoder.Decode(record.offset, record.append_time, record.value);
  if (!view.ok()) {
    ++counters_.poison;
    runtime::DeadLetter(ports_.producer, record, view.error().message);
    log::Warn("record_unreadable", {{"topic", record.topic},
                                    {"partition", static_cast<std::int64_t>(partition_)},
                                    {"offset", record.offset},
                                    {"error", view.error().message}});
    return false;
  }
  const auto* plan = std::get_if<engine::PlanActivationView>(&(*view)->body);
  const InForce before = plan == nullptr ? InForce{} : NowInForce(plan->service);
  transitions_.clear();
  told_.clear();
  shard_.Apply(**view, transitions_, told_);
  if (!transitions_.empty() || plan != nullptr) {
    const std::string trace = TraceOf(record);
    // First everything that waits for this record leaves; bookkeeping and logs come after.
    std::erase_if(transitions_, [&](const engine::Transition& t) { return !Emit(t, trace); });
    for (const engine::Transition& t : transitions_) AfterWrite(t, TraceId(trace));
    if (plan != nullptr) AfterActivation(*plan, record.offset, before, trace);
    publish_at_ = {};
  }
  if (record.append_time >= readings_from_) {
    for (const engine::Readings& readings : told_) Tell(readings);
  }
  for (const engine::Rollup& rollup : shard_.TakeRolled()) Tell(rollup);
  if (rollups_awaited_ > 0) TellOfRebuilt();
  if (filter_.active()) AdoptAll(filter_.Settle(record.offset, last_));
  const std::chrono::duration<double, std::micro> took = std::chrono::steady_clock::now() - begin;
  cost_us_ += 0.01 * (took.count() - cost_us_);
  return !transitions_.empty();
}

bool ShardOwner::Emit(const engine::Transition& transition, const std::string& traceparent) {
  const ReplayFilter::Verdict verdict = filter_.Judge(transition);
  if (verdict == ReplayFilter::Verdict::kKnown) ++counters_.known;
  if (verdict == ReplayFilter::Verdict::kContradicted) {
    ++counters_.contradictions;
    log::Error("replay_contradicts_log", {{"partition", static_cast<std::int64_t>(partition_)},
                                          {"alarm", transition.alarm_id},
                                          {"episode_ms", ToMs(transition.episode)},
                                          {"step", static_cast<std::int64_t>(transition.step)},
                                          {"state", engine::AlarmStateName(transition.state)},
                                          {"effect", "the log wins"}});
  }
  if (verdict != ReplayFilter::Verdict::kWrite) return false;
  outbox_.Push(transition.alarm_id, EncodeTransition(NextSource(), transition, partition_),
               traceparent);
  ++counters_.transitions;
  return true;
}

void ShardOwner::Tell(const engine::Readings& readings) {
  readings_.Push(readings.service, EncodeReadings(NextSource(), readings), "",
                 readings.home_partition);
  ++counters_.readings;
}

void ShardOwner::Tell(const engine::Rollup& rollup) {
  rollups_.Push(rollup.service, EncodeRollup(NextSource(), rollup, partition_), "");
  ++counters_.rollups;
}

void ShardOwner::TellOfRebuilt() {
  if (shard_.rollups_awaited() > 0) return;
  log::Info("windows_rebuilt", {{"partition", static_cast<std::int64_t>(partition_)},
                                {"rules", Signed(shard_.rules_made_whole())},
                                {"parts", Signed(rollups_awaited_)}});
  rollups_awaited_ = 0;
}

void ShardOwner::AfterWrite(const engine::Transition& transition, const std::string& trace_id) {
  last_.Set(transition.alarm_id, transition);
  log::Info("alarm_transition",
            {{"alarm", transition.alarm_id},
             {"state", engine::AlarmStateName(transition.state)},
             {"reason", transition.reason},
             {"value", transition.value},
             {"threshold", transition.threshold},
             {"episode_ms", ToMs(transition.episode)},
             {"step", static_cast<std::int64_t>(transition.step)},
             {"offset", transition.source_offset}},
            trace_id);
}

ShardOwner::InForce ShardOwner::NowInForce(std::string_view service) const {
  return {shard_.PlanVersion(service), shard_.PlanReads(service)};
}

void ShardOwner::AfterActivation(const engine::PlanActivationView& plan, std::int64_t offset,
                                 const InForce& before, const std::string& traceparent) {
  const std::string service(plan.service);
  InForce now = NowInForce(service);
  const std::uint64_t version = now.version;
  if (now == before) {
    if (plan.version > version) {  // this build cannot read what another one let through
      ++counters_.plans_refused;
      refused_plans_[service] = plan.version;
      log::Error("plan_refused", {{"service", service}, {"version", Signed(plan.version)}});
    }
    return;
  }
  const PlanInForce* told = plans_.Find(service);
  if (told != nullptr && told->source_offset >= offset) return;  // in a replay
  PlanInForce in_force{service,
                       version,
                       std::string(plan.text),
                       partition_,
                       offset,
                       shard_.clock(),
                       std::string(plan.applied_by),
                       plan.spread_from,
                       std::move(now.reads)};
  outbox_.Push("plan/" + service, EncodePlanInForce(NextSource(), in_force), traceparent);
  plans_.Set(service, std::move(in_force));
  log::Info("plan_in_force", {{"service", service},
                              {"version", Signed(version)},
                              {"partition", static_cast<std::int64_t>(partition_)},
                              {"offset", offset}});
}

void ShardOwner::AdoptAll(const std::vector<engine::Transition>& truths) {
  for (const engine::Transition& truth : truths) {
    if (!shard_.Adopt(truth)) continue;
    ++counters_.adopted;
    log::Warn("alarm_adopted_from_log", {{"alarm", truth.alarm_id},
                                         {"state", engine::AlarmStateName(truth.state)},
                                         {"episode_ms", ToMs(truth.episode)},
                                         {"step", static_cast<std::int64_t>(truth.step)}});
  }
}

void ShardOwner::Answered(const DeliveryNote& note) {
  using Of = DeliveryNote::Of;
  Outbox& outbox = note.of == Of::kReadings  ? readings_
                   : note.of == Of::kRollups ? rollups_
                                             : outbox_;
  if (note.result.ok() && note.of == Of::kTransitions) {
    outbox_.Acknowledged(note.id, note.attempt, note.result->offset);
    return;
  }
  if (note.result.ok()) {
    // It is final, whoever else says the same; or readers look at the claims themselves.
    outbox.Acknowledged(note.id, note.attempt);
    return;
  }
  ++counters_.delivery_failures;
  if (!outbox.failing()) {
    log::Warn(note.of == Of::kReadings  ? "readings_not_written"
              : note.of == Of::kRollups ? "rollup_not_written"
                                        : "transition_not_written",
              {{"partition", static_cast<std::int64_t>(partition_)},
               {"error", note.result.error().message},
               {"effect", "it is kept and written again"}});
  }
  outbox.Failed(note.id, note.attempt);
}

void ShardOwner::RetryFailed(SteadyTime now) {
  const bool failing = outbox_.failing() || readings_.failing() || rollups_.failing();
  if (!failing || now < retry_at_) return;
  retry_at_ = now + kRetryPause;
  for (Outbox* outbox : {&outbox_, &readings_, &rollups_}) outbox->Retry();
}

void ShardOwner::ReadBack(const kafka::Record& record) {
  if (record.offset < log_next_) return;
  log_next_ = record.offset + 1;
  if (record.offset == epoch_) claim_key_ = record.key;
  if (record.value.empty()) return;
  Result<AlarmEvent> event = DecodeAlarmRecord(record.value);
  if (!event.ok()) return;
  if (std::holds_alternative<ClaimEvent>(*event)) {
    log_filter_.Claim(record.offset);
    if (record.offset > epoch_) {
      superseded_ = true;
      DropCut();  // what another owner wrote meanwhile may differ
    }
    return;
  }
  const std::int64_t epoch = runtime::EpochOf(record);
  if (epoch == EpochFilter::kNoEpoch) return;
  if (!log_filter_.Valid(epoch)) {
    // A zombie's: compaction must not keep it in place of the valid one.
    if (!superseded_ && epoch != epoch_) Rewrite(record.key);
    return;
  }
  if (epoch == epoch_) {
    outbox_.ReadBack(record.offset);
    return;
  }
  if (const auto* transition = std::get_if<engine::Transition>(&*event)) Foreign(*transition);
}

// Another owner had the partition for a while, and what it wrote counts.
void ShardOwner::Foreign(const engine::Transition& transition) {
  const engine::Transition* held = last_.Find(transition.alarm_id);
  if (held != nullptr && !Later(transition, *held)) return;
  last_.Set(transition.alarm_id, transition);
  if (transition.source_offset > shard_.position()) {
    filter_.Add(transition);
  } else {
    AdoptAll({transition});
  }
}

void ShardOwner::Rewrite(const std::string& key) {
  constexpr std::string_view kPlanPrefix = "plan/";
  std::string value;
  if (key.starts_with(kPlanPrefix)) {
    const PlanInForce* plan = plans_.Find(key.substr(kPlanPrefix.size()));
    if (plan != nullptr) value = EncodePlanInForce(NextSource(), *plan);
  } else if (const engine::Transition* last = last_.Find(key)) {
    value = EncodeTransition(NextSource(), *last, partition_);
  }
  if (value.empty()) return;
  ++counters_.rewritten;
  outbox_.Push(key, std::move(value), "");
}

void ShardOwner::Reclaimed(std::int64_t epoch, SteadyTime now) {
  epoch_ = epoch;
  superseded_ = false;
  ++counters_.reclaims;
  retry_at_ = now;
  ports_.table.Own(partition_, epoch_);
  refresh_wanted_ = true;
  outbox_.SendAllAgain();
}

void ShardOwner::TellWhoApplied(const StoredPlan& newest) {
  const PlanInForce* told = plans_.Find(newest.service);
  if (told == nullptr || newest.applied_by.empty()) return;
  PlanInForce in_force = *told;
  const bool same = in_force.version == newest.version && in_force.text == newest.text;
  if (!same || !in_force.applied_by.empty()) return;
  in_force.applied_by = newest.applied_by;
  outbox_.Push("plan/" + newest.service, EncodePlanInForce(NextSource(), in_force), "");
  plans_.Set(newest.service, std::move(in_force));
}

void ShardOwner::ConsiderPlan(const StoredPlan& newest, SteadyTime now) {
  if (!live()) return;
  TellWhoApplied(newest);
  const InForce now_in_force = NowInForce(newest.service);
  if (newest.version < now_in_force.version) return;
  if (newest.version == now_in_force.version && !MovedSince(now_in_force.reads, newest.reads))
    return;
  const auto refused = refused_plans_.find(newest.service);
  if (refused != refused_plans_.end() && refused->second >= newest.version) return;
  Activation& sent = activations_[newest.service];
  if (sent.version == newest.version && now - sent.at < kActivationPause) return;
  const plan::ParseResult parsed = plan::Parse(newest.text);
  if (!parsed.ok() || parsed.plan.service != newest.service) {
    ++counters_.plans_refused;
    refused_plans_[newest.service] = newest.version;
    log::Error("plan_refused",
               {{"service", newest.service},
                {"version", Signed(newest.version)},
                {"problem", parsed.ok() ? "it is the plan of " + parsed.plan.service
                                        : parsed.problems.front().ToString(newest.service)},
                {"effect", "the plan in force stays"}});
    return;
  }
  sent = {newest.version, now};
  ports_.producer.Produce(
      topic::kMetrics, partition_, newest.service, EncodePlanActivation(NextSource(), newest),
      runtime::OwnerHeaders(epoch_, NewTrace().ToHeader()),
      [service = newest.service, version = newest.version](const Result<kafka::Delivery>& result) {
        // Not repeated here: the loop looks again while the version is not in force.
        if (result.ok()) return;
        log::Warn("plan_activation_not_written", {{"service", service},
                                                  {"version", Signed(version)},
                                                  {"error", result.error().message}});
      });
}

void ShardOwner::Release() {
  ports_.producer.Produce(topic::kAlarms, partition_, runtime::ReleaseKey(claim_key_),
                          EncodeReleased(NextSource(), ports_.instance),
                          runtime::OwnerHeaders(epoch_), [](const Result<kafka::Delivery>&) {});
}

}  // namespace liveops::evaluation
