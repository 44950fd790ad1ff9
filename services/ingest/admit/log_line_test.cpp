#include "services/ingest/admit/log_line.h"

#include <gtest/gtest.h>

#include "common/base/text.h"

namespace liveops::admit {
namespace {

constexpr std::int64_t kNow = 1'770'000'000'000;

std::optional<Refusal> CheckAt(std::int64_t time_ms) {
  LogLine line;
  line.time_ms = time_ms;
  return CheckLogTime(line, Limits(), RealFromMs(kNow));
}

TEST(LogLine, ItsTimeMayLieALittleAheadAndTwoHoursBack) {
  EXPECT_EQ(CheckAt(kNow + 10'000), std::nullopt);
  EXPECT_EQ(CheckAt(kNow + 10'001), Refusal::kFuture);
  EXPECT_EQ(CheckAt(kNow - 7'200'000), std::nullopt);
  EXPECT_EQ(CheckAt(kNow - 7'200'001), Refusal::kTooOld);
  EXPECT_EQ(CheckAt(INT64_MAX), Refusal::kFuture);
  EXPECT_EQ(CheckAt(INT64_MIN), Refusal::kTooOld);
}

TEST(LogLine, WithoutATimeItIsOfNow) {
  LogLine line;
  EXPECT_EQ(CheckLogTime(line, Limits(), RealFromMs(kNow)), std::nullopt);
  EXPECT_EQ(line.time_ms, kNow);
}

TEST(LogLine, TextIsCutAtACharacterAndMadeUtf8) {
  EXPECT_EQ(LogText("plain", 8), "plain");
  EXPECT_EQ(LogText("a\xff b", 20), "a\xEF\xBF\xBD b");
  const std::string cut = LogText("größe größe größe", 9);
  EXPECT_LE(cut.size(), 9u);
  EXPECT_TRUE(IsValidUtf8(cut));
  EXPECT_TRUE(cut.starts_with("gr")) << cut;
  EXPECT_TRUE(cut.ends_with("…")) << cut;
  // A character that the quick look cut in two.
  EXPECT_TRUE(IsValidUtf8(LogText(std::string(11, 'a') + "ßßßßß", 8)));
  EXPECT_EQ(LogText(std::string(100'000, '\xff'), 8).size(), 6u);
}

TEST(SlowQuery, PostgresSaysADurationAndAStatement) {
  EXPECT_EQ(SlowQueryMs("duration: 1234.567 ms  statement: SELECT 1"), 1234.567);
  EXPECT_EQ(SlowQueryMs("2026-11-26 09:00:00 UTC [7] app@shop LOG:  duration: 250 ms  execute "
                        "<unnamed>: SELECT 1"),
            250);
  EXPECT_EQ(SlowQueryMs("duration: 8.5 ms  bind s1: SELECT 1"), 8.5);
  EXPECT_EQ(SlowQueryMs("duration: 8.5 ms  parse s1: SELECT 1"), 8.5);
  EXPECT_EQ(SlowQueryMs("duration: 0.2 ms"), std::nullopt) << "log_duration alone";
  EXPECT_EQ(SlowQueryMs("duration: 5 s  statement: SELECT 1"), std::nullopt);
  EXPECT_EQ(SlowQueryMs("duration: nan ms  statement: SELECT 1"), std::nullopt);
  EXPECT_EQ(SlowQueryMs("duration: -5 ms  statement: SELECT 1"), std::nullopt);
  EXPECT_EQ(SlowQueryMs("duration: "), std::nullopt);
}

TEST(SlowQuery, MysqlsHeaderSaysSeconds) {
  EXPECT_EQ(SlowQueryMs("# Time: 2026-11-26T09:00:00.5Z\n# User@Host: app[app] @ [10.0.0.1]\n"
                        "# Query_time: 2.5  Lock_time: 0.000030 Rows_sent: 1  Rows_examined: 9\n"
                        "SELECT SLEEP(2.5);"),
            2500);
  EXPECT_EQ(SlowQueryMs("# Query_time: 2.5"), std::nullopt);
  EXPECT_EQ(SlowQueryMs("see # Query_time: 2.5  Lock_time: 0"), std::nullopt);
  EXPECT_EQ(SlowQueryMs("# Query_time: 99999999999999999999  Lock_time: 0"), std::nullopt);
}

}  // namespace
}  // namespace liveops::admit
