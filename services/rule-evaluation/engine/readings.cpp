#include "services/rule-evaluation/engine/readings.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <utility>

#include "services/rule-evaluation/engine/activate.h"
#include "services/rule-evaluation/engine/state.h"

namespace liveops::engine {
namespace {

using plan::Aggregate;

// Of what there was no room for, so much is told with each step, turn by turn.
constexpr std::size_t kRefusedMax = 512;
constexpr std::size_t kPiecesMax = 3;
constexpr std::size_t kPiecesOf = 200;

// Is "true" of such a test sure to stay, so that the home may ask for what is sure?
bool AsksForSure(const plan::Test& test) {
  if (test.measure.form != plan::Measure::Form::kPlain || test.IsCompared()) return false;
  const Aggregate aggregate = test.measure.value().aggregate;
  return aggregate == Aggregate::kSum || aggregate == Aggregate::kCount ||
         aggregate == Aggregate::kIncrease;
}

// The largest of the value's operand, or the worst gauges.
void ReadPieces(const State& s, const Rule& rule, const Cells& cells, std::int64_t pane,
                StoreReading& out) {
  const plan::Test& test = rule.test(cells.test);
  if (cells.test >= rule.tests() || test.IsCompared()) return;
  if (test.measure.form == plan::Measure::Form::kFormula ||
      test.measure.form == plan::Measure::Form::kShortfall) {
    return;
  }
  const Aggregate aggregate = test.measure.value().aggregate;
  out.adds = aggregate == Aggregate::kSum || aggregate == Aggregate::kCount;
  std::vector<std::pair<double, std::uint32_t>> values;
  for (std::size_t i = 0; i < cells.members.size(); ++i) {
    const Member& member = cells.members[i];
    if (member.operand != 0) continue;
    ++out.pieces;
    if (cells.members.size() > kPiecesOf) continue;
    std::optional<double> value;
    if (member.cell == Cell::kCounter) value = IncreaseOf(s, rule, cells, i, pane);
    if (member.cell == Cell::kGauge) value = GaugeOf(s, rule, cells, i, pane);
    if (!value) continue;
    out.adds |= member.cell == Cell::kCounter;
    out.total += *value;
    out.negative |= *value < 0;
    values.emplace_back(*value, member.series);
  }
  const bool upward = out.adds || plan::IsUpward(test.op);
  std::stable_sort(values.begin(), values.end(), [&](const auto& a, const auto& b) {
    return upward ? a.first > b.first : a.first < b.first;
  });
  if (values.size() > kPiecesMax) values.resize(kPiecesMax);
  for (const auto& [value, series] : values) out.top.push_back({s.series.at(series).labels, value});
}

bool HasPane(const Cells& cells, std::size_t column, std::pair<std::int64_t, std::int64_t> panes) {
  bool any = false;
  const Member& member = cells.members[column];
  if (member.cell == Cell::kDistribution) {
    cells.distributions[member.operand].ForRange(panes.first, panes.second,
                                                 [&](const sketch::Sketch&) { any = true; });
  } else {
    cells.grid.ForColumn(column, panes.first, panes.second, [&](auto...) { any = true; });
  }
  return any;
}

// The newest point that is not after the step's end. What is in the window's panes came after all
// that may have left before; of earlier times nothing else counts.
void ReadLast(const Cells& cells, bool earlier, std::int64_t end_ms,
              std::pair<std::int64_t, std::int64_t> panes, StoreReading& out) {
  for (std::size_t i = 0; i < cells.members.size(); ++i) {
    const Member& member = cells.members[i];
    if (out.last_ms >= end_ms) break;
    const Member::Last* last = member.UpTo(end_ms);
    if (last != nullptr) out.last_ms = std::max(out.last_ms, last->ms);
    if (member.newest.ms <= end_ms) continue;
    if (earlier || HasPane(cells, i, panes)) out.last_ms = end_ms;
  }
}

StoreReading ReadStore(const State& s, const Rule& rule, const Cells& cells, std::int64_t end_ms) {
  StoreReading out;
  const plan::Test& test = rule.test(cells.test);
  const Window& window = rule.windows[cells.test];
  const bool earlier = cells.test >= rule.tests();
  out.members = !cells.members.empty();
  bool all_left = out.members;
  for (const Member& member : cells.members) {
    const bool absent = Absent(s, rule, cells, member, end_ms);
    all_left = all_left && Departs(member.cell) && (absent || member.HasLeft());
    out.fresh |= member.newest.ms > rule.told * rule.step_ms;
    out.departs = out.departs && Departs(member.cell);
    out.forgotten = out.forgotten && Forgotten(member, end_ms);
    if (earlier || !IsPrimary(test.measure, member.operand)) continue;
    out.primary = true;
    out.spoke |= member.newest.ms != INT64_MIN;
    out.absent = out.absent && absent;
  }
  out.left = all_left;
  out.misses = !earlier && MissesSomebody(s, rule, cells, end_ms);
  std::int64_t pane = rule.PaneAt(earlier ? window.test : cells.test, end_ms);
  if (earlier) {
    pane = rule.PaneAt(cells.test, pane * rule.windows[window.test].pane_ms - window.ago_ms);
  }
  TallyMaker tallies(s, rule, cells, pane, false);
  TallyMaker sure(s, rule, cells, pane, true);
  const bool asks = !earlier && AsksForSure(test);
  ReadLast(cells, earlier, end_ms, {pane - window.read + 1, pane}, out);
  for (std::size_t i = 0; i < test.measure.operands.size(); ++i) {
    const Tally& tally = out.tallies.emplace_back(tallies.Of(i));
    out.sure.push_back(asks && tally.has_counters ? sure.Of(i).counted : tally.counted);
  }
  out.bounds = cells.bounds;
  ReadPieces(s, rule, cells, pane, out);
  return out;
}

std::vector<std::uint64_t> SomeOf(const std::map<std::uint64_t, std::int64_t>& refused,
                                  std::int64_t step) {
  std::vector<std::uint64_t> some;
  if (refused.empty()) return some;
  const std::size_t turns = (refused.size() + kRefusedMax - 1) / kRefusedMax;
  const std::size_t turn = static_cast<std::uint64_t>(step) % turns;
  auto it = std::next(refused.begin(), static_cast<std::ptrdiff_t>(turn * kRefusedMax));
  for (; it != refused.end() && some.size() < kRefusedMax; ++it) some.push_back(it->first);
  return some;
}

// What there is no room for is told with the service's first rule.
bool TellsOfSeries(const Service& service, const Rule& rule) {
  const auto first = std::find_if(service.rules.begin(), service.rules.end(), [](const auto& r) {
    return r->role == Role::kSource && r->spec.judges();
  });
  return first != service.rules.end() && first->get() == &rule;
}

void ReadRule(const State& s, const Rule& rule, std::int64_t end_ms, RuleReading& out) {
  const Service& service = *s.services[rule.service];
  out.after = rule.told;
  out.unseen_ms = rule.unseen_ms;
  out.hard_from_ms = HardFrom(s, rule);
  out.known_from_ms = KnownFrom(s, rule);
  out.seen = rule.seen;
  out.negatives = rule.negatives;
  for (std::size_t i = rule.tests(); i < rule.stores(); ++i) {
    const Window& window = rule.windows[i];
    const std::int64_t now_end =
        rule.PaneAt(window.test, end_ms) * rule.windows[window.test].pane_ms;
    const std::int64_t then_ms = rule.PaneAt(i, now_end - window.ago_ms) * window.pane_ms;
    out.known_then.push_back(KnownThen(s, rule, then_ms - window.read * window.pane_ms, then_ms));
  }
  if (rule.overflow) out.refused = SomeOf(rule.overflow->refused, end_ms / rule.step_ms);
  const Rule* limit = service.series_limit;
  if (limit != nullptr && limit->role == Role::kSource && limit->overflow &&
      TellsOfSeries(service, rule)) {
    out.refused_series = SomeOf(limit->overflow->refused, end_ms / rule.step_ms);
  }
}

}  // namespace

StepReading ReadStep(State& s, Rule& rule, std::int64_t step) {
  const std::int64_t end_ms = step * rule.step_ms;
  StepReading out;
  for (std::size_t i = 0; i < rule.shared.size(); ++i) {
    for (const auto& [key, cells] : rule.shared[i]) {
      DropAbsentGauges(s, rule, *cells, end_ms);
      out.shared.push_back({static_cast<std::uint8_t>(i), key, ReadStore(s, rule, *cells, end_ms)});
    }
  }
  for (const auto& [key, group] : rule.groups) {
    ++s.counters.judgements;
    for (const auto& cells : group->own) {
      if (cells) DropAbsentGauges(s, rule, *cells, end_ms);
    }
    if (!group->active && !group->HasMembers()) continue;
    GroupReading& reading = out.groups.emplace_back();
    reading.key = key;
    reading.fresh = group->active;
    Deactivate(rule, *group);  // until the next point
    for (const auto& cells : group->own) {
      auto& store = reading.stores.emplace_back();
      if (cells) store = ReadStore(s, rule, *cells, end_ms);
    }
    group->ForEachMember([&](const Cells&, const Member& member) {
      reading.silence_ms = std::max(reading.silence_ms, 3 * s.series.at(member.series).Interval());
    });
  }
  ReadRule(s, rule, end_ms, out.rule);
  return out;
}

bool TellStep(State& s, Rule& rule, std::int64_t step) {
  const Service& service = *s.services[rule.service];
  const Share share = ShareOf(s, service);
  const std::vector<std::string> parts = EncodeReading(ReadStep(s, rule, step));
  rule.told = step;
  rule.unseen_ms = 0;
  Readings readings;
  readings.service = service.name;
  readings.rule = rule.spec.name;
  readings.windows = WindowsOf(service, rule);
  readings.source_partition = s.limits.partition;
  readings.step_end_ms = step * rule.step_ms;
  readings.home_partition = share.home;
  readings.parts = static_cast<std::uint32_t>(parts.size());
  for (const std::string& part : parts) {
    readings.groups = part;
    if (s.limits.partition == share.home) {
      TakeReadings(s, ViewOf(readings));
    } else {
      s.told.push_back(readings);
    }
    ++readings.part;
  }
  // Longer than the probe may run: it may have begun earlier here.
  return rule.probe && IsOver(s, *rule.probe, InstantFromMs(readings.step_end_ms));
}

}  // namespace liveops::engine
