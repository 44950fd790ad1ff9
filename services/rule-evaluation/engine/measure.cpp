#include <algorithm>
#include <cmath>

#include "services/rule-evaluation/engine/state.h"

namespace liveops::engine {

using plan::Aggregate;

namespace {

// A window of a rule by its panes.
struct Span {
  std::int64_t first = 0;
  std::int64_t last = 0;
  std::int64_t end_ms = 0;
};

Span SpanOf(const Rule& rule, std::int64_t pane) {
  return {pane - rule.panes + 1, pane, pane * rule.pane_ms};
}

// "A window without a point uses the series' newest one until 2 x its reporting interval."
bool StillGood(const State& s, const Member& member, const Span& span) {
  if (member.newest_ms > span.end_ms || member.newest_ms == INT64_MIN) return false;
  return span.end_ms - member.newest_ms < 2 * s.series.at(member.series).Interval();
}

struct Increase {
  bool known = false;       // something was counted, zero included
  bool rate_known = false;  // and over a known time
  double raw = 0;           // events in the window
  double estimate = 0;      // rate x window: what a whole window would have
  double per_ms = 0;
};

Increase OfMember(const State& s, const Rule& rule, const Member& member, const Span& span,
                  bool at_least) {
  Increase out;
  double covered = 0;
  double loose = 0;
  double increase = 0;
  member.panes.ForRange(span.first, span.last, [&](const CellPane& pane) {
    out.known = true;
    increase += pane.a;
    covered += pane.b;
    loose += pane.c;
  });
  const auto window = static_cast<double>(rule.window_ms());
  if (!out.known && !at_least && member.newest_cover_ms > 0 && StillGood(s, member, span)) {
    out.known = true;
    covered = std::min(member.newest_cover_ms, window);
    increase = member.newest * (covered / member.newest_cover_ms);
  }
  out.raw = increase + loose;
  out.estimate = out.raw;
  if (covered > 0) {
    out.rate_known = true;
    out.per_ms = increase / covered;
    if (!at_least) out.estimate = std::max(out.raw, out.per_ms * window);
  }
  return out;
}

Increase OfOperand(const State& s, const Rule& rule, const Group& group, int operand,
                   const Span& span, bool at_least) {
  Increase total;
  for (const Member& member : group.members) {
    if (member.operand != operand || member.cell != Cell::kCounter) continue;
    const Increase one = OfMember(s, rule, member, span, at_least);
    total.known |= one.known;
    total.rate_known |= one.rate_known;
    total.raw += one.raw;
    total.estimate += one.estimate;
    total.per_ms += one.per_ms;
  }
  return total;
}

std::optional<double> OfGauge(const State& s, const Member& member, Aggregate aggregate,
                              const Span& span) {
  double a = 0;
  double b = 0;
  double c = 0;
  bool any = false;
  switch (aggregate) {
    case Aggregate::kAvg:
      member.panes.ForRange(span.first, span.last, [&](const CellPane& pane) {
        a += pane.a;
        b += pane.b;
      });
      if (b > 0) return a / b;
      break;
    case Aggregate::kMin:
    case Aggregate::kMax:
      member.panes.ForRange(span.first, span.last, [&](const CellPane& pane) {
        a = !any                           ? pane.a
            : aggregate == Aggregate::kMin ? std::min(a, pane.a)
                                           : std::max(a, pane.a);
        any = true;
      });
      if (any) return a;
      break;
    case Aggregate::kCount:
      member.panes.ForRange(span.first, span.last, [&](const CellPane& pane) { c += pane.c; });
      return c > 0 ? std::optional(c) : std::nullopt;
    default: {
      const auto* newest = member.panes.NewestUpTo(span.last);
      if (newest == nullptr) return std::nullopt;
      if (newest->index >= span.first) return newest->value.a;
      const double age = static_cast<double>(span.end_ms) - newest->value.b;
      const auto good = static_cast<double>(2 * s.series.at(member.series).Interval());
      return age < good ? std::optional(newest->value.a) : std::nullopt;
    }
  }
  return StillGood(s, member, span) ? std::optional(member.newest) : std::nullopt;
}

// Multiplied first, so that 160 of 200 is 80 % to the bit.
double InUnit(const plan::Measure& measure, double value) {
  if (!(measure.capacity > 0)) return value;
  const double percent = !measure.denominator && measure.unit == "%" ? 100 : 1;
  return value * percent / measure.capacity;
}

Reading OfGauges(const State& s, const Rule& rule, const Group& group, const Span& span) {
  Reading out;
  const Aggregate aggregate = rule.spec.when.measure.value.aggregate;
  const bool adds = aggregate == Aggregate::kSum || aggregate == Aggregate::kCount;
  for (const Member& member : group.members) {
    if (member.cell != Cell::kGauge) continue;
    const auto value = OfGauge(s, member, aggregate, span);
    if (!value) continue;
    if (!out.known) {
      out.value = *value;
    } else {
      out.value = adds ? out.value + *value : Worse(rule.spec.when.op, out.value, *value);
    }
    out.known = true;
  }
  out.low = out.high = out.value;
  return out;
}

// Where the quantile may really lie.
void SetBounds(const Group& group, const sketch::Sketch& all, Reading& out) {
  if (all.min() == all.max()) return;
  if (group.bounds.empty()) {
    const sketch::Bounds bin = sketch::Sketch::BinOf(out.value);
    out.low = std::max(bin.low, all.min());
    out.high = std::min(bin.high, all.max());
    return;
  }
  const auto above = std::lower_bound(group.bounds.begin(), group.bounds.end(), out.value);
  out.high = above == group.bounds.end() ? all.max() : *above;
  out.low = above == group.bounds.begin() ? std::min(0.0, all.min()) : *std::prev(above);
}

Reading OfDistribution(const State& s, const Rule& rule, const Group& group, const Span& span) {
  Reading out;
  const auto& panes = group.distributions[0];
  if (panes.empty()) return out;
  sketch::Sketch all;
  panes.ForRange(span.first, span.last, [&](const sketch::Sketch& pane) { all.Merge(pane); });
  if (all.empty()) {
    const auto* newest = panes.NewestUpTo(span.last);
    bool good = false;
    for (const Member& member : group.members) {
      // Its newest point may be a baseline, or have observed nothing: then there is no value of it.
      good |= newest != nullptr && member.cell == Cell::kDistribution &&
              StillGood(s, member, span) &&
              sketch::PaneIndex(member.newest_ms, rule.pane_ms) <= newest->index;
    }
    if (!good) return out;
    all = newest->value;
  }
  const plan::Operand& operand = rule.spec.when.measure.value;
  out.known = true;
  out.points = all.count();
  switch (operand.aggregate) {
    case Aggregate::kAvg:
      out.value = all.sum() / all.count();
      break;
    case Aggregate::kMin:
      out.value = all.min();
      break;
    case Aggregate::kMax:
      out.value = all.max();
      break;
    default: {
      const auto quantile = all.Quantile(operand.quantile);
      out.known = quantile.has_value();
      out.value = quantile.value_or(0);
      break;
    }
  }
  out.low = out.high = out.value;
  if (out.known && operand.aggregate == Aggregate::kQuantile) SetBounds(group, all, out);
  return out;
}

Reading OfRatio(const State& s, const Rule& rule, const Group& group, const Span& span) {
  Reading out;
  const Increase below = OfOperand(s, rule, group, 1, span, false);
  if (!below.known) return out;
  // A counter without points is 0 where its denominator has data.
  const Increase above = OfOperand(s, rule, group, 0, span, false);
  out.points = below.raw;
  if (!(below.raw > 0)) {
    out.no_events = true;
    return out;
  }
  out.known = true;
  // Multiplied first, so that 1 of 100 is 1 % to the bit.
  const double percent = rule.spec.when.measure.unit == "%" ? 100 : 1;
  out.value = out.low = out.high = above.raw * percent / below.raw;
  return out;
}

Reading OfCounters(const State& s, const Rule& rule, const Group& group, const Span& span,
                   bool at_least) {
  Reading out;
  const plan::Measure& measure = rule.spec.when.measure;
  const Increase total = OfOperand(s, rule, group, 0, span, at_least);
  out.points = total.raw;
  switch (measure.value.aggregate) {
    case Aggregate::kRate:
      out.known = total.rate_known;
      out.value =
          total.per_ms * static_cast<double>(measure.per.count() > 0 ? measure.per.count() : 1000);
      break;
    case Aggregate::kIncrease:
      out.known = total.known;
      out.value = total.estimate;
      break;
    default:
      out.known = total.known;
      out.value = total.raw;
      break;
  }
  out.low = out.high = out.value;
  return out;
}

}  // namespace

double IncreaseOf(const State& s, const Rule& rule, const Member& member, std::int64_t pane) {
  return OfMember(s, rule, member, SpanOf(rule, pane), false).raw;
}

std::optional<double> GaugeOf(const State& s, const Rule& rule, const Member& member,
                              std::int64_t pane) {
  const plan::Measure& measure = rule.spec.when.measure;
  const auto value = OfGauge(s, member, measure.value.aggregate, SpanOf(rule, pane));
  return value ? std::optional(InUnit(measure, *value)) : std::nullopt;
}

bool TrueStays(const Rule& rule) {
  if (rule.spec.when.measure.denominator) return false;
  const bool up = Upward(rule.spec.when.op);
  switch (rule.spec.when.measure.value.aggregate) {
    case Aggregate::kLast:
      return true;
    case Aggregate::kMax:
      return up;
    case Aggregate::kMin:
      return !up;
    case Aggregate::kSum:
    case Aggregate::kCount:
    case Aggregate::kIncrease:
      return up && !rule.negatives;
    default:
      return false;
  }
}

Reading Measure(const State& s, const Rule& rule, const Group& group, std::int64_t pane,
                bool at_least) {
  const Span span = SpanOf(rule, pane);
  const plan::Measure& measure = rule.spec.when.measure;
  Reading out;
  if (measure.denominator) {
    out = OfRatio(s, rule, group, span);
  } else {
    bool counters = false;
    bool gauges = false;
    for (const Member& member : group.members) {
      counters |= member.cell == Cell::kCounter;
      gauges |= member.cell == Cell::kGauge;
    }
    out = OfDistribution(s, rule, group, span);
    if (!out.known && counters) out = OfCounters(s, rule, group, span, at_least);
    if (!out.known && gauges) out = OfGauges(s, rule, group, span);
  }
  for (double* v : {&out.value, &out.low, &out.high}) *v = InUnit(measure, *v);
  // Parts that were spread over panes add up to a hair beside the whole; a value at the threshold
  // stays at it.
  const double threshold = rule.spec.when.threshold;
  if (std::abs(out.value - threshold) <= 1e-9 * std::abs(threshold)) out.value = threshold;
  return out;
}

}  // namespace liveops::engine
