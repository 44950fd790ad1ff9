// Series that stopped for good and in order, as somebody reports: their silence is no loss.
#include <algorithm>

#include "services/rule-evaluation/engine/state.h"

namespace liveops::engine {
namespace {

constexpr std::size_t kDecommissionsMax = 50;

// All that the group's own tests read has left; or it is told apart by what the report names, and
// so of nobody else.
bool HasLeft(const State& s, const Rule& rule, const Group& group, const Labels& pairs) {
  if (HasAll(group.labels, pairs)) return true;
  bool any = false;
  bool all = true;
  group.ForEachMember([&](const Cells& cells, const Member& member) {
    if (cells.test >= rule.tests()) return;
    any = true;
    all = all && s.series.at(member.series).left;
  });
  return any && all;
}

void Close(State& s, Rule& rule, Group& group, std::vector<Transition>& out) {
  const Told told = group.life.Leave(s.now());
  CalmLevels(group);
  if (told == Told::kGone) {
    Judgement j;
    j.at = s.now();
    j.test = group.last.test;
    j.value = group.last.value;
    j.points = group.last.points;
    out.push_back(Tell(s, rule, group, AlarmState::kGone, "decommissioned", j));
  }
  if (!group.labels.empty()) return RemoveGroup(s, rule, group);
  DropEveryMember(s, rule, group);
  for (std::size_t i = 0; i < rule.tests(); ++i) {
    Cells* cells = group.own[i].get();
    if (cells == nullptr) continue;
    for (auto& panes : cells->distributions) panes.Clear();
    for (auto& panes : cells->distinct) panes.Clear();
  }
  group.last = {};
  group.last.why = Why::kNoPoints;
  group.results.clear();
  Deactivate(rule, group);
  MarkChanged(s, group);
}

void CloseWhatLeft(State& s, Rule& rule, const Labels& pairs, std::vector<Transition>& out) {
  const std::int64_t end_ms = rule.judged_ms();
  for (const auto& shared : rule.shared) {
    for (const auto& [key, cells] : shared) DropAbsentGauges(s, rule, *cells, end_ms);
  }
  std::vector<Group*> groups;
  for (const auto& [key, group] : rule.groups) groups.push_back(group.get());
  for (Group* group : groups) {
    for (const auto& cells : group->own) {
      if (cells) DropAbsentGauges(s, rule, *cells, end_ms);
    }
    // That nobody reports is what such a rule says.
    if (!rule.calls_roll && HasLeft(s, rule, *group, pairs)) Close(s, rule, *group, out);
  }
}

}  // namespace

bool HasAll(const Labels& labels, const Labels& pairs) {
  return std::all_of(pairs.begin(), pairs.end(), [&](const auto& pair) {
    const std::string* value = labels.Find(pair.first);
    return value != nullptr && *value == pair.second;
  });
}

std::optional<std::int64_t> LeftAt(const Service& service, const Labels& labels) {
  for (auto it = service.decommissions.rbegin(); it != service.decommissions.rend(); ++it) {
    if (HasAll(labels, it->labels)) return ToMs(it->time);
  }
  return std::nullopt;
}

void ApplyDecommission(State& s, const DecommissionView& view, std::vector<Transition>& out) {
  const auto pairs = Labels::Decode(view.labels);
  if (!pairs || pairs->empty()) return;
  Service& service = ServiceOf(s, view.service);
  const std::uint32_t number = s.service_index.find(service.name)->second;
  BeforeService(s, number);
  if (service.decommissions.size() >= kDecommissionsMax) {
    service.decommissions.erase(service.decommissions.begin());
  }
  service.decommissions.push_back(
      {*pairs, std::string(view.reason), std::string(view.actor), s.now()});
  s.series.ForEach([&](std::uint32_t id, Series& series) {
    if (series.service != number || series.kind == SeriesKind::kSlices) return;
    // Of one that no rule reads it is found out when it is named again, restarted or not.
    if (series.labels.empty()) series.generation = 0;
    const auto labels = Labels::Decode(series.labels);
    if (!labels || !HasAll(*labels, *pairs)) return;
    BeforeSeries(s, id);
    series.Leave(s.now_ms());
  });
  // Where a rule's series lie on several shards, the home hears of it by the readings, which say
  // that they are absent.
  const auto whole = [](const Rule& rule) { return rule.role == Role::kWhole; };
  for (const auto& rule : service.rules) {
    // Nobody watches a probe's groups.
    if (whole(*rule) && rule->spec.room == Room::kGroups) CloseWhatLeft(s, *rule, *pairs, out);
  }
  for (Rule* rule : service.readers) {
    if (!whole(*rule)) continue;
    BeforeService(s, rule->service);
    CloseWhatLeft(s, *rule, *pairs, out);
  }
}

}  // namespace liveops::engine
