// The pump: for each destination, whatever is not settled goes through the policy's pipeline, most
// urgent first; and the life of an attempt from its record to its outcome.
#include <algorithm>

#include "common/base/hash.h"
#include "common/telemetry/trace.h"
#include "services/notifier/service/core.h"

namespace liveops::notifier {
namespace {

constexpr Duration kWriteRetry{1'000};
// Between the read-back and the sender's thread.
constexpr Duration kHandOver{100};

std::string ChildTrace(const std::string& traceparent) {
  const auto parent = ParseTraceparent(traceparent);
  return parent ? ChildOf(*parent).ToHeader() : "";
}

}  // namespace

void Core::PumpAll(const std::set<std::string>& destinations, Now now, Effects& out) {
  for (const std::string& destination : destinations) Pump(destination, now, out);
}

void Core::LookAgainIn(DestinationState& state, SteadyTime at) {
  if (!state.wake || at < *state.wake) state.wake = at;
}

void Core::Pump(const std::string& destination, Now now, Effects& out) {
  const auto found = destinations_.find(destination);
  if (found == destinations_.end()) return;
  DestinationState& state = found->second;
  const auto owned = partitions_.find(state.partition);
  if (owned == partitions_.end() || owned->second.draining) return;
  Partition& partition = owned->second;
  state.wake.reset();
  for (auto it = state.active.begin(); it != state.active.end();) {
    const std::string group = it->group;
    ++it;  // the entry may leave the set
    Entry* entry = FindEntry(destination, group);
    if (!entry) continue;
    // Behind an attempt in flight it would say that nothing is open.
    if (entry->state_unsaved && !entry->in_flight) WriteState(*entry, partition, out);
    bool again = true;
    while (again) {
      const Step step = Decide(*entry, state, partition, now);
      again = Act(*entry, state, partition, step, now, out);
      const bool all_wait = step.DestinationWaits() || step.reason == StepReason::kLeaseRunning ||
                            step.reason == StepReason::kCatchingUp ||
                            step.reason == StepReason::kNotOwner;
      if (all_wait) return;  // those behind it in the queue wait for the same thing
    }
  }
}

Step Core::Decide(const Entry& entry, const DestinationState& state, const Partition& partition,
                  Now now) {
  const Group* group = registry_.Find(entry.group);
  if (!group) return {};
  Situation situation;
  if (!caught_up_) {
    situation.standing = Standing::kCatchingUp;
  } else if (partition.draining) {
    situation.standing = Standing::kNotOwner;
  } else if (now.steady < partition.act_from) {
    situation.standing = Standing::kLeaseRunning;
    situation.ready_at = partition.act_from;
  }
  situation.routed = Routed(*group, entry.destination);
  situation.configured = settings_.Configured(entry.destination);
  situation.in_flight = entry.in_flight.has_value();
  situation.last_attempt = entry.last_attempt;
  situation.dedup = entry.dedup;
  situation.resolve_again_after = time_map_.ToDomain(kResolveAgainAfter);
  return NextStep(entry.destination, registry_.DesiredOf(*group), entry.delivered, situation,
                  state.pace, DomainNow(now), now.steady);
}

bool Core::Act(Entry& entry, DestinationState& state, Partition& partition, const Step& step,
               Now now, Effects& out) {
  switch (step.verdict) {
    case Verdict::kSend:
      StartAttempt(entry, state, partition, step.notice, now, out);
      return false;
    case Verdict::kRecord:
      RecordOnly(entry, partition, step, out, now);
      return true;
    case Verdict::kAskDedup:
      entry.dedup = {DedupView::State::kAsking, now.steady, {}};
      out.push_back(DedupQuestion{state.partition, partition.epoch, entry.group, entry.alarm_id,
                                  entry.destination.Id()});
      return true;
    case Verdict::kWait:
      if (step.until) LookAgainIn(state, *step.until);
      if (step.until_domain) {
        const Duration left = time_map_.ToReal(*step.until_domain - DomainNow(now));
        LookAgainIn(state, now.steady + left + Duration(1));
      }
      return false;
    case Verdict::kNothing:
      if (step.reason == StepReason::kAllTold || step.reason == StepReason::kNoLongerRouted) {
        state.active.erase(entry.priority);
        entry.active = false;
      }
      return false;
  }
  return false;
}

void Core::StartAttempt(Entry& entry, DestinationState& state, Partition& partition,
                        const NoticeDecision& notice, Now now, Effects& out) {
  const Group& group = *registry_.Find(entry.group);
  InFlight attempt;
  attempt.token = ++last_token_;
  attempt.sequence = writer_.Next();
  attempt.notice = notice;
  attempt.message = ComposeMessage(registry_, group, entry.destination, notice, settings_);
  attempt.begun = now.boot;

  v1::NotificationRecord record;
  record.mutable_source()->set_emitter(writer_.emitter());
  record.mutable_source()->set_session(writer_.session());
  record.mutable_source()->set_sequence(attempt.sequence);
  v1::Attempt& mark = *record.mutable_attempt();
  mark.set_group(entry.group);
  mark.set_destination(entry.destination.Id());
  mark.set_notice(ToProto(notice.notice));
  mark.set_number(notice.number);
  mark.set_dedup_key(attempt.message.dedup_key);
  mark.set_body_sha256(std::string(AsBytes(Sha256Of(attempt.message.body))));
  mark.set_may_repeat(notice.may_repeat);
  mark.set_subject(notice.subject);
  mark.set_step(notice.step);
  mark.set_severity(ToProto(notice.severity));

  ++counters_.attempts;
  state.pace.Started(now.steady);
  tokens_[attempt.token] = {entry.destination.Id(), entry.group, now.steady + kReadBackPatience};
  entry.in_flight = std::move(attempt);
  out.push_back(WriteRecord{
      state.partition, AttemptKey(entry.group, entry.destination), record.SerializeAsString(),
      partition.epoch, ChildTrace(group.traceparent), entry.destination.Id(), entry.group, true});
}

// Read back with no newer claim before it: the attempt is ours, and its lease runs from when it was
// begun.
Effects Core::OnNotification(const kafka::Record& record, Now now) {
  Effects out;
  const auto owned = partitions_.find(record.partition);
  if (owned == partitions_.end() || record.offset <= owned->second.epoch) return out;
  Partition& partition = owned->second;
  if (!partition.filter.Valid(runtime::EpochOf(record))) {
    RewriteValid(record.partition, partition, record.key, out);
    return out;
  }
  if (record.value.empty()) return out;
  v1::NotificationRecord notification;
  if (!notification.ParseFromString(record.value)) {
    ++counters_.poison;
    out.push_back(DeadLetterNote{record.topic, record.partition, record.offset, record.key,
                                 record.value, "not a NotificationRecord"});
    return out;
  }
  if (notification.has_claim()) {
    partition.filter.Claim(record.offset);
    Fence(record.partition, partition, "another claim stands behind ours", now, out);
    return out;
  }
  if (!notification.has_attempt() || notification.source().session() != writer_.session()) {
    return out;
  }
  Entry* entry = FindEntry(notification.attempt().destination(), notification.attempt().group());
  if (!entry || !entry->in_flight || entry->in_flight->sent) return out;
  InFlight& attempt = *entry->in_flight;
  if (attempt.sequence != notification.source().sequence()) return out;
  const Duration good_until = attempt.begun + kAttemptGood;
  const Duration timeout = std::min(kRequestTimeout, good_until - now.boot - kHandOver);
  if (timeout < kRequestShortest) {
    ++counters_.lapsed;
    TakeBack(*entry, partition, "read back too late to be used", out);
    Pump(entry->destination.Id(), now, out);
    return out;
  }
  attempt.sent = true;
  tokens_.at(attempt.token).read_by.reset();
  SendRequest send{attempt.token, ToRequest(attempt.message), good_until - timeout};
  send.request.timeout = timeout;
  out.push_back(std::move(send));
  return out;
}

Effects Core::OnAnswer(std::uint64_t token, const http::Outcome& outcome, Now now,
                       std::int64_t wall_unix_ms) {
  Effects out;
  const auto found = tokens_.find(token);
  if (found == tokens_.end()) return out;
  const auto [destination, group, read_by] = found->second;
  Entry* entry = FindEntry(destination, group);
  if (!entry || !entry->in_flight || entry->in_flight->token != token) {
    tokens_.erase(found);
    return out;
  }
  Partition& partition = partitions_.at(PartitionOf(destination, partition_count_));
  const bool withheld =
      !outcome.answered && outcome.surely_not_sent && outcome.error.code == ErrorCode::kConflict;
  if (withheld) {
    ++counters_.lapsed;
    TakeBack(*entry, partition, "its lease ended before it left", out);
    Pump(destination, now, out);
    return out;
  }
  const Reading reading = ReadOutcome(entry->destination, outcome, settings_);
  StateOf(entry->destination).pace.Finished(now.steady, reading.health, reading.retry_after);
  Settle(*entry, partition, reading, now, wall_unix_ms, out);
  Pump(destination, now, out);
  return out;
}

void Core::Settle(Entry& entry, Partition& partition, const Reading& reading, Now now,
                  std::int64_t wall_unix_ms, Effects& out) {
  const InFlight attempt = std::move(*entry.in_flight);
  entry.in_flight.reset();
  entry.last_attempt = now.steady;
  tokens_.erase(attempt.token);
  const NoticeDecision& notice = attempt.notice;
  Told told;
  told.notice = notice.notice;
  told.outcome = reading.outcome;
  told.attempts = notice.number;
  told.clock = DomainNow(now);
  told.detail = reading.detail;
  told.subject = notice.subject;
  told.step = notice.step;
  told.severity = notice.severity;
  entry.delivered.Record(told);
  if (told.MayHaveArrived()) {
    for (const std::string& remedy : notice.carries) {
      told.notice = Notice::kRemedyProposed;
      told.subject = remedy;
      told.step = 0;
      told.detail = "in the page itself";
      entry.delivered.Record(told);
    }
  }
  switch (reading.outcome) {
    case Outcome::kDelivered:
      ++counters_.delivered;
      break;
    case Outcome::kFailed:
      ++counters_.failed;
      break;
    case Outcome::kUnknown:
      ++counters_.unknown;
      break;
    case Outcome::kRejected:
      ++counters_.rejected;
      break;
    case Outcome::kSuperseded:
      break;
  }
  WriteState(entry, partition, out);
  if (reading.outcome == Outcome::kRejected) DeadLetter(entry, reading.detail, out);
  NoteWindow(entry, partition, notice, out, now);
  LogOutcome(entry, notice, reading, wall_unix_ms, out);
}

// Nothing is sent: the notice was overtaken, or its destination cannot be reached with this
// configuration.
void Core::RecordOnly(Entry& entry, Partition& partition, const Step& step, Effects& out, Now now) {
  Told told;
  told.notice = step.notice.notice;
  told.subject = step.notice.subject;
  told.step = step.notice.step;
  told.clock = DomainNow(now);
  if (step.reason == StepReason::kNotConfigured) {
    told.outcome = Outcome::kRejected;
    told.detail = settings_.WhatIsMissing(entry.destination);
    ++counters_.rejected;
  } else {
    told.outcome = Outcome::kSuperseded;
    told.detail = "over before anything was sent";
    ++counters_.superseded;
  }
  entry.delivered.Record(told);
  WriteState(entry, partition, out);
  const bool lost = told.outcome == Outcome::kRejected;
  if (lost) DeadLetter(entry, told.detail, out);
  Log(out, lost, lost ? "page_dead_lettered" : "page_superseded", entry, told.detail);
}

void Core::WriteState(Entry& entry, const Partition& partition, Effects& out) {
  entry.state_unsaved = partition.fenced;
  if (partition.fenced) return;
  bool closed = false;
  std::string traceparent;
  if (const Group* group = registry_.Find(entry.group)) {
    closed = IsFinished(entry.destination.channel, Routed(*group, entry.destination),
                        registry_.DesiredOf(*group), entry.delivered);
    traceparent = ChildTrace(group->traceparent);
  }
  v1::NotificationRecord record;
  record.mutable_source()->set_emitter(writer_.emitter());
  record.mutable_source()->set_session(writer_.session());
  record.mutable_source()->set_sequence(writer_.Next());
  *record.mutable_state() = ToProto(entry.delivered, entry.group, entry.destination, entry.alarm_id,
                                    entry.episode, closed);
  out.push_back(WriteRecord{PartitionOf(entry.destination.Id(), partition_count_),
                            StateKey(entry.group, entry.destination), record.SerializeAsString(),
                            partition.epoch, traceparent, entry.destination.Id(), entry.group,
                            false});
}

Effects Core::OnWriteFailed(const std::string& destination, const std::string& group, bool attempt,
                            Now now) {
  Effects out;
  Entry* entry = FindEntry(destination, group);
  if (!entry) return out;
  DestinationState& state = StateOf(entry->destination);
  if (!attempt) {
    entry->state_unsaved = true;
    Activate(*entry);
  } else if (entry->in_flight && !entry->in_flight->sent) {
    // Should it stand in the log after all, it is recognised by its sequence and not used.
    tokens_.erase(entry->in_flight->token);
    entry->in_flight.reset();
    state.pace.NotSent();
  }
  LookAgainIn(state, now.steady + kWriteRetry);
  return out;
}

}  // namespace liveops::notifier
