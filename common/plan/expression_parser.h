#pragma once

#include <string>
#include <string_view>

#include "common/plan/cursor.h"
#include "common/plan/expression.h"

namespace liveops::plan {

// Recursive descent over one text; the first error ends it. Every Read… returns false after Fail.
// For expression.cpp and expression_measure.cpp only. Not thread-safe; one text an instance.
class ExpressionParser {
 public:
  ExpressionParser(std::string_view text, const Bindings* bindings)
      : cursor_(text), bindings_(bindings) {}

  bool ReadCondition(Condition& condition);
  bool ReadClear(const Condition& condition, Clear& clear);
  bool ReadExpect(Expect& expect);
  // With the end of the text after it.
  bool ReadWholeSeries(Operand& operand);

  const ExpressionError& error() const { return error_; }

 private:
  // The written threshold, before its unit is fitted to what is measured.
  struct Threshold {
    double number = 0;
    std::string unit;
    std::size_t number_offset = 0;
    std::size_t unit_offset = 0;
  };

  bool Fail(std::size_t offset, std::string message);
  bool FailHere(std::string message) { return Fail(cursor_.offset(), std::move(message)); }
  // For what stands where the expression should go on or end: names the feature when it is one that
  // is to come.
  bool FailUnexpected(std::string_view expected);
  std::string Found();  // the next word or sign, in quotes, or "the end"

  // expression_measure.cpp
  bool ReadMeasure(Measure& measure);
  bool ReadCall(std::string_view function, Measure& measure);
  bool ReadRatio(Measure& measure);
  bool ReadQuantile(double quantile, std::size_t begin, std::string_view word, Measure& measure);
  bool ReadSeries(Measure& measure);  // sets value's metric and matches, capacity and unit
  bool ReadMatches(Operand& operand);
  bool ReadPer(Measure& measure);
  bool ReadCapacity(Measure& measure);
  bool FailUnbound();
  const std::pair<const std::string, Binding>* TakeAlias(std::string_view ends);
  std::string DeclaredUnit(std::string_view metric) const;

  // expression.cpp
  bool ReadComparison(Condition& condition);  // measure … threshold, without what follows
  bool ReadBy(Condition& condition);
  bool ReadOperator(Comparison& op);
  bool ReadThreshold(const Measure& measure, Threshold& threshold);
  bool ReadTime(std::string_view what, Duration least, Duration most, Duration& time);
  bool ReadHold(Duration& hold);
  bool FitUnit(const Threshold& threshold, Condition& condition);
  bool FailUnknownUnit(const Threshold& threshold);
  bool FitShare(const Threshold& threshold, Condition& condition);
  bool ReadEnd(std::string_view expected);

  Cursor cursor_;
  const Bindings* bindings_;
  ExpressionError error_;
};

// A word with a meaning of its own, which is therefore no label and no part of an alias.
bool IsKeyword(std::string_view word);

}  // namespace liveops::plan
