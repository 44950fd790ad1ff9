#include "services/liveopsctl/cli/values.h"

#include <fmt/format.h>

#include <chrono>
#include <cmath>
#include <cstdlib>

#include "common/base/text.h"

namespace liveops::ctl {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// Takes exactly `digits` digits off the front.
bool TakeNumber(std::string_view& text, std::size_t digits, int& out) {
  if (text.size() < digits) return false;
  out = 0;
  for (std::size_t i = 0; i < digits; ++i) {
    if (!IsDigit(text[i])) return false;
    out = out * 10 + (text[i] - '0');
  }
  text.remove_prefix(digits);
  return true;
}

bool TakeOneOf(std::string_view& text, std::string_view allowed) {
  if (text.empty() || allowed.find(text.front()) == std::string_view::npos) return false;
  text.remove_prefix(1);
  return true;
}

// ".25" -> 250; nothing -> 0.
bool TakeFraction(std::string_view& text, int& ms) {
  ms = 0;
  if (text.empty() || text.front() != '.') return true;
  text.remove_prefix(1);
  if (text.empty() || !IsDigit(text.front())) return false;
  for (int scale = 100; !text.empty() && IsDigit(text.front()); scale /= 10) {
    ms += (text.front() - '0') * scale;
    text.remove_prefix(1);
  }
  return true;
}

// "Z" or "+09:00"; minutes east of UTC.
bool TakeOffset(std::string_view& text, int& minutes) {
  minutes = 0;
  if (TakeOneOf(text, "Zz")) return true;
  if (text.empty() || (text.front() != '+' && text.front() != '-')) return false;
  const int sign = text.front() == '-' ? -1 : 1;
  text.remove_prefix(1);
  int hour = 0;
  int minute = 0;
  if (!TakeNumber(text, 2, hour) || !TakeOneOf(text, ":") || !TakeNumber(text, 2, minute))
    return false;
  if (hour > 23 || minute > 59) return false;
  minutes = sign * (hour * 60 + minute);
  return true;
}

}  // namespace

Result<Sample> ParseSample(std::string_view text) {
  const std::size_t at = text.find('=');
  if (at == std::string_view::npos || at == 0) {
    return InvalidError(fmt::format(
        "\"{}\" is not a sample: write METRIC=VALUE, e.g. http_request_count=120", text));
  }
  const std::string number(text.substr(at + 1));
  char* end = nullptr;
  const double value = std::strtod(number.c_str(), &end);
  if (number.empty() || *end != '\0' || std::isspace(static_cast<unsigned char>(number.front()))) {
    return InvalidError(fmt::format("\"{}\": \"{}\" is not a number", text, number));
  }
  if (!std::isfinite(value))
    return InvalidError(fmt::format("\"{}\": the value must be finite", text));
  return Sample{std::string(text.substr(0, at)), value};
}

Result<std::pair<std::string, std::string>> ParseLabel(std::string_view text) {
  const std::size_t at = text.find('=');
  if (at == std::string_view::npos || at == 0) {
    return InvalidError(
        fmt::format("\"{}\" is not a label: write NAME=VALUE, e.g. endpoint=/games", text));
  }
  return std::pair(std::string(text.substr(0, at)), std::string(text.substr(at + 1)));
}

Result<SampleKind> ParseSampleKind(std::string_view text) {
  if (text == "gauge") return SampleKind::kGauge;
  if (text == "delta") return SampleKind::kDelta;
  if (text == "observation") return SampleKind::kObservation;
  static const std::vector<std::string> kKnown{"gauge", "delta", "observation"};
  return InvalidError(
      fmt::format("--kind: \"{}\" is not a kind of series{}", text, Suggestion(text, kKnown)));
}

Result<std::int64_t> ParseRfc3339(std::string_view text) {
  std::string_view rest = text;
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0, ms = 0, offset = 0;
  const bool read =
      TakeNumber(rest, 4, year) && TakeOneOf(rest, "-") && TakeNumber(rest, 2, month) &&
      TakeOneOf(rest, "-") && TakeNumber(rest, 2, day) && TakeOneOf(rest, "Tt ") &&
      TakeNumber(rest, 2, hour) && TakeOneOf(rest, ":") && TakeNumber(rest, 2, minute) &&
      TakeOneOf(rest, ":") && TakeNumber(rest, 2, second) && TakeFraction(rest, ms) &&
      TakeOffset(rest, offset) && rest.empty();
  const std::chrono::year_month_day date{std::chrono::year(year),
                                         std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (!read || !date.ok() || hour > 23 || minute > 59 || second > 60) {
    return InvalidError(fmt::format(
        "\"{}\" is not a time: write RFC 3339 with its offset, e.g. 2026-02-04T09:15:00Z", text));
  }
  const std::int64_t days = std::chrono::sys_days(date).time_since_epoch().count();
  return (days * 86'400 + hour * 3600 + minute * 60 + second - offset * 60) * 1000 + ms;
}

}  // namespace liveops::ctl
