#include <algorithm>
#include <cmath>

#include "services/rule-evaluation/engine/window_sums.h"

namespace liveops::engine {

using plan::Aggregate;

namespace {

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
  return last != nullptr ? std::optional(last->value) : std::nullopt;
}

// Multiplied first, so that 160 of 200 is 80 % to the bit.
double InUnit(const plan::Measure& measure, double value) {
  if (!(measure.capacity > 0)) return value;
  return value * (measure.unit == "%" ? 100 : 1) / measure.capacity;
}

Reading OfGauges(const State& s, const Rule& rule, const Cells& cells, std::size_t operand,
                 const Span& span) {
  Reading out;
  const plan::Test& test = rule.test(cells.test);
  const Aggregate aggregate = test.measure.operands[operand].aggregate;
  const bool adds = aggregate == Aggregate::kSum || aggregate == Aggregate::kCount;
  for (std::size_t i = 0; i < cells.members.size(); ++i) {
    const Member& member = cells.members[i];
    if (member.cell != Cell::kGauge || member.operand != operand) continue;
    const auto value = OfGauge(s, cells, i, aggregate, span);
    if (!value) continue;
    if (!out.known) {
      out.value = *value;
    } else {
      out.value = adds ? out.value + *value : Worse(test.op, out.value, *value);
    }
    out.known = true;
  }
  return out;
}

// Where the quantile may really lie.
void SetBounds(const Cells& cells, const sketch::Sketch& all, Reading& out) {
  if (all.min() == all.max()) return;
  if (cells.bounds.empty()) {
    const sketch::Bounds bin = sketch::Sketch::BinOf(out.value);
    out.low = std::max(bin.low, all.min());
    out.high = std::min(bin.high, all.max());
    return;
  }
  const auto above = std::lower_bound(cells.bounds.begin(), cells.bounds.end(), out.value);
  out.high = above == cells.bounds.end() ? all.max() : *above;
  out.low = above == cells.bounds.begin() ? std::min(0.0, all.min()) : *std::prev(above);
}

Reading OfDistribution(const State& s, const Rule& rule, const Cells& cells, std::size_t index,
                       const Span& span) {
  Reading out;
  const auto& panes = cells.distributions[index];
  if (panes.empty()) return out;
  sketch::Sketch all;
  panes.ForRange(span.first, span.last, [&](const sketch::Sketch& pane) { all.Merge(pane); });
  if (all.empty()) {
    const auto* newest = panes.NewestUpTo(span.last);
    bool good = false;
    for (const Member& member : cells.members) {
      // Its newest point may be a baseline, or have observed nothing: then there is no value of it.
      if (newest == nullptr || member.operand != index || member.cell != Cell::kDistribution)
        continue;
      const Member::Last* last = StillGood(s, member, span);
      good |= last != nullptr &&
              sketch::PaneIndex(last->ms, rule.windows[cells.test].pane_ms) <= newest->index;
    }
    if (!good) return out;
    all = newest->value;
  }
  const plan::Operand& operand = rule.test(cells.test).measure.operands[index];
  out.events = true;
  out.points = all.count();
  std::optional<double> value;
  switch (operand.aggregate) {
    case Aggregate::kAvg:
      value = all.sum() / all.count();
      break;
    case Aggregate::kMin:
      value = all.min();
      break;
    case Aggregate::kMax:
      value = all.max();
      break;
    case Aggregate::kStddev:
      value = all.Stddev();
      break;
    default:
      value = all.Quantile(operand.quantile);
      break;
  }
  out.known = value.has_value();
  out.value = out.low = out.high = value.value_or(0);
  if (out.known && operand.aggregate == Aggregate::kQuantile) SetBounds(cells, all, out);
  return out;
}

// A quantile of a classic Prometheus histogram: cumulative counts by upper bound (`le`), taken as
// evenly spread inside a bucket, the last finite bound standing for what lies above it; as
// Prometheus' histogram_quantile.
Reading OfBuckets(const State& s, const Rule& rule, const Cells& cells, std::size_t operand,
                  const Span& span) {
  Reading out;
  std::vector<std::pair<double, double>> upto;  // bound, events at or below
  upto.reserve(std::min<std::size_t>(cells.members.size(), 32));
  const auto sums = cells.grid.Sum(span.first, span.last, false);
  for (std::size_t i = 0; i < cells.members.size(); ++i) {
    const Member& member = cells.members[i];
    if (member.cell != Cell::kBucket || member.operand != operand) continue;
    const Increase one =
        OfMember(s, rule.window_ms(cells.test), member, SumOf(sums, i), span, false);
    if (!one.known) continue;
    const auto at = std::lower_bound(upto.begin(), upto.end(), member.bound,
                                     [](const auto& e, double bound) { return e.first < bound; });
    if (at != upto.end() && at->first == member.bound) {
      at->second += one.raw;
    } else {
      upto.insert(at, {member.bound, one.raw});
    }
  }
  // Without the last bucket the events above the others are not known.
  if (upto.size() < 2 || !std::isinf(upto.back().first)) return out;
  for (std::size_t i = 1; i < upto.size(); ++i) {
    upto[i].second = std::max(upto[i].second, upto[i - 1].second);
  }
  const double all = upto.back().second;
  if (!(all > 0)) return out;
  out.known = out.events = true;
  out.points = all;
  const double rank = rule.test(cells.test).measure.operands[operand].quantile * all;
  std::size_t i = 0;
  while (i + 1 < upto.size() && upto[i].second < rank) ++i;
  if (i + 1 == upto.size()) {
    out.value = out.low = upto[i - 1].first;
    out.high = upto[i].first;
    return out;
  }
  const double below = i == 0 ? 0 : upto[i - 1].second;
  out.high = upto[i].first;
  out.low = i == 0 ? std::min(0.0, out.high) : upto[i - 1].first;
  const double inside = upto[i].second - below;
  out.value = inside > 0 ? out.low + (out.high - out.low) * ((rank - below) / inside) : out.high;
  return out;
}

Reading OfIncrease(const Increase& total, const plan::Operand& operand) {
  Reading out;
  out.points = total.raw;
  switch (operand.aggregate) {
    case Aggregate::kRate:
      out.known = total.rate_known;
      out.value =
          total.per_ms * static_cast<double>(operand.per.count() > 0 ? operand.per.count() : 1000);
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
  return out;
}

// One operand, by whatever kinds of series feed it.
Reading OfOperand(const State& s, const Rule& rule, const Cells& cells, std::size_t operand,
                  const Span& span, bool at_least) {
  bool has[5] = {};
  for (const Member& member : cells.members) {
    if (member.operand == operand) has[static_cast<std::size_t>(member.cell)] = true;
  }
  const auto any = [&](Cell cell) { return has[static_cast<std::size_t>(cell)]; };
  Reading out = OfDistribution(s, rule, cells, operand, span);
  if (!out.known && any(Cell::kBucket)) out = OfBuckets(s, rule, cells, operand, span);
  const bool bounded = out.known;
  if (!out.known && any(Cell::kCounter)) {
    const auto sums = cells.grid.Sum(span.first, span.last, true);
    out = OfIncrease(OfCounters(s, rule, cells, sums, operand, span, at_least),
                     rule.test(cells.test).measure.operands[operand]);
  }
  if (!out.known && any(Cell::kGauge)) out = OfGauges(s, rule, cells, operand, span);
  if (!bounded) out.low = out.high = out.value;
  return out;
}

Reading OfRatio(const State& s, const Rule& rule, const Cells& cells, const Span& span) {
  Reading out;
  const plan::Measure& measure = rule.test(cells.test).measure;
  const auto sums = cells.grid.Sum(span.first, span.last, false);
  const Increase below = OfCounters(s, rule, cells, sums, 1, span, false);
  if (!below.known) return out;
  // A counter without points is 0 where its denominator has data.
  const Increase above = OfCounters(s, rule, cells, sums, 0, span, false);
  out.points = below.raw;
  out.events = true;
  if (!(below.raw > 0)) {
    out.no_events = true;
    return out;
  }
  out.known = true;
  out.bad = measure.form == plan::Measure::Form::kShortfall ? std::max(0.0, below.raw - above.raw)
                                                            : above.raw;
  // Multiplied first, so that 1 of 100 is 1 % to the bit.
  const double percent = measure.unit == "%" ? 100 : 1;
  out.value = out.low = out.high = out.bad * percent / below.raw;
  return out;
}

// Nothing where an operand has no value, or where the result is none (a division by 0). A counter
// without points is 0 where another operand has data.
Reading OfFormula(const State& s, const Rule& rule, const Cells& cells, const Span& span) {
  const plan::Measure& measure = rule.test(cells.test).measure;
  Reading out;
  std::vector<double> values(measure.operands.size());
  bool any = false;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const Reading one = OfOperand(s, rule, cells, i, span, false);
    const Aggregate aggregate = measure.operands[i].aggregate;
    const bool counted = aggregate == Aggregate::kIncrease || aggregate == Aggregate::kRate ||
                         aggregate == Aggregate::kCount;
    if (!one.known && !counted) return out;
    any |= one.known;
    values[i] = one.known ? one.value : 0;
  }
  if (!any) return out;
  std::vector<double> stack;
  for (const plan::FormulaStep& step : measure.formula) {
    using Kind = plan::FormulaStep::Kind;
    if (step.kind == Kind::kOperand || step.kind == Kind::kNumber) {
      stack.push_back(step.kind == Kind::kOperand ? values[step.operand] : step.number);
      continue;
    }
    if (stack.size() < 2) return out;
    const double right = stack.back();
    stack.pop_back();
    double& left = stack.back();
    left = step.kind == Kind::kAdd        ? left + right
           : step.kind == Kind::kSubtract ? left - right
           : step.kind == Kind::kMultiply ? left * right
                                          : left / right;
  }
  if (stack.size() != 1 || !std::isfinite(stack[0])) return out;
  out.known = true;
  out.value = out.low = out.high = stack[0];
  return out;
}

}  // namespace

