#include "common/base/log_level.h"

#include <gtest/gtest.h>

namespace liveops {
namespace {

TEST(LogLevel, SeverityNumbersAreReadInRangesOfFour) {
  EXPECT_EQ(LogLevelOfSeverity(0), LogLevel::kUnknown);
  EXPECT_EQ(LogLevelOfSeverity(1), LogLevel::kTrace);
  EXPECT_EQ(LogLevelOfSeverity(8), LogLevel::kDebug);
  EXPECT_EQ(LogLevelOfSeverity(12), LogLevel::kInfo);
  EXPECT_EQ(LogLevelOfSeverity(13), LogLevel::kWarn);
  EXPECT_EQ(LogLevelOfSeverity(20), LogLevel::kError);
  EXPECT_EQ(LogLevelOfSeverity(21), LogLevel::kFatal);
  EXPECT_EQ(LogLevelOfSeverity(24), LogLevel::kFatal);
  EXPECT_EQ(LogLevelOfSeverity(25), LogLevel::kUnknown);
  EXPECT_EQ(LogLevelOfSeverity(UINT64_MAX), LogLevel::kUnknown);
}

TEST(LogLevel, WordsOfLoggingLibrariesInAnyCase) {
  EXPECT_EQ(LogLevelOfWord("WARNING"), LogLevel::kWarn);
  EXPECT_EQ(LogLevelOfWord("Critical"), LogLevel::kFatal);
  EXPECT_EQ(LogLevelOfWord("err"), LogLevel::kError);
  EXPECT_EQ(LogLevelOfWord(""), LogLevel::kUnknown);
  EXPECT_EQ(LogLevelOfWord("errors"), LogLevel::kUnknown);
  EXPECT_EQ(LogLevelOfWord("an error that is far too long for a word"), LogLevel::kUnknown);
}

TEST(LogLevel, NamesAreReadBack) {
  for (const LogLevel level : kLogLevels) {
    if (level != LogLevel::kUnknown) {
      EXPECT_EQ(ParseLogLevel(LogLevelName(level)), level);
    }
  }
  EXPECT_EQ(ParseLogLevel("unknown"), std::nullopt);
  EXPECT_EQ(ParseLogLevel("ERROR"), std::nullopt);
}

}  // namespace
}  // namespace liveops
