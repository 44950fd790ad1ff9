#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace liveops {

std::string_view Trim(std::string_view text);
std::vector<std::string_view> Split(std::string_view text, char separator);

// The known word closest to `word` by edit distance (insert, delete, replace, swap of neighbours),
// letter case aside; "" when none is closer than a third of the word's length, at least 2.
std::string NearestWord(std::string_view word, std::span<const std::string> known);

// `; did you mean "x"?` when there is a near word, else "; known are: a, b, c" when they are at
// most 12, else "".
std::string Suggestion(std::string_view word, std::span<const std::string> known);

// A number for people: at most 4 significant digits, no trailing zeros; whole numbers up to 10^15
// exactly.
std::string FormatNumber(double value);

// A value with its UCUM unit for people: ("ms", 512.3) -> "512.3 ms", ("1", 0.012) with percent ->
// "1.2 %".
std::string FormatValue(double value, std::string_view unit);

// UTF-8 with every malformed byte replaced by U+FFFD.
std::string ScrubUtf8(std::string_view text);
bool IsValidUtf8(std::string_view text);
// Likewise, without control characters (bytes below 0x20, and 0x7f); may be empty.
bool IsPlainText(std::string_view text);

// At most `limit` bytes, cut at a character boundary, with "…" when something was cut.
std::string Truncate(std::string_view text, std::size_t limit);

}  // namespace liveops
