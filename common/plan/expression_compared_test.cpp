#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/plan/expression.h"
#include "common/plan/parse.h"
#include "common/plan/reads_back_for_test.h"

namespace liveops::plan {
namespace {

using ::testing::HasSubstr;

TEST(ComparedExpression, ReadsAndReadsBack) {
  struct Case {
    const char* text;
    const char* canonical;
  };
  const Case cases[] = {
      {"p95 > 150% compared to 1d ago for 5min",
       "p95(http_request_duration_ms) in ms over 1min > 150% compared to 1d ago for 5min"},
      {"5xx over 5min > 300 % compared to 1h ago",
       "ratio(http_5xx_count, http_request_count) over 5min > 300% compared to 1h ago for 0s"},
      {"req/min < 50% compared to 1d ago",
       "rate(http_request_count) per 1min over 1min < 50% compared to 1d ago for 0s"},
      {"rate(m) in By/s < 50% compared to 1d ago",
       "rate(m) per 1s in By/s over 1min < 50% compared to 1d ago for 0s"},
      {"DB connections >= 120% compared to 1h30min ago",
       "last(db_connection_count) of 200 over 1min >= 120% compared to 1h30min ago for 0s"},
      {"count(m) by zone over 10min > 200% compared to 7d ago and CPU > 90% for 3 of 5min",
       "count(m) by zone over 10min > 200% compared to 7d ago and last(cpu_utilization) over 1min "
       "> 90% for 3 of 5min"},
  };
  for (const Case& c : cases) ExpectReadsBack(c.text, c.canonical);
}

TEST(ComparedExpression, TellsWhatIsWrongAndWhere) {
  struct Case {
    const char* text;
    std::size_t offset;
    const char* message;
  };
  const Case cases[] = {
      {"p95 > 150% compared with 1d ago", 20, "expected to, as in p95 > 150% compared to 1d ago"},
      {"p95 > 150% compared to", 22, "expected the earlier time"},
      {"p95 > 150% compared to 1d", 25, "found the end, expected ago"},
      {"p95 > 150% compared to 1d for 5min", 26, "found \"for\", expected ago"},
      {"p95 > 150% compared to 40d ago", 23, "expected from 1s to 30d"},
      {"p95 over 10min > 150% compared to 5min ago", 34,
       "5min ago lies inside the window of 10min"},
      {"p95 over 1d > 150% compared to 30d ago", 31, "reaches back more than 30d"},
      {"p95 > 150% compared to 7d ago", 23, "expected a window of at least 7min"},
      {"p95 > 500ms compared to 1d ago", 9, "150% is one and a half times as much"},
      {"p95 > 1.5 compared to 1d ago", 6, "is in per cents of it"},
      {"p95 - p50 > 150% compared to 1d ago", 17, "a formula cannot be compared"},
      {"p95 > 500ms for 5min compared to 1d ago", 21, "after its threshold, before the hold"},
      {"avg(CPU) offset 1d > 5%", 9, "compared to 1d ago"},
  };
  for (const Case& c : cases) {
    const auto parsed = ParseExpression(c.text, &Seed());
    ASSERT_FALSE(parsed.value.has_value()) << c.text;
    EXPECT_THAT(parsed.error.message, HasSubstr(c.message)) << c.text;
    EXPECT_EQ(parsed.error.offset, c.offset) << c.text << ": " << parsed.error.message;
  }
}

TEST(ComparedExpression, CountsTwiceAndIsNotExpected) {
  std::string text;
  for (int i = 0; i < 4; ++i)
    text += (i == 0 ? "" : " or ") + std::string("5xx > 150% compared to 1d ago");
  EXPECT_TRUE(ParseExpression(text, &Seed()).value.has_value());
  EXPECT_THAT(ParseExpression(text + " or CPU > 90%", &Seed()).error.message,
              HasSubstr("counts twice"));
  EXPECT_THAT(ParseExpect("5xx < 50% compared to 1h ago within 5min", &Seed()).error.message,
              HasSubstr("opens afterwards"));
}

TEST(ComparedExpression, ClearsInPerCents) {
  const auto condition = ParseExpression("p95 > 150% compared to 1d ago", &Seed());
  ASSERT_TRUE(condition.value.has_value());
  const auto clear = ParseClear("< 120% for 2min", *condition.value);
  ASSERT_TRUE(clear.value.has_value()) << clear.error.message;
  EXPECT_EQ(clear.value->threshold, 120);
  EXPECT_THAT(ParseClear("< 120ms", *condition.value).error.message, HasSubstr("does not fit"));
}

TEST(ComparedExpression, EarlierPanesAreBounded) {
  using namespace std::chrono_literals;
  EXPECT_EQ(EarlierPaneLength(1min, 24h), 60s);
  EXPECT_EQ(EarlierPaneLength(5min, 24h), 60s);
  EXPECT_EQ(EarlierPaneLength(1min, 10min), 2s);
  EXPECT_EQ(EarlierPaneLength(7min, 24h * 7), 7min);
  EXPECT_EQ(EarlierPaneLength(10s, 1min), 1s);
}

// As long as the window now: nine panes of 1112 ms would be a little longer.
TEST(ComparedExpression, EarlierPanesDivideTheWindow) {
  using namespace std::chrono_literals;
  EXPECT_EQ(EarlierPaneLength(10s, 25min), 1250ms);
  for (const Duration window : {10s, 20s, 31s, 60s, 97s, 300s}) {
    for (Duration ago = window; ago <= window * kEarlierPanesMax; ago += 17s) {
      const Duration pane = EarlierPaneLength(window, ago);
      ASSERT_EQ(window % pane, 0ms) << window.count() << " " << ago.count();
      ASSERT_GE(pane, PaneLength(window));
      ASSERT_LE((window + ago) / pane, kEarlierPanesMax + 30);
    }
  }
}

}  // namespace
}  // namespace liveops::plan
