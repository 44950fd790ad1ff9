#include "common/plan/expression.h"

#include <fmt/format.h>

#include <algorithm>

#include "common/base/text.h"
#include "common/plan/expression_parser.h"
#include "common/plan/parse.h"
#include "common/plan/units.h"

namespace liveops::plan {
namespace {

constexpr std::size_t kMaxText = 4096;
constexpr Duration kMinWindow = std::chrono::seconds(1);
constexpr Duration kMaxWindow = std::chrono::hours(24);
constexpr Duration kMaxHold = std::chrono::hours(24 * 7);

constexpr std::string_view kKeywords[] = {"by",  "over",   "per",      "of", "for",     "within",
                                          "and", "unless", "compared", "or", "without", "at",
                                          "+",   "-",      "*",        "/",  "offset"};

struct Feature {
  std::string_view word;
  std::string_view message;
};

// Parts of the language that later versions run: refused by name, not as a wrong character.
constexpr Feature kToCome[] = {
    {"and", "and cannot be run yet: write one alarm for each condition"},
    {"or", "or cannot be run yet: write one alarm for each condition"},
    {"unless", "unless cannot be run yet: write one alarm for each condition"},
    {"compared", "a comparison with an earlier time (compared to) cannot be run yet"},
    {"offset", "a comparison with an earlier time (offset) cannot be run yet"},
    {"without", "without cannot be run yet: name the labels to keep after by"},
    {"at", "\"at least N by label\" cannot be run yet"},
    {"+", "arithmetic cannot be run yet; for a quotient of two counters write ratio(a, b)"},
    {"-", "arithmetic cannot be run yet; for a quotient of two counters write ratio(a, b)"},
    {"*", "arithmetic cannot be run yet; for a quotient of two counters write ratio(a, b)"},
    {"/", "arithmetic cannot be run yet; for a quotient of two counters write ratio(a, b)"},
    {"of", "\"N of M\" cannot be run yet: write a hold, such as for 5min"},
};

bool IsUnitWord(std::string_view word) {
  if (word.empty() || word.size() > 32) return false;
  if ((word[0] >= '0' && word[0] <= '9') || word[0] == '.' || word[0] == '-') return false;
  return std::none_of(word.begin(), word.end(), IsWordEnd);
}

template <typename T, typename Read>
Parsed<T> Run(std::string_view text, const Bindings* bindings, Read read) {
  if (text.size() > kMaxText)
    return {std::nullopt, {0, "the expression is longer than 4096 bytes"}};
  ExpressionParser parser(text, bindings);
  T value;
  if (!read(parser, value)) return {std::nullopt, parser.error()};
  return {std::move(value), {}};
}

bool IsUpward(Comparison op) {
  return op == Comparison::kGreater || op == Comparison::kGreaterEqual;
}

}  // namespace

bool IsKeyword(std::string_view word) {
  return std::find(std::begin(kKeywords), std::end(kKeywords), word) != std::end(kKeywords);
}

bool ExpressionParser::Fail(std::size_t offset, std::string message) {
  if (error_.message.empty()) error_ = {offset, std::move(message)};
  return false;
}

std::string ExpressionParser::Found() {
  if (cursor_.AtEnd()) return "the end";
  const std::string_view word = cursor_.PeekWord();
  return fmt::format("\"{}\"",
                     Truncate(ScrubUtf8(word.empty() ? cursor_.rest().substr(0, 1) : word), 40));
}

bool ExpressionParser::FailUnexpected(std::string_view expected) {
  const std::string_view word = cursor_.PeekWord();
  for (const Feature& feature : kToCome) {
    if (word == feature.word) return FailHere(std::string(feature.message));
  }
  return FailHere(fmt::format("found {}, expected {}", Found(), expected));
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
    return Fail(
        threshold.number_offset,
        fmt::format(
            "\"{}\" is a measure, expected a number such as 500ms or 1%; a comparison of two "
            "measures cannot be run yet",
            alias->first));
  }
  const auto number = cursor_.TakeNumber();
  if (!number) {
    const std::string_view word = cursor_.PeekWord();
    const bool measured = !word.empty() && !IsKeyword(word) && !(word[0] >= '0' && word[0] <= '9');
    return measured ? FailHere(fmt::format("found {}, expected a number such as 500ms or 1%; a "
                                           "comparison of two measures cannot be run yet",
                                           Found()))
                    : FailUnexpected("a number such as 500ms or 1%");
  }
  threshold.number = *number;
  // What touches the number is its unit, right or wrong; a word apart only when it is one for sure.
  const bool apart = cursor_.AtSpace();
  threshold.unit_offset = cursor_.offset();
  const std::string_view word = cursor_.PeekWord();
  if (IsUnitWord(word) &&
      (!apart || (bindings_ != nullptr && (word == measure.unit || IsKnownUnit(word))))) {
    threshold.unit = cursor_.TakeWord();
  }
  return true;
}

