#include <algorithm>
#include <cmath>

#include "common/plan/burn.h"
#include "services/rule-evaluation/engine/oracle/oracle.h"

namespace liveops::engine::oracle {
namespace {

using plan::Aggregate;

bool Adds(Aggregate aggregate) {
  return aggregate == Aggregate::kSum || aggregate == Aggregate::kCount ||
         aggregate == Aggregate::kIncrease || aggregate == Aggregate::kRate ||
         aggregate == Aggregate::kDistinct;
}

// A sum of what adds up, in whatever unit.
bool AddsUp(const plan::Measure& measure) {
  if (measure.form == plan::Measure::Form::kPlain) return Adds(measure.value().aggregate);
  if (measure.form != plan::Measure::Form::kFormula) return false;
  using Kind = plan::FormulaStep::Kind;
  bool adds = true;
  for (std::size_t i = 0; i < measure.formula.size(); ++i) {
    const plan::FormulaStep& step = measure.formula[i];
    if (step.kind == Kind::kOperand) adds &= Adds(measure.operands[step.operand].aggregate);
    if (step.kind == Kind::kSubtract) adds = false;
    if (step.kind == Kind::kDivide) adds &= measure.formula[i - 1].kind == Kind::kNumber;
  }
  return adds;
}

// More points can only make a "true" truer.
// Reading: the newest reading is what it is, in whatever direction.
bool TrueStays(const plan::Test& test) {
  if (test.measure.form != plan::Measure::Form::kPlain || test.IsCompared()) return false;
  switch (test.measure.value().aggregate) {
    case Aggregate::kLast:
      return true;
    case Aggregate::kMax:
    case Aggregate::kDistinct:
      return Upward(test.op);
    case Aggregate::kMin:
      return !Upward(test.op);
    case Aggregate::kSum:
    case Aggregate::kCount:
    case Aggregate::kIncrease:
      return Upward(test.op);
    default:
      return false;
  }
}

Truth Not(Truth a) {
  if (a == Truth::kUnknown) return a;
  return a == Truth::kTrue ? Truth::kFalse : Truth::kTrue;
}

Truth And(Truth a, Truth b) {
  if (a == Truth::kFalse || b == Truth::kFalse) return Truth::kFalse;
  return a == Truth::kTrue && b == Truth::kTrue ? Truth::kTrue : Truth::kUnknown;
}

Truth Enough(const plan::Quorum& quorum, const std::map<std::int64_t, Truth>& slots,
             std::int64_t end) {
  int yes = 0;
  int perhaps = 0;
  for (int i = 0; i < quorum.of; ++i) {
    const auto it = slots.find(end - i * quorum.slot.count());
    if (it == slots.end() || it->second == Truth::kUnknown) {
      ++perhaps;
    } else if (it->second == Truth::kTrue) {
      ++yes;
    }
  }
  if (yes >= quorum.needed) return Truth::kTrue;
  return yes + perhaps < quorum.needed ? Truth::kFalse : Truth::kUnknown;
}

std::int64_t RoundUp(std::int64_t time, std::int64_t step) {
  return (time + step - 1) / step * step;
}

// "\"True\" is withheld while fewer than `bad_min` of the events are bad or while the share of bad
// ones may still lie at or below the threshold by chance": as Wilson's interval has it, the share's
// distance from the threshold, were that the truth, is within what 95 % (one side) of such samples
// stray.
// Reading: of slices only the least number counts.
bool Evident(const plan::Evidence& evidence, const Amount& amount, double threshold) {
  constexpr double kNinetyFive = 1.6448536269514722;
  const double share = std::min(1.0, amount.bad / amount.events);
  const double stray = kNinetyFive * std::sqrt(threshold * (1 - threshold) / amount.events);
  return amount.bad + 1e-6 >= static_cast<double>(evidence.bad_min) &&
         (!evidence.sample || share - threshold > stray);
}

}  // namespace

Truth Joined(const plan::Condition& when, const std::vector<Truth>& tests) {
  if (tests.size() == 1) return tests.front();
  std::vector<Truth> stack;
  for (const plan::LogicStep& step : when.logic) {
    if (step.kind == plan::LogicStep::Kind::kTest) {
      stack.push_back(tests[step.test]);
      continue;
    }
    const Truth right = stack.back();
    stack.pop_back();
    const Truth left = stack.back();
    switch (step.kind) {
      case plan::LogicStep::Kind::kAnd:
        stack.back() = And(left, right);
        break;
      case plan::LogicStep::Kind::kUnless:
        stack.back() = And(left, Not(right));
        break;
      default:
        stack.back() = Not(And(Not(left), Not(right)));
    }
  }
  return stack.back();
}

double AtThreshold(double value, double threshold) {
  return std::fabs(value - threshold) <= 1e-9 * std::fabs(threshold) ? threshold : value;
}

bool Upward(plan::Comparison op) {
  return op == plan::Comparison::kGreater || op == plan::Comparison::kGreaterEqual;
}

// "At the end of the record, at once: what more data in the window cannot undo; ratios, averages,
// rates and quantiles when one record brings all operands of the group at one event time."
// Reading: so do sums of gauges; what other alarms share is judged at the watermark.
bool Oracle::MayBeEager(const Watch& watch, const GroupBook& group, std::size_t test,
                        const Touches& touches) const {
  const plan::Test& t = watch.test(test);
  if (!watch.own(test) || !Upward(t.op) || t.IsCompared() || watch.counts(test)) return false;
  if (t.top > 0) return false;
  const MemberBooks members = Members(watch, group, test);
  const bool gauges = !members.empty() && IsGauge(points_.at(members.front()->series));
  if (TrueStays(t) && !(gauges && t.measure.value().aggregate == Aggregate::kSum)) return true;
  const auto touch = touches.find(test);
  return touch != touches.end() && touch->second.from == touch->second.to &&
         touch->second.operands.size() == t.measure.operands.size();
}

// What is compared with an earlier time: as per cents of what it was. Nothing where that is not
// known: "there was no point in the earlier window, or it was 0 or less; the rule did not see all
// of that window, or the log had a hole then, or points were refused."
std::optional<Amount> Oracle::PartOfThen(const Watch& watch, const GroupBook& group,
                                         std::size_t test, std::int64_t end,
                                         const Amount& now) const {
  const plan::Test& t = watch.test(test);
  const std::int64_t pane = plan::EarlierPaneLength(t.window, t.ago).count();
  Span then;
  then.to = (end - t.ago.count()) / pane * pane;
  then.from = then.to - t.window.count();
  const bool holed = std::any_of(holes_.begin(), holes_.end(), [&](const Span& hole) {
    return hole.from < then.to && hole.to > then.from;
  });
  if (then.from < watch.born || holed) return std::nullopt;
  const Amount was = Measure(watch, group, test, then, false, true);
  if (!was.known || !(was.value > 0)) return std::nullopt;
  Amount part = now;
  part.value = now.value * 100 / was.value;
  part.events = std::min(now.events, was.events);
  return std::isfinite(part.value) ? std::optional(part) : std::nullopt;
}

Finding Oracle::DecideTest(const Watch& watch, const GroupBook& group, std::size_t test,
                           std::int64_t end, bool eager, const Bar& bar) const {
  const plan::Test& t = watch.test(test);
  const std::int64_t pane = plan::PaneLength(t.window).count();
  if (watch.counts(test)) return DecideHeads(watch, test, end, bar);
  Finding f;
  f.at = end;
  f.eager = eager;
  f.shown = test;
  Span span;
  // Reading: eagerly too it is the window that is judged when the step ends.
  span.to = eager ? RoundUp(end, watch.StepMs()) : end;
  // "Its window ends with the pane that runs."
  span.to = plan::IsBudget(watch.alarm) ? RoundUp(span.to, pane) : span.to / pane * pane;
  span.from = span.to - t.window.count();
  const bool stays = TrueStays(t);
  Amount amount = Measure(watch, group, test, span, eager && stays);
  f.counts_nothing = amount.counts_nothing;
  f.points = amount.events;
  if (!amount.known) return f;
  const std::int64_t known_hard = std::max(watch.born, hard_from_);
  const std::int64_t known_from = std::max(known_hard, soft_from_);
  const bool whole = span.from >= known_from;
  const bool idle = bar.life->state == AlarmState::kOk;
  if (t.IsCompared()) {
    const auto part =
        whole ? PartOfThen(watch, group, test, span.to, amount) : std::optional<Amount>();
    if (!part) return f;
    amount = *part;
  }
  amount.value = AtThreshold(amount.value, bar.threshold);
  if (plan::Holds(amount.value, bar.op, bar.threshold)) {
    // "A short stall alone does not make an estimate worthless", as far as it crosses.
    bool believed = whole || (Upward(t.op) && span.from >= known_hard);
    if (!believed && stays) {
      // Of what is known in part only what came is sure.
      Amount sure = Measure(watch, group, test, span, true);
      sure.value = AtThreshold(sure.value, bar.threshold);
      believed = sure.known && plan::Holds(sure.value, bar.op, bar.threshold);
      if (believed) amount = sure;
    }
    // What is missed could only add to it.
    if (!Upward(t.op) && AddsUp(t.measure) && Missing(watch, group, test, end)) believed = false;
    bool few =
        amount.of_events && amount.events + 1e-6 < static_cast<double>(watch.alarm.min_count);
    if (watch.alarm.evidence && t.measure.IsRatio()) {
      const double percent = t.measure.unit == "%" ? 100 : 1;
      few |= !Evident(*watch.alarm.evidence, amount, bar.threshold / percent);
    }
    f.truth = believed && !few ? Truth::kTrue : Truth::kUnknown;
  } else if (!whole && idle ? t.measure.value().aggregate == Aggregate::kLast
                            : whole || bar.life->since >= known_from) {
    // Reading: what first became true after everything was known is judged by the same knowledge.
    f.truth = Missing(watch, group, test, end) ? Truth::kUnknown : Truth::kFalse;
  }
  f.value = amount.value;
  f.points = amount.events;
  return f;
}

// "A level is a threshold of the same value."
// Reading: of the first test's; a level of a condition of several is reached where the whole
// condition is true and that value is beyond the level's threshold.
Truth Oracle::DecideLevel(const Watch& watch, GroupBook& group, std::size_t level, std::int64_t end,
                          const Touches* touches, Truth joined) const {
  const bool eager = touches != nullptr;
  LevelBook& book = group.levels[level];
  const plan::Level& words = watch.alarm.levels[level];
  Truth truth = Truth::kUnknown;
  if (!eager || MayBeEager(watch, group, 0, *touches)) {
    truth = DecideTest(watch, group, 0, end, eager, {words.op, words.threshold, &book.life}).truth;
    if (eager && truth == Truth::kFalse) truth = Truth::kUnknown;
  }
  truth = And(truth, joined);
  if (watch.when().quorum.needed == 0) return truth;
  if (eager) return Truth::kUnknown;
  book.slots[end] = truth;
  return Enough(watch.when().quorum, book.slots, end);
}

Finding Oracle::Decide(const Watch& watch, GroupBook& group, std::int64_t end,
                       const Touches* touches) const {
  const bool eager = touches != nullptr;
  std::vector<Finding> tests;
  for (std::size_t t = 0; t < watch.tests(); ++t) {
    Finding f;
    if (!eager || MayBeEager(watch, group, t, *touches)) {
      const plan::Test& test = watch.test(t);
      f = DecideTest(watch, group, t, end, eager, {test.op, test.threshold, &group.life});
      // More data may make it true yet.
      if (eager && f.truth == Truth::kFalse) f.truth = Truth::kUnknown;
      if (test.top > 0 && !std::isnan(f.value)) f.truth = And(f.truth, group.standing);
    }
    tests.push_back(f);
  }
  std::vector<Truth> truths;
  for (const Finding& f : tests) truths.push_back(f.truth);
  const Truth joined = Joined(watch.when(), truths);
  // Whose value is told: that of the test that opened the episode, else the first that is true.
  // Reading: of a level the first one's, of which it is a threshold.
  std::vector<Truth> levels;
  for (std::size_t i = 0; i < watch.alarm.levels.size(); ++i)
    levels.push_back(DecideLevel(watch, group, i, end, touches, joined));
  std::size_t shown = 0;
  const bool worse = std::find(levels.begin(), levels.end(), Truth::kTrue) != levels.end();
  if (worse || (group.life.open() && group.told)) {
    shown = 0;
  } else if (group.life.open()) {
    shown = std::min(group.life.shown, tests.size() - 1);
  } else if (joined == Truth::kTrue) {
    while (shown + 1 < tests.size() && tests[shown].truth != Truth::kTrue) ++shown;
    if (tests[shown].truth != Truth::kTrue) shown = 0;
  }
  Finding f = tests[shown];
  f.at = end;
  f.eager = eager;
  f.shown = shown;
  f.truth = joined;
  f.levels = std::move(levels);
  if (watch.when().quorum.needed > 0) {
    f.truth = Truth::kUnknown;
    if (!eager) {
      group.slots[end] = joined;
      f.truth = Enough(watch.when().quorum, group.slots, end);
    }
  }
  return f;
}

}  // namespace liveops::engine::oracle
