#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/plan/canonical_plan.h"
#include "common/plan/expression.h"
#include "common/plan/parse.h"
#include "common/plan/reads_back_for_test.h"

namespace liveops::plan {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(Reporters, ReadAndReadBack) {
  struct Case {
    const char* text;
    const char* canonical;
  };
  const Case cases[] = {
      {"fewer than 3 by instance", "fewer than 3 by instance over 1min for 0s"},
      {"fewer than 2 of CPU by pod over 30s for 2min",
       "fewer than 2 of cpu_utilization by pod over 30s for 2min"},
      {"fewer than 3 of m{zone!=\"x\"} by pod",
       "fewer than 3 of m{zone!=\"x\"} by pod over 1min for 0s"},
      {"CPU > 90% and fewer than 3 by pod for 2 of 3min",
       "last(cpu_utilization) over 1min > 90% and fewer than 3 by pod over 1min for 2 of 3min"},
  };
  for (const Case& c : cases) ExpectReadsBack(c.text, c.canonical);
}

TEST(Reporters, AnExpectationIsWhatFailsTurnedRound) {
  const auto parsed = ParseExpectation("at least 3 by instance for 2min", &Seed());
  ASSERT_TRUE(parsed.value) << parsed.error.message;
  EXPECT_EQ(CanonicalText(*parsed.value), "fewer than 3 by instance over 1min for 2min");
  EXPECT_EQ(*parsed.value, *ParseExpression("fewer than 3 by instance for 2min", &Seed()).value);
  EXPECT_THAT(ParseExpectation("p95 > 500ms", &Seed()).error.message,
              HasSubstr("found \"p95\", expected at least N by label"));

  const auto effect = ParseExpect("at least 3 by pod within 5min", &Seed());
  ASSERT_TRUE(effect.value) << effect.error.message;
  EXPECT_EQ(CanonicalText(*effect.value), "at least 3 by pod over 1min within 5min");
  EXPECT_EQ(effect.value->condition.op, Comparison::kGreaterEqual);
  // As a probe is asked.
  const auto probe = ParseCondition(CanonicalText(effect.value->condition));
  ASSERT_TRUE(probe.ok()) << probe.error().message;
  EXPECT_EQ(*probe, effect.value->condition);
}

TEST(Reporters, TellsWhatIsWrongAndWhere) {
  struct Case {
    const char* text;
    std::size_t offset;
    const char* message;
  };
  const Case cases[] = {
      {"at least 3 by pod", 0, "it stands under expect"},
      {"fewer 3 by pod", 6, "found \"3\", expected than and a number"},
      {"fewer than x by pod", 11, "expected how many, a whole number from 1 to 100000"},
      {"fewer than 0 by pod", 11, "a whole number from 1"},
      {"fewer than 2.5 by pod", 11, "a whole number from 1"},
      {"fewer than 3 pods", 13, "found \"pods\", expected by and the label"},
      {"fewer than 3 by pod, zone", 0, "the values of one label are counted, found pod, zone"},
      {"fewer than 3 of p95(m) by pod", 16, "an aggregate of an aggregate"},
      {"fewer than 3 by pod over 0s", 25, "expected from 1s to 30d"},
      {"fewer than 3 by pod compared to 1d ago", 20, "compared to 1d ago"},
  };
  for (const Case& c : cases) {
    const auto parsed = ParseExpression(c.text, &Seed());
    ASSERT_FALSE(parsed.value.has_value()) << c.text;
    EXPECT_THAT(parsed.error.message, HasSubstr(c.message)) << c.text;
    EXPECT_EQ(parsed.error.offset, c.offset) << c.text << ": " << parsed.error.message;
  }
}

TEST(Reporters, HaveLevelsAndAClear) {
  const auto condition = ParseExpression("fewer than 3 by pod", &Seed());
  ASSERT_TRUE(condition.value);
  EXPECT_TRUE(ParseClear(">= 4 for 1min", *condition.value).value);
  EXPECT_TRUE(ParseLevel("< 2 for 0s", *condition.value).value);
  EXPECT_THAT(ParseLevel("< 2ms", *condition.value).error.message, HasSubstr("plain numbers"));
}

std::vector<std::string> Problems(const std::string& text) {
  std::vector<std::string> out;
  for (const Problem& problem : Parse(text).problems) out.push_back(problem.ToString("plan"));
  return out;
}

TEST(Reporters, StandInAPlan) {
  const std::string plan = R"(service: shop
alarms:
  - {name: up, expect: at least 3 by instance, page: false}
remediations:
  - name: r
    when: fewer than 2 by pod
    approval: {from: on-call}
    expect: at least 2 by pod within 5min
    do: {kubectl: [rollout, undo, deployment/a]}
owners: {on-call: {slack: "#oncall"}}
)";
  const ParseResult read = Parse(plan);
  ASSERT_THAT(Problems(plan), IsEmpty());
  EXPECT_EQ(CanonicalText(read.plan.alarms[0].when), "fewer than 3 by instance over 1min for 0s");
  const std::string canonical = CanonicalText(read.plan);
  EXPECT_EQ(CanonicalText(Parse(canonical).plan), canonical);

  EXPECT_THAT(Problems("service: shop\nalarms:\n  - {name: up, when: x, expect: y, page: false}\n"),
              ElementsAre(HasSubstr("\"when\" stands beside \"expect\"")));
  EXPECT_THAT(Problems("service: shop\nspread: 2\nalarms:\n"
                       "  - {name: up, expect: at least 3 by pod, page: false}\n"),
              ElementsAre("plan:2:9: alarm \"up\": at least N by label cannot be run where spread "
                          "is above 1"));
}

}  // namespace
}  // namespace liveops::plan
