#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <set>

#include "services/rule-evaluation/engine/merged.h"
#include "services/rule-evaluation/engine/state.h"

namespace liveops::engine {
namespace {

// Adding up the labels of more series than this would be felt in the page's latency.
constexpr std::size_t kTopSeriesMax = 200;
constexpr std::size_t kTopMax = 3;
constexpr Duration kChangesWithin{3'600'000};

// One series of the value's operand.
struct LabelledPiece {
  Labels labels;
  double value = 0;
};
using ValuesByLabel = std::map<std::string, std::set<std::string>>;

// What tells the worst gauge from the others, or names the only one.
std::vector<Contribution> WorstOf(const plan::Test& test, const std::vector<LabelledPiece>& pieces,
                                  const ValuesByLabel& values) {
  const LabelledPiece* worst = nullptr;
  for (const LabelledPiece& piece : pieces) {
    const plan::Comparison op = test.op;
    if (worst == nullptr ||
        (piece.value != worst->value && Worse(op, piece.value, worst->value) == piece.value)) {
      worst = &piece;
    }
  }
  if (worst == nullptr) return {};
  const std::vector<std::string>& by = test.by;
  std::string label;
  for (const auto& [name, value] : worst->labels) {
    const bool tells = pieces.size() == 1 || values.at(name).size() > 1;
    if (!tells || std::find(by.begin(), by.end(), name) != by.end()) continue;
    label += (label.empty() ? "" : ", ") + name + "=" + value;
  }
  if (label.empty()) return {};
  return {{std::move(label), worst->value, 0}};
}

// Whose silence makes a number small.
std::vector<Contribution> WhoIsMissing(const State& s, const Rule& rule, const Cells& cells,
                                       Instant at) {
  const std::string& label = rule.test(cells.test).measure.value().label;
  std::vector<Contribution> top;
  const std::vector<Missing> missing = MissingOf(s, rule, cells, ToMs(at));
  for (std::size_t i = 0; i < missing.size() && i < kTopMax; ++i) {
    top.push_back({label + "=" + missing[i].value, std::numeric_limits<double>::quiet_NaN(), 0});
  }
  return top;
}

// Which label values brought the value: what part of it where the series add up, the worst series
// where they do not. A label with one value for all tells nothing. Observations are not kept by
// series.
std::vector<Contribution> TopOf(const State& s, const Rule& rule, const Group& group,
                                const Judgement& j) {
  std::vector<Contribution> top;
  const plan::Test& test = rule.test(j.test);
  // A home knows the largest of each source, and the total.
  const MergedStore* merged = nullptr;
  if (s.merged != nullptr) {
    s.merged->Judging(group);
    merged = s.merged->StoreOf(rule, j.test);
    if (merged == nullptr) return top;
  }
  const Cells* cells = merged != nullptr ? &s.merged->cells[j.test] : rule.CellsOf(group, j.test);
  if (cells != nullptr && CountsReporters(test)) return WhoIsMissing(s, rule, *cells, j.at);
  if (test.IsCompared()) return top;  // what made it grow is not what made it
  if (cells == nullptr || cells->members.size() > kTopSeriesMax) return top;
  // What a formula makes of its operands, and what is missing, has no parts.
  if (test.measure.form == plan::Measure::Form::kFormula ||
      test.measure.form == plan::Measure::Form::kShortfall) {
    return top;
  }
  const std::int64_t pane = sketch::PaneIndex(ToMs(j.at), rule.windows[j.test].pane_ms);
  const plan::Aggregate aggregate = test.measure.value().aggregate;
  std::vector<LabelledPiece> pieces;
  ValuesByLabel values;
  bool adds = aggregate == plan::Aggregate::kSum || aggregate == plan::Aggregate::kCount;
  for (std::size_t i = 0; i < cells->members.size(); ++i) {
    const Member& member = cells->members[i];
    if (member.operand != 0) continue;
    std::optional<double> value;
    if (member.cell == Cell::kCounter) value = IncreaseOf(s, rule, *cells, i, pane);
    if (member.cell == Cell::kGauge) value = GaugeOf(s, rule, *cells, i, pane);
    const auto labels = Labels::Decode(s.series.at(member.series).labels);
    if (!value || !labels) continue;
    adds |= member.cell == Cell::kCounter;
    for (const auto& [name, text] : *labels) values[name].insert(text);
    pieces.push_back({*labels, *value});
  }
  for (std::size_t i = 0; merged != nullptr && i < merged->top.size(); ++i) {
    const auto labels = Labels::Decode(merged->top[i].labels);
    if (!labels) continue;
    adds |= merged->adds;
    for (const auto& [name, text] : *labels) values[name].insert(text);
    pieces.push_back({*labels, merged->top[i].value});
  }
  if (!adds) return WorstOf(test, pieces, values);
  std::map<std::pair<std::string, std::string>, double> sums;
  double total = 0;
  for (const LabelledPiece& piece : pieces) {
    if (piece.value < 0) return top;  // there are no parts of such a whole
    total += piece.value;
    for (const auto& [name, text] : piece.labels) sums[{name, text}] += piece.value;
  }
  if (merged != nullptr) total = merged->negative ? 0 : merged->total;
  if (!(total > 0)) return top;
  for (const auto& [label, sum] : sums) {
    if (!(sum > 0) || values[label.first].size() < 2) continue;
    const double share = std::min(1.0, sum / total);
    top.push_back({label.first + "=" + label.second, j.value * share, share});
  }
  std::stable_sort(top.begin(), top.end(),
                   [](const auto& a, const auto& b) { return a.value > b.value; });
  if (top.size() > kTopMax) top.resize(kTopMax);
  return top;
}

}  // namespace

std::vector<Change> ChangesBefore(const Service& service, Instant now) {
  std::vector<Change> changes;
  for (auto it = service.deployments.rbegin(); it != service.deployments.rend(); ++it) {
    if (it->time > now || now - it->time > kChangesWithin) continue;
    std::string text = "deployment revision " + it->revision;
    if (!it->description.empty()) text += " (" + it->description + ")";
    if (!it->actor.empty()) text += " by " + it->actor;
    changes.push_back({std::move(text), it->time});
  }
  for (auto it = service.decommissions.rbegin(); it != service.decommissions.rend(); ++it) {
    if (it->time > now || now - it->time > kChangesWithin) continue;
    std::string text = "decommissioned ";
    for (const auto& [name, value] : it->labels) {
      text += (text.ends_with(' ') ? "" : ", ") + name + "=" + value;
    }
    if (!it->reason.empty()) text += " (" + it->reason + ")";
    if (!it->actor.empty()) text += " by " + it->actor;
    changes.push_back({std::move(text), it->time});
  }
  std::stable_sort(changes.begin(), changes.end(),
                   [](const Change& a, const Change& b) { return a.time > b.time; });
  return changes;
}

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
  // Told at its end too: how bad it was when it ended.
  t.severity = rule.spec.SeverityAt(group.level);
  t.owner = spec.owner;
  t.expression = spec.expression;
  t.value = j.value;
  t.value_low = j.low;
  t.value_high = j.high;
  const plan::Test& test = rule.test(j.test);
  t.threshold = test.threshold;
  t.comparison = test.op;
  t.unit = plan::ThresholdUnit(test);
  t.compared = ComparedText(test, j.compared);
  t.window = test.window;
  t.hold = spec.when.hold;
  if (group.level > 0 && IsOpen(state)) {
    const plan::Level& level = spec.levels[group.level - 1];
    t.threshold = level.threshold;
    t.comparison = level.op;
    t.hold = level.hold;
  }
  t.window_end = j.at;
  t.since = group.life.since;
  t.peak = group.life.peak;
  t.duration = std::max(Duration(0), s.now() - t.episode);
  t.points = j.points > 0 ? static_cast<std::uint64_t>(std::llround(std::min(j.points, 1e18))) : 0;
  if (state == AlarmState::kFiring) t.top = TopOf(s, rule, group, j);
  t.changes = ChangesBefore(service, s.now());
  t.plan_version = service.version;
  t.clock = s.now();
  t.clock_real = s.clock.now();
  t.source_offset = s.position;
  if (rule.probe) t.probe_id = rule.probe->id;
  t.summary = spec.summary;
  if (const auto budget = BudgetOf(s, rule)) t.budget = BudgetText(*budget);
  t.runbook = spec.runbook;
  t.swings = group.life.swings;
  if (t.swings > 0 && spec.flapping) {
    t.flaps_within = spec.flapping->within;
    t.quiet = spec.flapping->quiet;
  }
  return t;
}

}  // namespace liveops::engine
