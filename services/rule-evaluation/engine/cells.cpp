#include <algorithm>
#include <cmath>

#include "services/rule-evaluation/engine/state.h"

namespace liveops::engine {
namespace {

void Touch(State& s, std::int64_t offset, Rule& rule, Cells& cells, std::uint8_t operand,
           std::int64_t time) {
  if (cells.touched != offset) {
    cells.touched = offset;
    cells.touched_from_ms = cells.touched_to_ms = time;
    cells.touched_operands = 0;
    // Cells that groups share are many groups' affair: those are judged at the watermark.
    if (Group* group = cells.group; group != nullptr && group->touched != offset) {
      group->touched = offset;
      s.touched.emplace_back(&rule, group);
    }
  }
  cells.touched_from_ms = std::min(cells.touched_from_ms, time);
  cells.touched_to_ms = std::max(cells.touched_to_ms, time);
  cells.touched_operands |= static_cast<std::uint8_t>(1u << operand);
}

// Spreads the increase over the panes in proportion to the time that it covers in each.
void ToCounter(Rule& rule, const Cells& cells, Member& member, const Point& p, double increase) {
  const std::int64_t pane_ms = rule.windows[cells.test].pane_ms;
  const std::int64_t keep_from = rule.KeepFrom(cells.test);
  const std::int64_t last = sketch::PaneIndex(p.time, pane_ms);
  member.panes.DropBefore(keep_from);
  const std::int64_t length = p.covers ? p.time - p.start : 0;
  member.Note(p.time, increase, static_cast<double>(std::max<std::int64_t>(length, 0)),
              rule.judged_ms());
  if (!p.covers) {
    member.panes.At(last).c += increase;
    return;
  }
  if (length <= 0) {
    member.panes.At(last).a += increase;
    return;
  }
  // Nothing before the oldest window that is still to be judged is ever read again.
  const std::int64_t first = std::max(sketch::PaneIndex(p.start + 1, pane_ms), keep_from);
  for (std::int64_t pane = first; pane <= last; ++pane) {
    const std::int64_t from = std::max(p.start, (pane - 1) * pane_ms);
    const std::int64_t to = std::min(p.time, pane * pane_ms);
    CellPane& cell = member.panes.At(pane);
    cell.a += increase * (static_cast<double>(to - from) / static_cast<double>(length));
    cell.b = std::min(cell.b + static_cast<double>(to - from), static_cast<double>(pane_ms));
  }
}

void ToGauge(Rule& rule, const Cells& cells, Member& member, const Point& p,
             plan::Aggregate aggregate) {
  const double value = p.value * member.factor;
  member.panes.DropBefore(rule.KeepFrom(cells.test));
  CellPane& cell = member.panes.At(sketch::PaneIndex(p.time, rule.windows[cells.test].pane_ms));
  member.Note(p.time, value, 0, rule.judged_ms());
  const auto time = static_cast<double>(p.time);
  switch (aggregate) {
    case plan::Aggregate::kAvg:
      cell.a += value;
      cell.b += 1;
      break;
    case plan::Aggregate::kMin:
      cell.a = cell.b > 0 ? std::min(cell.a, value) : value;
      cell.b += 1;
      break;
    case plan::Aggregate::kMax:
      cell.a = cell.b > 0 ? std::max(cell.a, value) : value;
      cell.b += 1;
      break;
    case plan::Aggregate::kStddev: {
      cell.b += 1;
      const double off = value - cell.a;
      cell.a += off / cell.b;
      cell.c += off * (value - cell.a);
      break;
    }
    default:
      cell.c += 1;
      if (time >= cell.b) {
        cell.a = value;
        cell.b = time;
      }
      break;
  }
}

void ToDistribution(Rule& rule, Cells& cells, const Member& member, const Point& p,
                    plan::Aggregate aggregate) {
  auto& panes = cells.distributions[member.operand];
  panes.DropBefore(rule.KeepFrom(cells.test));
  const bool bins =
      aggregate == plan::Aggregate::kQuantile || aggregate == plan::Aggregate::kStddev;
  const std::int64_t index = sketch::PaneIndex(p.time, rule.windows[cells.test].pane_ms);
  if (!p.distribution) {
    sketch::Sketch& pane = panes.At(index);
    bins ? pane.Add(p.value * member.factor) : pane.AddPlain(p.value * member.factor);
    return;
  }
  if (!(p.count > 0)) return;
  std::vector<double> bounds(p.bounds.begin(), p.bounds.end());
  for (double& bound : bounds) bound *= member.factor;
  if (bounds.empty()) {
    // No buckets: only the mean is known.
    panes.At(index).AddPlain(p.sum / p.count * member.factor, p.count);
    return;
  }
  panes.At(index).AddHistogram(bounds, p.buckets, p.sum * member.factor);
  cells.bounds = std::move(bounds);
}

}  // namespace

void Distribute(State& s, std::int64_t offset, Series& series, const Point& p) {
  bool late = false;
  for (const Feed& feed : series.feeds) {
    Rule& rule = *feed.rule;
    Cells& cells = *feed.cells;
    Member& member = cells.members[feed.member];
    if (!rule.seen) {
      rule.seen = true;
      ++s.changes;
    }
    if (p.time <= rule.judged_ms()) {
      late = true;
      continue;
    }
    if (rule.probe && p.time <= ToMs(rule.probe->started)) continue;
    const bool baseline = std::isnan(p.count);
    const plan::Measure& measure = rule.test(cells.test).measure;
    const plan::Aggregate aggregate = measure.operands[member.operand].aggregate;
    switch (member.cell) {
      case Cell::kCounter:
      case Cell::kBucket: {
        const bool sums = aggregate == plan::Aggregate::kSum && !measure.IsRatio();
        if (sums && p.sum < 0) rule.negatives = true;
        if (baseline) {
          member.Note(p.time, 0, 0, rule.judged_ms());
        } else {
          // An observation happened when it did; only a rate asks what time it stands for.
          Point at = p;
          const bool spread = aggregate == plan::Aggregate::kRate ||
                              aggregate == plan::Aggregate::kIncrease || measure.IsRatio();
          if (series.kind == SeriesKind::kObservation && !spread) {
            at.covers = true;
            at.start = p.time;
          }
          ToCounter(rule, cells, member, at, sums ? p.sum * member.factor : p.count);
        }
        break;
      }
      case Cell::kGauge:
        ToGauge(rule, cells, member, p, aggregate);
        break;
      case Cell::kDistribution:
        member.Note(p.time, 0, 0, rule.judged_ms());
        if (!baseline) ToDistribution(rule, cells, member, p, aggregate);
        break;
      case Cell::kNone:
        break;
    }
    if (member.newest_ms < p.time) member.newest_ms = p.time;
    if (cells.group != nullptr) Activate(rule, *cells.group);
    if (!baseline) Touch(s, offset, rule, cells, member.operand, p.time);
  }
  if (late) {
    ++s.counters.points_late;
    series.unusable_ms = s.now_ms();
  }
}

}  // namespace liveops::engine
