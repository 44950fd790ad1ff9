#include "services/rule-evaluation/engine/tally.h"

#include <algorithm>
#include <cmath>

namespace liveops::engine {

using plan::Aggregate;

std::optional<double> OfGauge(const State& s, const Cells& cells, std::size_t column,
                              Aggregate aggregate, const Span& span) {
  double a = 0;
  double b = 0;
  double c = 0;
  bool any = false;
  const auto each = [&](auto f) { cells.grid.ForColumn(column, span.first, span.last, f); };
  switch (aggregate) {
    case Aggregate::kAvg:
      each([&](double sum, double readings, double) {
        a += sum;
        b += readings;
      });
      if (b > 0) return a / b;
      break;
    case Aggregate::kMin:
    case Aggregate::kMax:
      each([&](double reading, double, double) {
        a = !any                           ? reading
            : aggregate == Aggregate::kMin ? std::min(a, reading)
                                           : std::max(a, reading);
        any = true;
      });
      if (any) return a;
      break;
    case Aggregate::kStddev:
      // Two parts' means and squares make those of the whole (Chan, Golub, LeVeque, "Updating
      // formulae and a pairwise algorithm for computing sample variances", 1979).
      each([&](double mean, double readings, double squares) {
        const double off = mean - a;
        const double both = b + readings;
        c += squares + off * off * (b * readings / both);
        a += off * (readings / both);
        b = both;
      });
      return b > 1 ? std::optional(std::sqrt(c / b)) : std::nullopt;
    case Aggregate::kCount:
      each([&](double, double, double readings) { c += readings; });
      return c > 0 ? std::optional(c) : std::nullopt;
    default:
      each([&](double reading, double, double) {
        a = reading;
        any = true;
      });
      if (any) return a;
      break;
  }
  const Member::Last* last = StillGood(s, cells.members[column], span);
  if (last == nullptr || std::isnan(last->value)) return std::nullopt;  // or a counter's baseline
  return last->value;
}

TallyMaker::TallyMaker(const State& s, const Rule& rule, const Cells& cells, std::int64_t pane,
                       bool at_least)
    : s_(s),
      rule_(rule),
      cells_(cells),
      test_(rule.test(cells.test)),
      span_(SpanOf(rule, cells, pane)),
      at_least_(at_least) {}

// Added up once, whatever the number of operands.
const sketch::PaneGrid::Sums& TallyMaker::Sums() {
  if (!sums_) {
    const bool covers = !test_.measure.IsRatio();
    sums_ = cells_.grid.Sum(span_.first, span_.last, covers);
  }
  return *sums_;
}

Tally TallyMaker::Of(std::size_t operand) {
  Tally out;
  if (test_.measure.IsRatio()) {
    out.has_counters = std::any_of(cells_.members.begin(), cells_.members.end(),
                                   [&](const Member& member) { return member.operand == operand; });
    out.counted = OfCounters(s_, rule_, cells_, Sums(), operand, span_, at_least_);
    return out;
  }
  bool observes = !cells_.distributions[operand].empty();
  for (const Member& member : cells_.members) {
    if (member.operand != operand) continue;
    observes |= member.cell == Cell::kDistribution;
    out.has_counters |= member.cell == Cell::kCounter;
    out.has_buckets |= member.cell == Cell::kBucket;
    out.has_gauges |=
        member.cell == Cell::kGauge || (member.cell == Cell::kDistribution &&
                                        s_.series.at(member.series).kind == SeriesKind::kGauge);
  }
  if (observes) ReadObserved(operand, out.observed);
  if (out.has_buckets) ReadBuckets(operand, out);
  if (out.has_counters) {
    out.counted = OfCounters(s_, rule_, cells_, Sums(), operand, span_, at_least_);
  }
  if (out.has_gauges) ReadGauges(operand, out);
  if (!cells_.distinct.empty()) ReadDistinct(operand, out.distinct);
  return out;
}

void TallyMaker::ReadObserved(std::size_t operand, Observed& out) const {
  const auto& panes = cells_.distributions[operand];
  if (!panes.empty()) {
    panes.ForRange(span_.first, span_.last,
                   [&](const sketch::Sketch& pane) { out.sketch.Merge(pane); });
    out.any = out.in_window = !out.sketch.empty();
  }
  if (out.in_window) return;
  if (const auto* newest = panes.NewestUpTo(span_.last); newest != nullptr) {
    out.any = true;
    out.pane = newest->index;
    out.sketch = newest->value;
  }
  for (const Member& member : cells_.members) {
    if (member.operand != operand || member.cell != Cell::kDistribution) continue;
    const Member::Last* last = StillGood(s_, member, span_);
    if (last == nullptr) continue;
    out.stands_from =
        std::min(out.stands_from, sketch::PaneIndex(last->ms, rule_.windows[cells_.test].pane_ms));
  }
}

// What spoke in the window, and whose newest point still stands for it; that may have been said
// before, which is no more than sure.
void TallyMaker::ReadDistinct(std::size_t operand, sketch::HyperLogLog& out) const {
  cells_.distinct[operand].ForRange(span_.first, span_.last,
                                    [&](const sketch::HyperLogLog& pane) { out.Merge(pane); });
  if (at_least_) return;
  for (const Member& member : cells_.members) {
    if (member.operand != operand || member.cell != Cell::kDistinct) continue;
    if (StillGood(s_, member, span_) != nullptr) out.Add(member.hash);
  }
}

void TallyMaker::ReadBuckets(std::size_t operand, Tally& out) {
  auto& upto = out.upto;
  upto.reserve(std::min<std::size_t>(cells_.members.size(), 32));
  const auto& sums = Sums();
  for (std::size_t i = 0; i < cells_.members.size(); ++i) {
    const Member& member = cells_.members[i];
    if (member.cell != Cell::kBucket || member.operand != operand) continue;
    const Increase one =
        OfMember(s_, rule_.window_ms(cells_.test), member, SumOf(sums, i), span_, false);
    if (!one.known) continue;
    const auto at = std::lower_bound(upto.begin(), upto.end(), member.bound,
                                     [](const auto& e, double bound) { return e.first < bound; });
    if (at != upto.end() && at->first == member.bound) {
      at->second += one.raw;
    } else {
      upto.insert(at, {member.bound, one.raw});
    }
  }
}

void TallyMaker::ReadGauges(std::size_t operand, Tally& out) const {
  const Aggregate aggregate = test_.measure.operands[operand].aggregate;
  for (std::size_t i = 0; i < cells_.members.size(); ++i) {
    const Member& member = cells_.members[i];
    if (member.cell != Cell::kGauge || member.operand != operand) continue;
    const auto value = OfGauge(s_, cells_, i, aggregate, span_);
    if (!value) continue;
    out.gauges = !out.gauges             ? *value
                 : AddsGauges(aggregate) ? *out.gauges + *value
                                         : Worse(test_.op, *out.gauges, *value);
  }
}

}  // namespace liveops::engine
