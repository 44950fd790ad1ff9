#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

#include "services/rule-evaluation/engine/readings.h"
#include "services/rule-evaluation/engine/rollup_parts.h"
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
  added.reads = service.spread > 1 ? WindowsOf(service, added) : 0;
  added.fed_after_ms = service.spread_from_ms - 1;
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

void ForgetMembers(State& s, Rule& rule, Cells& cells) {
  RestartRolls(s, rule, cells);
  for (const Member& member : cells.members) {
    BeforeSeries(s, member.series);
    rule.members.erase(Rule::MemberKey(member.series, cells.test, member.operand));
    Series& series = s.series.at(member.series);
    series.generation = 0;
    if (--series.members == 0) series.labels.clear();
  }
  cells.members.clear();
  cells.grid.Clear();
}

void DropMember(State& s, Rule& rule, Cells& cells, std::size_t index) {
  RestartRolls(s, rule, cells);
  const Member& member = cells.members[index];
  BeforeSeries(s, member.series);
  rule.members.erase(Rule::MemberKey(member.series, cells.test, member.operand));
  Series& series = s.series.at(member.series);
  --series.members;
  series.generation = 0;
  if (series.members == 0) series.labels.clear();
  cells.members.erase(cells.members.begin() + static_cast<std::ptrdiff_t>(index));
  cells.grid.RemoveColumn(index);
  IndexMembers(s, rule, cells);
  if (!rule.fed()) Schedule(s, rule);
}

void IndexMembers(State& s, Rule& rule, Cells& cells) {
  for (std::uint32_t i = 0; i < cells.members.size(); ++i) {
    const Member& member = cells.members[i];
    s.series.at(member.series).generation = 0;
    rule.members[Rule::MemberKey(member.series, cells.test, member.operand)] = {&cells, i};
  }
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

namespace {

// What of a test a series may feed.
struct Place {
  std::size_t test = 0;
  std::uint8_t operand = 0;
  bool bucket = false;  // one of the buckets of a classic histogram
};

constexpr std::string_view kBucketSuffix = "_bucket";

// Prometheus names a metric by its base unit, which is that of its buckets' bounds.
std::string_view BoundUnit(std::string_view metric) {
  return metric.ends_with("_seconds") ? "s" : metric.ends_with("_bytes") ? "By" : "";
}

// `le` of a bucket; nothing when it is none.
std::optional<double> UpperBound(const Labels& labels) {
  const std::string* text = labels.Find("le");
  if (text == nullptr || text->empty()) return std::nullopt;
  if (*text == "+Inf" || *text == "Inf" || *text == "inf") {
    return std::numeric_limits<double>::infinity();
  }
  double bound = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), bound);
  const bool whole = error == std::errc() && end == text->data() + text->size();
  return whole && std::isfinite(bound) ? std::optional(bound) : std::nullopt;
}

bool IsCounter(SeriesKind kind) {
  return kind == SeriesKind::kCounterDelta || kind == SeriesKind::kCounterCumulative;
}

// Does the operand read this series by its name?
bool Names(const plan::Operand& operand, const SeriesView& view, bool& bucket) {
  bucket = false;
  if (operand.metric == view.metric || operand.metric.empty()) return true;
  if (operand.aggregate != plan::Aggregate::kQuantile || !IsCounter(view.kind)) return false;
  bucket = view.metric.size() == operand.metric.size() + kBucketSuffix.size() &&
           view.metric.starts_with(operand.metric) && view.metric.ends_with(kBucketSuffix);
  return bucket;
}

// How a series fits an operand; kNone when it does not.
struct Fit {
  Cell cell = Cell::kNone;
  double factor = 1;
  double bound = 0;
};

Fit FitOf(const plan::Measure& measure, const Place& place, const SeriesView& view,
          const Labels& labels) {
  const plan::Operand& operand = measure.operands[place.operand];
  const plan::Aggregate aggregate =
      measure.IsRatio() && operand.aggregate != plan::Aggregate::kCount ? plan::Aggregate::kIncrease
                                                                        : operand.aggregate;
  Fit fit;
  fit.cell = place.bucket ? Cell::kBucket : CellFor(aggregate, view.kind);
  const bool counts = fit.cell == Cell::kCounter && aggregate != plan::Aggregate::kSum;
  if (!measure.IsShare() && !counts && !plan::IsCount(aggregate)) {
    const bool formula = measure.form == plan::Measure::Form::kFormula;
    // A bucket counts; it is the bounds that have a unit, of which its counter says nothing.
    const auto factor = UnitFactor(place.bucket ? BoundUnit(operand.metric) : view.unit,
                                   formula ? operand.unit : measure.unit);
    if (!factor) return {};
    fit.factor = *factor;
  }
  if (place.bucket) {
    const auto bound = UpperBound(labels);
    if (!bound) return {};
    fit.bound = *bound * fit.factor;
    fit.factor = 1;
  }
  return fit;
}

