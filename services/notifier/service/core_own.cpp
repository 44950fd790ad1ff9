// Whose a partition is: taking it over, letting it go, and what happens in between to attempts,
// outcomes and void records.
#include <algorithm>
#include <utility>

#include "common/base/hash.h"
#include "common/runtime/ownership.h"
#include "services/notifier/service/core.h"

namespace liveops::notifier {

Effects Core::OnOwned(std::int32_t partition, std::int64_t epoch, const Ledger& ledger, Now now) {
  Effects out;
  // Claimed anew without having lost it: what this process knows may not stand in the log yet.
  const std::optional<Partition> before = Forget(partition);
  if (const RealTime at = ledger.ClaimTime(epoch); ToMs(at) > 0) {
    Anchor(time_map_.ToDomain(at), now);
  }
  Partition& owned = partitions_[partition];
  owned.epoch = epoch;
  owned.claim_key = ledger.ClaimKey(epoch);
  owned.filter.Claim(epoch);
  owned.act_from = ActFrom(ledger, epoch, before ? &*before : nullptr, now);
  AdoptEntries(partition, owned, ledger, before ? &*before : nullptr, now, out);
  if (!caught_up_) return out;
  RebuildWindows(partition, now, out);
  std::set<std::string> destinations;
  TouchAll(destinations, out);
  PumpAll(destinations, now, out);
  return out;
}

SteadyTime Core::ActFrom(const Ledger& ledger, std::int64_t epoch, const Partition* before,
                         Now now) const {
  if (before && !ledger.OthersBetween(before->epoch, epoch, writer_.session())) {
    return before->act_from;
  }
  return ledger.LeaseMayRun(epoch, writer_.session()) ? now.steady + kLease : now.steady;
}

void Core::AdoptEntries(std::int32_t number, Partition& owned, const Ledger& ledger,
                        const Partition* before, Now now, Effects& out) {
  const Instant domain = std::max(DomainNow(now), newest_clock_);
  for (const auto& [key, known] : ledger.entries()) {
    const auto destination = ParseDestination(key.second);
    if (!destination) continue;
    Entry& entry = owned.entries[key.second][key.first];
    entry.destination = *destination;
    entry.group = key.first;
    const Entry* earlier = nullptr;
    if (before) {
      if (const auto groups = before->entries.find(key.second); groups != before->entries.end()) {
        const auto found = groups->second.find(key.first);
        if (found != groups->second.end()) earlier = &found->second;
      }
    }
    Adopt(entry, known, earlier, domain);
  }
  for (const std::string& key : ledger.voided()) {
    if (Entry* entry = FindByKey(owned, key)) {
      entry->state_unsaved = true;
    } else {
      out.push_back(WriteRecord{number, key, "", owned.epoch, "", "", "", false});
    }
  }
  for (auto& [destination, groups] : owned.entries) {
    for (auto& [group, entry] : groups) {
      if (entry.state_unsaved) WriteState(entry, owned, out);
    }
  }
}

// `before`: what this process held of the same pair under its earlier claim, or nullptr.
void Core::Adopt(Entry& entry, const Ledger::Entry& known, const Entry* before, Instant now) {
  if (known.state) {
    entry.alarm_id = known.state->alarm_id();
    entry.episode = InstantFromMs(known.state->episode_ms());
    entry.delivered = FromProto(*known.state);
  } else {
    const std::size_t at = entry.group.rfind('@');
    entry.alarm_id = entry.group.substr(0, at);
    if (at != std::string::npos) {
      entry.episode = InstantFromMs(std::atoll(entry.group.c_str() + at + 1));
    }
  }
  if (known.dangling) {
    const bool under_way = before && before->in_flight && before->in_flight->sent;
    // Of our own attempts we know what became of them: told below, or taken back.
    if (before && !under_way && known.dangling_session == writer_.session()) {
      entry.state_unsaved = true;
    } else {
      AdoptDangling(entry, *known.dangling, now);
    }
  }
  if (before) {
    for (const Told& told : before->delivered.told) {
      entry.state_unsaved |= entry.delivered.Learn(told);
    }
    entry.last_attempt = before->last_attempt;
  }
  if (settings_.Configured(entry.destination)) {
    // What was refused for want of a webhook or key is tried again once there is one.
    std::erase_if(entry.delivered.told, [](const Told& told) {
      return told.outcome == Outcome::kRejected && told.detail.starts_with("not configured");
    });
  }
  if (const Group* facts = registry_.Find(entry.group)) {
    entry.priority = {facts->severity, facts->episode, entry.group};
  } else {
    entry.priority = {plan::Severity::kLow, entry.episode, entry.group};
  }
  StateOf(entry.destination);
}

void Core::AdoptDangling(Entry& entry, const v1::Attempt& dangling, Instant now) {
  const auto notice = FromProto(dangling.notice());
  if (!notice) return;
  Told told;
  told.notice = *notice;
  told.outcome = Outcome::kUnknown;
  told.attempts = dangling.number();
  told.clock = now;
  told.detail = "the process ended between the attempt and its outcome";
  told.subject = dangling.subject();
  told.step = dangling.step();
  told.severity = NotedSeverity(dangling.severity());
  entry.delivered.Record(told);
}

// --- letting go ---

Effects Core::StartDraining(std::int32_t partition, Now now) {
  Effects out;
  const auto it = partitions_.find(partition);
  if (it != partitions_.end()) Drain(it->second, now, out);
  return out;
}

void Core::Drain(Partition& partition, Now now, Effects& out) {
  if (!partition.draining) partition.draining_since = now.steady;
  partition.draining = true;
  for (auto& [destination, groups] : partition.entries) {
    for (auto& [group, entry] : groups) {
      if (!entry.in_flight || entry.in_flight->sent) continue;
      TakeBack(entry, partition, "taken back before it left: the partition may not be ours", out);
    }
  }
}

// What is under way may end, and is recorded under the next claim; nothing is written under this
// one, and nothing is begun.
void Core::Fence(std::int32_t number, Partition& partition, const char* why, Now now,
                 Effects& out) {
  if (!partition.fenced) {
    out.push_back(LogLine{.warn = true,
                          .event = "partition_in_doubt",
                          .alarm_id = "",
                          .destination = "",
                          .notice = "",
                          .detail = std::to_string(number) + ": " + why,
                          .trace_id = ""});
  }
  partition.fenced = true;
  Drain(partition, now, out);
  out.push_back(Reclaim{number});
}

bool Core::Draining(std::int32_t partition) const {
  const auto it = partitions_.find(partition);
  return it != partitions_.end() && it->second.draining;
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

bool Core::InDoubt(std::int32_t partition) const {
  const auto it = partitions_.find(partition);
  return it != partitions_.end() && it->second.fenced;
}

bool Core::Drained(std::int32_t partition, Now now) const {
  const auto it = partitions_.find(partition);
  if (it == partitions_.end() || !it->second.draining) return false;
  return RequestsUnderWay(partition) == 0 || now.steady - it->second.draining_since >= kDrained;
}

Effects Core::Release(std::int32_t partition) {
  Effects out;
  const auto it = partitions_.find(partition);
  if (it == partitions_.end() || it->second.fenced || it->second.claim_key.empty()) return out;
  if (RequestsUnderWay(partition) > 0) return out;
  v1::NotificationRecord record;
  record.mutable_source()->set_emitter(writer_.emitter());
  record.mutable_source()->set_session(writer_.session());
  record.mutable_source()->set_sequence(writer_.Next());
  record.mutable_released()->set_owner(writer_.emitter());
  record.mutable_released()->set_session(writer_.session());
  out.push_back(WriteRecord{partition, runtime::ReleaseKey(it->second.claim_key),
                            record.SerializeAsString(), it->second.epoch, "", "", "", false});
  return out;
}

void Core::OnLost(std::int32_t partition) {
  Forget(partition);
  std::erase_if(destinations_,
                [&](const auto& item) { return item.second.partition == partition; });
}

// The destinations stay: their rate, pauses and circuit are about the outside world.
std::optional<Core::Partition> Core::Forget(std::int32_t number) {
  std::erase_if(tokens_, [&](const auto& item) {
    return PartitionOf(item.second.destination, partition_count_) == number;
  });
  auto node = partitions_.extract(number);
  if (node.empty()) return std::nullopt;
  for (auto& [id, state] : destinations_) {
    if (state.partition != number) continue;
    state.active.clear();
    state.wake.reset();
  }
  for (const auto& [destination, groups] : node.mapped().entries) {
    for (const auto& [group, entry] : groups) {
      if (entry.in_flight) StateOf(entry.destination).pace.NotSent();
    }
  }
  return std::move(node.mapped());
}

std::int64_t Core::EpochOf(std::int32_t partition) const {
  const auto it = partitions_.find(partition);
  return it == partitions_.end() ? -1 : it->second.epoch;
}

// --- attempts and records that do not count ---

// An attempt that surely did not leave: it is no failure of the destination's, and the log says
// that nothing is open.
void Core::TakeBack(Entry& entry, Partition& partition, const std::string& why, Effects& out) {
  StateOf(entry.destination).pace.NotSent();
  tokens_.erase(entry.in_flight->token);
  entry.in_flight.reset();
  WriteState(entry, partition, out);
  Log(out, true, "attempt_not_used", entry, why);
}

// Attempts that do not come back: the log may hold them or not, and may be another's by now.
void Core::ExpireUnread(Now now, Effects& out) {
  std::set<std::int32_t> doubtful;
  for (const auto& [token, flight] : tokens_) {
    if (!flight.read_by || now.steady < *flight.read_by) continue;
    ++counters_.lapsed;
    doubtful.insert(PartitionOf(flight.destination, partition_count_));
  }
  for (const std::int32_t number : doubtful) {
    Fence(number, partitions_.at(number), "an attempt was not read back", now, out);
  }
}

// A record of an owner that had lost the partition is the last of its key, and compaction keeps no
// other: the valid one is written again behind it.
void Core::RewriteValid(std::int32_t number, Partition& partition, const std::string& key,
                        Effects& out) {
  if (partition.fenced || !IsAttemptOrStateKey(key)) return;  // fenced: OnOwned will
  Entry* entry = FindByKey(partition, key);
  if (!entry) {
    out.push_back(WriteRecord{number, key, "", partition.epoch, "", "", "", false});
  } else if (!entry->in_flight) {  // else its outcome is written soon
    WriteState(*entry, partition, out);
  }
}

Core::Entry* Core::FindByKey(Partition& partition, const std::string& key) {
  for (auto& [destination, groups] : partition.entries) {
    for (auto& [group, entry] : groups) {
      if (key == StateKey(group, entry.destination) ||
          key == AttemptKey(group, entry.destination)) {
        return &entry;
      }
    }
  }
  return nullptr;
}

}  // namespace liveops::notifier
