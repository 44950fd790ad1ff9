#include <fmt/format.h>

#include "common/plan/expression_parser.h"
#include "common/plan/units.h"

namespace liveops::plan {

// A measure is read as a formula; one that has no sign is what it was without.
bool ExpressionParser::ReadMeasure(Measure& measure) {
  if (cursor_.AtEnd())
    return FailHere("expected a measure, such as p95(metric) or a name under metrics");
  const std::size_t begin = cursor_.offset();
  FormulaTree formula;
  std::size_t root = 0;
  if (!ReadSum(formula, root)) return false;
  FormulaTree::Node& node = formula.at(root);
  if (node.kind != FormulaStep::Kind::kOperand) return MakeFormula(formula, root, begin, measure);
  measure = std::move(node.measure);
  return true;
}

bool ExpressionParser::ReadSum(FormulaTree& formula, std::size_t& node) {
  if (!ReadProduct(formula, node)) return false;
  while (true) {
    const std::size_t at = cursor_.offset();
    FormulaStep::Kind sign = FormulaStep::Kind::kAdd;
    if (cursor_.Take("-")) {
      sign = FormulaStep::Kind::kSubtract;
    } else if (!cursor_.Take("+")) {
      return true;
    }
    std::size_t right = 0;
    if (!ReadProduct(formula, right) || !AddSign(formula, sign, at, right, node)) return false;
  }
}

bool ExpressionParser::ReadProduct(FormulaTree& formula, std::size_t& node) {
  if (!ReadFactor(formula, node)) return false;
  while (true) {
    const std::size_t at = cursor_.offset();
    FormulaStep::Kind sign = FormulaStep::Kind::kMultiply;
    if (cursor_.Take("/")) {
      sign = FormulaStep::Kind::kDivide;
    } else if (!cursor_.Take("*")) {
      return true;
    }
    std::size_t right = 0;
    if (!ReadFactor(formula, right) || !AddSign(formula, sign, at, right, node)) return false;
  }
}

bool ExpressionParser::AddSign(FormulaTree& formula, FormulaStep::Kind sign, std::size_t offset,
                               std::size_t right, std::size_t& node) {
  if (formula.signs() == FormulaTree::kSignsMax + slack()) {
    return Fail(offset, fmt::format("a formula has at most {} signs", FormulaTree::kSignsMax));
  }
  node = formula.AddSign(sign, offset, node, right);
  return true;
}

bool ExpressionParser::ReadFactor(FormulaTree& formula, std::size_t& node) {
  if (cursor_.Peek() == '(') {
    if (!Enter() || !ReadSum(formula, node)) return false;
    --depth_;
    return cursor_.Take(")") || FailUnexpected("a sign or \")\"");
  }
  bool number = false;
  if (!ReadNumber(formula, node, number)) return false;
  if (number) return true;
  const std::size_t begin = cursor_.offset();
  Measure measure;
  if (!ReadSingle(measure)) return false;
  node = formula.AddMeasure(begin, std::move(measure));
  return true;
}

// A number, unless a name begins with it: `5xx`.
bool ExpressionParser::ReadNumber(FormulaTree& formula, std::size_t& node, bool& found) {
  const std::size_t begin = cursor_.offset();
  if (TakeAlias(kNameEnds) != nullptr) {
    cursor_.MoveTo(begin);
    return true;
  }
  const auto number = cursor_.TakeNumber();
  if (!number) return true;
  const bool apart = cursor_.AtSpace();
  const std::size_t unit_at = cursor_.offset();
  const std::string_view word = cursor_.PeekWord();
  const bool name = !word.empty() && !AtSign() && !(apart && IsKeyword(word));
  if (!name) {
    node = formula.AddNumber(begin, *number);
    found = true;
    return true;
  }
  if (!apart && IsKnownUnit(word)) {
    const std::string unit = Found();
    cursor_.TakeWord();
    const bool compares = formula.nodes().empty() &&
                          (cursor_.Peek() == '<' || cursor_.Peek() == '>' || cursor_.Peek() == '=');
    return Fail(unit_at, compares
                             ? "the measure stands left of the comparison: p95 > 500ms"
                             : fmt::format("a number in a formula has no unit, found {}", unit));
  }
  cursor_.MoveTo(begin);
  return true;
}

bool ExpressionParser::FailNoOperand(const FormulaTree::Node& node) {
  switch (node.measure.form) {
    case Measure::Form::kRatio:
      return Fail(node.offset,
                  "a ratio cannot stand in a formula; write increase(part) / increase(whole)");
    case Measure::Form::kShortfall:
      return Fail(node.offset,
                  "a shortfall cannot stand in a formula; write 1 - increase(good) / "
                  "increase(total)");
    default:
      return Fail(node.offset,
                  "a share of a capacity cannot stand in a formula; divide by the capacity: "
                  "last(metric) / 200");
  }
}

bool ExpressionParser::MakeFormula(FormulaTree& formula, std::size_t root, std::size_t begin,
                                   Measure& measure) {
  bool any = false;
  for (const FormulaTree::Node& node : formula.nodes()) {
    if (node.kind != FormulaStep::Kind::kOperand) continue;
    any = true;
    if (node.measure.form != Measure::Form::kPlain || node.measure.capacity > 0) {
      return FailNoOperand(node);
    }
  }
  if (!any)
    return Fail(begin, "expected a measure, such as p95(metric): numbers alone say nothing");
  ExpressionError error;
  if (bindings_ == nullptr) {
    formula.TrustUnits();
  } else if (!formula.FitUnits(root, error)) {
    return Fail(error.offset, std::move(error.message));
  }
  measure.form = Measure::Form::kFormula;
  measure.operands.clear();
  if (!formula.Write(root, measure, error)) return Fail(error.offset, std::move(error.message));
  measure.unit = formula.at(root).unit;
  share_ = formula.at(root).share;
  return true;
}

}  // namespace liveops::plan
