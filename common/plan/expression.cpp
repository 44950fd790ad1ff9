#include "common/plan/expression.h"

#include <fmt/format.h>

#include <algorithm>

#include "common/base/text.h"
#include "common/plan/expression_parser.h"
#include "common/plan/hints.h"
#include "common/plan/parse.h"
#include "common/plan/reads.h"
#include "common/plan/units.h"

namespace liveops::plan {
namespace {

constexpr std::size_t kMaxText = 4096;
// Of a canonical text, in which the names of up to 64 series are written out.
constexpr std::size_t kMaxCanonical = 1 << 20;
constexpr Duration kMaxWithin = std::chrono::hours(24);

constexpr std::string_view kKeywords[] = {"by",  "over",   "per",      "of", "for",     "within",
                                          "and", "unless", "compared", "or", "without", "at",
                                          "+",   "-",      "*",        "/",  "offset",  "fewer"};

struct Feature {
  std::string_view word;
  std::string_view message;
};

constexpr std::string_view kArithmetic =
    "arithmetic stands left of the comparison, on the right is one number";

// Refused by name, not as a wrong character: parts of the language that later versions run, and
// what stands elsewhere.
constexpr Feature kRefused[] = {
    {"compared",
     "what is compared with an earlier time says so after its threshold, before the hold: p95 > "
     "150% compared to 1d ago for 5min"},
    {"offset",
     "an earlier time is no offset here; write what part of it the value is: p95 > 150% compared "
     "to 1d ago"},
    {"without", "without cannot be run yet: name the labels to keep after by"},
    {"+", kArithmetic},
    {"-", kArithmetic},
    {"*", kArithmetic},
    {"/", kArithmetic},
};

constexpr std::string_view kTwoMeasures =
    "two measures are compared by their difference or quotient: a - b > 0, a / b > 2";

template <typename T, typename Read>
Parsed<T> Run(std::string_view text, const Bindings* bindings, Read read) {
  const std::size_t most = bindings == nullptr ? kMaxCanonical : kMaxText;
  if (text.size() > most)
    return {std::nullopt, {0, fmt::format("the expression is longer than {} bytes", most)}};
  ExpressionParser parser(text, bindings);
  T value;
  if (!read(parser, value)) {
    const ExpressionError& error = parser.error();
    if (bindings != nullptr && !error.message.empty()) {
      ExpressionError wide = WideCharacter(text, error.offset, *bindings);
      if (!wide.message.empty()) return {std::nullopt, std::move(wide)};
    }
    return {std::nullopt, error};
  }
  return {std::move(value), {}};
}

}  // namespace

bool IsUnitWord(std::string_view word) {
  if (word.empty() || word.size() > 32) return false;
  if ((word[0] >= '0' && word[0] <= '9') || word[0] == '.' || word[0] == '-') return false;
  return std::none_of(word.begin(), word.end(), IsWordEnd);
}

bool IsKeyword(std::string_view word) {
  return std::find(std::begin(kKeywords), std::end(kKeywords), word) != std::end(kKeywords);
}

bool ExpressionParser::Fail(std::size_t offset, std::string message) {
  if (error_.message.empty()) error_ = {offset, std::move(message)};
  return false;
}

std::string ExpressionParser::Found() {
  if (cursor_.AtEnd()) return "the end";
  std::string_view word = cursor_.PeekWord();
  if (word.empty()) {  // a sign, or several of which comparisons are made
    const std::size_t signs = cursor_.rest().find_first_not_of("<>=!");
    word =
        cursor_.rest().substr(0, std::max<std::size_t>(1, std::min(signs, cursor_.rest().size())));
  }
  return fmt::format("\"{}\"", Truncate(ScrubUtf8(word), 40));
}

bool ExpressionParser::FailUnexpected(std::string_view expected) {
  const std::string_view word = cursor_.PeekWord();
  for (const Feature& feature : kRefused) {
    if (word == feature.word) return FailHere(std::string(feature.message));
  }
  return FailHere(
      fmt::format("found {}, expected {}{}", Found(), expected, HintAt(cursor_.rest())));
}

bool ExpressionParser::ReadOperator(Comparison& op) {
  const std::size_t begin = cursor_.offset();
  if (cursor_.Take(">=")) {
    op = Comparison::kGreaterEqual;
  } else if (cursor_.Take("<=")) {
    op = Comparison::kLessEqual;
  } else if (cursor_.Take(">")) {
    op = Comparison::kGreater;
  } else if (cursor_.Take("<")) {
    op = Comparison::kLess;
  } else {
    return FailUnexpected("one of > >= < <=");
  }
  if (cursor_.Peek() == '=' || cursor_.Peek() == '>' || cursor_.Peek() == '<') {
    return Fail(begin, "expected one of > >= < <=");
  }
  return true;
}

bool ExpressionParser::ReadThreshold(const Measure& measure, Threshold& threshold) {
  threshold.number_offset = cursor_.offset();
  if (const auto* alias = TakeAlias(""); alias != nullptr) {  // before a number: `5xx > 4xx`
    return Fail(threshold.number_offset,
                fmt::format("\"{}\" is a measure, expected a number such as 500ms or 1%; {}",
                            alias->first, kTwoMeasures));
  }
  const auto number = cursor_.TakeNumber();
  if (!number) {
    const std::string_view word = cursor_.PeekWord();
    const bool measured = !word.empty() && !IsKeyword(word) && !(word[0] >= '0' && word[0] <= '9');
    if (!measured) return FailUnexpected("a number such as 500ms or 1%");
    return FailHere(
        fmt::format("found {}, expected a number such as 500ms or 1%; {}", Found(), kTwoMeasures));
  }
  threshold.number = *number;
  // What touches the number is its unit, right or wrong; a word apart only when it is one for sure.
  const bool apart = cursor_.AtSpace();
  threshold.unit_offset = cursor_.offset();
  if (!apart && HasDecimalComma(cursor_.rest()))
    return FailHere("a number has a point and no comma, as in 0.5%");
  const std::string_view word = cursor_.PeekWord();
  if (IsUnitWord(word) &&
      (!apart || (bindings_ != nullptr && (word == measure.unit || IsKnownUnit(word))))) {
    threshold.unit = cursor_.TakeWord();
  }
  return true;
}

bool ExpressionParser::ReadLabel(std::string_view place, std::string& label) {
  const std::size_t at = cursor_.offset();
  label = cursor_.TakeWord();
  const bool good = !label.empty() && !IsKeyword(label) &&
                    label.find_first_of("/:%+*") == std::string::npos &&
                    ((label[0] >= 'a' && label[0] <= 'z') || (label[0] >= 'A' && label[0] <= 'Z') ||
                     label[0] == '_');
  return good || Fail(at, fmt::format("expected a label {}{}", place,
                                      label.empty() && cursor_.Peek() == '('
                                          ? ", without parentheses: by host, zone"
                                          : ""));
}

bool ExpressionParser::ReadBy(const Test* first, Test& test) {
  do {
    const std::size_t at = cursor_.offset();
    std::string label;
    if (!ReadLabel("after by", label)) return false;
    if (std::find(test.by.begin(), test.by.end(), label) != test.by.end()) {
      return Fail(at, fmt::format("the label \"{}\" is named twice", label));
    }
    if (first != nullptr &&
        std::find(first->by.begin(), first->by.end(), label) == first->by.end()) {
      return Fail(at, fmt::format("the first test says what the alarm is told apart by, which is "
                                  "{}; a later test may name all of that, a part, or nothing (then "
                                  "it is one value for the whole service), but not \"{}\"",
                                  first->by.empty() ? "no label"
                                                    : fmt::format("{}", fmt::join(first->by, ", ")),
                                  label));
    }
    test.by.push_back(label);
  } while (cursor_.Take(","));
  std::sort(test.by.begin(), test.by.end());
  return true;
}

bool ExpressionParser::ReadTime(std::string_view what, Duration least, Duration most,
                                Duration& time) {
  const std::size_t at = cursor_.offset();
  if (cursor_.AtEnd()) return Fail(at, fmt::format("expected {}, such as 5min", what));
  if (const auto number = cursor_.TakeNumber()) {
    if (cursor_.PeekWord() == "of") {
      return FailHere(fmt::format(
          "\"N of M\" is a hold of the whole condition, as in for 3 of 5min; expected {}", what));
    }
    cursor_.MoveTo(at);
  }
  const auto read = cursor_.TakeDuration();
  if (!read.ok()) {
    if (const std::string hint = HintOfTime(cursor_.rest()); !hint.empty())
      return Fail(at, fmt::format("{}; expected {}", hint, what));
    return Fail(at, fmt::format("{}; expected {}", read.error().message, what));
  }
  if (*read < least || *read > most) {
    return Fail(at, fmt::format("{} is {}, expected from {} to {}", what, FormatDuration(*read),
                                FormatDuration(least), FormatDuration(most)));
  }
  time = *read;
  return true;
}

bool ExpressionParser::ReadEnd(std::string_view expected) {
  return cursor_.AtEnd() || FailUnexpected(expected);
}

bool ExpressionParser::ReadTest(const Test* first, Test& test) {
  const std::size_t begin = cursor_.offset();
  if (AtReporters()) return ReadReporters(test);
  bool windowed = false;
  if (AtTop()) {
    if (!ReadTop(first, windowed, test)) return false;
  } else if (!ReadMeasure(test.measure)) {
    return false;
  }
  if (!ReadGroups(first, windowed, test)) return false;
  if (AtSign()) {
    return FailHere("by and over stand after the whole formula: a - b by label over 5min > 1");
  }
  Threshold threshold;
  if (!ReadOperator(test.op) || !ReadThreshold(test.measure, threshold) || !ReadCompared(test)) {
    return false;
  }
  const Measure& measure = test.measure;
  const bool written = bindings_ == nullptr && measure.form == Measure::Form::kPlain &&
                       !measure.unit.empty() && !IsCount(measure.value().aggregate);
  if (written && !test.IsCompared()) {
    return Fail(begin, "outside a formula the threshold says the unit");
  }
  return FitUnit(threshold, test);
}

bool ExpressionParser::ReadClear(const Condition& condition, Clear& clear) {
  const std::size_t begin = cursor_.offset();
  if (TestCount(condition) > 1) {
    return Fail(begin, fmt::format("clear belongs to a condition of one test, this one has {}: it "
                                   "recovers as soon as the whole is false",
                                   TestCount(condition)));
  }
  if (!ReadOperator(clear.op)) return false;
  if (IsUpward(clear.op) == IsUpward(condition.op)) {
    return Fail(begin,
                fmt::format("the alarm fires at {} {}, so it clears on the other side: expected {}",
                            ComparisonSign(condition.op),
                            FormatValue(condition.threshold, ThresholdUnit(condition)),
                            IsUpward(condition.op) ? "<" : ">"));
  }
  Threshold threshold;
  if (!ReadOwnThreshold(condition, threshold)) return false;
  clear.threshold = threshold.number;
  const std::string unit = ThresholdUnit(condition);
  if (IsUpward(condition.op) ? clear.threshold > condition.threshold
                             : clear.threshold < condition.threshold) {
    return Fail(threshold.number_offset,
                fmt::format("the alarm would clear while it fires: expected {} or {}",
                            FormatNumber(condition.threshold) + (unit == "1" ? "" : unit),
                            IsUpward(condition.op) ? "less" : "more"));
  }
  return ReadHold(clear.hold, nullptr) && ReadEnd("for and a length of time, or the end");
}

bool ExpressionParser::ReadLevel(const Condition& condition, Level& level) {
  const std::size_t begin = cursor_.offset();
  if (!ReadOperator(level.op)) return false;
  if (IsUpward(level.op) != IsUpward(condition.op)) {
    return Fail(begin, fmt::format("the alarm fires at {} {}, and worse is further on: expected {}",
                                   ComparisonSign(condition.op), FormatNumber(condition.threshold),
                                   IsUpward(condition.op) ? ">" : "<"));
  }
  Threshold threshold;
  if (!ReadOwnThreshold(condition, threshold)) return false;
  level.threshold = threshold.number;
  level.hold = condition.hold;
  if (condition.quorum.needed > 0) {
    return ReadEnd("the end: a level holds for as many as the condition does");
  }
  return ReadHold(level.hold, nullptr) && ReadEnd("for and a length of time, or the end");
}

bool ExpressionParser::ReadOwnThreshold(const Condition& condition, Threshold& threshold) {
  if (!ReadThreshold(condition.measure, threshold)) return false;
  const std::string unit = ThresholdUnit(condition);
  std::string written = threshold.unit;
  if (written.empty()) {
    // A bare number is in the condition's unit only where the condition's own threshold may be
    // bare.
    if (unit != "1" && unit.find('/') == std::string::npos) {
      return Fail(threshold.number_offset,
                  fmt::format("expected a unit: the condition is in {0}, write {1}{0}", unit,
                              FormatNumber(threshold.number)));
    }
    written = unit;
  }
  const auto converted = ConvertUnit(threshold.number, written, unit);
  if (!converted) {
    return Fail(threshold.unit_offset, fmt::format("the condition is in {}, \"{}\" does not fit",
                                                   unit == "1" ? "plain numbers" : unit, written));
  }
  threshold.number = *converted;
  return true;
}

bool ExpressionParser::ReadExpect(Expect& expect) {
  const std::size_t begin = cursor_.offset();
  expects_ = true;
  if (!ReadTest(nullptr, expect.condition)) return false;
  if (expect.condition.IsCompared()) {
    return Fail(begin,
                "what is expected of an action is not compared with an earlier time: its window "
                "opens afterwards; expected a threshold alone");
  }
  if (const auto services = ServicesRead(expect.condition); !services.empty()) {
    return Fail(begin, fmt::format("what is expected of an action is read from its own service's "
                                   "series, this is of {}",
                                   services.front()));
  }
  const std::string_view next = cursor_.PeekWord();
  if (next == "for") {
    return FailHere("a hold in expect cannot be run yet; expected within and a length of time");
  }
  if (next == "and" || next == "or" || next == "unless") {
    return FailHere(fmt::format(
        "expect takes one test, {} joins several; expected within and a length of time", next));
  }
  if (!cursor_.TakeKeyword("within")) return FailUnexpected("within and a length of time");
  const std::size_t at = cursor_.offset();
  if (!ReadTime("the time to wait", kMinWindow, kMaxWithin, expect.within)) return false;
  if (expect.within <= expect.condition.window) {
    // The window opens fresh after the action, so nothing can be said before it is full.
    return Fail(
        at, fmt::format("{} is not longer than the window of {}: nothing could be seen in it",
                        FormatDuration(expect.within), FormatDuration(expect.condition.window)));
  }
  return ReadEnd("the end");
}

Parsed<Condition> ParseExpression(std::string_view text, const Bindings* bindings,
                                  Duration window) {
  return Run<Condition>(text, bindings, [&](auto& parser, auto& value) {
    parser.UseWindow(window);
    return parser.ReadCondition(value);
  });
}

Parsed<Clear> ParseClear(std::string_view text, const Condition& condition) {
  static const Bindings kNone;
  return Run<Clear>(text, &kNone,
                    [&](auto& parser, auto& value) { return parser.ReadClear(condition, value); });
}

Parsed<Level> ParseLevel(std::string_view text, const Condition& condition) {
  static const Bindings kNone;
  return Run<Level>(text, &kNone,
                    [&](auto& parser, auto& value) { return parser.ReadLevel(condition, value); });
}

Parsed<Condition> ParseExpectation(std::string_view text, const Bindings* bindings) {
  return Run<Condition>(text, bindings,
                        [](auto& parser, auto& value) { return parser.ReadExpectation(value); });
}

Parsed<Expect> ParseExpect(std::string_view text, const Bindings* bindings) {
  return Run<Expect>(text, bindings,
                     [](auto& parser, auto& value) { return parser.ReadExpect(value); });
}

Parsed<GoodEvents> ParseGoodEvents(std::string_view text, const Bindings* bindings) {
  return Run<GoodEvents>(text, bindings,
                         [](auto& parser, auto& value) { return parser.ReadGoodEvents(value); });
}

Parsed<Operand> ParseSeries(std::string_view text, const Bindings* bindings) {
  return Run<Operand>(text, bindings,
                      [](auto& parser, auto& value) { return parser.ReadWholeSeries(value); });
}

Result<Condition> ParseCondition(std::string_view text) {
  auto parsed = ParseExpression(text, nullptr);
  if (parsed.value) return std::move(*parsed.value);
  return InvalidError(fmt::format("column {}: {}", parsed.error.offset + 1, parsed.error.message));
}

}  // namespace liveops::plan
