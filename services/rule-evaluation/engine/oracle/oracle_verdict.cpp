#include <algorithm>
#include <cmath>

#include "services/rule-evaluation/engine/oracle/oracle.h"

namespace liveops::engine::oracle {
namespace {

using plan::Aggregate;

bool Adds(Aggregate aggregate) {
  return aggregate == Aggregate::kSum || aggregate == Aggregate::kCount ||
         aggregate == Aggregate::kIncrease || aggregate == Aggregate::kRate;
}

// More points can only make a "true" truer.
// Reading: the newest reading is what it is, in whatever direction.
bool TrueStays(const plan::Test& test) {
  if (test.measure.form != plan::Measure::Form::kPlain) return false;
  switch (test.measure.value().aggregate) {
    case Aggregate::kLast:
      return true;
    case Aggregate::kMax:
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

// Kleene's logic over the steps of a condition.
Truth Joined(const plan::Condition& when, const std::vector<Finding>& tests) {
  std::vector<Truth> stack;
  for (const plan::LogicStep& step : when.logic) {
    if (step.kind == plan::LogicStep::Kind::kTest) {
      stack.push_back(tests[step.test].truth);
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

}  // namespace

bool Upward(plan::Comparison op) {
  return op == plan::Comparison::kGreater || op == plan::Comparison::kGreaterEqual;
}

// "At the end of the record, at once: what more data in the window cannot undo; ratios, averages,
// rates and quantiles when one record brings all operands of the group at one event time."
// Reading: so do sums of gauges; what other alarms share is judged at the watermark.
bool Oracle::MayBeEager(const Watch& watch, const GroupBook& group, std::size_t test,
                        const Touches& touches) const {
  const plan::Test& t = watch.test(test);
  if (!watch.own(test) || !Upward(t.op)) return false;
  const MemberBooks members = Members(watch, group, test);
  const bool gauges = !members.empty() && IsGauge(points_.at(members.front()->series));
  if (TrueStays(t) && !(gauges && t.measure.value().aggregate == Aggregate::kSum)) return true;
  const auto touch = touches.find(test);
  return touch != touches.end() && touch->second.from == touch->second.to &&
         touch->second.operands.size() == t.measure.operands.size();
}

Finding Oracle::DecideTest(const Watch& watch, const GroupBook& group, std::size_t test,
                           std::int64_t end, bool eager, bool& counts_nothing) const {
  const plan::Test& t = watch.test(test);
  const std::int64_t pane = plan::PaneLength(t.window).count();
  Finding f;
  f.at = end;
  f.eager = eager;
  f.shown = test;
  Span span;
  // Reading: eagerly too it is the window that is judged when the step ends.
  span.to = (eager ? RoundUp(end, watch.StepMs()) : end) / pane * pane;
  span.from = span.to - t.window.count();
  const bool stays = TrueStays(t);
  Amount amount = Measure(watch, group, test, span, eager && stays);
  counts_nothing = amount.counts_nothing;
  if (!amount.known) {
    f.points = amount.events;
    return f;
  }
  const std::int64_t known_hard = std::max(watch.born, hard_from_);
  const std::int64_t known_from = std::max(known_hard, soft_from_);
  const bool whole = span.from >= known_from;
  const bool idle = group.life.state == AlarmState::kOk;
  if (plan::Holds(amount.value, t.op, t.threshold)) {
    // "A short stall alone does not make an estimate worthless", as far as it crosses.
    bool believed = whole || (Upward(t.op) && span.from >= known_hard);
    if (!believed && stays) {
      // Of what is known in part only what came is sure.
      const Amount sure = Measure(watch, group, test, span, true);
      believed = sure.known && plan::Holds(sure.value, t.op, t.threshold);
      if (believed) amount = sure;
    }
    // What is missed could only add to it.
    if (!Upward(t.op) && Adds(t.measure.value().aggregate) && !t.measure.IsRatio() &&
        Missing(watch, group, test, end))
      believed = false;
    const bool few =
        amount.of_events && amount.events + 1e-6 < static_cast<double>(watch.alarm.min_count);
    f.truth = believed && !few ? Truth::kTrue : Truth::kUnknown;
  } else if (!whole && idle ? t.measure.value().aggregate == Aggregate::kLast
                            : whole || group.life.since >= known_from) {
    // Reading: what first became true after everything was known is judged by the same knowledge.
    f.truth = Missing(watch, group, test, end) ? Truth::kUnknown : Truth::kFalse;
  }
  f.value = amount.value;
  f.points = amount.events;
  return f;
}

Finding Oracle::Decide(const Watch& watch, GroupBook& group, std::int64_t end,
                       const Touches* touches) const {
  const bool eager = touches != nullptr;
  std::vector<Finding> tests;
  bool counts_nothing = false;
  std::vector<bool> nothing;
  for (std::size_t t = 0; t < watch.tests(); ++t) {
    Finding f;
    counts_nothing = false;
    if (!eager || MayBeEager(watch, group, t, *touches)) {
      f = DecideTest(watch, group, t, end, eager, counts_nothing);
      // More data may make it true yet.
      if (eager && f.truth == Truth::kFalse) f.truth = Truth::kUnknown;
    }
    tests.push_back(f);
    nothing.push_back(counts_nothing);
  }
  const Truth joined = watch.tests() == 1 ? tests.front().truth : Joined(watch.when(), tests);
  // Whose value is told: that of the test that opened the episode, else the first that is true.
  std::size_t shown = 0;
  if (group.life.open()) {
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
  f.counts_nothing = nothing[shown];
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
