#include <fmt/format.h>

#include <charconv>
#include <string>

#include "common/base/hash.h"
#include "common/plan/model.h"

namespace liveops::plan {
namespace {

// The shortest decimal that reads back to the same bits, never with an exponent: "5e3" would leave
// open whether "e3" is a unit.
std::string Decimal(double value) {
  char buffer[1100];  // the smallest subnormal takes 1076 characters
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::fixed);
  return {buffer, end.ptr};
}

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
  }
  return "unknown";
}

std::string SeriesText(const Operand& operand) {
  std::string out = operand.metric;
  if (operand.matches.empty()) return out;
  const char* separator = "{";
  for (const LabelMatch& match : operand.matches) {
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

std::string MeasureText(const Measure& measure) {
  std::string out;
  if (measure.denominator) {
    out = fmt::format("ratio({}, {})", SeriesText(measure.value), SeriesText(*measure.denominator));
  } else {
    const std::string name = measure.value.aggregate == Aggregate::kQuantile
                                 ? QuantileName(measure.value.quantile)
                                 : AggregateName(measure.value.aggregate);
    out = fmt::format("{}({})", name, SeriesText(measure.value));
  }
  if (measure.value.aggregate == Aggregate::kRate) {
    out += " per " + FormatDuration(measure.per);
  }
  if (measure.capacity > 0) out += " of " + Decimal(measure.capacity);
  return out;
}

}  // namespace

std::string CanonicalText(const Condition& condition) {
  std::string out = MeasureText(condition.measure);
  if (!condition.by.empty()) out += fmt::format(" by {}", fmt::join(condition.by, ", "));
  return out + fmt::format(" over {} {} {}{} for {}", FormatDuration(condition.window),
                           ComparisonSign(condition.op), Decimal(condition.threshold),
                           condition.measure.unit == "1" ? "" : condition.measure.unit,
                           FormatDuration(condition.hold));
}

std::string CanonicalText(const Response& response) {
  return response.next_business_day() ? "next business day" : FormatDuration(response.within);
}

std::string Digest(const Condition& condition) { return Hex(Sha256Of(CanonicalText(condition))); }

}  // namespace liveops::plan