bool ExpressionParser::FitShare(const Threshold& threshold, Condition& condition) {
  Measure& measure = condition.measure;
  condition.threshold = threshold.number;
  if (threshold.unit == "%") {
    measure.unit = "%";
    return true;
  }
  const char* what = measure.denominator ? "a ratio" : "a share of its capacity";
  if (!threshold.unit.empty()) {
    return Fail(threshold.unit_offset,
                fmt::format("this is {}, \"{}\" does not fit; expected % or a number from 0 to 1",
                            what, threshold.unit));
  }
  if (threshold.number > 1) {
    return Fail(threshold.number_offset,
                fmt::format("this is {0}, a plain number goes from 0 to 1; did you mean {1}%?",
                            what, FormatNumber(threshold.number)));
  }
  measure.unit = "1";
  return true;
}

bool ExpressionParser::FailUnknownUnit(const Threshold& threshold) {
  return Fail(threshold.unit_offset, fmt::format("unknown unit \"{}\"{}", threshold.unit,
                                                 Suggestion(threshold.unit, KnownUnits())));
}

// Decides the unit of the measure and brings the threshold to it.
bool ExpressionParser::FitUnit(const Threshold& threshold, Condition& condition) {
  Measure& measure = condition.measure;
  condition.threshold = threshold.number;
  const bool rate = measure.value.aggregate == Aggregate::kRate && !measure.IsShare();
  if (bindings_ == nullptr) {  // canonical: the unit is the one written
    measure.unit = !threshold.unit.empty() ? threshold.unit
                   : rate                  ? RateUnit("", FormatDuration(measure.per))
                                           : "1";
    return true;
  }
  if (measure.IsShare()) return FitShare(threshold, condition);
  if (rate) {
    std::string per = FormatDuration(measure.per);
    if (per == "1s" || per == "1min" || per == "1h" || per == "1d") per.erase(0, 1);
    measure.unit = RateUnit(measure.unit, per);
    if (threshold.unit.empty() || threshold.unit == measure.unit) return true;
    return Fail(threshold.unit_offset,
                fmt::format("this is a rate in {0}, \"{1}\" does not fit; expected a "
                            "plain number or {0}",
                            measure.unit, threshold.unit));
  }
  if (measure.unit.empty()) {
    if (!threshold.unit.empty() && !IsKnownUnit(threshold.unit)) return FailUnknownUnit(threshold);
    measure.unit = threshold.unit.empty() ? "1" : threshold.unit;
    return true;
  }
  if (threshold.unit.empty()) {
    if (measure.unit == "1") return true;
    return Fail(threshold.number_offset,
                fmt::format("expected a unit: this is in {0}, write {1}{0}", measure.unit,
                            FormatNumber(threshold.number)));
  }
  const auto converted = ConvertUnit(threshold.number, threshold.unit, measure.unit);
  if (!converted && !IsKnownUnit(threshold.unit)) return FailUnknownUnit(threshold);
  if (!converted || measure.value.aggregate == Aggregate::kCount) {
    return Fail(
        threshold.unit_offset,
        measure.unit == "1"
            ? fmt::format("this is a plain number, \"{}\" does not fit", threshold.unit)
            : fmt::format("this is in {0}, \"{1}\" does not fit", measure.unit, threshold.unit));
  }
  condition.threshold = *converted;
  return true;
}

