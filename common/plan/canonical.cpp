#include <fmt/format.h>

#include <charconv>
#include <string>
#include <vector>

#include "common/base/hash.h"
#include "common/plan/model.h"
#include "common/plan/units.h"

namespace liveops::plan {
namespace {

// 0.95 -> "p95", 0.999 -> "p99.9": the decimal point moved in the text, so that nothing is rounded.
std::string QuantileName(double quantile) {
  std::string digits = Decimal(quantile);
  const std::size_t point = digits.find('.');
  std::string fraction = point == std::string::npos ? "" : digits.substr(point + 1);
  std::string whole = digits.substr(0, point);
  while (fraction.size() < 2) fraction += '0';
  whole += fraction.substr(0, 2);
  fraction.erase(0, 2);
  whole.erase(0, std::min(whole.find_first_not_of('0'), whole.size() - 1));
  return "p" + whole + (fraction.empty() ? "" : "." + fraction);
}

const char* AggregateName(Aggregate aggregate) {
  switch (aggregate) {
    case Aggregate::kLast:
      return "last";
    case Aggregate::kAvg:
      return "avg";
    case Aggregate::kMin:
      return "min";
    case Aggregate::kMax:
      return "max";
    case Aggregate::kSum:
      return "sum";
    case Aggregate::kCount:
      return "count";
    case Aggregate::kIncrease:
      return "increase";
    case Aggregate::kRate:
      return "rate";
    case Aggregate::kQuantile:
      return "quantile";
    case Aggregate::kStddev:
      return "stddev";
    case Aggregate::kDistinct:
      return "distinct";
  }
  return "unknown";
}

std::string SeriesText(const Operand& operand) {
  std::string out = operand.metric;
  std::vector<LabelMatch> matches = operand.matches;
  if (!operand.service.empty()) {
    matches.insert(matches.begin(), {std::string(kServiceLabel), false, operand.service});
  }
  if (matches.empty()) return out;
  const char* separator = "{";
  for (const LabelMatch& match : matches) {
    out += separator + match.name + (match.negate ? "!=\"" : "=\"");
    for (const char c : match.value) {
      if (c == '"' || c == '\\') out += '\\';
      out += c;
    }
    out += '"';
    separator = ", ";
  }
  return out + "}";
}

std::string CallText(const Operand& operand) {
  const std::string name = operand.aggregate == Aggregate::kQuantile
                               ? QuantileName(operand.quantile)
                               : AggregateName(operand.aggregate);
  std::string out = fmt::format("{}({}{}{})", name, SeriesText(operand),
                                operand.label.empty() ? "" : ", ", operand.label);
  if (operand.aggregate == Aggregate::kRate) out += " per " + FormatDuration(operand.per);
  return out;
}

// Part of a formula or of the logic: its text, and how tightly its outermost sign binds.
struct Part {
  std::string text;
  int binds = 0;
};
constexpr int kAlone = 3;  // more tightly than any sign

// Takes the last two parts and puts the one that they make with `sign`.
void Join(std::vector<Part>& parts, std::string_view sign, int binds) {
  const auto enclose = [](Part& part) { part.text = "(" + part.text + ")"; };
  Part right = std::move(parts.back());
  parts.pop_back();
  Part& left = parts.back();
  // Chains are read from the left: what stands right of a sign that binds alike is a group.
  if (left.binds < binds) enclose(left);
  if (right.binds <= binds) enclose(right);
  left = {fmt::format("{} {} {}", left.text, sign, right.text), binds};
}

std::string FormulaText(const Measure& measure) {
  using Kind = FormulaStep::Kind;
  std::vector<Part> parts;
  for (const FormulaStep& step : measure.formula) {
    switch (step.kind) {
      case Kind::kOperand: {
        const Operand& operand = measure.operands[step.operand];
        const bool rate = operand.aggregate == Aggregate::kRate;
        const bool implied = operand.unit == (rate ? RateUnit("", operand.per) : "1");
        parts.push_back({CallText(operand) + (implied ? "" : " in " + operand.unit), kAlone});
        break;
      }
      case Kind::kNumber:
        parts.push_back({Decimal(step.number), kAlone});
        break;
      case Kind::kAdd:
        Join(parts, "+", 1);
        break;
      case Kind::kSubtract:
        Join(parts, "-", 1);
        break;
      case Kind::kMultiply:
        Join(parts, "*", 2);
        break;
      case Kind::kDivide:
        Join(parts, "/", 2);
        break;
    }
  }
  return parts.back().text;
}

// `of http_request_count by pod`, `by pod`
std::string ReportersText(const Operand& operand) {
  return (operand.metric.empty() ? "" : "of " + SeriesText(operand) + " ") + "by " + operand.label;
}

std::string MeasureText(const Measure& measure) {
  switch (measure.form) {
    case Measure::Form::kRatio:
    case Measure::Form::kShortfall:
      return fmt::format("{}({}, {})",
                         measure.form == Measure::Form::kRatio ? "ratio" : "shortfall",
                         SeriesText(measure.operands[0]), SeriesText(measure.operands[1]));
    case Measure::Form::kFormula:
      return FormulaText(measure);
    case Measure::Form::kReporters:
      return ReportersText(measure.value());
    case Measure::Form::kPlain:
      break;
  }
  return CallText(measure.value()) +
         (measure.capacity > 0 ? " of " + Decimal(measure.capacity) : "");
}

// A number in the unit of what is compared.
std::string ThresholdText(double threshold, const Test& test) {
  const std::string unit = ThresholdUnit(test);
  return Decimal(threshold) + (unit == "1" ? "" : unit);
}

// What the measure is in, where no threshold says it.
std::string UnitText(const Test& test) {
  const Measure& measure = test.measure;
  if (!test.IsCompared() || measure.IsShare()) return "";
  const bool rate = measure.value().aggregate == Aggregate::kRate;
  const bool implied = measure.unit == (rate ? RateUnit("", measure.value().per) : "1");
  return implied ? "" : " in " + measure.unit;
}

std::string TestText(const Test& test) {
  if (test.measure.form == Measure::Form::kReporters) {
    return fmt::format("{} {} {} over {}", IsUpward(test.op) ? "at least" : "fewer than",
                       Decimal(test.threshold), MeasureText(test.measure),
                       FormatDuration(test.window));
  }
  std::string out = MeasureText(test.measure) + UnitText(test);
  if (!test.by.empty()) out += fmt::format(" by {}", fmt::join(test.by, ", "));
  if (test.top > 0) out = fmt::format("topk({}, {})", test.top, out);
  out += fmt::format(" over {} {} {}", FormatDuration(test.window), ComparisonSign(test.op),
                     ThresholdText(test.threshold, test));
  return out +
         (test.IsCompared() ? fmt::format(" compared to {} ago", FormatDuration(test.ago)) : "");
}

std::string LogicText(const Condition& condition) {
  using Kind = LogicStep::Kind;
  if (condition.logic.empty()) return TestText(condition);
  std::vector<Part> parts;
  for (const LogicStep& step : condition.logic) {
    switch (step.kind) {
      case Kind::kTest:
        parts.push_back({TestText(TestOf(condition, step.test)), kAlone});
        break;
      case Kind::kOr:
        Join(parts, "or", 1);
        break;
      case Kind::kAnd:
        Join(parts, "and", 2);
        break;
      case Kind::kUnless:
        Join(parts, "unless", 2);
        break;
    }
  }
  return parts.back().text;
}

}  // namespace

std::string CanonicalText(const Condition& condition) {
  const std::string logic = LogicText(condition);
  const Quorum& quorum = condition.quorum;
  if (quorum.needed == 0) return logic + " for " + FormatDuration(condition.hold);
  return fmt::format("{} for {} of {}{}", logic, quorum.needed, quorum.of,
                     quorum.slot == std::chrono::hours(1) ? "h" : "min");
}

std::string CanonicalText(const Measure& measure) { return MeasureText(measure); }

std::string CanonicalSeries(const Operand& operand) { return SeriesText(operand); }

std::string CanonicalText(const Clear& clear, const Condition& condition) {
  return fmt::format("{} {} for {}", ComparisonSign(clear.op),
                     ThresholdText(clear.threshold, condition), FormatDuration(clear.hold));
}

std::string CanonicalText(const Level& level, const Condition& condition) {
  const std::string text =
      fmt::format("{} {}", ComparisonSign(level.op), ThresholdText(level.threshold, condition));
  if (condition.quorum.needed > 0) return text;
  return text + " for " + FormatDuration(level.hold);
}

std::string CanonicalText(const Expect& expect) {
  return fmt::format("{} within {}", LogicText(expect.condition), FormatDuration(expect.within));
}

std::string CanonicalText(const TimeSlices& slices) { return LogicText(slices.good); }

std::string CanonicalText(const Response& response) {
  return response.next_business_day() ? "next business day" : FormatDuration(response.within);
}

std::string Digest(const Condition& condition) { return Hex(Sha256Of(CanonicalText(condition))); }

}  // namespace liveops::plan
