#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "services/rule-evaluation/engine/state.h"

namespace liveops::engine {
namespace {

// Adding up the labels of more series than this would be felt in the page's latency.
constexpr std::size_t kTopSeriesMax = 200;
constexpr std::size_t kTopMax = 3;
constexpr Duration kChangesWithin{3'600'000};

// Which label values brought the increase. A label with one value for all tells nothing.
std::vector<Contribution> TopOf(const State& s, const Rule& rule, const Group& group, Instant end) {
  std::vector<Contribution> top;
  if (group.members.size() > kTopSeriesMax) return top;
  const std::int64_t pane = sketch::PaneIndex(ToMs(end), rule.pane_ms);
  std::map<std::pair<std::string, std::string>, double> sums;
  std::map<std::string, std::set<std::string>> values;
  double total = 0;
  for (const Member& member : group.members) {
    if (member.operand != 0 || member.cell != Cell::kCounter) continue;
    const double increase = IncreaseOf(s, rule, member, pane);
    const auto labels = Labels::Decode(s.series.at(member.series).labels);
    if (!labels) continue;
    total += increase;
    for (const auto& [name, value] : *labels) {
      sums[{name, value}] += increase;
      values[name].insert(value);
    }
  }
  if (!(total > 0)) return top;
  for (const auto& [label, sum] : sums) {
    if (sum > 0 && values[label.first].size() > 1) {
      top.push_back({label.first + "=" + label.second, sum, std::min(1.0, sum / total)});
    }
  }
  std::stable_sort(top.begin(), top.end(),
                   [](const auto& a, const auto& b) { return a.value > b.value; });
  if (top.size() > kTopMax) top.resize(kTopMax);
  return top;
}

std::vector<Change> ChangesBefore(const Service& service, Instant now) {
  std::vector<Change> changes;
  for (auto it = service.deployments.rbegin(); it != service.deployments.rend(); ++it) {
    if (it->time > now || now - it->time > kChangesWithin) continue;
    std::string text = "deployment revision " + it->revision;
    if (!it->description.empty()) text += " (" + it->description + ")";
    if (!it->actor.empty()) text += " by " + it->actor;
    changes.push_back({std::move(text), it->time});
  }
  std::stable_sort(changes.begin(), changes.end(),
                   [](const Change& a, const Change& b) { return a.time > b.time; });
  return changes;
}

}  // namespace

Transition Tell(const State& s, const Rule& rule, const Group& group, AlarmState state,
                const char* reason, const Judgement& j) {
  const Service& service = *s.services[rule.service];
  const RuleSpec& spec = rule.spec;
  Transition t;
  t.alarm_id = AlarmId(service.name, spec.name, group.labels);
  t.service = service.name;
  t.name = spec.name;
  t.group = group.labels;
  t.purpose = spec.purpose;
  t.episode = rule.probe ? rule.probe->started : group.life.episode;
  t.step = rule.probe ? 0 : group.life.step;
  t.state = state;
  t.reason = reason;
  t.severity = spec.severity;
  t.owner = spec.owner;
  t.expression = spec.expression;
  t.value = j.value;
  t.value_low = j.low;
  t.value_high = j.high;
  t.threshold = spec.when.threshold;
  t.comparison = spec.when.op;
  t.unit = spec.when.measure.unit;
  t.window = spec.when.window;
  t.hold = spec.when.hold;
  t.window_end = j.at;
  t.since = group.life.since;
  t.peak = group.life.peak;
  t.duration = std::max(Duration(0), s.now() - t.episode);
  t.points = j.points > 0 ? static_cast<std::uint64_t>(std::llround(std::min(j.points, 1e18))) : 0;
  if (state == AlarmState::kFiring) t.top = TopOf(s, rule, group, j.at);
  t.changes = ChangesBefore(service, s.now());
  t.plan_version = service.version;
  t.clock = s.now();
  t.clock_real = s.clock.now();
  t.source_offset = s.position;
  if (rule.probe) t.probe_id = rule.probe->id;
  t.summary = spec.summary;
  t.runbook = spec.runbook;
  return t;
}

}  // namespace liveops::engine
