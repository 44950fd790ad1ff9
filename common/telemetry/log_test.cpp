#include "common/telemetry/log.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "common/base/text.h"

namespace liveops::log {
namespace {

// What `write` puts on standard error, line by line.
template <typename F>
std::vector<std::string> LinesOf(F write) {
  testing::internal::CaptureStderr();
  write();
  Flush();
  const std::string all = testing::internal::GetCapturedStderr();
  std::vector<std::string> lines;
  for (std::string_view line : Split(all, '\n')) {
    if (!line.empty()) lines.emplace_back(line);
  }
  return lines;
}

TEST(Log, WritesOneObjectWithTypedFields) {
  Init("ingest", "ingest-0", Level::kInfo);
  const auto lines = LinesOf([] {
    Info("point_refused", {{"reason", "future"}, {"points", 3}, {"share", 0.5}, {"last", true}},
         "4bf92f3577b34da6a3ce929d0e0e4736");
  });
  ASSERT_EQ(lines.size(), 1u);
  const auto json = nlohmann::json::parse(lines[0]);
  EXPECT_EQ(json["level"], "info");
  EXPECT_EQ(json["service"], "ingest");
  EXPECT_EQ(json["instance"], "ingest-0");
  EXPECT_EQ(json["event"], "point_refused");
  EXPECT_EQ(json["trace_id"], "4bf92f3577b34da6a3ce929d0e0e4736");
  EXPECT_EQ(json["reason"], "future");
  EXPECT_EQ(json["points"], 3);
  EXPECT_TRUE(json["points"].is_number_integer());
  EXPECT_EQ(json["share"], 0.5);
  EXPECT_EQ(json["last"], true);
}

TEST(Log, HostileStringsGiveExactlyOneValidLine) {
  Init("ingest", "a\"b\n", Level::kInfo);
  const std::vector<std::string> hostile = {
      "\n{\"level\":\"info\",\"event\":\"forged\"}\n",
      "\r\nforged",
      "quote\" backslash\\ slash/",
      std::string("nul\0inside", 10),
      "\x1b[31mred\x1b[0m",
      "\xc2\x9b"
      "31m C1 CSI",
      "\x7f del",
      "line\xe2\x80\xa8separator\xe2\x80\xa9",
      "\xff\xfe broken \xc3(",
      "\xed\xa0\x80 surrogate",
      "cut \xe2\x82",
      "\xc2",
      "\xe2\x80",
      "\xf5\x80\x80\x80",
      "한국어 😀",
      std::string(100'000, '"'),
      std::string(20'000, '\xff'),
  };
  for (const std::string& text : hostile) {
    const auto lines = LinesOf([&] { Warn("hostile", {{"text", text}, {text, 1}}, text); });
    ASSERT_EQ(lines.size(), 1u) << text.substr(0, 40);
    const auto json = nlohmann::json::parse(lines[0], nullptr, false);
    ASSERT_FALSE(json.is_discarded()) << lines[0].substr(0, 200);
    EXPECT_EQ(json["event"], "hostile");
    for (const char c : lines[0]) {
      EXPECT_FALSE(static_cast<unsigned char>(c) < 0x20 || c == 0x7f);
    }
    EXPECT_EQ(lines[0].find("\xc2\x9b"), std::string::npos);
    EXPECT_EQ(lines[0].find("\xe2\x80\xa8"), std::string::npos);
    EXPECT_LT(lines[0].size(), 100'000u);
  }
}

TEST(Log, ValuesSurviveTheRoundTrip) {
  Init("x", "y", Level::kInfo);
  const std::string text = "a\"b\\c\nd\te\x01\x7f\xc2\x85 한국어 \xe2\x80\xa8 end";
  const auto lines = LinesOf([&] { Info("x", {{"text", text}}); });
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_EQ(nlohmann::json::parse(lines[0])["text"], text);
}

TEST(Log, NumbersThatJsonLacksBecomeStrings) {
  Init("x", "y", Level::kInfo);
  const double inf = std::numeric_limits<double>::infinity();
  const auto lines = LinesOf([&] {
    Info("x", {{"a", std::nan("")}, {"b", inf}, {"c", -inf}, {"d", 1e300}});
  });
  ASSERT_EQ(lines.size(), 1u);
  const auto json = nlohmann::json::parse(lines[0]);
  EXPECT_EQ(json["a"], "NaN");
  EXPECT_EQ(json["b"], "Infinity");
  EXPECT_EQ(json["c"], "-Infinity");
  EXPECT_EQ(json["d"], 1e300);
}

TEST(Log, BelowTheLevelNothingIsWritten) {
  Init("x", "y", Level::kWarn);
  EXPECT_EQ(LinesOf([] { Info("quiet"); }).size(), 0u);
  EXPECT_EQ(LinesOf([] { Error("loud"); }).size(), 1u);
  Init("x", "y", Level::kDebug);
  EXPECT_EQ(LinesOf([] { Debug("chatty"); }).size(), 1u);
}

}  // namespace
}  // namespace liveops::log
