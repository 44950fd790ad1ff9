#include "common/base/time.h"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <ctime>

namespace liveops {
namespace {

struct Unit {
  std::string_view word;
  std::int64_t ms;
};

constexpr std::array<Unit, 13> kWords{{{"ms", 1},
                                       {"s", 1000},
                                       {"sec", 1000},
                                       {"m", 60'000},
                                       {"min", 60'000},
                                       {"h", 3'600'000},
                                       {"hr", 3'600'000},
                                       {"hour", 3'600'000},
                                       {"hours", 3'600'000},
                                       {"d", 86'400'000},
                                       {"day", 86'400'000},
                                       {"days", 86'400'000},
                                       {"w", 604'800'000}}};

constexpr std::array<Unit, 5> kCanonical{
    {{"d", 86'400'000}, {"h", 3'600'000}, {"min", 60'000}, {"s", 1000}, {"ms", 1}}};

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

}  // namespace

Instant TimeMap::ToDomain(RealTime real) const {
  if (speed == 1.0) return domain_origin + (real - real_origin);
  return domain_origin +
         Duration(std::llround(static_cast<double>((real - real_origin).count()) * speed));
}

RealTime TimeMap::ToReal(Instant domain) const {
  if (speed == 1.0) return real_origin + (domain - domain_origin);
  return real_origin +
         Duration(std::llround(static_cast<double>((domain - domain_origin).count()) / speed));
}

Duration TimeMap::ToDomain(Duration real) const {
  return Duration(std::llround(static_cast<double>(real.count()) * speed));
}

Duration TimeMap::ToReal(Duration domain) const {
  return Duration(std::llround(static_cast<double>(domain.count()) / speed));
}

RealTime WallClockNow() {
  return RealTime(
      std::chrono::duration_cast<Duration>(std::chrono::system_clock::now().time_since_epoch()));
}

Result<Duration> ParseDuration(std::string_view text) {
  const auto bad = [&](std::string_view why) {
    return InvalidError(fmt::format(
        "\"{}\" is not a duration: {}; write it like 30s, 5min, 1h30min or 1d", text, why));
  };
  if (text.empty()) return bad("it is empty");
  std::int64_t total = 0;
  std::int64_t smallest = INT64_MAX;
  std::size_t i = 0;
  while (i < text.size()) {
    if (!IsDigit(text[i])) return bad("a number is expected");
    std::int64_t number = 0;
    for (; i < text.size() && IsDigit(text[i]); ++i) {
      number = number * 10 + (text[i] - '0');
      if (number > 1'000'000'000'000) return bad("the number is too large");
    }
    const std::size_t begin = i;
    while (i < text.size() && !IsDigit(text[i])) ++i;
    const std::string_view word = text.substr(begin, i - begin);
    const Unit* unit = nullptr;
    for (const Unit& known : kWords) {
      if (known.word == word) unit = &known;
    }
    if (unit == nullptr) return bad(fmt::format("\"{}\" is not a unit of time", word));
    if (unit->ms >= smallest) return bad("units must go from large to small");
    smallest = unit->ms;
    if (number > INT64_MAX / 4 / unit->ms) return bad("it is too long");
    total += number * unit->ms;
  }
  return Duration(total);
}

std::string FormatDuration(Duration d) {
  std::int64_t left = d.count();
  if (left == 0) return "0s";
  std::string out = left < 0 ? "-" : "";
  left = std::abs(left);
  for (const Unit& unit : kCanonical) {
    if (left >= unit.ms) {
      out += fmt::format("{}{}", left / unit.ms, unit.word);
      left %= unit.ms;
    }
  }
  return out;
}

std::string FormatElapsed(Duration d) {
  std::int64_t left = std::abs(d.count());
  if (left < 1000) return fmt::format("{}ms", left);
  std::string out;
  int printed = 0;
  for (const Unit& unit : kCanonical) {
    if (unit.ms == 1) break;
    if (left >= unit.ms || printed == 1) {
      const std::int64_t number = left / unit.ms;
      if (number == 0 && printed == 1) break;
      out += fmt::format("{}{}{}", printed ? " " : "", number, unit.word);
      left %= unit.ms;
      if (++printed == 2) break;
    }
  }
  return out;
}

std::string FormatUtc(std::int64_t unix_ms) {
  std::int64_t seconds = unix_ms / 1000;
  std::int64_t ms = unix_ms % 1000;
  if (ms < 0) {
    ms += 1000;
    --seconds;
  }
  const std::time_t t = static_cast<std::time_t>(seconds);
  std::tm parts{};
  gmtime_r(&t, &parts);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", parts.tm_year + 1900,
                     parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec,
                     ms);
}

std::optional<std::int64_t> ParseUtc(std::string_view text) {
  std::tm parts{};
  int read = 0;
  const std::string copy(text);
  if (std::sscanf(copy.c_str(), "%4d-%2d-%2dT%2d:%2d:%2d%n", &parts.tm_year, &parts.tm_mon,
                  &parts.tm_mday, &parts.tm_hour, &parts.tm_min, &parts.tm_sec, &read) != 6) {
    return std::nullopt;
  }
  std::string_view rest = std::string_view(copy).substr(static_cast<std::size_t>(read));
  std::int64_t ms = 0;
  if (!rest.empty() && rest.front() == '.') {
    rest.remove_prefix(1);
    std::int64_t weight = 100;
    std::size_t digits = 0;
    for (; !rest.empty() && IsDigit(rest.front()); rest.remove_prefix(1), ++digits) {
      ms += (rest.front() - '0') * weight;
      weight /= 10;
    }
    if (digits == 0) return std::nullopt;
  }
  if (rest != "Z") return std::nullopt;
  parts.tm_year -= 1900;
  parts.tm_mon -= 1;
  return static_cast<std::int64_t>(timegm(&parts)) * 1000 + ms;
}

}  // namespace liveops
