#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

// Text for a terminal. Everything that came from elsewhere passes Printable before it is printed: a
// label or a message must not move the cursor, set a title or forge a line.
namespace liveops::ctl {

// One line: malformed UTF-8 becomes U+FFFD; control characters (C0, DEL, C1) become \n, \t, \x1b,
// \u{9b} …; line separators and the characters that reorder text (Unicode "bidi controls") or hide
// it become \u{202e} …. The rest stands as it is.
std::string Printable(std::string_view text);

// The same, but line ends and tabs stay: for texts of several lines, such as a plan.
std::string PrintableLines(std::string_view text);

// Columns on a terminal: wide East Asian characters count 2, combining ones 0. `text` is Printable.
std::size_t DisplayWidth(std::string_view text);

enum class Tone { kPlain, kGood, kWarning, kBad, kDim, kStrong };

struct Style {
  bool colour = false;
};

std::string Paint(const Style& style, Tone tone, std::string_view text);

// "2026-02-04T09:15:00Z"; "-" for 0.
std::string Moment(std::int64_t ms);

// "3min 20s ago", "in 5min", by a clock of the same domain; "" when either is 0.
std::string Relative(std::int64_t ms, std::int64_t clock_ms);

// "2026-02-04T09:15:00Z (3min 20s ago)".
std::string MomentWithAge(std::int64_t ms, std::int64_t clock_ms);

// A command's argument as a shell would need it, so that its ends can be seen: `--to-revision=42`,
// `'two words'`,
// `$'a\x1bb'`. Injective: two arguments that differ never look the same.
std::string QuoteArgument(std::string_view argument);

// Lower-case hex.
std::string Hex(std::string_view bytes);

}  // namespace liveops::ctl
