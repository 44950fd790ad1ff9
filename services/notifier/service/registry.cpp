#include "services/notifier/service/registry.h"

#include <algorithm>

#include "common/plan/parse.h"
#include "common/runtime/ownership.h"
#include "common/runtime/topics.h"
#include "liveops/v1/operations.pb.h"

namespace liveops::notifier {
namespace {

std::string TraceOf(const kafka::Record& record) {
  const std::string* header = record.FindHeader(runtime::kTraceHeader);
  return header ? *header : "";
}

}  // namespace

bool Registry::Valid(EpochFilter& filter, const kafka::Record& record) const {
  return filter.Valid(runtime::EpochOf(record));
}

Applied Registry::OnAlarms(const kafka::Record& record) {
  Applied applied;
  if (record.value.empty()) return applied;  // a tombstone of compaction
  v1::AlarmRecord alarm;
  if (!alarm.ParseFromString(record.value)) {
    applied.poison = "not an AlarmRecord";
    return applied;
  }
  EpochFilter& filter = alarm_filters_[record.partition];
  if (alarm.has_claim()) {
    filter.Claim(record.offset);
    return applied;
  }
  if (!Valid(filter, record)) return applied;
  if (alarm.has_plan()) {
    PlanSlot& slot = plans_[alarm.plan().service()];
    // Each shard of a spread service says it; one may be behind.
    if (alarm.plan().version() < slot.version) return applied;
    if (slot.text != alarm.plan().text()) {
      slot.text = alarm.plan().text();
      slot.parsed.reset();
      slot.broken = false;
      not_looked_at_.insert(alarm.plan().service());
    }
    slot.version = alarm.plan().version();
    applied.plan_changed = true;
    applied.service = alarm.plan().service();
    applied.clock = InstantFromMs(alarm.plan().clock_ms());
  } else if (alarm.has_transition()) {
    applied.clock = InstantFromMs(alarm.transition().clock_ms());
    if (alarm.transition().purpose() == v1::PURPOSE_PAGE) {
      ApplyTransition(alarm.transition(), record, applied);
    }
  }
  if (applied.clock) newest_clock_ = std::max(newest_clock_, *applied.clock);
  if (--until_expiry_ <= 0) {
    until_expiry_ = 1024;
    Expire(newest_clock_);
  }
  return applied;
}

void Registry::ApplyTransition(const v1::AlarmTransition& t, const kafka::Record& record,
                               Applied& applied) {
  const std::optional<Phase> phase = PhaseOf(t.state());
  if (!phase || t.alarm_id().empty()) {
    applied.poison = "a transition without an alarm id or to a state that is none";
    return;
  }
  Newest& newest = newest_[t.alarm_id()];
  const bool known = !newest.group.empty();
  const bool later = !known || t.episode_ms() > newest.episode_ms ||
                     (t.episode_ms() == newest.episode_ms && t.step() > newest.step);
  if (!later) return;
  const Instant episode = InstantFromMs(t.episode_ms());
  const std::string id = GroupId(t.alarm_id(), episode);
  const bool refire = known && newest.group != id;
  if (refire) {
    const auto old = groups_.find(newest.group);
    if (old != groups_.end() && IsOpen(old->second.phase)) {
      old->second.phase = Phase::kReplaced;
      old->second.ended = InstantFromMs(t.clock_ms());
      applied.groups.push_back(old->first);
    }
  }
  newest = {id, t.episode_ms(), t.step(), InstantFromMs(t.clock_ms())};
  Group& group = groups_[id];
  group.id = id;
  group.alarm_id = t.alarm_id();
  group.service = t.service();
  group.owner = t.owner();
  group.episode = episode;
  group.severity = FromProto(t.severity());
  group.phase = *phase;
  group.step = t.step();
  group.refire |= refire;
  group.last = t;
  if (IsOpen(*phase)) group.opening = t;
  if (IsClosed(*phase)) group.ended = InstantFromMs(t.clock_ms());
  group.traceparent = TraceOf(record);
  applied.groups.push_back(id);
}

Applied Registry::OnOperations(const kafka::Record& record) {
  Applied applied;
  v1::OperationRecord operation;
  if (!operation.ParseFromString(record.value)) {
    applied.poison = "not an OperationRecord";
    return applied;
  }
  if (!operation.has_acknowledgement()) return applied;
  const v1::Acknowledgement& ack = operation.acknowledgement();
  const std::string id = GroupId(ack.alarm_id(), InstantFromMs(ack.episode_ms()));
  // All acknowledgements of an alarm stand in one partition: the first in log order wins, for every
  // reader alike.
  const auto [it, first] = acks_.try_emplace(
      id, Acknowledged{ack.by(), operation.source().session(), operation.source().sequence()});
  if (first) applied.groups.push_back(id);
  return applied;
}

Applied Registry::OnRemediations(const kafka::Record& record) {
  Applied applied;
  if (record.value.empty()) return applied;
  v1::RemediationRecord remediation;
  if (!remediation.ParseFromString(record.value)) {
    applied.poison = "not a RemediationRecord";
    return applied;
  }
  EpochFilter& filter = remediation_filters_[record.partition];
  if (remediation.has_claim()) {
    filter.Claim(record.offset);
    return applied;
  }
  if (!Valid(filter, record)) return applied;
  if (remediation.has_proposed()) ApplyProposed(remediation, record);
  const auto it = remedies_.find(remediation.remediation_id());
  if (it == remedies_.end()) return applied;
  RemedyFacts& remedy = it->second;
  const auto end = [&](RemedyEnd how, std::string detail) {
    remedy.end = how;
    remedy.end_detail = std::move(detail);
    remedy.ended = InstantFromMs(remediation.clock_ms());
    if (ToMs(remedy.ended) == 0) remedy.ended = std::max(newest_clock_, remedy.proposed_at);
  };
  if (remedy.end == RemedyEnd::kOpen) {
    if (remediation.has_approved() && remedy.approved_by.empty() &&
        remediation.approved().digest() == remedy.proposed.digest() &&
        remediation.approved().by() != remedy.proposed.requested_by()) {
      remedy.approved_by = remediation.approved().by();
    } else if (remediation.has_denied() && !remedy.acted) {
      std::string detail = remediation.denied().by();
      if (!remediation.denied().reason().empty()) detail += ": " + remediation.denied().reason();
      end(RemedyEnd::kDenied, detail);
    } else if (remediation.has_intent()) {
      remedy.acted = true;
    } else if (remediation.has_proposed() && remedy.proposed.action().argv().empty()) {
      // Nothing can be approved; the outcome that says so follows at once, but nobody need wait.
      end(RemedyEnd::kRefused, remedy.proposed.action().description());
    } else if (remediation.has_outcome()) {
      end(EndOf(remediation.outcome().outcome()), remediation.outcome().detail());
    }
  }
  const std::string group = GroupOf(remedy);
  if (!groups_.contains(group)) StandAlone(remedy);
  applied.groups.push_back(group);
  return applied;
}

void Registry::ApplyProposed(const v1::RemediationRecord& record, const kafka::Record& raw) {
  const auto [it, first] = remedies_.try_emplace(record.remediation_id());
  if (!first) return;
  it->second.id = record.remediation_id();
  it->second.proposed = record.proposed();
  it->second.proposed_at = InstantFromMs(record.clock_ms());
  it->second.traceparent = TraceOf(raw);
  remedy_order_.push_back(record.remediation_id());
}

// Decided from the log's own times, so that every reader and every restart finds the same group:
// the episode of the page's alarm that was open when the proposal was made, else a group of its
// own.
std::string Registry::GroupOf(const RemedyFacts& remedy) const {
  const std::string& alarm = remedy.proposed.page_with();
  if (!alarm.empty()) {
    for (auto it = groups_.lower_bound(alarm + "@");
         it != groups_.end() && it->first.starts_with(alarm + "@"); ++it) {
      const Group& group = it->second;
      if (group.alarm_id != alarm || group.phase == Phase::kNone) continue;
      const bool begun = group.episode <= remedy.proposed_at;
      const bool open_then = IsOpen(group.phase) || group.ended >= remedy.proposed_at;
      if (begun && open_then) return group.id;
    }
  }
  return GroupId(remedy.proposed.alarm_id(), InstantFromMs(remedy.proposed.episode_ms()));
}

Group& Registry::StandAlone(const RemedyFacts& remedy) {
  const Instant episode = InstantFromMs(remedy.proposed.episode_ms());
  const std::string id = GroupId(remedy.proposed.alarm_id(), episode);
  Group& group = groups_[id];
  group.id = id;
  group.alarm_id = remedy.proposed.alarm_id();
  group.service = remedy.proposed.service();
  group.owner = remedy.proposed.approver_owner();
  group.episode = episode;
  group.severity = plan::Severity::kCritical;
  group.phase = Phase::kNone;
  group.traceparent = remedy.traceparent;
  return group;
}

const Group* Registry::Find(std::string_view group) const {
  const auto it = groups_.find(group);
  return it == groups_.end() ? nullptr : &it->second;
}

const Group* Registry::FindOpen(std::string_view alarm_id) const {
  const auto it = newest_.find(alarm_id);
  if (it == newest_.end()) return nullptr;
  const Group* group = Find(it->second.group);
  return group && IsOpen(group->phase) ? group : nullptr;
}

std::vector<std::string> Registry::OpenAlarms() const {
  std::vector<std::string> open;
  for (const auto& [id, group] : groups_) {
    if (IsOpen(group.phase)) open.push_back(group.alarm_id);
  }
  return open;
}

std::vector<std::string> Registry::GroupIds() const {
  std::vector<std::string> ids;
  ids.reserve(groups_.size());
  for (const auto& [id, group] : groups_) ids.push_back(id);
  return ids;
}

std::vector<std::string> Registry::GroupsOf(std::string_view service) const {
  std::vector<std::string> ids;
  for (const auto& [id, group] : groups_) {
    if (group.service == service) ids.push_back(id);
  }
  return ids;
}

const Acknowledged* Registry::AcknowledgedBy(std::string_view group) const {
  const auto it = acks_.find(group);
  return it == acks_.end() ? nullptr : &it->second;
}

const plan::Plan* Registry::PlanOf(std::string_view service) {
  const auto it = plans_.find(service);
  if (it == plans_.end()) return nullptr;
  PlanSlot& slot = it->second;
  if (!slot.parsed && !slot.broken) {
    plan::ParseResult result = plan::Parse(slot.text);
    if (result.ok()) {
      slot.parsed = std::move(result.plan);
    } else {
      slot.broken = true;
      plan_problems_.push_back(std::string(service) + ": " +
                               result.problems.front().ToString("plan in force"));
    }
  }
  return slot.parsed ? &*slot.parsed : nullptr;
}

std::vector<std::string> Registry::TakePlanProblems() { return std::exchange(plan_problems_, {}); }

bool Registry::AnyDedup() {
  for (const std::string& service : std::exchange(not_looked_at_, {})) {
    const plan::Plan* plan = PlanOf(service);
    if (plan && plan->dedup > Duration::zero()) {
      with_dedup_.insert(service);
    } else {
      with_dedup_.erase(service);
    }
  }
  return !with_dedup_.empty();
}

Desired Registry::DesiredOf(const Group& group) {
  Desired desired;
  desired.group = group.id;
  desired.alarm_id = group.alarm_id;
  desired.episode = group.episode;
  desired.severity = group.severity;
  desired.phase = group.phase;
  desired.step = group.step;
  desired.acknowledged = acks_.contains(group.id);
  desired.refire = group.refire;
  if (const plan::Plan* plan = PlanOf(group.service)) desired.dedup = plan->dedup;
  for (const RemedyFacts* remedy : RemediesOf(group)) {
    const bool escalate = remedy->end == RemedyEnd::kRefused || remedy->end == RemedyEnd::kUnknown;
    desired.remedies.push_back(
        {remedy->id, remedy->end != RemedyEnd::kOpen, remedy->acted, escalate});
  }
  return desired;
}

Route Registry::RouteFor(const Group& group) {
  const plan::Plan* plan = PlanOf(group.service);
  if (group.phase == Phase::kNone) return RouteOfRemedy(plan, group.owner);
  return RouteOf(plan, OwnerOf(group), group.severity);
}

std::string Registry::OwnerOf(const Group& group) {
  if (group.last.origin().empty()) return group.owner;
  const plan::Plan* plan = PlanOf(group.service);
  return plan ? plan->OwnerOfForeign() : group.owner;
}

std::vector<const RemedyFacts*> Registry::RemediesOf(const Group& group) const {
  std::vector<const RemedyFacts*> found;
  for (const std::string& id : remedy_order_) {
    const RemedyFacts& remedy = remedies_.at(id);
    const bool may = remedy.proposed.page_with() == group.alarm_id ||
                     remedy.proposed.alarm_id() == group.alarm_id;
    if (may && GroupOf(remedy) == group.id) found.push_back(&remedy);
  }
  return found;
}

std::vector<const RemedyFacts*> Registry::OpenRemediesForPage(const Group& group) const {
  std::vector<const RemedyFacts*> found;
  for (const std::string& id : remedy_order_) {
    const RemedyFacts& remedy = remedies_.at(id);
    const bool mine = remedy.proposed.page_with() == group.alarm_id || GroupOf(remedy) == group.id;
    if (mine && remedy.end == RemedyEnd::kOpen) found.push_back(&remedy);
  }
  return found;
}

void Registry::Expire(Instant now) {
  const Instant before = now - kKeepClosed;
  std::set<std::string> dropped;
  for (auto it = remedies_.begin(); it != remedies_.end();) {
    const bool old = it->second.end != RemedyEnd::kOpen && it->second.ended < before;
    if (old) dropped.insert(it->first);
    it = old ? remedies_.erase(it) : std::next(it);
  }
  std::erase_if(remedy_order_, [&](const std::string& id) { return dropped.contains(id); });
  std::erase_if(groups_, [&](const auto& item) {
    const Group& group = item.second;
    if (IsOpen(group.phase)) return false;
    const Instant ended = group.phase == Phase::kNone ? group.episode : group.ended;
    return ended < before && RemediesOf(group).empty();
  });
  std::erase_if(newest_, [&](const auto& item) {
    return item.second.clock < before && !groups_.contains(item.second.group);
  });
  std::erase_if(acks_, [&](const auto& item) {
    if (groups_.contains(item.first)) return false;
    // Of a group that is not known (yet, at the start): by the episode in its name.
    const std::size_t at = item.first.rfind('@');
    return at == std::string::npos ||
           InstantFromMs(std::atoll(item.first.c_str() + at + 1)) < before;
  });
}

}  // namespace liveops::notifier
