#include <algorithm>
#include <cmath>
#include <vector>

#include "services/rule-evaluation/engine/merged.h"
#include "services/rule-evaluation/engine/slices.h"
#include "services/rule-evaluation/engine/state.h"

namespace liveops::engine {
namespace {

// The normal deviate that one side of 95 % lies below.
constexpr double kNinetyFive = 1.6448536269514722;

const Cells* CellsOf(const State& s, const Rule& rule, const Group& group, std::size_t store) {
  return s.merged != nullptr ? s.merged->CellsOf(rule, store) : rule.CellsOf(group, store);
}

bool HasMembers(const State& s, const Rule& rule, const Cells& cells) {
  return s.merged != nullptr ? s.merged->HasMembers(rule, cells.test) : !cells.members.empty();
}

// The lower bound of Wilson's score interval for a share of `bad` among `all`, one side, 95 %.
double WilsonLowerBound(double bad, double all) {
  constexpr double z = kNinetyFive;
  const double share = std::clamp(bad / all, 0.0, 1.0);
  const double spread = z * std::sqrt(share * (1 - share) / all + z * z / (4 * all * all));
  return (share + z * z / (2 * all) - spread) / (1 + z * z / all);
}

// Against what a value is held, and the life of what hangs on it.
struct Bar {
  plan::Comparison op = plan::Comparison::kGreater;
  double threshold = 0;
  const Life& life;
};

// Parts that were spread over panes add up to a hair beside the whole; a value at the threshold
// stays at it.
double AtThreshold(double value, double threshold) {
  return std::abs(value - threshold) <= 1e-9 * std::abs(threshold) ? threshold : value;
}

// Too few events to call it true?
bool TooFew(const Rule& rule, const plan::Test& test, const Bar& bar, const Reading& r) {
  if (!r.events) return false;
  const plan::Aggregate aggregate = test.measure.value().aggregate;
  const bool estimate = test.measure.IsRatio() || aggregate == plan::Aggregate::kQuantile ||
                        aggregate == plan::Aggregate::kAvg || aggregate == plan::Aggregate::kStddev;
  if (estimate && r.points + 1e-6 < rule.spec.min_count) return true;
  if (!rule.spec.evidence || !test.measure.IsRatio()) return false;
  const double percent = test.measure.unit == "%" ? 100 : 1;
  if (r.bad + 1e-6 < static_cast<double>(rule.spec.evidence->bad_min)) return true;
  return rule.spec.evidence->sample &&
         !plan::Holds(WilsonLowerBound(r.bad, r.points) * percent, bar.op, bar.threshold);
}

struct Outcome {
  TestResult result;
  Reading reading;
  std::int64_t pane = 0;      // the last of the window
  std::int64_t begin_ms = 0;  // of the window
};

// Makes what a test reads now, over a window that ends at `end_ms`, a part of what it was then.
// False when that is not known.
bool CompareWithThen(const State& s, const Rule& rule, const Group& group, std::size_t i,
                     std::int64_t end_ms, Outcome& out) {
  const std::size_t store = rule.windows[i].earlier;
  const Window& earlier = rule.windows[store];
  const Cells* cells = CellsOf(s, rule, group, store);
  const std::int64_t pane = rule.PaneAt(store, end_ms - earlier.ago_ms);
  const std::int64_t then_ms = pane * earlier.pane_ms;
  Reading then;
  const bool known = s.merged != nullptr
                         ? s.merged->KnownThen(rule, store)
                         : KnownThen(s, rule, then_ms - earlier.read * earlier.pane_ms, then_ms);
  if (cells != nullptr && known) {
    then = Measure(s, rule, *cells, pane, false);
  }
  Reading& now = out.reading;
  Compared& compared = out.result.compared;
  compared.now = now.value;
  if (then.known) compared.then = then.value;
  if (!then.known || !(then.value > 0) || !std::isfinite(now.value * 100 / then.value)) {
    out.result.why = Why::kNoThen;
    now.known = false;
    return false;
  }
  // Multiplied first, so that 3 of 2 is 150 % to the bit.
  now.value = now.value * 100 / then.value;
  now.low = now.high = now.value;
  now.points = std::min(now.points, then.points);
  return true;
}

// The value of one test, over the window that ends at its last pane's end at or before `end_ms`.
// False when there is none.
bool Read(const State& s, const Rule& rule, const Group& group, const Cells* cells, std::size_t i,
          std::int64_t end_ms, bool eager, Outcome& out) {
  TestResult& result = out.result;
  if (cells == nullptr) {
    result.why = Why::kNoPoints;
    return false;
  }
  const std::int64_t pane_ms = rule.windows[i].pane_ms;
  // Eagerly too the windows are those that will be judged at the step's end: else a longer one of
  // several would be looked at with a pane more now than then.
  const std::int64_t step_ms = rule.step_ms;
  out.pane = rule.PaneAt(i, eager ? sketch::PaneIndex(end_ms, step_ms) * step_ms : end_ms);
  out.begin_ms = out.pane * pane_ms - rule.window_ms(i);
  Reading& r = out.reading;
  r = Measure(s, rule, *cells, out.pane, eager && TrueStays(rule, *cells));
  result.points = r.points;
  if (!r.known) {
    result.why = r.no_events                    ? Why::kNoEvents
                 : !HasMembers(s, rule, *cells) ? Why::kNoPoints
                                                : Why::kQuiet;
    return false;
  }
  if (!rule.test(i).IsCompared()) return true;
  if (out.begin_ms < KnownFrom(s, rule)) {
    result.why = Why::kNotCovered;
    r.known = false;
    return false;
  }
  return CompareWithThen(s, rule, group, i, out.pane * pane_ms, out);
}

// Holds what was read against a threshold.
void HoldAgainst(const State& s, const Rule& rule, const Cells& cells, std::size_t i,
                 std::int64_t end_ms, bool eager, const Bar& bar, Outcome& out) {
  TestResult& result = out.result;
  Reading& r = out.reading;
  const plan::Test& test = rule.test(i);
  if (CountsReporters(test)) {
    const RollCall call = CallRoll(s, rule, cells, end_ms, bar.op, bar.threshold, r);
    result.verdict = call.verdict;
    result.why = call.why;
    result.value = r.value;
    return;
  }
  const std::int64_t known_from = KnownFrom(s, rule);
  const bool whole = out.begin_ms >= known_from;
  r.value = AtThreshold(r.value, bar.threshold);
  const bool crossed = plan::Holds(r.value, bar.op, bar.threshold);
  // A short stall alone does not make an estimate worthless.
  bool believed = whole || (plan::IsUpward(test.op) && out.begin_ms >= HardFrom(s, rule));
  if (crossed && !believed && TrueStays(rule, cells)) {
    // Of a window that is known in part only what really came counts, nothing extrapolated.
    Reading sure = Measure(s, rule, cells, out.pane, true);
    sure.value = AtThreshold(sure.value, bar.threshold);
    believed = sure.known && plan::Holds(sure.value, bar.op, bar.threshold);
    if (believed) r = sure;
  }
  result.why = Why::kJudged;
  result.value = r.value;
  result.points = r.points;
  const bool idle = bar.life.state == AlarmState::kOk;
  // Then "false" may make another test's "true" count, or counts itself later.
  const bool joined = rule.tests() > 1 || rule.spec.when.quorum.needed > 0;
  if (crossed) {
    const bool few = TooFew(rule, test, bar, r);
    result.verdict = few || !believed ? Verdict::kUnknown : Verdict::kTrue;
    if (few) result.why = Why::kTooFew;
    if (!believed) result.why = Why::kNotCovered;
    // What is missing would add to a sum: a small one that rests on fewer series than there should
    // be is not known to be small; nor is what a formula makes of it, whichever way that goes.
    if (result.verdict == Verdict::kTrue && MoreMayUndo(test) &&
        MissesSomebody(s, rule, cells, end_ms)) {
      result.verdict = Verdict::kUnknown;
      result.why = Why::kQuiet;
    }
  } else if (idle ? joined && !whole && test.measure.value().aggregate != plan::Aggregate::kLast
                  : !whole && ToMs(bar.life.since) < known_from) {
    // What first became true after everything is known is judged by the same knowledge.
    result.why = Why::kNotCovered;
  } else if ((!idle || joined) && !eager && MissesSomebody(s, rule, cells, end_ms)) {
    result.why = Why::kQuiet;
  } else {
    // Eagerly, more data may make it true.
    result.verdict = eager ? Verdict::kUnknown : Verdict::kFalse;
  }
}

// May the test be called true at the end of the record at hand?
bool MayBeEager(const State& s, const Rule& rule, const Cells* cells) {
  if (cells == nullptr || cells->group == nullptr) return false;
  const plan::Test& test = rule.test(cells->test);
  if (!plan::IsUpward(test.op) || test.IsCompared()) return false;
  if (CountsReporters(test) || test.top > 0) return false;
  const bool adds_gauges = test.measure.value().aggregate == plan::Aggregate::kSum &&
                           !cells->members.empty() && cells->members.front().cell == Cell::kGauge;
  if (TrueStays(rule, *cells) && !adds_gauges) return true;
  const auto every = static_cast<std::uint8_t>((1u << test.measure.operands.size()) - 1);
  return cells->touched == s.position && cells->touched_operands == every &&
         cells->touched_from_ms == cells->touched_to_ms;
}

Verdict Not(Verdict v) {
  return v == Verdict::kUnknown ? v : v == Verdict::kTrue ? Verdict::kFalse : Verdict::kTrue;
}
Verdict And(Verdict a, Verdict b) {
  if (a == Verdict::kFalse || b == Verdict::kFalse) return Verdict::kFalse;
  return a == Verdict::kTrue && b == Verdict::kTrue ? Verdict::kTrue : Verdict::kUnknown;
}
Verdict Or(Verdict a, Verdict b) { return Not(And(Not(a), Not(b))); }

// Kleene's strong logic of three values.
Verdict Join(const plan::Condition& when, std::span<const Outcome> outcomes) {
  if (when.logic.empty()) return outcomes.front().result.verdict;
  using Kind = plan::LogicStep::Kind;
  std::vector<Verdict> stack;
  for (const plan::LogicStep& step : when.logic) {
    if (step.kind == Kind::kTest) {
      stack.push_back(outcomes[step.test].result.verdict);
      continue;
    }
    if (stack.size() < 2) return Verdict::kUnknown;
    const Verdict right = stack.back();
    stack.pop_back();
    Verdict& left = stack.back();
    left = step.kind == Kind::kAnd  ? And(left, right)
           : step.kind == Kind::kOr ? Or(left, right)
                                    : And(left, Not(right));
  }
  return stack.size() == 1 ? stack[0] : Verdict::kUnknown;
}

// Whose value is told: the open episode's own test; when it opens, the first that is true. A level
// is a threshold of the first one's.
std::size_t Shown(const Group& group, std::span<const Outcome> outcomes, Verdict joined,
                  std::uint8_t levels_true) {
  if (levels_true != 0 || (group.life.open() && group.level > 0)) return 0;
  if (group.life.open()) return std::min<std::size_t>(group.life.test, outcomes.size() - 1);
  if (joined != Verdict::kTrue) return 0;
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    if (outcomes[i].result.verdict == Verdict::kTrue) return i;
  }
  return 0;
}

// The last slots' verdicts, with this one: enough of them true, too few even if the unknown ones
// were, or neither.
Verdict OfQuorum(const plan::Quorum& quorum, Slots& slots, std::int64_t slot, Verdict verdict) {
  if (verdict != Verdict::kUnknown) slots.emplace_back(slot, verdict);
  std::erase_if(slots, [&](const auto& s) { return s.first <= slot - quorum.of; });
  const auto trues = std::count_if(slots.begin(), slots.end(),
                                   [](const auto& s) { return s.second == Verdict::kTrue; });
  if (trues >= quorum.needed) return Verdict::kTrue;
  const auto unknown = quorum.of - static_cast<std::ptrdiff_t>(slots.size());
  return trues + unknown < quorum.needed ? Verdict::kFalse : Verdict::kUnknown;
}

// Of a test that judges the greatest groups alone the others are false.
void CountStanding(const Group& group, TestResult& result) {
  if (group.standing == Verdict::kFalse) result.why = Why::kOutside;
  if (group.standing == Verdict::kUnknown && result.verdict == Verdict::kTrue) {
    result.why = Why::kNoRank;
  }
  result.verdict = And(result.verdict, group.standing);
}

// What the first test's value says of worse severities. Of a condition of several tests one is
// reached where the whole condition is true.
void JudgeLevels(const State& s, const Rule& rule, Group& group, const Outcome& first,
                 std::int64_t end_ms, Verdict joined, Judgement& j) {
  const plan::Quorum& quorum = rule.spec.when.quorum;
  for (std::size_t i = 0; i < rule.spec.levels.size(); ++i) {
    const plan::Level& level = rule.spec.levels[i];
    Verdict verdict = Verdict::kUnknown;
    if (first.reading.known) {
      Outcome own = first;
      own.result.verdict = Verdict::kUnknown;
      HoldAgainst(s, rule, *CellsOf(s, rule, group, 0), 0, end_ms, j.eager,
                  {level.op, level.threshold, group.levels[i]}, own);
      verdict = own.result.verdict;
    }
    verdict = And(verdict, joined);
    if (quorum.needed > 0)
      verdict = OfQuorum(quorum, group.level_slots[i], end_ms / rule.step_ms, verdict);
    const auto bit = static_cast<std::uint8_t>(1u << i);
    if (verdict == Verdict::kTrue) j.levels_true |= bit;
    if (verdict == Verdict::kFalse) j.levels_false |= bit;
  }
}

// The first test that says what all of them do.
std::size_t Decisive(std::span<const Outcome> outcomes, Verdict joined) {
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    if (outcomes[i].result.verdict == joined) return i;
  }
  return 0;
}

}  // namespace

