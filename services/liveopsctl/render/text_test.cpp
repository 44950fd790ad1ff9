#include "services/liveopsctl/render/text.h"

#include <gtest/gtest.h>

#include <set>

#include "services/liveopsctl/render/json.h"
#include "services/liveopsctl/render/table.h"

namespace liveops::ctl {
namespace {

TEST(Printable, EscapesEverythingThatMovesATerminal) {
  EXPECT_EQ(Printable("plain text, \xed\x95\x9c\xea\xb8\x80"),
            "plain text, \xed\x95\x9c\xea\xb8\x80");
  EXPECT_EQ(Printable("\x1b[31mred\x1b[0m"), "\\x1b[31mred\\x1b[0m");
  EXPECT_EQ(Printable("\x1b]0;title\x07"), "\\x1b]0;title\\x07");
  EXPECT_EQ(Printable("a\nb\rc\td\x7f"), "a\\nb\\rc\\td\\x7f");
  EXPECT_EQ(Printable(std::string("nul\0!", 5)), "nul\\x00!");
  EXPECT_EQ(Printable("\xc2\x9b"
                      "31m"),
            "\\u{9b}31m");  // C1: a one-character CSI
  EXPECT_EQ(Printable("\x9b"
                      "31m"),
            "\xef\xbf\xbd"
            "31m");                                                   // the same as a stray byte
  EXPECT_EQ(Printable("a\xe2\x80\xaetxt.exe"), "a\\u{202e}txt.exe");  // right-to-left override
  EXPECT_EQ(Printable("a\xe2\x80\x8b"
                      "b"),
            "a\\u{200b}b");  // zero-width space
  EXPECT_EQ(PrintableLines("a: 1\n\tb\r\x1b[2J\n"), "a: 1\n\tb\\r\\x1b[2J\n");
}

TEST(Printable, NoControlByteSurvives) {
  for (int c = 0; c < 256; ++c) {
    const std::string text = Printable(std::string("x") + static_cast<char>(c));
    for (const char out : text) {
      const auto byte = static_cast<unsigned char>(out);
      EXPECT_TRUE(byte >= 0x20 && byte != 0x7f) << c;
    }
  }
}

TEST(QuoteArgument, DifferentArgumentsNeverLookTheSame) {
  EXPECT_EQ(QuoteArgument("--to-revision=42"), "--to-revision=42");
  EXPECT_EQ(QuoteArgument("two words"), "'two words'");
  EXPECT_EQ(QuoteArgument(""), "''");
  EXPECT_EQ(QuoteArgument("it's"), "$'it\\'s'");
  EXPECT_EQ(QuoteArgument("a\x1b[1m"), "$'a\\x1b[1m'");
  EXPECT_EQ(QuoteArgument("$(id)"), "'$(id)'");
  const std::vector<std::string> arguments{
      "a",  "'a'", "a ", "\\x1b", "\x1b", "\\",  "\\\\",  "\xc2\x85", "\x85",   "\xef\xbf\xbd",
      "\n", "\\n", "",   "''",    "$'a'", "a b", "a' 'b", "u{85}",    "\\u{85}"};
  std::set<std::string> shown;
  for (const std::string& argument : arguments) {
    EXPECT_TRUE(shown.insert(QuoteArgument(argument)).second) << QuoteArgument(argument);
  }
}

TEST(DisplayWidth, WideAndCombining) {
  EXPECT_EQ(DisplayWidth("abc"), 3u);
  EXPECT_EQ(DisplayWidth("\xed\x95\x9c\xea\xb8\x80"), 4u);
  EXPECT_EQ(DisplayWidth("e\xcc\x81"), 1u);
  EXPECT_EQ(DisplayWidth("\xe2\x80\xa6"), 1u);
}

TEST(Moments, AreUtcAndRelativeToTheGivenClock) {
  EXPECT_EQ(Moment(1770196500250), "2026-02-04T09:15:00Z");
  EXPECT_EQ(Moment(0), "-");
  EXPECT_EQ(MomentWithAge(1770196500000, 1770196700000), "2026-02-04T09:15:00Z (3min 20s ago)");
  EXPECT_EQ(Relative(1770196700000, 1770196500000), "in 3min 20s");
  EXPECT_EQ(MomentWithAge(1770196500000, 0), "2026-02-04T09:15:00Z");
}

TEST(Table, AlignsEscapesAndKeepsColourOutOfWidths) {
  Table table({"A", "LONG", "C"});
  table.Row({"x", Cell("\xed\x95\x9c", Tone::kBad), "last"});
  table.Row({"yyy", "", "\x1b[2J"});
  EXPECT_EQ(table.ToString({}),
            "A    LONG  C\n"
            "x    \xed\x95\x9c    last\n"
            "yyy  -     \\x1b[2J\n");
  EXPECT_EQ(table.ToString({.colour = true}),
            "\x1b[2mA\x1b[0m    \x1b[2mLONG\x1b[0m  \x1b[2mC\x1b[0m\n"
            "x    \x1b[1;31m\xed\x95\x9c\x1b[0m    last\n"
            "yyy  -     \\x1b[2J\n");
}

TEST(Json, EscapesControlCharacters) {
  EXPECT_EQ(JsonString("a\"\\\n\x1b\x7f\xc2\x9b\xff"),
            "\"a\\\"\\\\\\u000a\\u001b\\u007f\\u009b\xef\xbf\xbd\"");
  EXPECT_EQ(ErrorJson("denied", "no"), "{\"error\":{\"code\":\"denied\",\"message\":\"no\"}}\n");
}

}  // namespace
}  // namespace liveops::ctl
