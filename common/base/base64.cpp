#include "common/base/base64.h"

#include <array>
#include <cstdint>

namespace liveops {
namespace {

constexpr std::array<std::int8_t, 256> Digits() {
  constexpr std::string_view kAlphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::array<std::int8_t, 256> digits{};
  digits.fill(-1);
  for (std::size_t i = 0; i < kAlphabet.size(); ++i)
    digits[static_cast<unsigned char>(kAlphabet[i])] = static_cast<std::int8_t>(i);
  return digits;
}
constexpr std::array<std::int8_t, 256> kDigits = Digits();

}  // namespace

std::optional<std::string> ReadBase64(std::string_view text) {
  const std::size_t whole = text.size();
  for (int i = 0; i < 2 && !text.empty() && text.back() == '='; ++i) text.remove_suffix(1);
  if (text.size() % 4 == 1 || (text.size() != whole && whole % 4 != 0)) return std::nullopt;
  std::string out;
  out.reserve(text.size() / 4 * 3 + 2);
  std::uint32_t bits = 0;
  int held = 0;
  for (const char c : text) {
    const std::int8_t digit = kDigits[static_cast<unsigned char>(c)];
    if (digit < 0) return std::nullopt;
    bits = (bits << 6 | static_cast<std::uint32_t>(digit)) & 0xffffu;
    if ((held += 6) < 8) continue;
    held -= 8;
    out.push_back(static_cast<char>(bits >> held & 0xffu));
  }
  return out;
}

}  // namespace liveops