Judgement DecideSlice(const State& s, const Rule& rule, Group& group, std::int64_t end_ms) {
  std::vector<Outcome> outcomes(rule.tests());
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    Outcome& out = outcomes[i];
    TestResult& result = out.result;
    const Cells* cells = rule.CellsOf(group, i);
    if (!Read(s, rule, group, cells, i, end_ms, false, out)) continue;
    const plan::Test& test = rule.test(i);
    result.value = out.reading.value = AtThreshold(out.reading.value, test.threshold);
    if (out.begin_ms < KnownFrom(s, rule)) {
      result.why = Why::kNotCovered;
    } else if (MissesSomebody(s, rule, *cells, end_ms)) {
      result.why = Why::kQuiet;
    } else {
      result.why = Why::kJudged;
      const bool holds = plan::Holds(result.value, test.op, test.threshold);
      result.verdict = holds ? Verdict::kTrue : Verdict::kFalse;
    }
  }
  Judgement j;
  j.at = InstantFromMs(end_ms);
  j.verdict = Join(rule.spec.when, outcomes);
  j.test = static_cast<std::uint8_t>(Decisive(outcomes, j.verdict));
  const TestResult& told = outcomes[j.test].result;
  j.why = told.why;
  j.value = told.value;
  j.points = told.points;
  if (rule.tests() > 1) {
    group.results.clear();
    for (const Outcome& outcome : outcomes) group.results.push_back(outcome.result);
  }
  return j;
}