bool ExpressionParser::ReadBy(Condition& condition) {
  do {
    const std::size_t at = cursor_.offset();
    const std::string label(cursor_.TakeWord());
    if (label.empty() || IsKeyword(label) || label.find_first_of("/:%+*") != std::string::npos ||
        !((label[0] >= 'a' && label[0] <= 'z') || (label[0] >= 'A' && label[0] <= 'Z') ||
          label[0] == '_')) {
      return Fail(at, "expected a label after by");
    }
    if (std::find(condition.by.begin(), condition.by.end(), label) != condition.by.end()) {
      return Fail(at, fmt::format("the label \"{}\" is named twice", label));
    }
    condition.by.push_back(label);
  } while (cursor_.Take(","));
  std::sort(condition.by.begin(), condition.by.end());
  return true;
}

bool ExpressionParser::ReadTime(std::string_view what, Duration least, Duration most,
                                Duration& time) {
  const std::size_t at = cursor_.offset();
  if (cursor_.AtEnd()) return Fail(at, fmt::format("expected {}, such as 5min", what));
  if (const auto number = cursor_.TakeNumber()) {
    if (cursor_.PeekWord() == "of") return FailUnexpected("a length of time");
    cursor_.MoveTo(at);
  }
  const auto read = cursor_.TakeDuration();
  if (!read.ok()) return Fail(at, fmt::format("{}; expected {}", read.error().message, what));
  if (*read < least || *read > most) {
    return Fail(at, fmt::format("{} is {}, expected from {} to {}", what, FormatDuration(*read),
                                FormatDuration(least), FormatDuration(most)));
  }
  time = *read;
  return true;
}

bool ExpressionParser::ReadHold(Duration& hold) {
  const bool word = cursor_.TakeKeyword("for");
  const char next = cursor_.Peek();
  if (!word && !(next >= '0' && next <= '9')) return true;  // no hold
  return ReadTime("the hold", Duration(0), kMaxHold, hold);
}

bool ExpressionParser::ReadEnd(std::string_view expected) {
  return cursor_.AtEnd() || FailUnexpected(expected);
}

bool ExpressionParser::ReadComparison(Condition& condition) {
  if (!ReadMeasure(condition.measure)) return false;
  bool windowed = false;
  while (true) {
    const std::size_t at = cursor_.offset();
    if (cursor_.TakeKeyword("by")) {
      if (!condition.by.empty()) return Fail(at, "by is given twice; expected: by label, label");
      if (!ReadBy(condition)) return false;
    } else if (cursor_.TakeKeyword("over")) {
      if (windowed) return Fail(at, "over is given twice");
      windowed = true;
      if (!ReadTime("the window", kMinWindow, kMaxWindow, condition.window)) return false;
    } else if (cursor_.PeekWord() == "per" || cursor_.PeekWord() == "of") {
      return Fail(at, fmt::format("{0} does not fit here; it follows an aggregate at once, as in "
                                  "rate(metric) per min, last(metric) of 200",
                                  cursor_.PeekWord()));
    } else {
      break;
    }
  }
  Threshold threshold;
  return ReadOperator(condition.op) && ReadThreshold(condition.measure, threshold) &&
         FitUnit(threshold, condition);
}

bool ExpressionParser::ReadCondition(Condition& condition) {
  return ReadComparison(condition) && ReadHold(condition.hold) &&
         ReadEnd(condition.hold.count() == 0 ? "for and a length of time, or the end" : "the end");
}

