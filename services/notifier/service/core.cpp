#include "services/notifier/service/core.h"

#include <algorithm>

#include "common/base/hash.h"

namespace liveops::notifier {

Core::Core(Settings settings, TimeMap time_map, std::int32_t partitions, runtime::Writer& writer)
    : settings_(std::move(settings)),
      time_map_(time_map),
      partition_count_(partitions),
      writer_(writer),
      clock_(time_map.speed) {}

// --- desired state ---

Effects Core::OnAlarms(const kafka::Record& record, Now now) {
  return Apply(registry_.OnAlarms(record), record, now);
}

Effects Core::OnOperations(const kafka::Record& record, Now now) {
  return Apply(registry_.OnOperations(record), record, now);
}

Effects Core::OnRemediations(const kafka::Record& record, Now now) {
  return Apply(registry_.OnRemediations(record), record, now);
}

Effects Core::Apply(const Applied& applied, const kafka::Record& record, Now now) {
  Effects out;
  if (!applied.poison.empty()) {
    ++counters_.poison;
    out.push_back(DeadLetterNote{record.key, record.value, record.partition,
                                 record.topic + ": " + applied.poison});
  }
  if (applied.clock) {
    newest_clock_ = std::max(newest_clock_, *applied.clock);
    // History says what time it was, not what time it is.
    if (caught_up_) clock_.Anchor(*applied.clock, now.steady);
  }
  if (!caught_up_) return out;
  std::set<std::string> destinations;
  for (const std::string& group : applied.groups) Touch(group, destinations, out);
  if (applied.plan_changed) {
    for (const std::string& group : registry_.GroupsOf(applied.service)) {
      Touch(group, destinations, out);
    }
  }
  PumpAll(destinations, now, out);
  return out;
}

Effects Core::OnCaughtUp(Now now) {
  Effects out;
  if (caught_up_) return out;
  caught_up_ = true;
  if (!clock_.anchored() && ToMs(newest_clock_) > 0) clock_.Anchor(newest_clock_, now.steady);
  registry_.Expire(std::max(newest_clock_, DomainNow(now)));
  std::set<std::string> destinations;
  TouchAll(destinations, out);
  for (const auto& [partition, owned] : partitions_) RebuildWindows(partition, now, out);
  next_sweep_ = now.steady + std::chrono::minutes(1);
  PumpAll(destinations, now, out);
  return out;
}

bool Core::Routed(const Group& group, const Destination& destination) {
  const Route route = registry_.RouteFor(group);
  return std::find(route.destinations.begin(), route.destinations.end(), destination) !=
         route.destinations.end();
}

void Core::Touch(const std::string& group_id, std::set<std::string>& destinations, Effects& out) {
  const Group* group = registry_.Find(group_id);
  if (!group) return;
  const Route route = registry_.RouteFor(*group);
  for (const std::string& problem : registry_.TakePlanProblems()) {
    out.push_back(LogLine{.warn = true,
                          .event = "plan_unreadable",
                          .alarm_id = group->alarm_id,
                          .destination = "",
                          .notice = "",
                          .detail = problem,
                          .trace_id = ""});
  }
  if (route.reason != RouteReason::kRouted && !IsClosed(group->phase) &&
      unroutable_.insert(group_id).second) {
    out.push_back(LogLine{.warn = true,
                          .event = "page_has_no_destination",
                          .alarm_id = group->alarm_id,
                          .destination = "",
                          .notice = "",
                          .detail = group->owner + ": " + RouteReasonName(route.reason),
                          .trace_id = TraceIdOf(group_id)});
  }
  for (const Destination& destination : route.destinations) {
    const auto owned = partitions_.find(PartitionOf(destination.Id(), partition_count_));
    if (owned != partitions_.end()) Activate(EntryOf(owned->second, *group, destination));
  }
  for (auto& [id, state] : destinations_) {
    Entry* entry = FindEntry(id, group_id);
    if (!entry) continue;
    Activate(*entry);
    destinations.insert(id);
  }
}

void Core::TouchAll(std::set<std::string>& destinations, Effects& out) {
  for (const std::string& group : registry_.GroupIds()) Touch(group, destinations, out);
}

// --- ownership ---

Effects Core::OnOwned(std::int32_t partition, std::int64_t epoch, const Ledger& ledger, Now now) {
  Effects out;
  OnLost(partition);
  if (const RealTime at = ledger.ClaimTime(epoch); ToMs(at) > 0) {
    clock_.Anchor(time_map_.ToDomain(at), now.steady);
  }
  Partition& owned = partitions_[partition];
  owned.epoch = epoch;
  owned.claim_key = ledger.ClaimKey(epoch);
  owned.filter.Claim(epoch);
  const bool no_lease = !ledger.HadOwner(epoch) || ledger.ReleasedBefore(epoch);
  owned.act_from = no_lease ? now.steady : now.steady + kLease;
  AdoptEntries(owned, ledger, std::max(DomainNow(now), newest_clock_));
  if (!caught_up_) return out;
  RebuildWindows(partition, now, out);
  std::set<std::string> destinations;
  TouchAll(destinations, out);
  PumpAll(destinations, now, out);
  return out;
}

void Core::AdoptEntries(Partition& owned, const Ledger& ledger, Instant now) {
  for (const auto& [key, known] : ledger.entries()) {
    const auto destination = ParseDestination(key.second);
    if (destination) Adopt(owned, key.first, *destination, known, now);
  }
}

void Core::Adopt(Partition& owned, const std::string& group, const Destination& destination,
                 const Ledger::Entry& known, Instant now) {
  Entry& entry = owned.entries[destination.Id()][group];
  entry.destination = destination;
  entry.group = group;
  if (known.state) {
    entry.alarm_id = known.state->alarm_id();
    entry.episode = InstantFromMs(known.state->episode_ms());
    entry.delivered = FromProto(*known.state);
  } else {
    const std::size_t at = group.rfind('@');
    entry.alarm_id = group.substr(0, at);
    if (at != std::string::npos) {
      entry.episode = InstantFromMs(std::atoll(group.c_str() + at + 1));
    }
  }
  if (known.dangling) {
    if (const auto notice = FromProto(known.dangling->notice())) {
      Told told;
      told.notice = *notice;
      told.outcome = Outcome::kUnknown;
      told.attempts = known.dangling->number();
      told.clock = now;
      told.detail = "the process ended between the attempt and its outcome";
      told.subject = known.dangling->subject();
      told.step = known.dangling->step();
      entry.delivered.Record(told);
    }
  }
  if (settings_.Configured(destination)) {
    // What was refused for want of a webhook or key is tried again once there is one.
    std::erase_if(entry.delivered.told, [](const Told& told) {
      return told.outcome == Outcome::kRejected && told.detail.starts_with("not configured");
    });
  }
  if (const Group* facts = registry_.Find(group)) {
    entry.priority = {facts->severity, facts->episode, group};
  } else {
    entry.priority = {plan::Severity::kLow, entry.episode, group};
  }
  StateOf(destination);
}

Effects Core::StartDraining(std::int32_t partition, Now now) {
  Effects out;
  const auto it = partitions_.find(partition);
  if (it == partitions_.end()) return out;
  it->second.draining = true;
  for (auto& [destination, groups] : it->second.entries) {
    for (auto& [group, entry] : groups) {
      if (!entry.in_flight || entry.in_flight->sent) continue;
      const Reading reading{Outcome::kFailed, Health::kAnswered, std::nullopt,
                            "taken back before it left: the partition goes to another process"};
      StateOf(entry.destination).pace.NotSent();
      Settle(entry, it->second, reading, now, 0, out);
    }
  }
  return out;
}

int Core::RequestsUnderWay(std::int32_t partition) const {
  const auto it = partitions_.find(partition);
  if (it == partitions_.end()) return 0;
  int count = 0;
  for (const auto& [destination, groups] : it->second.entries) {
    for (const auto& [group, entry] : groups) count += entry.in_flight && entry.in_flight->sent;
  }
  return count;
}

void Core::OnLost(std::int32_t partition) {
  partitions_.erase(partition);
  std::erase_if(destinations_,
                [&](const auto& item) { return item.second.partition == partition; });
  std::erase_if(tokens_, [&](const auto& item) {
    return PartitionOf(item.second.first, partition_count_) == partition;
  });
}

std::int64_t Core::EpochOf(std::int32_t partition) const {
  const auto it = partitions_.find(partition);
  return it == partitions_.end() ? -1 : it->second.epoch;
}

std::string Core::ClaimKeyOf(std::int32_t partition) const {
  const auto it = partitions_.find(partition);
  return it == partitions_.end() ? "" : it->second.claim_key;
}

// --- time ---

std::optional<SteadyTime> Core::NextWake() const {
  std::optional<SteadyTime> wake = next_sweep_;
  for (const auto& [id, state] : destinations_) {
    if (state.wake && (!wake || *state.wake < *wake)) wake = state.wake;
  }
  return wake;
}

Effects Core::OnTime(Now now) {
  Effects out;
  std::set<std::string> due;
  for (const auto& [id, state] : destinations_) {
    if (state.wake && *state.wake <= now.steady) due.insert(id);
  }
  PumpAll(due, now, out);
  if (next_sweep_ && *next_sweep_ <= now.steady) {
    next_sweep_ = now.steady + std::chrono::minutes(1);
    Sweep(now, out);
  }
  return out;
}

void Core::Sweep(Now now, Effects& out) {
  if (!clock_.anchored()) return;
  const Instant domain = DomainNow(now);
  registry_.Expire(domain);
  std::erase_if(unroutable_, [&](const std::string& id) { return !registry_.Find(id); });
  for (auto& [number, partition] : partitions_) {
    if (partition.draining) continue;
    for (auto& [destination, groups] : partition.entries) {
      std::erase_if(groups, [&](const auto& item) {
        const Entry& entry = item.second;
        if (registry_.Find(entry.group) || entry.in_flight) return false;
        if (std::max(entry.delivered.LastClock(), entry.episode) + kKeepClosed >= domain) {
          return false;
        }
        if (entry.active) {
          Log(out, true, "page_given_up", entry, "over for 7 days and still not delivered");
          DeadLetter(entry, "over for 7 days and still not delivered", out);
          StateOf(entry.destination).active.erase(entry.priority);
        }
        for (const std::string& key : {AttemptKey(entry.group, entry.destination),
                                       StateKey(entry.group, entry.destination)}) {
          out.push_back(WriteRecord{number, key, "", partition.epoch, "", "", "", false});
        }
        return true;
      });
    }
  }
}

// --- questions ---

std::vector<v1::DeliveryState> Core::Deliveries(std::string_view alarm_id) const {
  std::vector<v1::DeliveryState> list;
  for (const auto& [number, partition] : partitions_) {
    for (const auto& [destination, groups] : partition.entries) {
      for (const auto& [group, entry] : groups) {
        if (!alarm_id.empty() && entry.alarm_id != alarm_id) continue;
        if (entry.delivered.told.empty() && !entry.active) continue;
        list.push_back(ToProto(entry.delivered, entry.group, entry.destination, entry.alarm_id,
                               entry.episode, !entry.active));
      }
    }
  }
  return list;
}

std::size_t Core::Waiting() const {
  std::size_t count = 0;
  for (const auto& [id, state] : destinations_) count += state.active.size();
  return count;
}

// --- small helpers ---

Core::Entry* Core::FindEntry(const std::string& destination, const std::string& group) {
  const auto partition = partitions_.find(PartitionOf(destination, partition_count_));
  if (partition == partitions_.end()) return nullptr;
  const auto groups = partition->second.entries.find(destination);
  if (groups == partition->second.entries.end()) return nullptr;
  const auto entry = groups->second.find(group);
  return entry == groups->second.end() ? nullptr : &entry->second;
}

Core::Entry& Core::EntryOf(Partition& partition, const Group& group,
                           const Destination& destination) {
  Entry& entry = partition.entries[destination.Id()][group.id];
  if (entry.group.empty()) {
    entry.destination = destination;
    entry.group = group.id;
    entry.alarm_id = group.alarm_id;
    entry.episode = group.episode;
    entry.priority = {group.severity, group.episode, group.id};
  }
  StateOf(destination);
  return entry;
}

void Core::Activate(Entry& entry) {
  if (entry.active) return;
  if (const Group* group = registry_.Find(entry.group)) {
    entry.priority = {group->severity, group->episode, group->id};
  }
  entry.active = true;
  StateOf(entry.destination).active.insert(entry.priority);
}

Core::DestinationState& Core::StateOf(const Destination& destination) {
  const std::string id = destination.Id();
  const auto it = destinations_.find(id);
  if (it != destinations_.end()) return it->second;
  const PaceLimits& limits =
      destination.channel == Channel::kSlack ? settings_.slack_pace : settings_.pagerduty_pace;
  return destinations_
      .emplace(id, DestinationState{PartitionOf(id, partition_count_), Pace(limits), {}, {}})
      .first->second;
}

}  // namespace liveops::notifier
