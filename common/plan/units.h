#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "common/base/time.h"

namespace liveops::plan {

// Units that a threshold may be written in: time (ns .. h), bytes (By, kB, MiB, …), shares ("%",
// "1").

// `value` of `from` in `to`; nothing when they do not measure the same thing. A unit unknown here
// fits only itself.
std::optional<double> ConvertUnit(double value, std::string_view from, std::string_view to);

bool IsKnownUnit(std::string_view unit);
std::span<const std::string> KnownUnits();

// The unit of a rate per this time of a thing in `unit` ("" or "1": of a number): "/min", "By/s",
// "/5min".
std::string RateUnit(std::string_view unit, Duration per);

// The shortest decimal that reads back to the same bits, never with an exponent: "5e3" would leave
// open whether "e3" is a unit.
std::string Decimal(double value);

}  // namespace liveops::plan
