// The groups of a test: all of them, or those with the greatest values.
#include <fmt/format.h>

#include "common/plan/expression_parser.h"

namespace liveops::plan {
namespace {

constexpr int kTopMax = 1000;
constexpr std::string_view kForm = "as in topk(5, avg(metric) by host) > 90%";

}  // namespace

bool ExpressionParser::AtTop() {
  const std::size_t begin = cursor_.offset();
  const bool top = cursor_.TakeWord() == "topk" && cursor_.Peek() == '(';
  cursor_.MoveTo(begin);
  return top;
}

bool ExpressionParser::ReadTop(const Test* first, bool& windowed, Test& test) {
  const std::size_t begin = cursor_.offset();
  cursor_.TakeWord();
  cursor_.Take("(");
  if (first != nullptr) {
    return Fail(begin, "topk stands in the first test, which says what the alarm is told apart by");
  }
  if (expects_) return Fail(begin, "topk has no part in what is expected of an action");
  const std::size_t number_at = cursor_.offset();
  const auto number = cursor_.TakeNumber();
  if (!number || *number < 1 || *number > kTopMax || *number != static_cast<int>(*number)) {
    return Fail(number_at, fmt::format("expected how many groups, a whole number from 1 to {}, {}",
                                       kTopMax, kForm));
  }
  if (!cursor_.Take(",")) return FailUnexpected(fmt::format("\",\" and a measure, {}", kForm));
  if (!ReadMeasure(test.measure) || !ReadGroups(first, windowed, test)) return false;
  if (test.by.empty()) {
    return FailUnexpected(fmt::format("by and the labels that tell the groups apart, {}", kForm));
  }
  test.top = static_cast<int>(*number);
  return cursor_.Take(")") || FailUnexpected("\")\"");
}

bool ExpressionParser::ReadGroups(const Test* first, bool& windowed, Test& test) {
  while (true) {
    const std::size_t at = cursor_.offset();
    const std::string_view word = cursor_.PeekWord();
    if (cursor_.TakeKeyword("by")) {
      if (!test.by.empty()) return Fail(at, "by is given twice; expected: by label, label");
      if (!ReadBy(first, test)) return false;
    } else if (cursor_.TakeKeyword("over")) {
      if (windowed) return Fail(at, "over is given twice");
      windowed = true;
      if (!ReadTime("the window", kMinWindow, kMaxWindow, test.window)) return false;
    } else if (word == "per" || word == "of" || word == "in") {
      return Fail(at, fmt::format("{0} does not fit here; it follows an aggregate at once, as in "
                                  "rate(metric) per min, last(metric) of 200, avg(metric) in ms",
                                  word));
    } else {
      return true;
    }
  }
}

}  // namespace liveops::plan
