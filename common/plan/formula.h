#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "common/plan/expression.h"
#include "common/plan/model.h"

namespace liveops::plan {

// A formula as it was read, on its way to the steps of a Measure: a tree whose leaves are numbers
// and aggregates. Not thread-safe.
class FormulaTree {
 public:
  using Kind = FormulaStep::Kind;
  // Enough for 8 operands with room for numbers; bounds what one judgement costs.
  static constexpr std::size_t kSignsMax = 32;

  struct Node {
    Kind kind = Kind::kNumber;
    std::size_t offset = 0;  // in the text: of the sign, or where the leaf begins
    double number = 0;       // kNumber
    Measure measure;         // kOperand: what was read there; of a formula's, one plain operand
    std::size_t left = 0;    // of a sign
    std::size_t right = 0;
    std::string unit;      // once it is decided
    bool numbers = false;  // made of numbers alone
    bool share = false;    // unit "1" or "%" that says a part of a whole
  };

  std::size_t AddNumber(std::size_t offset, double number);
  std::size_t AddMeasure(std::size_t offset, Measure measure);
  std::size_t AddSign(Kind sign, std::size_t offset, std::size_t left, std::size_t right);

  Node& at(std::size_t i) { return nodes_[i]; }
  std::vector<Node>& nodes() { return nodes_; }
  std::size_t signs() const { return signs_; }

  // Decides the unit of each node from those of the operands below it, and what each operand's
  // series are converted to: + and - want one kind of unit, * a plain number on one side, / one
  // kind or a plain number on the right. False, with the reason, where that cannot be had.
  bool FitUnits(std::size_t root, ExpressionError& error);

  // Of a canonical text: each operand is in the unit that stands after it.
  void TrustUnits();

  // The steps in postfix order; an operand that stands twice is one operand of the measure. False
  // when there are more than a measure has room for.
  bool Write(std::size_t root, Measure& measure, ExpressionError& error) const;

 private:
  bool FitSum(Node& node, ExpressionError& error);
  bool FitProduct(Node& node, ExpressionError& error);
  bool FitQuotient(Node& node, ExpressionError& error);
  // Brings two sides of one kind to one unit, the left one's where it can be.
  bool Align(Node& left, Node& right);
  // The factor of a product whose unit it has.
  std::size_t ValueSide(const Node& product) const;
  // Can the value be had in another unit of its kind, by converting series?
  bool Convertible(const Node& node) const;
  void Convert(Node& node, const std::string& unit);

  std::vector<Node> nodes_;
  std::size_t signs_ = 0;
};

}  // namespace liveops::plan