RankValue ValueForRank(const State& s, const Rule& rule, const Group& group, std::int64_t end_ms) {
  RankValue out;
  Outcome outcome;
  if (Read(s, rule, group, rule.CellsOf(group, 0), 0, end_ms, false, outcome)) {
    out.value = outcome.reading.value;
  }
  out.whole = outcome.begin_ms >= KnownFrom(s, rule);
  out.why = outcome.result.why;
  return out;
}

Judgement Decide(State& s, const Rule& rule, Group& group, std::int64_t end_ms, bool eagerly) {
  const plan::Condition& when = rule.spec.when;
  Judgement j;
  j.at = InstantFromMs(end_ms);
  j.eager = eagerly;
  if (s.merged != nullptr) s.merged->Judging(group);
  if (eagerly && when.quorum.needed > 0) return j;  // a slot is judged when it is over
  Outcome single;                                   // of most conditions there is one
  std::vector<Outcome> several(rule.tests() > 1 ? rule.tests() : 0);
  const std::span<Outcome> outcomes =
      several.empty() ? std::span<Outcome>(&single, 1) : std::span<Outcome>(several);
  Outcome as_read;  // the first, before it was held against anything
  for (std::size_t i = 0; i < rule.tests(); ++i) {
    const Cells* cells = CellsOf(s, rule, group, i);
    if (eagerly && !MayBeEager(s, rule, cells)) continue;
    if (!Read(s, rule, group, cells, i, end_ms, eagerly, outcomes[i])) continue;
    const plan::Test& test = rule.test(i);
    if (i == 0 && !rule.spec.levels.empty()) as_read = outcomes[0];
    HoldAgainst(s, rule, *cells, i, end_ms, eagerly, {test.op, test.threshold, group.life},
                outcomes[i]);
    if (test.top > 0) CountStanding(group, outcomes[i].result);
  }
  j.verdict = Join(when, outcomes);
  if (!rule.spec.levels.empty()) JudgeLevels(s, rule, group, as_read, end_ms, j.verdict, j);
  const std::size_t shown = Shown(group, outcomes, j.verdict, j.levels_true);
  const Outcome& told = outcomes[shown];
  if (when.quorum.needed > 0) {
    j.verdict = OfQuorum(when.quorum, group.slots, end_ms / rule.step_ms, j.verdict);
  }
  j.test = static_cast<std::uint8_t>(shown);
  j.why = told.result.why;
  j.value = told.result.value;
  if (told.reading.known) {
    j.low = told.reading.low;
    j.high = told.reading.high;
  }
  j.points = told.result.points;
  j.compared = told.result.compared;
  if (!eagerly && rule.tests() > 1) {
    group.results.clear();
    for (const Outcome& outcome : outcomes) group.results.push_back(outcome.result);
  }
  return j;
}

}  // namespace liveops::engine
