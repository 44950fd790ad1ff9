#pragma once

#include <optional>
#include <string_view>

namespace liveops::engine {

// What a value in UCUM unit `from` is multiplied with to be in `to`; 1 where either is not declared
// or not known to us (the plan's word then counts), nothing when both are known and measure
// different things (a time against bytes).
std::optional<double> UnitFactor(std::string_view from, std::string_view to);

}  // namespace liveops::engine