// The cells that a series feeds with what the test reads; null where there is no room.
Cells* CellsFor(State& s, Rule& rule, std::size_t test, const Labels& labels) {
  const Labels apart = GroupLabels(rule.test(test).by, labels);
  if (!rule.Own(test)) return &SharedCells(rule, test, apart);
  Group* group = GroupFor(s, rule, apart);
  return group == nullptr ? nullptr : group->own[test].get();
}

// A member for this series and operand, known or new; nothing when it cannot feed it.
std::optional<Feed> FeedFor(State& s, Rule& rule, const Place& place, std::uint32_t id,
                            const SeriesView& view, const Labels& labels) {
  const std::uint64_t key = Rule::MemberKey(id, place.test, place.operand);
  if (const auto known = rule.members.find(key); known != rule.members.end()) {
    return Feed{&rule, known->second.first, known->second.second};
  }
  if (s.series.at(id).left) return std::nullopt;
  const plan::Test& test = rule.test(place.test);
  const Fit fit = FitOf(test.measure, place, view, labels);
  if (fit.cell == Cell::kNone) {
    ++s.series.at(id).mismatches;
    return std::nullopt;
  }
  Cells* cells = CellsFor(s, rule, place.test, labels);
  if (cells == nullptr) {
    Series& newcomer = s.series.at(id);
    if (!newcomer.refused) ++s.counters.series_refused;
    newcomer.refused = true;
    newcomer.generation = 0;  // it is tried again with each batch: there may be room by then
    return std::nullopt;
  }
  cells->grid.AddColumn();
  Member& member = cells->members.emplace_back();
  member.series = id;
  member.operand = place.operand;
  member.cell = fit.cell;
  cells->departing |= Departs(fit.cell);
  if (fit.cell == Cell::kDistinct) {
    member.hash = Xxh64(*labels.Find(test.measure.operands[place.operand].label));
  }
  member.factor = fit.factor;
  member.bound = fit.bound;
  const auto index = static_cast<std::uint32_t>(cells->members.size() - 1);
  rule.members[key] = {cells, index};
  if (rule.members.size() == 1) Schedule(s, rule);
  Series& series = s.series.at(id);
  ++series.members;
  series.labels = view.labels;
  return Feed{&rule, cells, index};
}

// The series feeds the rule: how late its points may come is how long the rule waits.
void WaitFor(State& s, Rule& rule, const Series& series) {
  const std::int64_t lateness = BaseLateness(s, rule, series.slowest);
  if (lateness <= rule.lateness_ms) return;
  rule.lateness_ms = lateness;
  Schedule(s, rule);
}

}  // namespace

void Bind(State& s, Service& service, std::uint32_t id, const SeriesView& view) {
  Series& series = s.series.at(id);
  series.feeds.clear();
  series.mismatches = 0;
  series.generation = service.generation;
  std::optional<Labels> labels;
  for (const auto& rule : service.rules) {
    if (!rule->spec.judges() || rule->home) continue;
    for (std::size_t test = 0; test < rule->stores(); ++test) {
      const plan::Measure& measure = rule->test(test).measure;
      for (std::size_t i = 0; i < measure.operands.size(); ++i) {
        Place place{test, static_cast<std::uint8_t>(i), false};
        if (!Names(measure.operands[i], view, place.bucket)) continue;
        if (!labels) labels = Labels::Decode(view.labels);
        if (!labels) return;  // damaged: no rule can say whose it is
        if (!Matches(measure.operands[i], *labels)) continue;
        if (CountsReporters(rule->test(test))) {
          if (series.left) continue;
          if (Cells* cells = CellsFor(s, *rule, test, *labels)) {
            Enrol(s, *rule, *cells, id, *labels->Find(measure.operands[i].label));
            series.labels = view.labels;
            WaitFor(s, *rule, series);
          }
          continue;
        }
        const auto feed = FeedFor(s, *rule, place, id, view, *labels);
        if (!feed) continue;
        series.feeds.push_back(*feed);
        WaitFor(s, *rule, series);
      }
    }
  }
}

}  // namespace liveops::engine
