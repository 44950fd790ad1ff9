#pragma once

#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

namespace liveops::sandbox {

enum class Tone { kPlain, kSoft, kBad, kWarn, kGood, kCall };

// One thing that happened.
struct Line {
  std::int64_t at_us = 0;    // wall clock, Unix microseconds
  std::string word;          // "FIRING", "proposed", …
  Tone tone = Tone::kPlain;  // of the word
  std::string text;
  std::vector<std::string> more;  // further lines under the text
};

// Prints what happens as it happens:
//
//   domain     real   what
//    05:41   17.0 s   FIRING       error-rate-critical: 8.1 % …
//
// Colours only when the output is a terminal and NO_COLOR is not set. Not thread-safe.
class Timeline {
 public:
  Timeline(std::FILE* out, bool colour) : out_(out), colour_(colour) {}
  static bool WantsColour(std::FILE* out);

  void Title(const std::string& text);
  void Note(const std::string& text);  // soft, without time
  // From here on lines are told against this moment; prints the column heads.
  void Begin(std::int64_t zero_us, double speed);
  void Print(const Line& line);
  void Blank();
  // A line of the summary: "ok" or "NO".
  void Check(bool good, const std::string& text);
  std::string Paint(Tone tone, std::string_view text) const;

 private:
  std::FILE* out_;
  bool colour_;
  std::int64_t zero_us_ = 0;
  double speed_ = 1;
};

// "05:41", "1:02:03"; "-00:02" before zero.
std::string FormatMinutes(std::int64_t ms);

}  // namespace liveops::sandbox
