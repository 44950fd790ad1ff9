#pragma once

#include <fmt/format.h>

#include <bit>
#include <cstdint>
#include <string>
#include <type_traits>

// For tests: numbers as text, doubles by their bits.
namespace liveops::wire::testing {

inline std::string Bits(double v) { return fmt::format("{:x}", std::bit_cast<std::uint64_t>(v)); }

template <typename Numbers>
std::string List(const Numbers& numbers) {
  std::string out = "[";
  for (const auto v : numbers) {
    if constexpr (std::is_same_v<std::decay_t<decltype(v)>, double>) {
      out += Bits(v) + " ";
    } else {
      out += fmt::format("{} ", v);
    }
  }
  return out + "]";
}

}  // namespace liveops::wire::testing