double IncreaseOf(const State& s, const Rule& rule, const Cells& cells, std::size_t column,
                  std::int64_t pane) {
  return OfColumn(s, rule, cells, column, SpanOf(rule, cells, pane)).raw;
}

std::optional<double> GaugeOf(const State& s, const Rule& rule, const Cells& cells,
                              std::size_t column, std::int64_t pane) {
  const plan::Measure& measure = rule.test(cells.test).measure;
  const plan::Operand& operand = measure.operands[cells.members[column].operand];
  const auto value = OfGauge(s, cells, column, operand.aggregate, SpanOf(rule, cells, pane));
  return value ? std::optional(InUnit(measure, *value)) : std::nullopt;
}

bool TrueStays(const Rule& rule, const Cells& cells) {
  const plan::Test& test = rule.test(cells.test);
  if (test.measure.form != plan::Measure::Form::kPlain || test.IsCompared()) return false;
  const bool up = plan::IsUpward(test.op);
  switch (test.measure.value().aggregate) {
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

Reading Measure(const State& s, const Rule& rule, const Cells& cells, std::int64_t pane,
                bool at_least) {
  const Span span = SpanOf(rule, cells, pane);
  const plan::Test& test = rule.test(cells.test);
  Reading out = test.measure.IsRatio() ? OfRatio(s, rule, cells, span)
                : test.measure.form == plan::Measure::Form::kFormula
                    ? OfFormula(s, rule, cells, span)
                    : OfOperand(s, rule, cells, 0, span, at_least);
  for (double* v : {&out.value, &out.low, &out.high}) *v = InUnit(test.measure, *v);
  if (test.IsCompared()) return out;
  // Parts that were spread over panes add up to a hair beside the whole; a value at the threshold
  // stays at it.
  if (std::abs(out.value - test.threshold) <= 1e-9 * std::abs(test.threshold)) {
    out.value = test.threshold;
  }
  return out;
}

}  // namespace liveops::engine
