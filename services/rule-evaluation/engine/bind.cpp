#include <algorithm>

#include "services/rule-evaluation/engine/readings.h"
#include "services/rule-evaluation/engine/rollup_parts.h"
#include "services/rule-evaluation/engine/slices.h"
#include "services/rule-evaluation/engine/state.h"

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
  s.refused_ms.push_back(kLongAgo);
  return *s.services.back();
}

void Rebind(State& s, Service& service) { service.generation = s.next_generation++; }

void MarkChanged(State& s, Group& group) {
  group.changed = true;
  ++s.changes;
}

namespace {

Due DueOf(Rule& rule) { return {rule.due_ms, rule.number, &rule}; }

auto PlaceOf(std::vector<Group*>& groups, const Group& group) {
  return std::lower_bound(groups.begin(), groups.end(), &group, ByNumber());
}

}  // namespace

void Schedule(State& s, Rule& rule) {
  if (!s.clock.started() || rule.home) return;  // a home waits for what the sources say
  // Mostly it goes from the front to the end, which costs no search.
  auto node = s.due.extract(DueOf(rule));
  rule.due_ms = (rule.judged + 1) * rule.step_ms + LatenessOf(s, rule);
  if (node) {
    node.value() = DueOf(rule);
    s.due.insert(s.due.end(), std::move(node));
  } else {
    s.due.insert(s.due.end(), DueOf(rule));
  }
  if (rule.spec.judges_slices()) ScheduleSliced(s, rule);
}

void Activate(Rule& rule, Group& group) {
  if (group.active) return;
  group.active = true;
  rule.active.insert(PlaceOf(rule.active, group), &group);
}

void Deactivate(Rule& rule, Group& group) {
  if (!group.active) return;
  group.active = false;
  rule.active.erase(PlaceOf(rule.active, group));
}

void AddRule(State& s, Service& service, std::unique_ptr<Rule> rule) {
  Rule& added = *rule;
  service.rules.push_back(std::move(rule));
  s.rules.emplace(added.number, &added);
  if (added.spec.room == Room::kSeries) service.series_limit = &added;
  if (added.spec.room == Room::kForeign) service.foreign_limit = &added;
  if (added.home) s.homes.insert(added.number);
  added.reads = added.role == Role::kWhole ? 0 : WindowsOf(service, added);
  added.sources = SourcesOf(s, service, added.spec);
  added.fed_after_ms = SpreadFrom(service, added.spec) - 1;
  if (added.probe) added.fed_after_ms = std::max(added.fed_after_ms, ToMs(added.probe->started));
  PrepareRolls(s, added);
  ++s.changes;
}

void RemoveRule(State& s, Service& service, Rule& rule) {
  while (!rule.groups.empty()) RemoveGroup(s, rule, *rule.groups.begin()->second);
  for (const auto& shared : rule.shared) {
    for (const auto& [key, cells] : shared) ForgetMembers(s, rule, *cells);
  }
  for (const auto& shared : rule.shared) {
    for (const auto& [key, cells] : shared) ForgetRoll(s, rule, *cells);
  }
  if (rule.placeholder_told) s.gone.push_back(AlarmId(service.name, rule.spec.name, {}));
  UnlinkReads(s, rule);
  s.due.erase(DueOf(rule));
  s.overflowing.erase(rule.number);
  s.homes.erase(rule.number);
  s.rules.erase(rule.number);
  s.rolling.erase(rule.number);
  if (service.series_limit == &rule) service.series_limit = nullptr;
  if (service.foreign_limit == &rule) service.foreign_limit = nullptr;
  Rebind(s, service);
  std::erase_if(service.rules, [&](const auto& r) { return r.get() == &rule; });
  ++s.changes;
}

Group* GroupFor(State& s, Rule& rule, const Labels& labels) {
  std::string key = labels.Encode();
  const auto it = rule.groups.find(key);
  if (it != rule.groups.end()) return it->second.get();
  // How many groups a rule may have is the home's affair, where the service is spread.
  const std::size_t most =
      rule.role == Role::kSource ? s.limits.groups_max : s.limits.groups_of_rule_max;
  if (s.group_count >= s.limits.groups_max || rule.groups.size() >= most) {
    Refuse(s, rule, labels);
    return nullptr;
  }
  if (rule.overflow) Admit(s, rule, key);
  return &OpenGroup(s, rule, labels);
}

Group& OpenGroup(State& s, Rule& rule, const Labels& labels) {
  std::string key = labels.Encode();
  auto& group = rule.groups[key];
  if (group) return *group;
  group = std::make_unique<Group>();
  group->number = s.next_number++;
  group->key = std::move(key);
  group->labels = labels;
  group->life.state_since = s.now();
  group->levels.resize(rule.spec.levels.size());
  group->level_slots.resize(rule.spec.levels.size());
  GiveCells(rule, *group);
  if (rule.calls_roll) Activate(rule, *group);
  ++s.group_count;
  ++s.changes;
  rule.changed = true;
  return *group;
}

