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
    out.push_back(LogLine{.warn = true,
                          .event = "record_unreadable",
                          .alarm_id = "",
                          .destination = "",
                          .notice = "",
                          .detail = record.topic + "/" + std::to_string(record.partition) + "@" +
                                    std::to_string(record.offset) + ": " + applied.poison,
                          .trace_id = ""});
    // Every replica reads it, at every start: it is buried once, by the owner of the partition of
    // the same number, when it is new.
    if (caught_up_ && partitions_.contains(record.partition) && !Draining(record.partition)) {
      out.push_back(DeadLetterNote{record.topic, record.partition, record.offset, record.key,
                                   record.value, applied.poison});
    }
  }
  if (applied.clock) {
    newest_clock_ = std::max(newest_clock_, *applied.clock);
    // History says what time it was, not what time it is.
    if (caught_up_) Anchor(*applied.clock, now);
  }
  if (!caught_up_) return out;
  std::set<std::string> destinations;
  for (const std::string& group : applied.groups) Touch(group, destinations, out);
  if (applied.plan_changed) {
    for (const std::string& group : registry_.GroupsOf(applied.service)) {
      Touch(group, destinations, out);
    }
    // Its windows may be the first that are asked for, or reach further back.
    for (const auto& [partition, owned] : partitions_) RebuildWindows(partition, now, out);
  }
  PumpAll(destinations, now, out);
  return out;
}

Effects Core::OnCaughtUp(Now now) {
  Effects out;
  if (caught_up_) return out;
  caught_up_ = true;
  if (!clock_.anchored() && ToMs(newest_clock_) > 0) {
    // Not before the newest record, until a claim of our own or a live record says more.
    clock_.Anchor(newest_clock_, now.steady);
    clock_is_guess_ = true;
  }
  registry_.Expire(std::max(newest_clock_, DomainNow(now)));
  std::set<std::string> destinations;
  TouchAll(destinations, out);
  for (const auto& [partition, owned] : partitions_) RebuildWindows(partition, now, out);
  next_sweep_ = now.steady + std::chrono::minutes(1);
  PumpAll(destinations, now, out);
  return out;
}

void Core::Anchor(Instant clock, Now now) {
  // However long nobody wrote: against a guess this is no leap to be disputed.
  if (clock_is_guess_ && clock > DomainNow(now)) {
    clock_ = runtime::SteadyDomainClock(time_map_.speed);
    clock_is_guess_ = false;
  }
  clock_.Anchor(clock, now.steady);
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

// --- time ---

std::optional<SteadyTime> Core::NextWake() const {
  std::optional<SteadyTime> wake = next_sweep_;
  const auto consider = [&](const std::optional<SteadyTime>& at) {
    if (at && (!wake || *at < *wake)) wake = at;
  };
  for (const auto& [id, state] : destinations_) {
    if (!Draining(state.partition)) consider(state.wake);
  }
  for (const auto& [token, flight] : tokens_) consider(flight.read_by);
  return wake;
}

Effects Core::OnTime(Now now) {
  Effects out;
  ExpireUnread(now, out);
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
  const Group* group = registry_.Find(entry.group);
  const Priority priority =
      group ? Priority{group->severity, group->episode, group->id} : entry.priority;
  if (entry.active && entry.priority == priority) return;
  if (entry.active) StateOf(entry.destination).active.erase(entry.priority);
  entry.priority = priority;
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
