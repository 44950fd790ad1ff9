#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/plan/cursor.h"
#include "common/plan/expression.h"
#include "common/plan/formula.h"

namespace liveops::plan {

// Recursive descent over one text; the first error ends it. Every Read… returns false after Fail.
// For the files expression*.cpp only. Not thread-safe; one text an instance.
class ExpressionParser {
 public:
  ExpressionParser(std::string_view text, const Bindings* bindings)
      : cursor_(text), bindings_(bindings) {}

  // Of a test that says none.
  void UseWindow(Duration window) { window_ = window; }
  bool ReadCondition(Condition& condition);
  bool ReadClear(const Condition& condition, Clear& clear);
  bool ReadLevel(const Condition& condition, Level& level);
  bool ReadExpect(Expect& expect);
  bool ReadExpectation(Condition& condition);
  // With the end of the text after them.
  bool ReadWholeSeries(Operand& operand);
  bool ReadGoodEvents(GoodEvents& good);

  const ExpressionError& error() const { return error_; }

 private:
  // The written threshold, before its unit is fitted to what is measured.
  struct Threshold {
    double number = 0;
    std::string unit;
    std::size_t number_offset = 0;
    std::size_t unit_offset = 0;
  };
  // Tests joined by and, or, unless; or one test.
  struct LogicNode {
    LogicStep::Kind kind = LogicStep::Kind::kTest;
    std::size_t test = 0;
    std::size_t left = 0;
    std::size_t right = 0;
  };

  bool Fail(std::size_t offset, std::string message);
  bool FailHere(std::string message) { return Fail(cursor_.offset(), std::move(message)); }
  // For what stands where the expression should go on or end: names the feature when it is one that
  // is to come.
  bool FailUnexpected(std::string_view expected);
  std::string Found();  // the next word or sign, in quotes, or "the end"

  // expression.cpp
  // measure … threshold, without what follows. `by` of a later test is held against the first's.
  bool ReadTest(const Test* first, Test& test);
  bool ReadBy(const Test* first, Test& test);
  bool ReadLabel(std::string_view place, std::string& label);
  bool ReadOperator(Comparison& op);
  bool ReadThreshold(const Measure& measure, Threshold& threshold);
  // A threshold that is compared with the condition's value, in its unit.
  bool ReadOwnThreshold(const Condition& condition, Threshold& threshold);
  bool ReadTime(std::string_view what, Duration least, Duration most, Duration& time);
  bool ReadEnd(std::string_view expected);

  // expression_logic.cpp
  bool ReadLogic(std::size_t& node);
  bool ReadChain(std::size_t& node);
  bool ReadItem(std::size_t& node);
  bool OpensGroup();
  std::size_t JoinLogic(LogicStep::Kind kind, std::size_t left, std::size_t right);
  void WriteLogic(std::size_t node, std::vector<LogicStep>& steps) const;
  bool ReadHold(Duration& hold, Quorum* quorum);
  bool ReadQuorum(Quorum& quorum);
  // Counts a parenthesis that opens; false when they stand too deep.
  bool Enter();

  // expression_unit.cpp: the unit of a measure, and the threshold in it
  bool FitUnit(const Threshold& threshold, Test& test);
  // `compared to 1d ago`, if it stands here.
  bool ReadCompared(Test& test);
  bool FitCompared(const Threshold& threshold, Test& test);
  bool FitShare(const Threshold& threshold, Test& test);
  bool FitRate(const Threshold& threshold, Test& test);
  bool FitFormula(const Threshold& threshold, Test& test);
  bool FitDeclared(const Threshold& threshold, Test& test);
  // `declared`: what the metric is in; "" when nothing says so.
  bool FailUnknownUnit(std::size_t offset, std::string_view unit, std::string_view declared = "");

  // expression_formula.cpp
  bool ReadMeasure(Measure& measure);
  bool ReadSum(FormulaTree& formula, std::size_t& node);
  bool ReadProduct(FormulaTree& formula, std::size_t& node);
  bool ReadFactor(FormulaTree& formula, std::size_t& node);
  bool ReadNumber(FormulaTree& formula, std::size_t& node, bool& found);
  bool AddSign(FormulaTree& formula, FormulaStep::Kind sign, std::size_t offset, std::size_t right,
               std::size_t& node);
  bool MakeFormula(FormulaTree& formula, std::size_t root, std::size_t begin, Measure& measure);
  bool FailNoOperand(const FormulaTree::Node& node);
  // A canonical text may hold one sign and one parenthesis more than what was written: `(…) * 100`.
  unsigned slack() const { return bindings_ == nullptr ? 1 : 0; }
  bool AtSign() {
    return !cursor_.AtEnd() &&
           std::string_view("+-*/").find(cursor_.Peek()) != std::string_view::npos;
  }

  // expression_measure.cpp
  bool ReadSingle(Measure& measure);  // an alias, a call, a quantile
  bool ReadCall(std::string_view function, Measure& measure);
  bool ReadPair(Measure::Form form, Measure& measure);
  bool ReadQuantile(double quantile, std::size_t begin, std::string_view word, Measure& measure);
  bool ReadPer(Measure& measure);
  bool ReadCapacity(Measure& measure);
  bool ReadIn(Measure& measure);
  bool FitIn(const std::string& unit, std::size_t at, Measure& measure);
  bool FailUnbound();

  // expression_top.cpp
  bool AtTop();
  bool ReadTop(const Test* first, bool& windowed, Test& test);
  // `by …` and `over …`, in any order, as far as they stand here.
  bool ReadGroups(const Test* first, bool& windowed, Test& test);

  // expression_reporters.cpp
  bool AtReporters();
  bool ReadReporters(Test& test);

  // expression_series.cpp
  bool ReadSeries(Measure& measure);  // sets value's metric and matches, capacity and unit
  bool ReadMatches(Operand& operand);
  bool ReadService(std::size_t at, Operand& operand);  // what stands after `service` in braces
  // A condition that reads another service's series can do so.
  bool CheckServices(const Condition& condition);
  bool ReadCounted(Operand& operand);  // `, user`: the label whose values are counted
  const std::pair<const std::string, Binding>* TakeAlias(std::string_view ends);
  std::string DeclaredUnit(const Operand& operand) const;

  Cursor cursor_;
  const Bindings* bindings_;
  Duration window_ = Test().window;
  ExpressionError error_;
  std::vector<Test> tests_;
  std::vector<LogicNode> logic_;
  unsigned depth_ = 0;    // of parentheses
  bool share_ = false;    // the formula at hand says a part of a whole
  bool expects_ = false;  // what is read is to be so, no alarm's condition
};

inline constexpr Duration kMinWindow = std::chrono::seconds(1);
inline constexpr Duration kMaxWindow = std::chrono::hours(24 * 30);

// What may follow the name of a measure at once, beside a space.
inline constexpr std::string_view kNameEnds = "<>=!)";

// A word with a meaning of its own, which is therefore no label and no part of an alias.
bool IsKeyword(std::string_view word);
// Could this be a unit at all?
bool IsUnitWord(std::string_view word);

}  // namespace liveops::plan
