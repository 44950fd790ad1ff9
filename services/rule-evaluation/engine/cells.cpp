#include <algorithm>
#include <cmath>

#include "services/rule-evaluation/engine/state.h"

namespace liveops::engine {
namespace {

void Touch(State& s, std::int64_t offset, Rule& rule, Group& group, std::uint8_t operand,
           std::int64_t time) {
  if (group.touched != offset) {
    group.touched = offset;
    group.touched_from_ms = group.touched_to_ms = time;
    group.touched_operands = 0;
    s.touched.emplace_back(&rule, &group);
  }
  group.touched_from_ms = std::min(group.touched_from_ms, time);
  group.touched_to_ms = std::max(group.touched_to_ms, time);
  group.touched_operands |= static_cast<std::uint8_t>(1u << operand);
}

// Spreads the increase over the panes in proportion to the time that it covers in each.
void ToCounter(const Rule& rule, Member& member, const Point& p, double increase) {
  const std::int64_t last = sketch::PaneIndex(p.time, rule.pane_ms);
  member.panes.DropBefore(rule.judged + 1 - rule.panes);
  const std::int64_t length = p.covers ? p.time - p.start : 0;
  if (p.time >= member.newest_ms) {
    member.newest = increase;
    member.newest_cover_ms = static_cast<double>(std::max<std::int64_t>(length, 0));
  }
  if (!p.covers) {
    member.panes.At(last).c += increase;
    return;
  }
  if (length <= 0) {
    member.panes.At(last).a += increase;
    return;
  }
  // Nothing before the oldest window that is still to be judged is ever read again.
  const std::int64_t first =
      std::max(sketch::PaneIndex(p.start + 1, rule.pane_ms), rule.judged + 2 - rule.panes);
  for (std::int64_t pane = first; pane <= last; ++pane) {
    const std::int64_t from = std::max(p.start, (pane - 1) * rule.pane_ms);
    const std::int64_t to = std::min(p.time, pane * rule.pane_ms);
    CellPane& cell = member.panes.At(pane);
    cell.a += increase * (static_cast<double>(to - from) / static_cast<double>(length));
    cell.b = std::min(cell.b + static_cast<double>(to - from), static_cast<double>(rule.pane_ms));
  }
}

void ToGauge(const Rule& rule, Member& member, const Point& p) {
  const double value = p.value * member.factor;
  member.panes.DropBefore(rule.judged + 1 - rule.panes);
  CellPane& cell = member.panes.At(sketch::PaneIndex(p.time, rule.pane_ms));
  if (p.time >= member.newest_ms) member.newest = value;
  const auto time = static_cast<double>(p.time);
  switch (rule.operand(member.operand).aggregate) {
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
    default:
      cell.c += 1;
      if (time >= cell.b) {
        cell.a = value;
        cell.b = time;
      }
      break;
  }
}

void ToDistribution(Rule& rule, Group& group, Member& member, const Point& p) {
  auto& panes = group.distributions[member.operand];
  panes.DropBefore(rule.judged + 1 - rule.panes);
  const bool bins = rule.operand(member.operand).aggregate == plan::Aggregate::kQuantile;
  if (!p.distribution) {
    sketch::Sketch& pane = panes.At(sketch::PaneIndex(p.time, rule.pane_ms));
    bins ? pane.Add(p.value * member.factor) : pane.AddPlain(p.value * member.factor);
    return;
  }
  if (!(p.count > 0)) return;
  std::vector<double> bounds(p.bounds.begin(), p.bounds.end());
  for (double& bound : bounds) bound *= member.factor;
  if (bounds.empty()) {
    // No buckets: only the mean is known.
    panes.At(sketch::PaneIndex(p.time, rule.pane_ms))
        .AddPlain(p.sum / p.count * member.factor, p.count);
    return;
  }
  panes.At(sketch::PaneIndex(p.time, rule.pane_ms))
      .AddHistogram(bounds, p.buckets, p.sum * member.factor);
  group.bounds = std::move(bounds);
}

}  // namespace

void Distribute(State& s, std::int64_t offset, Series& series, const Point& p) {
  bool late = false;
  for (const Feed& feed : series.feeds) {
    Rule& rule = *feed.rule;
    Member& member = feed.group->members[feed.member];
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
    const plan::Aggregate aggregate = rule.operand(member.operand).aggregate;
    switch (member.cell) {
      case Cell::kCounter: {
        const bool sums = aggregate == plan::Aggregate::kSum && !rule.spec.when.measure.denominator;
        if (sums && p.sum < 0) rule.negatives = true;
        if (baseline) {
          member.newest = member.newest_cover_ms = 0;
        } else {
          ToCounter(rule, member, p, sums ? p.sum * member.factor : p.count);
        }
        break;
      }
      case Cell::kGauge:
        ToGauge(rule, member, p);
        break;
      case Cell::kDistribution:
        if (!baseline) ToDistribution(rule, *feed.group, member, p);
        break;
      case Cell::kNone:
        break;
    }
    if (member.newest_ms < p.time) member.newest_ms = p.time;
    Activate(rule, *feed.group);
    if (!baseline) Touch(s, offset, rule, *feed.group, member.operand, p.time);
  }
  if (late) {
    ++s.counters.points_late;
    series.unusable_ms = s.now_ms();
  }
}

}  // namespace liveops::engine
