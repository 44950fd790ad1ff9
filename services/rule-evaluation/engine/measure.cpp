#include <algorithm>
#include <cmath>

#include "services/rule-evaluation/engine/merged.h"
#include "services/rule-evaluation/engine/tally.h"

namespace liveops::engine {

using plan::Aggregate;

namespace {

// Multiplied first, so that 160 of 200 is 80 % to the bit.
double InUnit(const plan::Measure& measure, double value) {
  if (!(measure.capacity > 0)) return value;
  return value * (measure.unit == "%" ? 100 : 1) / measure.capacity;
}

// Where the quantile may really lie.
void SetBounds(const std::vector<double>& bounds, const sketch::Sketch& all, Reading& out) {
  if (all.min() == all.max()) return;
  if (bounds.empty()) {
    const sketch::Bounds bin = sketch::Sketch::BinOf(out.value);
    out.low = std::max(bin.low, all.min());
    out.high = std::min(bin.high, all.max());
    return;
  }
  const auto above = std::lower_bound(bounds.begin(), bounds.end(), out.value);
  out.high = above == bounds.end() ? all.max() : *above;
  out.low = above == bounds.begin() ? std::min(0.0, all.min()) : *std::prev(above);
}

// A quantile of a classic Prometheus histogram: cumulative counts by upper bound (`le`), taken as
// evenly spread inside a bucket, the last finite bound standing for what lies above it; as
// Prometheus' histogram_quantile.
Reading OfBuckets(double quantile, std::vector<std::pair<double, double>> upto) {
  Reading out;
  // Without the last bucket the events above the others are not known.
  if (upto.size() < 2 || !std::isinf(upto.back().first)) return out;
  for (std::size_t i = 1; i < upto.size(); ++i) {
    upto[i].second = std::max(upto[i].second, upto[i - 1].second);
  }
  const double all = upto.back().second;
  if (!(all > 0)) return out;
  out.known = out.events = true;
  out.points = all;
  const double rank = quantile * all;
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

}  // namespace

Reading ValueMaker::OfObserved(const plan::Operand& operand, const Observed& observed) const {
  Reading out;
  // The newest point may be a baseline, or have observed nothing: then there is no value of it.
  if (!observed.any || (!observed.in_window && observed.stands_from > observed.pane)) return out;
  const sketch::Sketch& all = observed.sketch;
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
  if (out.known && operand.aggregate == Aggregate::kQuantile) SetBounds(bounds_, all, out);
  return out;
}

// By whatever kinds of series feed it.
Reading ValueMaker::OfOperand(std::size_t index, const Tally& tally) const {
  const plan::Operand& operand = test_.measure.operands[index];
  if (operand.aggregate == Aggregate::kDistinct) {
    Reading counted;
    counted.known = !tally.distinct.empty();
    counted.value = counted.low = counted.high = tally.distinct.Count();
    return counted;
  }
  Reading out = OfObserved(operand, tally.observed);
  out.events = out.events && !tally.has_gauges;  // a reading is no event
  if (!out.known && tally.has_buckets) out = OfBuckets(operand.quantile, tally.upto);
  const bool bounded = out.known;
  if (!out.known && tally.has_counters) out = OfIncrease(tally.counted, operand);
  if (!out.known && tally.has_gauges) {
    out = Reading();
    out.known = tally.gauges.has_value();
    out.value = tally.gauges.value_or(0);
  }
  if (!bounded) out.low = out.high = out.value;
  return out;
}

Reading ValueMaker::OfRatio(const Increase& above, const Increase& below) const {
  Reading out;
  const plan::Measure& measure = test_.measure;
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

// Nothing where the result is none (a division by 0).
Reading ValueMaker::OfFormula(const std::vector<double>& values) const {
  Reading out;
  std::vector<double> stack;
  for (const plan::FormulaStep& step : test_.measure.formula) {
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

Reading ValueMaker::Finished(Reading out) const {
  for (double* v : {&out.value, &out.low, &out.high}) *v = InUnit(test_.measure, *v);
  return out;
}

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
    case Aggregate::kDistinct:
      return up;
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
  if (s.merged != nullptr) return s.merged->Measure(rule, cells.test, at_least);
  if (CountsReporters(rule.test(cells.test))) {
    return CountReporters(s, rule, cells, pane * rule.windows[cells.test].pane_ms);
  }
  TallyMaker tallies(s, rule, cells, pane, at_least);
  return ValueMaker(rule.test(cells.test), cells.bounds).Make([&](std::size_t operand) {
    return tallies.Of(operand);
  });
}

}  // namespace liveops::engine
