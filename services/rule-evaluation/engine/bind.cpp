#include <algorithm>

#include "services/rule-evaluation/engine/state.h"
#include "services/rule-evaluation/engine/units.h"

namespace liveops::engine {

Service* FindService(State& s, std::string_view name) {
  const auto it = s.service_index.find(name);
  return it == s.service_index.end() ? nullptr : s.services[it->second].get();
}

const Service* FindService(const State& s, std::string_view name) {
  return FindService(const_cast<State&>(s), name);
}

Service& ServiceOf(State& s, std::string_view name) {
  if (Service* known = FindService(s, name)) return *known;
  auto service = std::make_unique<Service>();
  service->name = name;
  service->generation = s.next_generation++;
  s.service_index.emplace(std::string(name), static_cast<std::uint32_t>(s.services.size()));
  s.services.push_back(std::move(service));
  return *s.services.back();
}

void Rebind(State& s, Service& service) { service.generation = s.next_generation++; }

void MarkChanged(State& s, Group& group) {
  group.changed = true;
  ++s.changes;
}

void Schedule(State& s, Rule& rule) {
  if (!s.clock.started()) return;
  s.due.erase({rule.due_ms, rule.number});
  rule.due_ms = (rule.judged + 1) * rule.pane_ms + LatenessOf(s, rule);
  s.due.emplace(rule.due_ms, rule.number);
}

void Activate(Rule& rule, Group& group) {
  if (group.active) return;
  group.active = true;
  rule.active.insert(&group);
}

void AddRule(State& s, Service& service, std::unique_ptr<Rule> rule) {
  Rule& added = *rule;
  service.rules.push_back(std::move(rule));
  s.rules.emplace(added.number, &added);
  ++s.changes;
}

void RemoveRule(State& s, Service& service, Rule& rule) {
  while (!rule.groups.empty()) RemoveGroup(s, rule, *rule.groups.begin()->second);
  if (rule.placeholder_told) s.gone.push_back(AlarmId(service.name, rule.spec.name, {}));
  s.due.erase({rule.due_ms, rule.number});
  s.rules.erase(rule.number);
  Rebind(s, service);
  std::erase_if(service.rules, [&](const auto& r) { return r.get() == &rule; });
  ++s.changes;
}

Group* GroupFor(State& s, Rule& rule, const Labels& labels) {
  std::string key = labels.Encode();
  const auto it = rule.groups.find(key);
  if (it != rule.groups.end()) return it->second.get();
  if (s.group_count >= s.limits.groups_max) return nullptr;
  auto group = std::make_unique<Group>();
  group->number = s.next_number++;
  group->key = key;
  group->labels = labels;
  group->life.state_since = s.now();
  Group* made = group.get();
  rule.groups.emplace(std::move(key), std::move(group));
  ++s.group_count;
  ++s.changes;
  rule.changed = true;
  return made;
}

void DropMember(State& s, Rule& rule, Group& group, std::size_t index) {
  const Member& member = group.members[index];
  rule.members.erase(Rule::MemberKey(member.series, member.operand));
  Series& series = s.series.at(member.series);
  --series.members;
  series.generation = 0;
  if (series.members == 0) series.labels.clear();
  group.members.erase(group.members.begin() + static_cast<std::ptrdiff_t>(index));
  IndexMembers(s, rule, group);
  if (rule.members.empty()) Schedule(s, rule);
}

void IndexMembers(State& s, Rule& rule, Group& group) {
  for (std::uint32_t i = 0; i < group.members.size(); ++i) {
    const Member& member = group.members[i];
    s.series.at(member.series).generation = 0;
    rule.members[Rule::MemberKey(member.series, member.operand)] = {&group, i};
  }
}

void RemoveGroup(State& s, Rule& rule, Group& group) {
  while (!group.members.empty()) {
    const Member& member = group.members.back();
    rule.members.erase(Rule::MemberKey(member.series, member.operand));
    Series& series = s.series.at(member.series);
    series.generation = 0;
    if (--series.members == 0) series.labels.clear();
    group.members.pop_back();
  }
  if (rule.members.empty()) Schedule(s, rule);
  rule.active.erase(&group);
  std::erase_if(s.touched, [&](const auto& t) { return t.second == &group; });
  if (!rule.probe) {
    s.gone.push_back(AlarmId(s.services[rule.service]->name, rule.spec.name, group.labels));
  }
  --s.group_count;
  ++s.changes;
  rule.changed = true;
  rule.groups.erase(rule.groups.find(group.key));
}

namespace {

// A member for this series and operand, known or new; nothing when it cannot feed it.
std::optional<Feed> FeedFor(State& s, Rule& rule, std::uint8_t operand, std::uint32_t id,
                            const SeriesView& view, const Labels& labels) {
  const auto known = rule.members.find(Rule::MemberKey(id, operand));
  if (known != rule.members.end()) return Feed{&rule, known->second.first, known->second.second};
  const plan::Measure& measure = rule.spec.when.measure;
  const plan::Aggregate aggregate =
      measure.denominator && rule.operand(operand).aggregate != plan::Aggregate::kCount
          ? plan::Aggregate::kIncrease
          : rule.operand(operand).aggregate;
  const Cell cell = CellFor(aggregate, view.kind);
  std::optional<double> factor = 1.0;
  const bool counts = cell == Cell::kCounter && aggregate != plan::Aggregate::kSum;
  if (!measure.IsShare() && !counts && aggregate != plan::Aggregate::kCount) {
    factor = UnitFactor(view.unit, measure.unit);
  }
  if (cell == Cell::kNone || !factor) {
    ++s.series.at(id).mismatches;
    return std::nullopt;
  }
  Group* group = GroupFor(s, rule, GroupLabels(rule.spec.when.by, labels));
  if (group == nullptr) {
    Series& newcomer = s.series.at(id);
    if (!newcomer.refused) ++s.counters.series_refused;
    newcomer.refused = true;
    newcomer.generation = 0;  // it is tried again with each batch: there may be room by then
    return std::nullopt;
  }
  Member& member = group->members.emplace_back();
  member.series = id;
  member.operand = operand;
  member.cell = cell;
  member.factor = *factor;
  const auto index = static_cast<std::uint32_t>(group->members.size() - 1);
  rule.members[Rule::MemberKey(id, operand)] = {group, index};
  if (rule.members.size() == 1) Schedule(s, rule);
  Series& series = s.series.at(id);
  ++series.members;
  series.labels = view.labels;
  return Feed{&rule, group, index};
}

}  // namespace

void Bind(State& s, Service& service, std::uint32_t id, const SeriesView& view) {
  Series& series = s.series.at(id);
  series.feeds.clear();
  series.mismatches = 0;
  series.generation = service.generation;
  std::optional<Labels> labels;
  for (const auto& rule : service.rules) {
    const int operands = rule->spec.when.measure.denominator ? 2 : 1;
    for (int i = 0; i < operands; ++i) {
      if (rule->operand(i).metric != view.metric) continue;
      if (!labels) labels = Labels::Decode(view.labels);
      if (!labels) return;  // damaged: no rule can say whose it is
      if (!Matches(rule->operand(i), view.metric, *labels)) continue;
      const auto feed = FeedFor(s, *rule, static_cast<std::uint8_t>(i), id, view, *labels);
      if (!feed) continue;
      series.feeds.push_back(*feed);
      const std::int64_t lateness =
          BaseLateness(s, *rule, series.otlp ? Protocol::kOtlp : Protocol::kNative);
      if (lateness > rule->lateness_ms) {
        rule->lateness_ms = lateness;
        Schedule(s, *rule);
      }
    }
  }
}

}  // namespace liveops::engine
