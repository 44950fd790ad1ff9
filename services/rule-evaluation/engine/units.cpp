#include "services/rule-evaluation/engine/units.h"

#include <array>

namespace liveops::engine {
namespace {

enum class Dimension { kTime, kBytes, kShare };

struct Unit {
  std::string_view code;
  Dimension dimension;
  double times;  // of the dimension's base: ms, byte, per cent
};

// https://ucum.org/ucum, as far as metrics use it; and the plan language's own words.
constexpr std::array<Unit, 26> kUnits{{
    {"ns", Dimension::kTime, 1e-6},
    {"us", Dimension::kTime, 1e-3},
    {"ms", Dimension::kTime, 1},
    {"s", Dimension::kTime, 1e3},
    {"min", Dimension::kTime, 6e4},
    {"h", Dimension::kTime, 3.6e6},
    {"d", Dimension::kTime, 8.64e7},
    {"By", Dimension::kBytes, 1},
    {"B", Dimension::kBytes, 1},
    {"kBy", Dimension::kBytes, 1e3},
    {"kB", Dimension::kBytes, 1e3},
    {"KB", Dimension::kBytes, 1e3},
    {"MBy", Dimension::kBytes, 1e6},
    {"MB", Dimension::kBytes, 1e6},
    {"GBy", Dimension::kBytes, 1e9},
    {"GB", Dimension::kBytes, 1e9},
    {"TB", Dimension::kBytes, 1e12},
    {"KiBy", Dimension::kBytes, 1024},
    {"KiB", Dimension::kBytes, 1024},
    {"MiBy", Dimension::kBytes, 1048576},
    {"MiB", Dimension::kBytes, 1048576},
    {"GiBy", Dimension::kBytes, 1073741824},
    {"GiB", Dimension::kBytes, 1073741824},
    {"TiB", Dimension::kBytes, 1099511627776.0},
    {"1", Dimension::kShare, 100},
    {"%", Dimension::kShare, 1},
}};

const Unit* Find(std::string_view code) {
  for (const Unit& unit : kUnits) {
    if (unit.code == code) return &unit;
  }
  return nullptr;
}

}  // namespace

std::optional<double> UnitFactor(std::string_view from, std::string_view to) {
  const Unit* a = Find(from);
  const Unit* b = Find(to);
  if (a == nullptr || b == nullptr || a == b) return 1.0;
  // "1" is also what a plain number declares: a threshold in ms or bytes then says what it is.
  if (a->dimension != b->dimension) {
    if (from == "1" || to == "1") return 1.0;
    return std::nullopt;
  }
  if (b->times > a->times) return 1.0 / (b->times / a->times);
  return a->times / b->times;
}

}  // namespace liveops::engine
