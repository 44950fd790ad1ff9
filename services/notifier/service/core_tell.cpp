// What the core tells others: dedup windows to the table, dead letters, log lines.
#include <algorithm>

#include "common/base/hash.h"
#include "common/runtime/topics.h"
#include "common/telemetry/trace.h"
#include "services/notifier/service/core.h"

namespace liveops::notifier {
namespace {

constexpr Duration kLatencySensible{3'600'000};

}  // namespace

// --- dedup windows ---

Effects Core::OnDedup(const DedupQuestion& question, DedupView::State answer, Instant until,
                      bool rebuild, Now now) {
  Effects out;
  if (rebuild && EpochOf(question.partition) == question.epoch) {
    RebuildWindows(question.partition, now, out);
  }
  Entry* entry = FindEntry(question.destination, question.group);
  if (!entry || entry->dedup.state != DedupView::State::kAsking) return out;
  entry->dedup.state = answer;
  entry->dedup.until = until;
  if (answer == DedupView::State::kHeld && DomainNow(now) < until) {
    ++counters_.dedup_held;
    Log(out, false, "page_held", *entry, "within the dedup window until " + FormatUtc(ToMs(until)));
  }
  Pump(question.destination, now, out);
  return out;
}

void Core::NoteWindow(const Entry& entry, const Partition& partition, const NoticeDecision& notice,
                      Effects& out, Now now) {
  const Told* told = entry.delivered.Find(notice.notice);
  if (!IsOpening(notice.notice) || !told || !told->MayHaveArrived()) return;
  const Group* group = registry_.Find(entry.group);
  const plan::Plan* plan = group ? registry_.PlanOf(group->service) : nullptr;
  if (!plan || plan->dedup <= Duration::zero()) return;
  out.push_back(
      DedupStore{PartitionOf(entry.destination.Id(), partition_count_),
                 partition.epoch,
                 false,
                 {{entry.alarm_id, entry.destination.Id(), DomainNow(now) + plan->dedup}}});
}

void Core::RebuildWindows(std::int32_t number, Now now, Effects& out) {
  const auto owned = partitions_.find(number);
  if (owned == partitions_.end() || !registry_.AnyDedup()) return;
  const Instant domain = DomainNow(now);
  std::map<std::pair<std::string, std::string>, Instant> windows;
  for (const auto& [destination, groups] : owned->second.entries) {
    for (const auto& [id, entry] : groups) {
      const Group* group = registry_.Find(id);
      const plan::Plan* plan = group ? registry_.PlanOf(group->service) : nullptr;
      if (!plan || plan->dedup <= Duration::zero()) continue;
      for (const Told& told : entry.delivered.told) {
        if (!IsOpening(told.notice) || !told.MayHaveArrived()) continue;
        Instant& until = windows[{entry.alarm_id, destination}];
        until = std::max(until, told.clock + plan->dedup);
      }
    }
  }
  DedupStore store{number, owned->second.epoch, true, {}};
  for (const auto& [key, until] : windows) {
    if (until > domain) store.windows.push_back({key.first, key.second, until});
  }
  out.push_back(std::move(store));
}

// --- telling people ---

void Core::DeadLetter(const Entry& entry, const std::string& why, Effects& out) {
  v1::NotificationRecord record;
  record.mutable_source()->set_emitter(writer_.emitter());
  record.mutable_source()->set_session(writer_.session());
  record.mutable_source()->set_sequence(writer_.Next());
  *record.mutable_state() = ToProto(entry.delivered, entry.group, entry.destination, entry.alarm_id,
                                    entry.episode, false);
  out.push_back(DeadLetterNote{
      runtime::topic::kNotifications, PartitionOf(entry.destination.Id(), partition_count_), -1,
      StateKey(entry.group, entry.destination), record.SerializeAsString(), why});
}

std::string Core::TraceIdOf(const std::string& group_id) const {
  const Group* group = registry_.Find(group_id);
  const auto trace = group ? ParseTraceparent(group->traceparent) : std::nullopt;
  return trace ? trace->trace_id : "";
}

void Core::Log(Effects& out, bool warn, std::string event, const Entry& entry, std::string detail) {
  LogLine line;
  line.warn = warn;
  line.event = std::move(event);
  line.alarm_id = entry.alarm_id;
  line.destination = entry.destination.Id();
  line.detail = std::move(detail);
  line.trace_id = TraceIdOf(entry.group);
  out.push_back(std::move(line));
}

void Core::LogOutcome(const Entry& entry, const NoticeDecision& notice, const Reading& reading,
                      std::int64_t wall_unix_ms, Effects& out) {
  LogLine line;
  const bool sent = reading.outcome == Outcome::kDelivered;
  line.warn = !sent;
  line.event = sent                                    ? "page_sent"
               : reading.outcome == Outcome::kRejected ? "page_dead_lettered"
                                                       : "page_not_sent";
  line.alarm_id = entry.alarm_id;
  line.destination = entry.destination.Id();
  line.notice = NoticeName(notice.notice);
  line.attempt = notice.number;
  line.detail = sent ? reading.detail : OutcomeName(reading.outcome) + (": " + reading.detail);
  line.trace_id = TraceIdOf(entry.group);
  if (const Group* group = registry_.Find(entry.group); group && wall_unix_ms > 0) {
    const v1::AlarmTransition& decided =
        notice.notice == Notice::kResolved ? group->last : group->opening;
    const std::int64_t latency = wall_unix_ms - decided.clock_real_ms();
    const bool sensible = notice.subject.empty() &&
                          (IsOpening(notice.notice) || notice.notice == Notice::kResolved ||
                           notice.notice == Notice::kEased) &&
                          latency >= 0 && latency < kLatencySensible.count();
    if (sensible) line.latency_ms = latency;
    if (sensible && sent && IsOpening(notice.notice))
      page_latency_.Observe(static_cast<double>(latency) / 1000);
  }
  out.push_back(std::move(line));
}

}  // namespace liveops::notifier
