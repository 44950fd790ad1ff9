#include "common/plan/units.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <vector>

namespace liveops::plan {
namespace {

enum class Family { kTime, kBytes, kShare };

struct Unit {
  std::string_view name;
  Family family;
  double size;  // in the smallest of its family, so that every ratio of two is a whole number where
                // it can be
};

constexpr Unit kUnits[] = {
    {"ns", Family::kTime, 1},
    {"us", Family::kTime, 1e3},
    {"ms", Family::kTime, 1e6},
    {"s", Family::kTime, 1e9},
    {"min", Family::kTime, 6e10},
    {"h", Family::kTime, 3.6e12},
    {"By", Family::kBytes, 1},
    {"B", Family::kBytes, 1},
    {"kB", Family::kBytes, 1e3},
    {"MB", Family::kBytes, 1e6},
    {"GB", Family::kBytes, 1e9},
    {"TB", Family::kBytes, 1e12},
    {"KiB", Family::kBytes, 1024},
    {"MiB", Family::kBytes, 1024.0 * 1024},
    {"GiB", Family::kBytes, 1024.0 * 1024 * 1024},
    {"TiB", Family::kBytes, 1024.0 * 1024 * 1024 * 1024},
    {"%", Family::kShare, 1},
    {"1", Family::kShare, 100},
};

const Unit* FindUnit(std::string_view name) {
  const auto* found = std::find_if(std::begin(kUnits), std::end(kUnits),
                                   [&](const Unit& u) { return u.name == name; });
  return found == std::end(kUnits) ? nullptr : found;
}

}  // namespace

std::optional<double> ConvertUnit(double value, std::string_view from, std::string_view to) {
  if (from == to) return value;
  const Unit* a = FindUnit(from);
  const Unit* b = FindUnit(to);
  if (a == nullptr || b == nullptr || a->family != b->family) return std::nullopt;
  // A multiplication or division by a whole number rounds once: 0.8s is 800ms, 1% is 0.01 to the
  // bit.
  return a->size >= b->size ? value * (a->size / b->size) : value / (b->size / a->size);
}

bool IsKnownUnit(std::string_view unit) { return FindUnit(unit) != nullptr; }

std::span<const std::string> KnownUnits() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all;
    for (const Unit& unit : kUnits) {
      if (unit.name != "1") all.emplace_back(unit.name);  // "1" is written as a plain number
    }
    return all;
  }();
  return names;
}

std::string RateUnit(std::string_view unit, Duration per) {
  std::string time = FormatDuration(per);
  if (time == "1s" || time == "1min" || time == "1h" || time == "1d") time.erase(0, 1);
  std::string out(unit == "1" ? "" : unit);
  return out.append("/").append(time);
}

std::string Decimal(double value) {
  char buffer[1100];  // the smallest subnormal takes 1076 characters
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::fixed);
  return {buffer, end.ptr};
}

}  // namespace liveops::plan
