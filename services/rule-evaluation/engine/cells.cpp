#include <algorithm>
#include <cmath>
#include <limits>

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

// Where the point at hand goes.
struct Target {
  Rule& rule;
  Cells& cells;
  std::uint32_t column;
  Window& window;
  std::int64_t keep_from;  // panes before it are in no window any more
  bool sparse;

  Target(Rule& of_rule, Cells& of_cells, std::uint32_t index, std::int64_t interval)
      : rule(of_rule),
        cells(of_cells),
        column(index),
        window(rule.windows[cells.test]),
        keep_from(rule.KeepFrom(cells.test)),
        // While its points come this densely there is one in every window as long as the newest is
        // good for two intervals.
        sparse(interval == 0 || 2 * interval > rule.window_ms(cells.test) - 2 * window.pane_ms) {}

  Member& member() const { return cells.members[column]; }
  void Note(std::int64_t ms, double value, double cover_ms) const {
    member().Note({ms, value, cover_ms}, sparse, window.judged_ms());
  }
  sketch::PaneGrid::Cell Pane(std::int64_t index) const {
    return cells.grid.Put(index, column, window.panes);
  }
};

// Spreads the increase over the panes in proportion to the time that it covers in each.
void ToCounter(const Target& to, const Point& p, bool covers, std::int64_t start, double increase) {
  const std::int64_t pane_ms = to.window.pane_ms;
  const std::int64_t last = sketch::PaneIndex(p.time, pane_ms);
  to.cells.grid.DropBefore(to.keep_from);
  const std::int64_t length = covers ? p.time - start : 0;
  to.Note(p.time, increase, static_cast<double>(std::max<std::int64_t>(length, 0)));
  if (!covers) {
    auto pane = to.Pane(last);
    if (increase != 0) pane.set_c(pane.c() + increase);
    return;
  }
  if (length <= 0) {
    to.Pane(last).a += increase;
    return;
  }
  // Nothing before the oldest window that is still to be judged is ever read again.
  const std::int64_t first = std::max(sketch::PaneIndex(start + 1, pane_ms), to.keep_from);
  for (std::int64_t index = first; index <= last; ++index) {
    const std::int64_t from = std::max(start, (index - 1) * pane_ms);
    const std::int64_t until = std::min(p.time, index * pane_ms);
    const auto part = static_cast<double>(until - from);
    auto pane = to.Pane(index);
    pane.a += increase * (part / static_cast<double>(length));
    pane.b = std::min(pane.b + part, static_cast<double>(pane_ms));
  }
}

void ToGauge(const Target& to, const Point& p, plan::Aggregate aggregate) {
  const double value = p.value * to.member().factor;
  to.cells.grid.DropBefore(to.keep_from);
  to.Note(p.time, value, 0);
  auto pane = to.Pane(sketch::PaneIndex(p.time, to.window.pane_ms));
  const auto time = static_cast<double>(p.time);
  switch (aggregate) {
    case plan::Aggregate::kAvg:
      pane.a += value;
      pane.b += 1;
      break;
    case plan::Aggregate::kMin:
      pane.a = pane.fresh ? value : std::min(pane.a, value);
      break;
    case plan::Aggregate::kMax:
      pane.a = pane.fresh ? value : std::max(pane.a, value);
      break;
    case plan::Aggregate::kStddev: {
      pane.b += 1;
      const double off = value - pane.a;
      pane.a += off / pane.b;
      pane.set_c(pane.c() + off * (value - pane.a));
      break;
    }
    default:
      if (aggregate == plan::Aggregate::kCount) pane.set_c(pane.c() + 1);
      if (time >= pane.b) {
        pane.a = value;
        pane.b = time;
      }
      break;
  }
}

void ToDistribution(const Target& to, const Point& p, plan::Aggregate aggregate) {
  const Member& member = to.member();
  auto& panes = to.cells.distributions[member.operand];
  panes.DropBefore(to.keep_from);
  const bool bins =
      aggregate == plan::Aggregate::kQuantile || aggregate == plan::Aggregate::kStddev;
  const std::int64_t index = sketch::PaneIndex(p.time, to.window.pane_ms);
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
  to.cells.bounds = std::move(bounds);
}

}  // namespace

void Distribute(State& s, std::int64_t offset, Series& series, const Point& p) {
  bool late = false;
  const bool baseline = std::isnan(p.count);
  const std::int64_t interval = series.Interval();
  for (const Feed& feed : series.feeds) {
    Rule& rule = *feed.rule;
    Cells& cells = *feed.cells;
    if (!rule.seen) {
      rule.seen = true;
      ++s.changes;
    }
    if (p.time <= rule.judged_ms()) {
      late = true;
      continue;
    }
    if (p.time <= rule.fed_after_ms) continue;
    const Target to(rule, cells, feed.member, interval);
    const Member& member = to.member();
    const plan::Measure& measure = rule.test(cells.test).measure;
    const plan::Aggregate aggregate = measure.operands[member.operand].aggregate;
    switch (member.cell) {
      case Cell::kCounter:
      case Cell::kBucket: {
        const bool sums = aggregate == plan::Aggregate::kSum && !measure.IsRatio();
        if (sums && p.sum < 0) rule.negatives = true;
        if (baseline) {
          to.Note(p.time, 0, 0);
        } else {
          // An observation happened when it did; only a rate asks what time it stands for.
          const bool spread = aggregate == plan::Aggregate::kRate ||
                              aggregate == plan::Aggregate::kIncrease || measure.IsRatio();
          const bool at_once = series.kind == SeriesKind::kObservation && !spread;
          ToCounter(to, p, at_once || p.covers, at_once ? p.time : p.start,
                    sums ? p.sum * member.factor : p.count);
        }
        break;
      }
      case Cell::kGauge:
        if (baseline) {
          to.Note(p.time, std::numeric_limits<double>::quiet_NaN(), 0);
        } else {
          ToGauge(to, p, aggregate);
        }
        break;
      case Cell::kDistribution:
        to.Note(p.time, 0, 0);
        if (!baseline) ToDistribution(to, p, aggregate);
        break;
      case Cell::kDistinct: {
        to.Note(p.time, 0, 0);
        auto& panes = cells.distinct[member.operand];
        panes.DropBefore(to.keep_from);
        panes.At(sketch::PaneIndex(p.time, to.window.pane_ms)).Add(member.hash);
        break;
      }
      case Cell::kNone:
        break;
    }
    if (cells.group != nullptr) Activate(rule, *cells.group);
    // Slices are counted at the watermark.
    if (!baseline && !rule.spec.of_slices) Touch(s, offset, rule, cells, member.operand, p.time);
  }
  if (late) {
    ++s.counters.points_late;
    series.unusable_ms = s.now_ms();
  }
}

}  // namespace liveops::engine
