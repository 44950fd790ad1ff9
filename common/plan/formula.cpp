#include "common/plan/formula.h"

#include <fmt/format.h>

#include <algorithm>

#include "common/plan/units.h"

namespace liveops::plan {
namespace {

using Node = FormulaTree::Node;
using Kind = FormulaTree::Kind;

// What is counted is in the unit that its events have; only values can be converted.
bool IsCounted(Aggregate aggregate) {
  return IsCount(aggregate) || aggregate == Aggregate::kIncrease || aggregate == Aggregate::kRate;
}

std::string UnitName(const Node& node) {
  if (node.unit != "1") return node.unit;
  return node.numbers ? "a plain number" : "plain numbers";
}

// For the one who compares a time with a series that nobody said to be one.
std::string Hint(const Node& left, const Node& right) {
  const bool undeclared =
      (left.unit == "1" && !left.numbers) != (right.unit == "1" && !right.numbers);
  if (!undeclared) return "";
  const std::string& unit = left.unit == "1" ? right.unit : left.unit;
  return fmt::format(
      "; a series whose unit is not declared is a plain number, else write avg(metric) in {}",
      unit);
}

bool Fail(const Node& node, std::string message, ExpressionError& error) {
  error = {node.offset, std::move(message)};
  return false;
}

}  // namespace

std::size_t FormulaTree::AddNumber(std::size_t offset, double number) {
  Node& node = nodes_.emplace_back();
  node.offset = offset;
  node.number = number;
  return nodes_.size() - 1;
}

std::size_t FormulaTree::AddMeasure(std::size_t offset, Measure measure) {
  Node& node = nodes_.emplace_back();
  node.kind = Kind::kOperand;
  node.offset = offset;
  node.measure = std::move(measure);
  return nodes_.size() - 1;
}

std::size_t FormulaTree::AddSign(Kind sign, std::size_t offset, std::size_t left,
                                 std::size_t right) {
  Node& node = nodes_.emplace_back();
  node.kind = sign;
  node.offset = offset;
  node.left = left;
  node.right = right;
  ++signs_;
  return nodes_.size() - 1;
}

bool FormulaTree::FitUnits(std::size_t root, ExpressionError& error) {
  Node& node = nodes_[root];
  switch (node.kind) {
    case Kind::kNumber:
      node.unit = std::string("1");
      node.numbers = true;
      return true;
    case Kind::kOperand: {
      const std::string& declared = node.measure.unit;
      const Operand& operand = node.measure.value();
      const bool rate = operand.aggregate == Aggregate::kRate;
      node.share = !IsCounted(operand.aggregate) && (declared == "1" || declared == "%");
      node.unit = rate               ? RateUnit(declared, operand.per)
                  : declared.empty() ? std::string("1")
                                     : declared;
      return true;
    }
    default:
      break;
  }
  if (!FitUnits(node.left, error) || !FitUnits(node.right, error)) return false;
  node.numbers = at(node.left).numbers && at(node.right).numbers;
  if (node.kind == Kind::kMultiply) return FitProduct(node, error);
  if (node.kind == Kind::kDivide) return FitQuotient(node, error);
  return FitSum(node, error);
}

bool FormulaTree::FitSum(Node& node, ExpressionError& error) {
  Node& left = at(node.left);
  Node& right = at(node.right);
  if (!Align(left, right)) {
    return Fail(node,
                fmt::format("\"{}\" wants the same kind of unit on both sides, found {} and {}{}",
                            node.kind == Kind::kAdd ? "+" : "-", UnitName(left), UnitName(right),
                            Hint(left, right)),
                error);
  }
  node.unit = left.unit;
  node.share = left.share || right.share;
  return true;
}

bool FormulaTree::FitProduct(Node& node, ExpressionError& error) {
  const Node& left = at(node.left);
  const Node& right = at(node.right);
  if (left.unit != "1" && right.unit != "1") {
    return Fail(node,
                fmt::format("\"*\" wants a plain number on one side, found {} and {}",
                            UnitName(left), UnitName(right)),
                error);
  }
  node.unit = left.unit == "1" ? right.unit : left.unit;
  node.share = left.share || right.share;
  return true;
}

bool FormulaTree::FitQuotient(Node& node, ExpressionError& error) {
  Node& left = at(node.left);
  Node& right = at(node.right);
  if (right.unit == "1") {
    node.unit = left.unit;
    node.share = left.share || (left.unit == "1" && !right.numbers);
    return true;
  }
  if (!Align(left, right)) {
    return Fail(node,
                fmt::format("\"/\" wants the same kind of unit on both sides, or a plain number on "
                            "the right, found {} and {}{}",
                            UnitName(left), UnitName(right), Hint(left, right)),
                error);
  }
  node.unit = std::string("1");
  node.share = true;
  return true;
}

bool FormulaTree::Align(Node& left, Node& right) {
  if (left.unit == right.unit) return true;
  // A bare number beside per cents would leave open which of the two it is.
  if (left.numbers || right.numbers || !ConvertUnit(1, right.unit, left.unit)) return false;
  if (Convertible(right)) {
    Convert(right, left.unit);
  } else if (Convertible(left)) {
    Convert(left, right.unit);
  } else {
    return false;
  }
  return true;
}

std::size_t FormulaTree::ValueSide(const Node& product) const {
  const Node& right = nodes_[product.right];
  return nodes_[product.left].unit == "1" && !right.numbers ? product.right : product.left;
}

bool FormulaTree::Convertible(const Node& node) const {
  switch (node.kind) {
    case Kind::kNumber:
      return false;
    case Kind::kOperand:
      return !IsCounted(node.measure.value().aggregate);
    case Kind::kAdd:
    case Kind::kSubtract:
      return Convertible(nodes_[node.left]) && Convertible(nodes_[node.right]);
    case Kind::kMultiply:
      return Convertible(nodes_[ValueSide(node)]);
    case Kind::kDivide:
      return nodes_[node.right].unit == "1" && Convertible(nodes_[node.left]);
  }
  return false;
}

void FormulaTree::Convert(Node& node, const std::string& unit) {
  switch (node.kind) {
    case Kind::kNumber:
    case Kind::kOperand:
      break;
    case Kind::kAdd:
    case Kind::kSubtract:
      Convert(at(node.left), unit);
      Convert(at(node.right), unit);
      break;
    case Kind::kMultiply:
      Convert(at(ValueSide(node)), unit);
      break;
    case Kind::kDivide:
      Convert(at(node.left), unit);
      break;
  }
  node.unit = unit;
}

void FormulaTree::TrustUnits() {
  for (Node& node : nodes_) {
    if (node.kind != Kind::kOperand) continue;
    const Operand& operand = node.measure.value();
    const bool rate = operand.aggregate == Aggregate::kRate;
    node.unit = !node.measure.unit.empty() ? node.measure.unit
                : rate                     ? RateUnit("", operand.per)
                                           : std::string("1");
  }
}

bool FormulaTree::Write(std::size_t root, Measure& measure, ExpressionError& error) const {
  const Node& node = nodes_[root];
  FormulaStep step;
  step.kind = node.kind;
  if (node.kind == Kind::kNumber) {
    step.number = node.number;
  } else if (node.kind == Kind::kOperand) {
    Operand operand = node.measure.value();
    operand.unit = node.unit;
    auto& operands = measure.operands;
    const auto known = std::find(operands.begin(), operands.end(), operand);
    step.operand = static_cast<std::size_t>(known - operands.begin());
    if (known == operands.end()) {
      if (operands.size() == Measure::kOperandsMax) {
        return Fail(
            node,
            fmt::format("a formula has at most {} different aggregates", Measure::kOperandsMax),
            error);
      }
      operands.push_back(std::move(operand));
    }
  } else if (!Write(node.left, measure, error) || !Write(node.right, measure, error)) {
    return false;
  }
  measure.formula.push_back(step);
  return true;
}

}  // namespace liveops::plan
