// Which way a value goes when more comes.
#include <optional>
#include <vector>

#include "services/rule-evaluation/engine/state.h"

namespace liveops::engine {
namespace {

// Does every series add to what the aggregate says?
bool Adds(plan::Aggregate aggregate) {
  switch (aggregate) {
    case plan::Aggregate::kSum:
    case plan::Aggregate::kCount:
    case plan::Aggregate::kIncrease:
    case plan::Aggregate::kRate:
    case plan::Aggregate::kDistinct:
      return true;
    default:
      return false;
  }
}

// Which ways a value may go when a series comes that is missing.
struct Ways {
  bool up = false;
  bool down = false;
  std::optional<double> number;  // of a formula's part that is a number alone

  Ways Turned(bool turned) const { return turned ? Ways{down, up, {}} : *this; }
  Ways And(const Ways& other) const { return {up || other.up, down || other.down, {}}; }
};

Ways Joined(plan::FormulaStep::Kind sign, const Ways& left, const Ways& right) {
  using Kind = plan::FormulaStep::Kind;
  if (left.number && right.number) {
    const double a = *left.number;
    const double b = *right.number;
    return {false, false,
            sign == Kind::kAdd        ? a + b
            : sign == Kind::kSubtract ? a - b
            : sign == Kind::kMultiply ? a * b
                                      : a / b};
  }
  const bool negative = left.number.value_or(1) < 0 || right.number.value_or(1) < 0;
  switch (sign) {
    case Kind::kSubtract:
      return left.And(right.Turned(true));
    case Kind::kMultiply:
      return left.And(right).Turned(negative);
    case Kind::kDivide:
      if (right.number) return left.Turned(negative);
      if (left.number) return right.Turned(!negative);
      return {};  // what came is divided by what came, as by a ratio
    default:
      return left.And(right);
  }
}

Ways WaysOf(const plan::Measure& measure) {
  const auto of_operand = [&](std::size_t i) {
    return Ways{Adds(measure.operands[i].aggregate), false, {}};
  };
  if (measure.form == plan::Measure::Form::kPlain) return of_operand(0);
  std::vector<Ways> stack;  // of a formula
  for (const plan::FormulaStep& step : measure.formula) {
    using Kind = plan::FormulaStep::Kind;
    if (step.kind == Kind::kNumber) {
      stack.push_back({false, false, step.number});
    } else if (step.kind == Kind::kOperand) {
      stack.push_back(of_operand(step.operand));
    } else if (stack.size() >= 2) {
      const Ways right = stack.back();
      stack.pop_back();
      stack.back() = Joined(step.kind, stack.back(), right);
    }
  }
  return stack.empty() ? Ways() : stack.back();
}

}  // namespace

bool MoreMayUndo(const plan::Test& test) {
  const Ways ways = WaysOf(test.measure);
  return plan::IsUpward(test.op) ? ways.down : ways.up;
}

}  // namespace liveops::engine