namespace {

std::unique_ptr<Cells> MakeCells(const Rule& rule, std::size_t test, std::string key) {
  auto cells = std::make_unique<Cells>();
  cells->test = static_cast<std::uint8_t>(test);
  cells->key = std::move(key);
  const std::vector<plan::Operand>& operands = rule.test(test).measure.operands;
  cells->distributions.resize(operands.size());
  const bool counts = std::any_of(operands.begin(), operands.end(), [](const auto& operand) {
    return operand.aggregate == plan::Aggregate::kDistinct;
  });
  if (counts) cells->distinct.resize(operands.size());
  return cells;
}

}  // namespace

void GiveCells(const Rule& rule, Group& group) {
  group.own.resize(rule.stores());
  for (std::size_t i = 0; i < rule.stores(); ++i) {
    if (!rule.Own(i)) continue;
    group.own[i] = MakeCells(rule, i, group.key);
    group.own[i]->group = &group;
  }
}

Cells& SharedCells(Rule& rule, std::size_t test, const Labels& labels) {
  std::string key = labels.Encode();
  auto& cells = rule.shared[test][key];
  if (!cells) cells = MakeCells(rule, test, std::move(key));
  return *cells;
}

namespace {

// It is no member any more.
void Release(State& s, Rule& rule, const Cells& cells, const Member& member) {
  BeforeSeries(s, member.series);
  rule.members.erase(Rule::MemberKey(member.series, cells.test, member.operand));
  Series& series = s.series.at(member.series);
  series.generation = 0;
  if (member.forgotten) --series.forgotten;
  if (--series.members == 0) series.labels.clear();
}

// Where it is now.
void IndexMember(State& s, Rule& rule, Cells& cells, std::uint32_t index) {
  const Member& member = cells.members[index];
  ++s.members_indexed;
  s.series.at(member.series).generation = 0;
  rule.members[Rule::MemberKey(member.series, cells.test, member.operand)] = {&cells, index};
}

}  // namespace

void ForgetMembers(State& s, Rule& rule, Cells& cells) {
  RestartRolls(s, rule, cells);
  for (const Member& member : cells.members) Release(s, rule, cells, member);
  cells.members.clear();
  cells.grid.Clear();
}

void DropMembers(State& s, Rule& rule, Cells& cells, const std::vector<bool>& goes) {
  RestartRolls(s, rule, cells);
  std::vector<Member>& members = cells.members;
  std::vector<std::size_t> from;  // what comes to each place
  std::size_t end = members.size();
  for (std::size_t i = 0; i < end; ++i) {
    if (goes[i]) {
      while (end > i + 1 && goes[end - 1]) --end;
      if (--end == i) break;
    }
    from.push_back(goes[i] ? end : i);
  }
  for (std::size_t i = 0; i < members.size(); ++i) {
    if (goes[i]) Release(s, rule, cells, members[i]);
  }
  for (std::uint32_t i = 0; i < from.size(); ++i) {
    if (from[i] == i) continue;
    members[i] = std::move(members[from[i]]);
    IndexMember(s, rule, cells, i);
  }
  members.resize(from.size());
  cells.grid.KeepColumns(0, from);
  if (!rule.fed()) Schedule(s, rule);
}

void DropEveryMember(State& s, Rule& rule, Group& group) {
  for (std::size_t i = 0; i < rule.tests(); ++i) {
    Cells* cells = group.own[i].get();
    if (cells == nullptr || cells->members.empty()) continue;
    DropMembers(s, rule, *cells, std::vector<bool>(cells->members.size(), true));
  }
}

void IndexMembers(State& s, Rule& rule, Cells& cells) {
  for (std::uint32_t i = 0; i < cells.members.size(); ++i) IndexMember(s, rule, cells, i);
}

void RemoveGroup(State& s, Rule& rule, Group& group) {
  for (const auto& cells : group.own) {
    if (!cells) continue;
    ForgetMembers(s, rule, *cells);
    ForgetRoll(s, rule, *cells);
  }
  if (!rule.fed()) Schedule(s, rule);
  Deactivate(rule, group);
  std::erase_if(s.touched, [&](const auto& t) { return t.second == &group; });
  if (IsShown(rule)) {
    s.gone.push_back(AlarmId(s.services[rule.service]->name, rule.spec.name, group.labels));
  }
  --s.group_count;
  ++s.changes;
  rule.changed = true;
  rule.groups.erase(rule.groups.find(group.key));
}

}  // namespace liveops::engine
