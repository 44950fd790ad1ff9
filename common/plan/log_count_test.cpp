#include "common/plan/log_count.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/plan/canonical_plan.h"
#include "common/plan/parse.h"

namespace liveops::plan {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<std::string> Problems(const std::string& yaml) {
  std::vector<std::string> out;
  for (const Problem& problem : Parse(yaml).problems) out.push_back(problem.ToString("plan"));
  return out;
}

TEST(LogCounts, APatternIsCharactersAndStars) {
  EXPECT_TRUE(Contains("card 42 declined", "declined"));
  EXPECT_TRUE(Contains("card 42 declined", "card*declined"));
  EXPECT_TRUE(Contains("card 42 declined", "*card**declined*"));
  EXPECT_TRUE(Contains("carddeclined", "card*declined")) << "a star is no character, too";
  EXPECT_FALSE(Contains("declined card 42", "card*declined")) << "in this order";
  EXPECT_FALSE(Contains("card 42 Declined", "declined")) << "letter case counts";
  EXPECT_FALSE(Contains("aba", "ab*ba")) << "no character stands for two";
  EXPECT_TRUE(Contains("a.c", "a.c"));
  EXPECT_FALSE(Contains("abc", "a.c")) << "a point is a point";
  EXPECT_FALSE(Contains("", "a"));
}

TEST(LogCounts, ALevelIsTheLeastThatCounts) {
  const LogCount any{"a", "x", {}};
  EXPECT_TRUE(Counts(any, LogLevel::kUnknown, "x"));
  const LogCount warn{"a", "x", LogLevel::kWarn};
  EXPECT_FALSE(Counts(warn, LogLevel::kUnknown, "x"));
  EXPECT_FALSE(Counts(warn, LogLevel::kInfo, "x"));
  EXPECT_TRUE(Counts(warn, LogLevel::kWarn, "x"));
  EXPECT_TRUE(Counts(warn, LogLevel::kFatal, "x"));
  EXPECT_FALSE(Counts(warn, LogLevel::kFatal, "y"));
}

TEST(LogCounts, AreReadFromAPlanAndWrittenBack) {
  const std::string yaml =
      "service: shop\n"
      "logs:\n"
      "  - {name: payment_errors, match: 'card * \"declined\"', level: error}\n"
      "  - {name: a.logins, match: login}\n"
      "alarms:\n"
      "  - {name: payments, when: rate(payment_errors) per min > 5 for 2min, page: false}\n";
  const auto read = Parse(yaml);
  ASSERT_THAT(read.problems, IsEmpty());
  const PlanFile file(read.plan, ParseLogCounts(yaml));
  EXPECT_THAT(file.logs,
              ElementsAre(LogCount{"payment_errors", "card * \"declined\"", LogLevel::kError},
                          LogCount{"a.logins", "login", {}}));
  const std::string written = CanonicalText(file);
  const auto again = Parse(written);
  EXPECT_THAT(again.problems, IsEmpty());
  EXPECT_TRUE(PlanFile(again.plan, ParseLogCounts(written)) == Sorted(file)) << written;
  PlanFile other = file;
  other.logs[1].match = "logout";
  EXPECT_NE(Digest(other), Digest(file));
  const auto changes = Compare(file, other);
  ASSERT_EQ(changes.size(), 1u);
  EXPECT_EQ(SectionName(changes[0].section), std::string("log count"));
  EXPECT_EQ(changes[0].name, "a.logins");
}

TEST(LogCounts, OfAPlanWithAProblemThereAreNone) {
  EXPECT_THAT(ParseLogCounts("service: shop\nlogs:\n  - {name: a, match: x}\nspread: 0\n"),
              IsEmpty());
  EXPECT_THAT(ParseLogCounts("garbage: ["), IsEmpty());
  EXPECT_THAT(ParseLogCounts(""), IsEmpty());
}

TEST(LogCounts, WhatIsWrongWithThemIsTold) {
  const auto of = [](const std::string& item) {
    return Problems("service: shop\nlogs:\n  - " + item + "\n");
  };
  EXPECT_THAT(of("{name: a, match: x, levl: error}"),
              ElementsAre("plan:3:25: log count \"a\": unknown key \"levl\"; did you mean "
                          "\"level\"?"));
  EXPECT_THAT(of("{name: a, match: x, level: eror}"),
              ElementsAre("plan:3:32: unknown level \"eror\"; did you mean \"error\"?"));
  EXPECT_THAT(of("{name: a, match: ' * '}"),
              ElementsAre("plan:3:22: match is \" * \": it holds nothing to look for; every line "
                          "is counted as log_events already"));
  EXPECT_THAT(of("{name: log_events, match: x}"),
              ElementsAre("plan:3:12: log count \"log_events\": it is counted of every service's "
                          "lines already"));
  EXPECT_THAT(of("{name: a b, match: x}"),
              ElementsAre("plan:3:12: log count \"a b\": the name of a metric is one word of at "
                          "most 100 characters, such as payment_errors"));
  EXPECT_THAT(of("{name: a, regex: x}"),
              ElementsAre("plan:3:5: log count \"a\": the key \"match\" is missing",
                          "plan:3:15: \"regex\" cannot be run yet: regular expressions; match "
                          "takes characters and *"));
  EXPECT_THAT(of("{name: a, match: x}\n  - {name: a, match: y}"),
              ElementsAre("plan:4:12: log count \"a\" is defined twice, first in line 3, again in "
                          "line 4"));
  EXPECT_THAT(of("{name: a, match: " + std::string(201, 'x') + "}").size(), 1u);
  EXPECT_THAT(Problems("service: shop\nlogs: error\n"),
              ElementsAre("plan:2:7: logs is a single value, expected a list"));
  std::string many = "service: shop\nlogs:\n";
  for (int i = 0; i < 51; ++i) many += "  - {name: c" + std::to_string(i) + ", match: x}\n";
  EXPECT_THAT(Problems(many), ElementsAre("plan:3:3: logs has 51 counts, at most 50 are taken"));
}

}  // namespace
}  // namespace liveops::plan
