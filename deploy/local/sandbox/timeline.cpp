#include "deploy/local/sandbox/timeline.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cmath>
#include <cstdlib>

namespace liveops::sandbox {
namespace {

constexpr int kWordWidth = 12;

const char* CodeOf(Tone tone) {
  switch (tone) {
    case Tone::kPlain:
      return "";
    case Tone::kSoft:
      return "2";
    case Tone::kBad:
      return "1;31";
    case Tone::kWarn:
      return "1;33";
    case Tone::kGood:
      return "1;32";
    case Tone::kCall:
      return "1;36";
  }
  return "";
}

}  // namespace

bool Timeline::WantsColour(std::FILE* out) {
  return isatty(fileno(out)) != 0 && std::getenv("NO_COLOR") == nullptr;
}

std::string Timeline::Paint(Tone tone, std::string_view text) const {
  if (!colour_ || tone == Tone::kPlain) return std::string(text);
  return fmt::format("\033[{}m{}\033[0m", CodeOf(tone), text);
}

void Timeline::Title(const std::string& text) {
  fmt::print(out_, "\n  {}\n\n", colour_ ? "\033[1m" + text + "\033[0m" : text);
  std::fflush(out_);
}

void Timeline::Note(const std::string& text) {
  fmt::print(out_, "  {}\n", Paint(Tone::kSoft, text));
  std::fflush(out_);
}

void Timeline::Begin(std::int64_t zero_us, double speed) {
  zero_us_ = zero_us;
  speed_ = speed;
  fmt::print(out_, "\n  {}\n", Paint(Tone::kSoft, "domain      real  what         why"));
  std::fflush(out_);
}

void Timeline::Print(const Line& line) {
  const double real_s = static_cast<double>(line.at_us - zero_us_) / 1e6;
  const auto domain_ms = static_cast<std::int64_t>(std::floor(real_s * speed_ * 1000));
  const std::string word = fmt::format("{:<{}}", line.word, kWordWidth);
  const bool soft = line.tone == Tone::kSoft;
  fmt::print(out_, "  {:>6}  {:>6.1f} s  {} {}\n", FormatMinutes(domain_ms), real_s,
             Paint(line.tone, word), soft ? Paint(Tone::kSoft, line.text) : line.text);
  for (const std::string& more : line.more) {
    fmt::print(out_, "  {:>{}}{}\n", "", 6 + 2 + 8 + 2 + kWordWidth + 1, Paint(Tone::kSoft, more));
  }
  std::fflush(out_);
}

void Timeline::Blank() {
  fmt::print(out_, "\n");
  std::fflush(out_);
}

void Timeline::Check(bool good, const std::string& text) {
  fmt::print(out_, "  {}  {}\n", good ? Paint(Tone::kGood, "ok") : Paint(Tone::kBad, "NO"), text);
  std::fflush(out_);
}

std::string FormatMinutes(std::int64_t ms) {
  const bool before = ms < 0;
  const std::int64_t seconds = (before ? -ms : ms) / 1000;
  const std::string text = seconds >= 3600 ? fmt::format("{}:{:02}:{:02}", seconds / 3600,
                                                         seconds / 60 % 60, seconds % 60)
                                           : fmt::format("{:02}:{:02}", seconds / 60, seconds % 60);
  return before ? "-" + text : text;
}

}  // namespace liveops::sandbox
