#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

#include "services/rule-evaluation/engine/window_sums.h"

// A value is made in two stages: each series of an operand by itself, added up to a tally; then the
// tallies of a test to its value. Only the first needs the series, so tallies of several shards can
// be merged.
namespace liveops::engine {

// What was observed: in the window, or in the newest pane before its end where the window is empty.
struct Observed {
  bool any = false;  // the operand has observations at all
  bool in_window = false;
  std::int64_t pane = 0;  // of the newest one, when `in_window` is not set
  // The first pane in which the newest point lies of a series whose newest one still stands. Said
  // also by who has no observations: it lets those of other shards stand.
  std::int64_t stands_from = std::numeric_limits<std::int64_t>::max();
  sketch::Sketch sketch;
};

// Of one operand in one window.
struct Tally {
  bool has_counters = false;
  bool has_buckets = false;
  bool has_gauges = false;  // read, or observed where a quantile of them is asked for
  Increase counted;         // by counters
  // By upper bound, ascending: events in the bucket of that bound and those below.
  std::vector<std::pair<double, double>> upto;
  std::optional<double> gauges;  // of all together
  sketch::HyperLogLog distinct;  // label values that spoke
  Observed observed;

  // Did a series of it ever speak?
  bool heard() const { return has_counters || has_buckets || has_gauges || observed.any; }
};

// Makes the tallies of some cells' operands over one window, each when it is asked for.
class TallyMaker {
 public:
  // `at_least`: only what is sure to stay (increase counts what came, not what it extrapolates to).
  TallyMaker(const State& s, const Rule& rule, const Cells& cells, std::int64_t pane,
             bool at_least);
  Tally Of(std::size_t operand);

 private:
  const sketch::PaneGrid::Sums& Sums();
  void ReadBuckets(std::size_t operand, Tally& out);
  void ReadGauges(std::size_t operand, Tally& out) const;
  void ReadObserved(std::size_t operand, Observed& out) const;
  void ReadDistinct(std::size_t operand, sketch::HyperLogLog& out) const;

  const State& s_;
  const Rule& rule_;
  const Cells& cells_;
  const plan::Test& test_;
  const Span span_;
  const bool at_least_;
  std::optional<sketch::PaneGrid::Sums> sums_;
};

// Do the values of several gauges add up? If not the worst of them counts.
inline bool AddsGauges(plan::Aggregate aggregate) {
  return aggregate == plan::Aggregate::kSum || aggregate == plan::Aggregate::kCount;
}

// The value that the tallies of a test's operands make: `tally_of(operand)` is a Tally. `bounds`:
// of the newest explicit histogram, for the bounds of a quantile.
class ValueMaker {
 public:
  ValueMaker(const plan::Test& test, const std::vector<double>& bounds)
      : test_(test), bounds_(bounds) {}

  template <typename TallyOf>
  Reading Make(TallyOf tally_of) const;

 private:
  Reading OfOperand(std::size_t operand, const Tally& tally) const;
  Reading OfObserved(const plan::Operand& operand, const Observed& observed) const;
  Reading OfRatio(const Increase& above, const Increase& below) const;
  Reading OfFormula(const std::vector<double>& values) const;
  Reading Finished(Reading value) const;
  // Where a counter without points is 0, that of another service is so only if the service is heard
  // of: else one that nobody knows would do nothing, where nothing is known of it.
  template <typename Heard>
  bool HeardAll(Heard heard) const;

  const plan::Test& test_;
  const std::vector<double>& bounds_;
};

template <typename Heard>
bool ValueMaker::HeardAll(Heard heard) const {
  const auto& operands = test_.measure.operands;
  for (const plan::Operand& operand : operands) {
    if (operand.service.empty() || operands.size() == 1) continue;
    bool any = false;
    for (std::size_t i = 0; i < operands.size() && !any; ++i) {
      any = operands[i].service == operand.service && heard(i);
    }
    if (!any) return false;
  }
  return true;
}

template <typename TallyOf>
Reading ValueMaker::Make(TallyOf tally_of) const {
  const plan::Measure& measure = test_.measure;
  if (!HeardAll([&](std::size_t operand) { return tally_of(operand).heard(); })) {
    return Finished(Reading());
  }
  if (measure.IsRatio()) {
    const Increase below = tally_of(1).counted;
    // A counter without points is 0 where its denominator has data.
    return Finished(below.known ? OfRatio(tally_of(0).counted, below) : Reading());
  }
  if (measure.form != plan::Measure::Form::kFormula) return Finished(OfOperand(0, tally_of(0)));
  // Nothing where an operand has no value. A counter without points is 0 where another operand has
  // data.
  std::vector<double> values(measure.operands.size());
  bool any = false;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const Reading one = OfOperand(i, tally_of(i));
    const plan::Aggregate aggregate = measure.operands[i].aggregate;
    const bool counted = aggregate == plan::Aggregate::kIncrease ||
                         aggregate == plan::Aggregate::kRate ||
                         aggregate == plan::Aggregate::kCount;
    if (!one.known && !counted) return Finished(Reading());
    any |= one.known;
    values[i] = one.known ? one.value : 0;
  }
  return Finished(any ? OfFormula(values) : Reading());
}

// What one gauge says in the window, as it was reported.
std::optional<double> OfGauge(const State& s, const Cells& cells, std::size_t column,
                              plan::Aggregate aggregate, const Span& span);

}  // namespace liveops::engine