bool ExpressionParser::ReadClear(const Condition& condition, Clear& clear) {
  const std::size_t begin = cursor_.offset();
  Threshold threshold;
  if (!ReadOperator(clear.op) || !ReadThreshold(condition.measure, threshold)) return false;
  if (IsUpward(clear.op) == IsUpward(condition.op)) {
    return Fail(begin,
                fmt::format("the alarm fires at {} {}, so it clears on the other side: expected {}",
                            ComparisonSign(condition.op), FormatNumber(condition.threshold),
                            IsUpward(condition.op) ? "<" : ">"));
  }
  const std::string& unit = condition.measure.unit;
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
  clear.threshold = *converted;
  if (IsUpward(condition.op) ? clear.threshold > condition.threshold
                             : clear.threshold < condition.threshold) {
    return Fail(threshold.number_offset,
                fmt::format("the alarm would clear while it fires: expected {} or {}",
                            FormatNumber(condition.threshold) + (unit == "1" ? "" : unit),
                            IsUpward(condition.op) ? "less" : "more"));
  }
  return ReadHold(clear.hold) && ReadEnd("for and a length of time, or the end");
}

bool ExpressionParser::ReadExpect(Expect& expect) {
  if (!ReadComparison(expect.condition)) return false;
  if (cursor_.PeekWord() == "for") {
    return FailHere("a hold in expect cannot be run yet; expected within and a length of time");
  }
  if (!cursor_.TakeKeyword("within")) return FailUnexpected("within and a length of time");
  const std::size_t at = cursor_.offset();
  if (!ReadTime("the time to wait", kMinWindow, kMaxWindow, expect.within)) return false;
  if (expect.within <= expect.condition.window) {
    // The window opens fresh after the action, so nothing can be said before it is full.
    return Fail(
        at, fmt::format("{} is not longer than the window of {}: nothing could be seen in it",
                        FormatDuration(expect.within), FormatDuration(expect.condition.window)));
  }
  return ReadEnd("the end");
}

Parsed<Condition> ParseExpression(std::string_view text, const Bindings* bindings) {
  return Run<Condition>(text, bindings,
                        [](auto& parser, auto& value) { return parser.ReadCondition(value); });
}

Parsed<Clear> ParseClear(std::string_view text, const Condition& condition) {
  static const Bindings kNone;
  return Run<Clear>(text, &kNone,
                    [&](auto& parser, auto& value) { return parser.ReadClear(condition, value); });
}

Parsed<Expect> ParseExpect(std::string_view text, const Bindings* bindings) {
  return Run<Expect>(text, bindings,
                     [](auto& parser, auto& value) { return parser.ReadExpect(value); });
}

Parsed<Operand> ParseSeries(std::string_view text) {
  return Run<Operand>(text, nullptr,
                      [](auto& parser, auto& value) { return parser.ReadWholeSeries(value); });
}

std::string AliasFault(std::string_view name) {
  if (name.empty() || name.size() > 100) return "a name has 1 to 100 characters";
  if (name.front() == ' ' || name.back() == ' ')
    return "a name neither begins nor ends with a space";
  for (const char c : name) {
    if (c != ' ' && (IsWordEnd(c) || static_cast<unsigned char>(c) < 0x20)) {
      return "a name is made of words without ( ) { } [ ] , < > = ! and quotes";
    }
  }
  for (const std::string_view word : Split(name, ' ')) {
    if (IsKeyword(word)) return fmt::format("the word \"{}\" has a meaning in conditions", word);
  }
  return "";
}

Result<Condition> ParseCondition(std::string_view text) {
  auto parsed = ParseExpression(text, nullptr);
  if (parsed.value) return std::move(*parsed.value);
  return InvalidError(fmt::format("column {}: {}", parsed.error.offset + 1, parsed.error.message));
}

}  // namespace liveops::plan
