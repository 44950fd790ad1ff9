#include "services/liveopsctl/render/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "common/base/text.h"
#include "common/base/time.h"

namespace liveops::ctl {
namespace {

struct CodePoint {
  char32_t value = 0;
  std::size_t length = 1;
};

// The first code point of well-formed, non-empty UTF-8.
CodePoint First(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return {lead, 1};
  const std::size_t length = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  char32_t value = lead & (0xffu >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) value = (value << 6) | (byte(i) & 0x3fu);
  return {value, length};
}

using Range = std::pair<char32_t, char32_t>;

template <std::size_t n>
bool In(char32_t c, const std::array<Range, n>& ranges) {
  return std::any_of(ranges.begin(), ranges.end(),
                     [c](const Range& r) { return c >= r.first && c <= r.second; });
}

// Invisible or reordering: soft hyphen, Arabic letter mark, zero-width and bidi controls, line
// separators, byte order mark, interlinear marks, tags.
constexpr std::array<Range, 9> kHidden{{{0xad, 0xad},
                                        {0x61c, 0x61c},
                                        {0x180e, 0x180e},
                                        {0x200b, 0x200f},
                                        {0x2028, 0x202e},
                                        {0x2060, 0x206f},
                                        {0xfeff, 0xfeff},
                                        {0xfff9, 0xfffb},
                                        {0xe0000, 0xe007f}}};
constexpr std::array<Range, 6> kCombining{{{0x300, 0x36f},
                                           {0x483, 0x489},
                                           {0x1ab0, 0x1aff},
                                           {0x20d0, 0x20ff},
                                           {0xfe00, 0xfe0f},
                                           {0xfe20, 0xfe2f}}};
// Unicode Standard Annex 11, the wide blocks.
constexpr std::array<Range, 8> kWide{{{0x1100, 0x115f},
                                      {0x2e80, 0x303e},
                                      {0x3041, 0xa4cf},
                                      {0xac00, 0xd7a3},
                                      {0xf900, 0xfaff},
                                      {0xfe30, 0xfe6f},
                                      {0xff00, 0xff60},
                                      {0x1f300, 0x1faff}}};

std::string Escape(char32_t c) {
  if (c == '\n') return "\\n";
  if (c == '\r') return "\\r";
  if (c == '\t') return "\\t";
  if (c < 0x80) return fmt::format("\\x{:02x}", static_cast<unsigned>(c));
  return fmt::format("\\u{{{:x}}}", static_cast<unsigned>(c));
}

std::string Clean(std::string_view text, bool lines, bool backslash) {
  const std::string valid = ScrubUtf8(text);
  std::string_view rest = valid;
  std::string out;
  while (!rest.empty()) {
    const CodePoint c = First(rest);
    const bool control = c.value < 0x20 || (c.value >= 0x7f && c.value < 0xa0);
    if (lines && (c.value == '\n' || c.value == '\t')) {
      out += rest.front();
    } else if (control || In(c.value, kHidden)) {
      out += Escape(c.value);
    } else if (backslash && (c.value == '\\' || c.value == '\'')) {
      out += '\\';
      out += rest.front();
    } else {
      out += rest.substr(0, c.length);
    }
    rest.remove_prefix(c.length);
  }
  return out;
}

}  // namespace

std::string Printable(std::string_view text) { return Clean(text, false, false); }
std::string PrintableLines(std::string_view text) { return Clean(text, true, false); }

std::size_t DisplayWidth(std::string_view text) {
  std::size_t width = 0;
  while (!text.empty()) {
    const CodePoint c = First(text);
    if (!In(c.value, kCombining)) width += In(c.value, kWide) ? 2 : 1;
    text.remove_prefix(std::min(c.length, text.size()));
  }
  return width;
}

std::string Paint(const Style& style, Tone tone, std::string_view text) {
  if (!style.colour || tone == Tone::kPlain || text.empty()) return std::string(text);
  const char* code = "0";
  switch (tone) {
    case Tone::kPlain:
      break;
    case Tone::kGood:
      code = "32";
      break;
    case Tone::kWarning:
      code = "33";
      break;
    case Tone::kBad:
      code = "1;31";
      break;
    case Tone::kDim:
      code = "2";
      break;
    case Tone::kStrong:
      code = "1";
      break;
  }
  return fmt::format("\x1b[{}m{}\x1b[0m", code, text);
}

std::string Moment(std::int64_t ms) {
  if (ms == 0) return "-";
  std::string text = FormatUtc(ms);  // "….250Z"
  if (const std::size_t dot = text.rfind('.'); dot != std::string::npos) text.erase(dot, 4);
  return text;
}

std::string Relative(std::int64_t ms, std::int64_t clock_ms) {
  if (ms == 0 || clock_ms == 0) return "";
  if (ms > clock_ms) return "in " + FormatElapsed(Duration(ms - clock_ms));
  return FormatElapsed(Duration(clock_ms - ms)) + " ago";
}

std::string MomentWithAge(std::int64_t ms, std::int64_t clock_ms) {
  const std::string age = Relative(ms, clock_ms);
  return age.empty() ? Moment(ms) : fmt::format("{} ({})", Moment(ms), age);
}

std::string QuoteArgument(std::string_view argument) {
  static constexpr std::string_view kSafe =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_./:=,@%+-";
  if (!argument.empty() && argument.find_first_not_of(kSafe) == std::string_view::npos) {
    return std::string(argument);
  }
  if (!IsValidUtf8(argument)) {  // byte by byte, so that nothing is replaced
    std::string out = "$'";
    for (const char c : argument) out += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    return out + "'";
  }
  const std::string clean = Clean(argument, false, true);
  const bool plain = clean == argument;
  return (plain ? "'" : "$'") + clean + "'";
}

std::string Hex(std::string_view bytes) {
  std::string out;
  for (const char c : bytes) out += fmt::format("{:02x}", static_cast<unsigned char>(c));
  return out;
}

}  // namespace liveops::ctl
