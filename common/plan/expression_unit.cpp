#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "common/base/text.h"
#include "common/plan/expression_parser.h"
#include "common/plan/units.h"

namespace liveops::plan {
namespace {

constexpr Duration kLeastAgo = std::chrono::seconds(1);
// Of the earlier window's begin.
constexpr Duration kMaxReach = std::chrono::hours(24 * 30);

// "/min", "By/s": a plain number is taken to be in it.
bool IsRateUnit(std::string_view unit) { return unit.find('/') != std::string_view::npos; }

bool IsNumber(const FormulaStep& step, double number) {
  return step.kind == FormulaStep::Kind::kNumber && step.number == number;
}

// The known one that was surely meant, since units are short: in another letter case, or one of the
// two begins or ends with the other; "" when there is none.
std::string NearUnit(std::string_view unit) {
  std::string near = NearestWord(unit, KnownUnits());
  const bool other_case =
      std::equal(near.begin(), near.end(), unit.begin(), unit.end(), [](char a, char b) {
        return std::tolower(static_cast<unsigned char>(a)) ==
               std::tolower(static_cast<unsigned char>(b));
      });
  const auto part_of = [](std::string_view part, std::string_view whole) {
    return whole.starts_with(part) || whole.ends_with(part);
  };
  if (!other_case && !part_of(near, unit) && !part_of(unit, near)) near.clear();
  return near;
}

// Does the formula end in `* 100`, the way a share is made per cents?
bool EndsInHundredTimes(const std::vector<FormulaStep>& formula) {
  return formula.size() >= 2 && formula.back().kind == FormulaStep::Kind::kMultiply &&
         IsNumber(formula[formula.size() - 2], 100);
}

}  // namespace

bool ExpressionParser::FailUnknownUnit(std::size_t offset, std::string_view unit,
                                       std::string_view declared) {
  if (const std::string near = NearUnit(unit); !near.empty()) {
    return Fail(offset, fmt::format("unknown unit \"{}\"; did you mean \"{}\"?", unit, near));
  }
  if (!declared.empty()) {
    return Fail(offset, fmt::format("unknown unit \"{}\": {}", unit,
                                    declared == "1" ? "this is a plain number"
                                                    : fmt::format("this is in {}", declared)));
  }
  return Fail(
      offset,
      fmt::format("unknown unit \"{0}\": expected one like ms, h, MiB or %, or that metrics: "
                  "says what is in it, as in cost: {{metric: cost, unit: {0}}}",
                  unit));
}

// Decides the unit of the measure and brings the threshold to it.
bool ExpressionParser::FitUnit(const Threshold& threshold, Test& test) {
  Measure& measure = test.measure;
  test.threshold = threshold.number;
  if (test.IsCompared()) return FitCompared(threshold, test);
  const bool rate = measure.form == Measure::Form::kPlain &&
                    measure.value().aggregate == Aggregate::kRate && !measure.IsShare();
  if (bindings_ == nullptr) {  // canonical: the unit is the one written
    measure.unit = !threshold.unit.empty() ? threshold.unit
                   : rate                  ? RateUnit("", measure.value().per)
                                           : "1";
    return true;
  }
  if (measure.IsShare()) return FitShare(threshold, test);
  if (measure.form == Measure::Form::kFormula) return FitFormula(threshold, test);
  if (rate) return FitRate(threshold, test);
  if (measure.unit.empty()) {
    if (!threshold.unit.empty() && !IsKnownUnit(threshold.unit)) {
      return FailUnknownUnit(threshold.unit_offset, threshold.unit);
    }
    measure.unit = threshold.unit.empty() ? "1" : threshold.unit;
    return true;
  }
  return FitDeclared(threshold, test);
}

bool ExpressionParser::ReadCompared(Test& test) {
  const std::size_t begin = cursor_.offset();
  if (!cursor_.TakeKeyword("compared")) return true;
  constexpr std::string_view kForm = "as in p95 > 150% compared to 1d ago";
  if (!cursor_.TakeKeyword("to")) return FailUnexpected(fmt::format("to, {}", kForm));
  const std::size_t at = cursor_.offset();
  if (!ReadTime("the earlier time", kLeastAgo, kMaxReach, test.ago)) return false;
  if (!cursor_.TakeKeyword("ago")) return FailUnexpected(fmt::format("ago, {}", kForm));
  if (test.measure.form == Measure::Form::kFormula) {
    return Fail(begin,
                "a formula cannot be compared with an earlier time yet, one aggregate, "
                "ratio or shortfall can");
  }
  if (test.ago < test.window) {
    return Fail(at, fmt::format("{} ago lies inside the window of {}: expected at least {}",
                                FormatDuration(test.ago), FormatDuration(test.window),
                                FormatDuration(test.window)));
  }
  if (test.ago + test.window > kMaxReach) {
    return Fail(at, fmt::format("the window of {} that ended {} ago reaches back more than {}",
                                FormatDuration(test.window), FormatDuration(test.ago),
                                FormatDuration(kMaxReach)));
  }
  if (test.window * kEarlierPanesMax < test.ago) {
    const Duration least((test.ago.count() + kEarlierPanesMax - 1) / kEarlierPanesMax);
    return Fail(at, fmt::format("of {} ago at most {} windows are kept: expected a window of at "
                                "least {}, as in over {}",
                                FormatDuration(test.ago), kEarlierPanesMax, FormatDuration(least),
                                FormatDuration(least)));
  }
  return true;
}

// The threshold is a part of what was; what the series are in is only said by the measure.
bool ExpressionParser::FitCompared(const Threshold& threshold, Test& test) {
  Measure& measure = test.measure;
  if (threshold.unit != "%") {
    return Fail(threshold.unit.empty() ? threshold.number_offset : threshold.unit_offset,
                "what is compared with an earlier time is in per cents of it: 150% is one and a "
                "half times as much");
  }
  if (measure.IsShare()) {
    measure.unit = "%";
  } else if (measure.value().aggregate == Aggregate::kRate) {
    if (bindings_ != nullptr || measure.unit.empty()) {
      measure.unit = RateUnit(measure.unit, measure.value().per);
    }
  } else if (measure.unit.empty()) {
    measure.unit = "1";
  }
  return true;
}

bool ExpressionParser::FitShare(const Threshold& threshold, Test& test) {
  Measure& measure = test.measure;
  if (threshold.unit == "%") {
    measure.unit = "%";
    return true;
  }
  const char* what = measure.form == Measure::Form::kRatio       ? "a ratio"
                     : measure.form == Measure::Form::kShortfall ? "a share of what is missing"
                                                                 : "a share of its capacity";
  if (!threshold.unit.empty()) {
    return Fail(threshold.unit_offset,
                fmt::format("this is {}, \"{}\" does not fit; expected % or a number from 0 to 1",
                            what, threshold.unit));
  }
  if (threshold.number > 1) {
    return Fail(threshold.number_offset,
                measure.capacity > 0
                    ? fmt::format("this is {}, a plain number goes from 0 to 1; did you mean {}%, "
                                  "which is {} of {}?",
                                  what, FormatNumber(threshold.number * 100 / measure.capacity),
                                  FormatNumber(threshold.number), FormatNumber(measure.capacity))
                    : fmt::format("this is {}, a plain number goes from 0 to 1; did you mean {}%?",
                                  what, FormatNumber(threshold.number)));
  }
  measure.unit = "1";
  return true;
}

bool ExpressionParser::FitRate(const Threshold& threshold, Test& test) {
  Measure& measure = test.measure;
  measure.unit = RateUnit(measure.unit, measure.value().per);
  if (threshold.unit.empty() || threshold.unit == measure.unit) return true;
  return Fail(threshold.unit_offset,
              fmt::format("this is a rate in {0}, \"{1}\" does not fit; expected a plain number or "
                          "{0}",
                          measure.unit, threshold.unit));
}

// A quotient may be compared with per cents: its steps then say so, and nobody else needs to know.
bool ExpressionParser::FitFormula(const Threshold& threshold, Test& test) {
  Measure& measure = test.measure;
  if (threshold.unit.empty() && IsRateUnit(measure.unit)) return true;
  if (threshold.unit != "%" || measure.unit != "1") return FitDeclared(threshold, test);
  if (!share_) {
    return Fail(threshold.unit_offset,
                "this is a plain number, \"%\" does not fit: it says no part of a whole. If its "
                "series are in %, write last(metric) in %");
  }
  auto& formula = measure.formula;
  measure.unit = "%";
  if (EndsInHundredTimes(formula)) return true;
  if (std::any_of(formula.begin(), formula.end(),
                  [](const FormulaStep& step) { return IsNumber(step, 100); })) {
    return Fail(threshold.number_offset,
                "compared with per cents a quotient is multiplied by 100 by itself: leave the 100 "
                "out, or put * 100 at the formula's end");
  }
  formula.push_back({FormulaStep::Kind::kNumber, 0, 100});
  formula.push_back({FormulaStep::Kind::kMultiply, 0, 0});
  return true;
}

bool ExpressionParser::FitDeclared(const Threshold& threshold, Test& test) {
  const Measure& measure = test.measure;
  if (threshold.unit.empty()) {
    if (measure.unit == "1") return true;
    return Fail(threshold.number_offset,
                fmt::format("expected a unit: this is in {0}, write {1}{0}{2}", measure.unit,
                            FormatNumber(threshold.number),
                            measure.unit == "%" && threshold.number > 0 && threshold.number < 1
                                ? fmt::format(", or {}%", FormatNumber(threshold.number * 100))
                                : ""));
  }
  const auto converted = ConvertUnit(threshold.number, threshold.unit, measure.unit);
  if (!converted && !IsKnownUnit(threshold.unit) && !IsRateUnit(threshold.unit)) {
    return FailUnknownUnit(threshold.unit_offset, threshold.unit, measure.unit);
  }
  const bool formula = measure.form == Measure::Form::kFormula;
  if (!converted || (!formula && IsCount(measure.value().aggregate))) {
    if (measure.unit != "1") {
      return Fail(
          threshold.unit_offset,
          fmt::format(
              "this is in {}, \"{}\" does not fit{}", measure.unit, threshold.unit,
              threshold.unit == "%" ? "; a part of what was is > 150% compared to 1d ago" : ""));
    }
    return Fail(threshold.unit_offset,
                fmt::format("this is a plain number, \"{0}\" does not fit{1}", threshold.unit,
                            formula ? fmt::format("; if its series are in {0}, write avg(metric) "
                                                  "in {0}",
                                                  threshold.unit)
                                    : ""));
  }
  test.threshold = *converted;
  return true;
}

}  // namespace liveops::plan
