#include <algorithm>
#include <cmath>
#include <optional>

#include "common/sketch/sketch.h"
#include "services/rule-evaluation/engine/oracle/oracle.h"

namespace liveops::engine::oracle {
namespace {

using plan::Aggregate;

// An event may be stamped so far beyond the clock, no farther.
constexpr std::int64_t kAheadMs = 10'000;

std::int64_t PaneOf(std::int64_t time, std::int64_t pane_ms) {
  return (time + pane_ms - 1) / pane_ms;
}

// How long some stretches of time are together, what they share counted once.
double LengthOf(std::vector<std::pair<std::int64_t, std::int64_t>> stretches) {
  std::sort(stretches.begin(), stretches.end());
  std::int64_t length = 0;
  std::int64_t reached = INT64_MIN;
  for (const auto& [from, to] : stretches) {
    const std::int64_t begin = std::max(from, reached);
    if (to <= begin) continue;
    length += to - begin;
    reached = to;
  }
  return static_cast<double>(length);
}

// What one counter did in a span.
struct Count {
  bool known = false;
  double events = 0;   // of which the time is known
  double time_ms = 0;  // that time
  double loose = 0;    // events of which it is not
  double all() const { return events + loose; }
};

double SaidBy(const Point& p, Aggregate aggregate) {
  return aggregate == Aggregate::kSum ? p.total : p.events;
}

}  // namespace

std::vector<const Point*> Oracle::In(const MemberBook& member, std::int64_t from,
                                     std::int64_t to) const {
  std::vector<const Point*> in;
  for (std::size_t i = member.points.size(); i-- > 0;) {
    const Point& p = points_.at({member.series, member.points[i]});
    if (p.clock + kAheadMs < from) break;  // nor is anything that came before it so new
    if (p.time > from && p.time <= to) in.push_back(&p);
  }
  std::reverse(in.begin(), in.end());
  return in;
}

const Point* Oracle::NewestUpTo(const MemberBook& member, std::int64_t to) const {
  const Point* newest = nullptr;
  for (std::size_t i = member.points.size(); i-- > 0;) {
    const Point& p = points_.at({member.series, member.points[i]});
    if (newest != nullptr && p.clock + kAheadMs < newest->time) break;
    if (p.time <= to && (newest == nullptr || p.time > newest->time)) newest = &p;
  }
  return newest;
}

const Point* Oracle::StillGood(const MemberBook& member, const Span& span) const {
  // "No point in the earlier window": then nothing is known. Who left, or was forgotten, is no
  // more.
  if (member.past || member.left) return nullptr;
  const Point* newest = NewestUpTo(member, span.to);
  const std::int64_t good = 2 * points_.at(member.series).Interval();
  return newest != nullptr && span.to - newest->time < good ? newest : nullptr;
}

Oracle::MemberBooks Oracle::Members(const Watch& watch, const GroupBook& group, std::size_t test,
                                    bool past) const {
  MemberBooks members;
  const Labels labels = Pick(watch.test(test).by, group.labels);
  for (const MemberBook& m : watch.members) {
    if (m.test == test && m.past == past && m.labels == labels) members.push_back(&m);
  }
  return members;
}

// "A delta, cumulative or histogram point covers (its start or the previous point, its time].
// rate = increase / time covered, never / W; increase = rate x W."
// Reading: what a point counts is spread evenly over what it covers. A point that covers no known
// time counts when it was told, and says nothing of a rate. What came is the least that an increase
// is. A ratio divides what came, not what it would be in a whole window.
Amount Oracle::OfCounters(const plan::Operand& operand, bool ratio, const MemberBooks& members,
                          const Span& span, bool sure) const {
  const auto window = static_cast<double>(span.to - span.from);
  bool known = false;
  bool rate_known = false;
  double rate = 0;  // per ms
  double came = 0;
  double increase = 0;
  for (const MemberBook* m : members) {
    Count c;
    std::vector<std::pair<std::int64_t, std::int64_t>> covered;
    // Reading: an observation happened when it did; only who asks how much there is in a time asks
    // for what time it stands.
    const bool at_once = points_.at(m->series).kind == SeriesKind::kObservation && !ratio &&
                         operand.aggregate != Aggregate::kRate &&
                         operand.aggregate != Aggregate::kIncrease;
    const auto stands_for = [&](const Point& p) { return !at_once && p.covers && p.from < p.time; };
    for (const Point* p : In(*m, span.from, INT64_MAX)) {
      const bool stretch = stands_for(*p);
      if (p->baseline || (stretch ? p->from >= span.to : p->time > span.to)) continue;
      const double said = SaidBy(*p, operand.aggregate);
      if (stretch) {
        const std::int64_t from = std::max(p->from, span.from);
        const std::int64_t to = std::min(p->time, span.to);
        covered.emplace_back(from, to);
        c.events += said * static_cast<double>(to - from) / static_cast<double>(p->time - p->from);
      } else if (p->covers) {
        c.events += said;
      } else {
        c.loose += said;
      }
      c.known = true;
    }
    c.time_ms = LengthOf(std::move(covered));
    if (const Point* p = c.known || sure ? nullptr : StillGood(*m, span);
        p != nullptr && !p->baseline && stands_for(*p)) {
      const auto length = static_cast<double>(p->time - p->from);
      c.known = true;
      c.time_ms = std::min(length, window);
      c.events = SaidBy(*p, operand.aggregate) * (c.time_ms / length);
    }
    known |= c.known;
    came += c.all();
    const double per_ms = c.time_ms > 0 ? c.events / c.time_ms : 0;
    rate_known |= c.time_ms > 0;
    rate += per_ms;
    increase += sure ? c.all() : std::max(c.all(), per_ms * window);
  }
  Amount amount;
  amount.known = known;
  amount.events = came;
  if (ratio || operand.aggregate == Aggregate::kCount || operand.aggregate == Aggregate::kSum) {
    amount.value = came;
  } else if (operand.aggregate == Aggregate::kRate) {
    amount.known = rate_known;
    amount.value = rate * static_cast<double>(operand.per.count());
  } else {
    amount.value = increase;
  }
  return amount;
}

// How many values of a label are said by series with a point in the span, or with one before it
// that still stands.
Amount Oracle::OfLabels(const plan::Operand& operand, const MemberBooks& members, const Span& span,
                        bool sure) const {
  std::set<std::string> values;
  for (const MemberBook* m : members) {
    const bool speaks =
        !In(*m, span.from, span.to).empty() || (!sure && StillGood(*m, span) != nullptr);
    if (speaks) values.insert(*points_.at(m->series).labels.Find(operand.label));
  }
  Amount amount;
  amount.known = !values.empty();
  amount.value = static_cast<double>(values.size());
  return amount;
}

// Everything that some series observed in a span, in one sketch.
sketch::Sketch Oracle::Observed(const MemberBooks& members, const Span& span) const {
  sketch::Sketch all;
  struct Buckets {
    std::vector<std::uint64_t> counts;
    double total = 0;
  };
  std::map<std::vector<double>, Buckets> histograms;  // by bounds
  for (const MemberBook* m : members) {
    for (const Point* p : In(*m, span.from, span.to)) {
      if (p->baseline || !(p->events > 0)) continue;
      if (!points_.at(m->series).histogram()) {
        all.Add(p->value);
        continue;
      }
      Buckets& sum = histograms[p->bounds];
      sum.counts.resize(p->observed.size());
      for (std::size_t i = 0; i < p->observed.size(); ++i) sum.counts[i] += p->observed[i];
      sum.total += p->total;
    }
  }
  for (const auto& [bounds, sum] : histograms) all.AddHistogram(bounds, sum.counts, sum.total);
  return all;
}

// Reading: a histogram's observations lie where it was told, they are not spread. A window without
// one uses the newest pane that has some, as long as one of the series has not spoken since.
Amount Oracle::OfDistribution(const plan::Test& test, const plan::Operand& operand,
                              const MemberBooks& members, const Span& span) const {
  sketch::Sketch all = Observed(members, span);
  if (all.empty()) {
    const std::int64_t pane = span.pane > 0 ? span.pane : plan::PaneLength(test.window).count();
    std::int64_t newest = INT64_MIN;
    for (const MemberBook* m : members) {
      for (const Point* p : In(*m, INT64_MIN / 2, span.to)) {
        if (!p->baseline && p->events > 0) newest = std::max(newest, PaneOf(p->time, pane));
      }
    }
    const bool good = std::any_of(members.begin(), members.end(), [&](const MemberBook* m) {
      const Point* p = StillGood(*m, span);
      return p != nullptr && PaneOf(p->time, pane) <= newest;
    });
    if (!good) return {};
    all = Observed(members, {(newest - 1) * pane, newest * pane});
  }
  Amount amount;
  amount.known = true;
  amount.of_events = operand.aggregate != Aggregate::kMin && operand.aggregate != Aggregate::kMax &&
                     !IsGauge(points_.at(members.front()->series));
  amount.events = all.count();
  switch (operand.aggregate) {
    case Aggregate::kAvg:
      amount.value = all.sum() / all.count();
      break;
    case Aggregate::kMin:
      amount.value = all.min();
      break;
    case Aggregate::kMax:
      amount.value = all.max();
      break;
    case Aggregate::kStddev:
      amount.value = all.Stddev().value_or(0);
      break;
    default:
      amount.value = all.Quantile(operand.quantile).value_or(0);
      break;
  }
  return amount;
}

Amount Oracle::OfOperand(const plan::Test& test, std::size_t operand, const MemberBooks& members,
                         const Span& span, bool sure) const {
  const plan::Operand& op = test.measure.operands[operand];
  MemberBooks mine;
  for (const MemberBook* m : members) {
    if (m->operand == operand) mine.push_back(m);
  }
  if (mine.empty()) return {};
  if (op.aggregate == Aggregate::kDistinct) return OfLabels(op, mine, span, sure);
  if (IsRead(points_.at(mine.front()->series), op.aggregate))
    return OfGauges(test, op.aggregate, mine, span);
  switch (op.aggregate) {
    case Aggregate::kRate:
    case Aggregate::kIncrease:
    case Aggregate::kCount:
    case Aggregate::kSum:
      return OfCounters(op, test.measure.IsRatio(), mine, span, sure);
    default:
      return OfDistribution(test, op, mine, span);
  }
}

// "Nothing where an operand has no value, or the result is none; a counter without points is 0
// where another operand has data."
Amount Oracle::OfFormula(const plan::Test& test, const MemberBooks& members,
                         const Span& span) const {
  const std::vector<plan::Operand>& operands = test.measure.operands;
  std::vector<double> values;
  bool any = false;
  for (std::size_t o = 0; o < operands.size(); ++o) {
    const Amount one = OfOperand(test, o, members, span, false);
    const Aggregate aggregate = operands[o].aggregate;
    const bool counts = aggregate == Aggregate::kRate || aggregate == Aggregate::kIncrease ||
                        aggregate == Aggregate::kCount;
    if (!one.known && !counts) return {};
    any |= one.known;
    values.push_back(one.known ? one.value : 0);
  }
  std::vector<double> left;  // that are still to be used
  for (const plan::FormulaStep& step : test.measure.formula) {
    using Kind = plan::FormulaStep::Kind;
    if (step.kind == Kind::kOperand || step.kind == Kind::kNumber) {
      left.push_back(step.kind == Kind::kNumber ? step.number : values[step.operand]);
      continue;
    }
    const double second = left.back();
    left.pop_back();
    const double first = left.back();
    left.pop_back();
    if (step.kind == Kind::kAdd) left.push_back(first + second);
    if (step.kind == Kind::kSubtract) left.push_back(first - second);
    if (step.kind == Kind::kMultiply) left.push_back(first * second);
    if (step.kind == Kind::kDivide) left.push_back(first / second);
  }
  Amount amount;
  amount.known = any && std::isfinite(left.back());
  amount.value = amount.known ? left.back() : 0;
  return amount;
}

// Reading: where several services are read together, one of which nothing was ever heard leaves the
// value unknown.
bool Oracle::HeardOfAll(const plan::Measure& measure, const MemberBooks& members) const {
  if (measure.operands.size() == 1) return true;
  std::map<std::string, bool> heard;
  for (std::size_t o = 0; o < measure.operands.size(); ++o) {
    const auto of = services_.find(measure.operands[o].metric);
    if (of == services_.end()) continue;
    heard[of->second] |= std::any_of(members.begin(), members.end(),
                                     [&](const MemberBook* m) { return m->operand == o; });
  }
  return std::all_of(heard.begin(), heard.end(), [](const auto& one) { return one.second; });
}

Amount Oracle::Measure(const Watch& watch, const GroupBook& group, std::size_t test,
                       const Span& span, bool sure, bool past) const {
  const plan::Test& t = watch.test(test);
  const plan::Measure& m = t.measure;
  const double percent = m.unit == "%" ? 100 : 1;
  MemberBooks members = Members(watch, group, test, past);
  for (const MemberBook& d : watch.departed) {
    if (d.test == test && d.past == past && d.labels == Pick(t.by, group.labels))
      members.push_back(&d);
  }
  if (!HeardOfAll(m, members)) return {};
  if (m.form == plan::Measure::Form::kFormula) return OfFormula(t, members, span);
  Amount amount = OfOperand(t, m.IsRatio() ? 1 : 0, members, span, sure && !m.IsRatio());
  if (m.IsRatio() && amount.known) {
    // "A counter without points is 0 where its denominator has data."
    const double part = OfOperand(t, 0, members, span, false).value;
    const double whole = amount.value;
    const double bad =
        m.form == plan::Measure::Form::kShortfall ? std::max(0.0, whole - part) : part;
    amount.of_events = true;
    amount.known = whole > 0;
    amount.counts_nothing = !amount.known;
    amount.bad = bad;
    amount.value = bad * percent / whole;
  } else if (m.capacity > 0) {
    amount.value = amount.value * percent / m.capacity;
  }
  return amount;
}

}  // namespace liveops::engine::oracle
