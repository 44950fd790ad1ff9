// How many values of a label report.
#include <fmt/format.h>

#include "common/plan/expression_parser.h"

namespace liveops::plan {
namespace {

constexpr int kReportersMax = 100'000;
constexpr std::string_view kForm = "as in at least 3 by pod";

}  // namespace

bool ExpressionParser::AtReporters() {
  const std::string_view word = cursor_.PeekWord();
  return word == "fewer" || word == "at";
}

bool ExpressionParser::ReadReporters(Test& test) {
  const std::size_t begin = cursor_.offset();
  const bool least = cursor_.TakeWord() == "at";
  const std::string_view second = least ? "least" : "than";
  if (!cursor_.TakeKeyword(second)) {
    return FailUnexpected(fmt::format("{} and a number, {}", second, kForm));
  }
  if (least && !expects_ && bindings_ != nullptr) {
    return Fail(begin,
                "at least N by label says what is to be: it stands under expect, in place of when; "
                "in a condition write when that fails: fewer than N by label");
  }
  const std::size_t number_at = cursor_.offset();
  const auto number = cursor_.TakeNumber();
  if (!number || *number < 1 || *number > kReportersMax || *number != static_cast<int>(*number)) {
    return Fail(number_at, fmt::format("expected how many, a whole number from 1 to {}, {}",
                                       kReportersMax, kForm));
  }
  Measure& measure = test.measure;
  if (cursor_.TakeKeyword("of")) {
    if (!ReadSeries(measure)) return false;
    measure.capacity = 0;
  }
  if (!cursor_.TakeKeyword("by")) {
    return FailUnexpected(fmt::format("by and the label whose values are counted, {}", kForm));
  }
  Test counted;
  if (!ReadBy(nullptr, counted)) return false;
  if (counted.by.size() > 1) {
    return Fail(begin, fmt::format("the values of one label are counted, found {}",
                                   fmt::join(counted.by, ", ")));
  }
  if (cursor_.TakeKeyword("over") && !ReadTime("the window", kMinWindow, kMaxWindow, test.window)) {
    return false;
  }
  measure.form = Measure::Form::kReporters;
  measure.value().aggregate = Aggregate::kCount;
  measure.value().label = counted.by.front();
  measure.unit = std::string("1");
  test.op = least ? Comparison::kGreaterEqual : Comparison::kLess;
  test.threshold = *number;
  return true;
}

// The condition of an alarm that says what is to be: that it is not so.
bool ExpressionParser::ReadExpectation(Condition& condition) {
  expects_ = true;
  if (cursor_.PeekWord() != "at") {
    return FailHere(
        fmt::format("found {}, expected at least N by label, {}; what is not to be "
                    "stands under when",
                    Found(), kForm));
  }
  if (!ReadReporters(condition)) return false;
  condition.op = Comparison::kLess;
  return ReadHold(condition.hold, &condition.quorum) &&
         ReadEnd("over, for and a length of time, or the end") && CheckServices(condition);
}

}  // namespace liveops::plan
