#include "common/plan/hints.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <utility>

#include "common/base/text.h"
#include "common/plan/expression_parser.h"

namespace liveops::plan {
namespace {

using Pair = std::pair<std::string_view, std::string_view>;

constexpr std::string_view kNoEquality =
    "; nothing is held to be equal: write the side that is bad, with > or <";

// By how the rest begins; the longer ones first.
constexpr Pair kSigns[] = {{"=>", ">="}, {"=<", "<="},  {"≥", ">="},
                           {"≤", "<="},  {"&&", "and"}, {"||", "or"}};

constexpr Pair kAggregates[] = {
    {"mean", "avg"},          {"average", "avg"},        {"median", "p50"},
    {"maximum", "max"},       {"minimum", "min"},        {"std", "stddev"},
    {"stdev", "stddev"},      {"uniq", "distinct"},      {"cardinality", "distinct"},
    {"percentile", "p95"},    {"sum_over_time", "sum"},  {"avg_over_time", "avg"},
    {"max_over_time", "max"}, {"min_over_time", "min"},  {"count_over_time", "count"},
    {"per_second", "rate"},   {"last_over_time", "last"}};

std::string Lower(std::string_view word) {
  std::string lower(word);
  for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return lower;
}

std::string_view FirstWord(std::string_view text) {
  return text.substr(0, static_cast<std::size_t>(std::find_if(text.begin(), text.end(), IsWordEnd) -
                                                 text.begin()));
}

std::string DidYouMean(std::string_view word) {
  return fmt::format("; did you mean \"{}\"?", word);
}

// "P95", "99p", "p95th" are p95 and p99.
std::string Quantile(std::string_view word) {
  std::string digits;
  std::string letters;
  for (const char c : Lower(word)) (c == '.' || (c >= '0' && c <= '9') ? digits : letters) += c;
  if (letters != "p" && letters != "pth" && letters != "th") return "";
  const std::string name = "p" + digits;
  return name != word && ParseQuantileName(name) ? name : "";
}

}  // namespace

std::string HintAt(std::string_view rest) {
  for (const auto& [sign, meant] : kSigns) {
    if (rest.starts_with(sign)) return DidYouMean(meant);
  }
  if (rest.starts_with("=") || rest.starts_with("!=") || rest.starts_with("<>"))
    return std::string(kNoEquality);
  const std::string_view word = FirstWord(rest);
  if (word == "over") return "; the window stands before the comparison: avg(m) over 5min > 90%";
  if (word == "by") return "; labels stand before the comparison: avg(m) by host > 90%";
  if (word == "during") return DidYouMean("for");
  if (word == "vs") return "; an earlier time is named so: > 150% compared to 1d ago";
  const std::string lower = Lower(word);
  if (lower != word && (IsKeyword(lower) || lower == "in" || lower == "to" || lower == "ago"))
    return DidYouMean(lower);
  return "";
}

std::string HintOfAggregate(std::string_view word) {
  const std::string lower = Lower(word);
  for (const auto& [other, meant] : kAggregates) {
    if (lower == other) return DidYouMean(meant);
  }
  const std::string quantile = Quantile(word);
  return quantile.empty() ? "" : DidYouMean(quantile);
}

std::string HintOfName(std::string_view word) {
  if (word == "not") return "; what is not to be stands after unless: a unless b";
  if (word == "less") return "; who reports is counted by fewer than 3 by instance";
  const std::string quantile = Quantile(word);
  return quantile.empty() ? "" : DidYouMean(quantile);
}

std::string HintOfTime(std::string_view rest) {
  const std::size_t digits = std::min(rest.find_first_not_of("0123456789"), rest.size());
  const std::string_view then = Trim(rest.substr(digits));
  if (digits == 0) return "";
  if (then.starts_with("out of ") || then.starts_with("/"))
    return "N of M is written as in for 3 of 5min";
  return then.empty() ? fmt::format("expected a unit of time after {0}, as in {0}min", Trim(rest))
                      : "";
}

bool HasDecimalComma(std::string_view after_a_number) {
  return after_a_number.size() > 1 && after_a_number[0] == ',' && after_a_number[1] >= '0' &&
         after_a_number[1] <= '9';
}

std::string ShareFault(const Condition& condition) {
  for (std::size_t i = 0; i < TestCount(condition); ++i) {
    const Test& test = TestOf(condition, i);
    if (!test.measure.IsRatio() || test.IsCompared() || test.measure.unit != "1") continue;
    if (test.op != Comparison::kGreater || test.threshold != 1) continue;
    return "a part of a whole that is compared with a plain number is from 0 to 1, and never above "
           "1; did you mean 1%? (All of it is 100%.)";
  }
  return "";
}

ExpressionError WideCharacter(std::string_view text, std::size_t from, const Bindings& bindings) {
  char quote = '\0';
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quote != '\0') {
      if (c == '\\') ++i;
      if (c == quote) quote = '\0';
      continue;
    }
    if (c == '"' || c == '\'') quote = c;
    const std::string_view wide = text.substr(i, 3);
    if (i < from || wide.size() < 3) continue;
    char narrow = '\0';
    const auto second = static_cast<unsigned char>(wide[1]);
    const auto third = static_cast<unsigned char>(wide[2]);
    if (wide == "\xe3\x80\x80") narrow = ' ';
    if (wide[0] == '\xef' && second == 0xbc && third >= 0x81)  // U+FF01 is '!'
      narrow = static_cast<char>('!' + (third - 0x81));
    if (wide[0] == '\xef' && second == 0xbd && third <= 0x9e)  // U+FF40 is '`'
      narrow = static_cast<char>('`' + (third - 0x80));
    if (narrow == '\0') continue;
    const bool named =
        std::any_of(bindings.names.begin(), bindings.names.end(),
                    [&](const auto& entry) { return entry.first.find(wide) != std::string::npos; });
    if (named) continue;
    const std::string meant = narrow == ' ' ? "a plain space" : fmt::format("\"{}\"", narrow);
    return {i, fmt::format("found \"{}\", a full-width character: write {}", wide, meant)};
  }
  return {};
}

}  // namespace liveops::plan
