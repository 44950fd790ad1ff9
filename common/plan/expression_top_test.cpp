#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/plan/expression.h"
#include "common/plan/parse.h"
#include "common/plan/reads_back_for_test.h"

namespace liveops::plan {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(TopK, ReadsAndReadsBack) {
  struct Case {
    const char* text;
    const char* canonical;
  };
  const Case cases[] = {
      {"topk(5, avg(CPU) by instance) > 90% for 5min",
       "topk(5, avg(cpu_utilization) by instance) over 1min > 90% for 5min"},
      {"topk(3, CPU by host, zone over 5min) > 90%",
       "topk(3, last(cpu_utilization) by host, zone) over 5min > 90% for 0s"},
      {"topk(1, 5xx by zone) over 10min > 1% and req/min > 100",
       "topk(1, ratio(http_5xx_count, http_request_count) by zone) over 10min > 1% and "
       "rate(http_request_count) per 1min over 1min > 100/min for 0s"},
      {"topk(2, p95 by route) > 150% compared to 1d ago",
       "topk(2, p95(http_request_duration_ms) in ms by route) over 1min > 150% compared to 1d ago "
       "for 0s"},
      {"topk(2, max(m) - min(m) by host) > 3",
       "topk(2, max(m) - min(m) by host) over 1min > 3 for 0s"},
  };
  for (const Case& c : cases) ExpectReadsBack(c.text, c.canonical);
}

TEST(TopK, TellsWhatIsWrongAndWhere) {
  struct Case {
    const char* text;
    std::size_t offset;
    const char* message;
  };
  const Case cases[] = {
      {"topk(5, CPU) > 1%", 11, "expected by and the labels that tell the groups apart"},
      {"topk(CPU by host) > 1%", 5, "expected how many groups, a whole number from 1 to 1000"},
      {"topk(0, CPU by host) > 1%", 5, "a whole number from 1 to 1000"},
      {"topk(5 CPU by host) > 1%", 7, "expected \",\" and a measure"},
      {"topk(5, CPU by host > 1%", 20, "expected \")\""},
      {"topk(5, CPU by host) by zone > 1%", 21, "by is given twice"},
      {"req/min > 1 and topk(5, CPU by host) > 1%", 16, "topk stands in the first test"},
      {"1 + topk(5, CPU by host) > 1", 4, "topk stands around a whole measure"},
      {"topkk(5, CPU) > 1%", 0, "did you mean \"topk\""},
      {"bottomk(5, CPU) > 1%", 0, "bottomk cannot be run yet"},
  };
  for (const Case& c : cases) {
    const auto parsed = ParseExpression(c.text, &Seed());
    ASSERT_FALSE(parsed.value.has_value()) << c.text;
    EXPECT_THAT(parsed.error.message, HasSubstr(c.message)) << c.text;
    EXPECT_EQ(parsed.error.offset, c.offset) << c.text << ": " << parsed.error.message;
  }
  EXPECT_THAT(ParseExpect("topk(5, CPU by host) < 1% within 5min", &Seed()).error.message,
              HasSubstr("no part in what is expected"));
}

TEST(TopK, CannotBeSpread) {
  const ParseResult read = Parse(
      "service: shop\nspread: 4\nalarms:\n"
      "  - {name: a, when: \"topk(5, last(m) by host) > 1\", page: false}\n"
      "  - {name: b, when: \"distinct(m, user) > 1\", page: false}\n");
  std::vector<std::string> told;
  for (const Problem& problem : read.problems) told.push_back(problem.message);
  EXPECT_THAT(told, ElementsAre("alarm \"a\": topk cannot be run where spread is above 1",
                                "alarm \"b\": distinct cannot be run where spread is above 1"));
}

}  // namespace
}  // namespace liveops::plan
