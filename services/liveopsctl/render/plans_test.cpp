#include "services/liveopsctl/render/plans.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace liveops::ctl {
namespace {

v1::PlanProblem Problem(std::uint32_t line, std::uint32_t column, const std::string& message) {
  v1::PlanProblem problem;
  problem.set_file("p.yaml");
  problem.set_line(line);
  problem.set_column(column);
  problem.set_message(message);
  return problem;
}

TEST(RenderProblem, CaretStandsUnderThePlace) {
  const std::string source = "service: api\nalarms:\n  - {name: x, when: \"5x > 1%\"}\n";
  EXPECT_EQ(
      RenderProblem(Problem(3, 21, "unknown metric \"5x\"; did you mean \"5xx\"?"), source, {}),
      "p.yaml:3:21: unknown metric \"5x\"; did you mean \"5xx\"?\n"
      "    3 |   - {name: x, when: \"5x > 1%\"}\n"
      "      |                     ^\n");
}

TEST(RenderProblem, TabsWideCharactersAndLineEnds) {
  EXPECT_EQ(RenderProblem(Problem(1, 2, "m"), "\tx: 1\r\n", {}),
            "p.yaml:1:2: m\n    1 |  x: 1\n      |  ^\n");
  // Two wide letters of three bytes each in front: four columns.
  EXPECT_EQ(RenderProblem(Problem(1, 3, "m"), "\xed\x95\x9c\xea\xb8\x80x", {}),
            "p.yaml:1:3: m\n    1 | \xed\x95\x9c\xea\xb8\x80x\n      |     ^\n");
  // Past the end of the line: after its last character.
  EXPECT_EQ(RenderProblem(Problem(1, 99, "m"), "ab", {}),
            "p.yaml:1:99: m\n    1 | ab\n      |   ^\n");
}

TEST(RenderProblem, LinesThatDoNotExistOrAreEmptyShowOnlyTheMessage) {
  EXPECT_EQ(RenderProblem(Problem(9, 1, "m"), "a\n", {}), "p.yaml:9:1: m\n");
  EXPECT_EQ(RenderProblem(Problem(1, 1, "m"), "", {}), "p.yaml:1:1: m\n");
  EXPECT_EQ(RenderProblem(Problem(0, 0, "m"), "a\n", {}), "p.yaml:0:0: m\n");
}

TEST(RenderProblem, LongLinesAreCutAroundThePlace) {
  const std::string source = std::string(200, 'a') + "X" + std::string(200, 'b');
  EXPECT_EQ(RenderProblem(Problem(1, 201, "m"), source, {}),
            "p.yaml:1:201: m\n    1 | \xe2\x80\xa6" + std::string(60, 'a') + "X" +
                std::string(59, 'b') + "\xe2\x80\xa6\n      | " + std::string(61, ' ') + "^\n");
}

TEST(RenderProblem, HostileSourceIsEscapedAndTheCaretStaysInPlace) {
  EXPECT_EQ(RenderProblem(Problem(1, 3, "m\x1b[1m"), "a\x1bx", {}),
            "p.yaml:1:3: m\\x1b[1m\n    1 | a\\x1bx\n      |      ^\n");
}

TEST(RenderProblem, ALineThatIsNoTextIsNotShown) {
  EXPECT_EQ(RenderProblem(Problem(1, 1, "m"), "\xff\xfe\x80x", {}), "p.yaml:1:1: m\n");
}

TEST(RenderPlans, TableAndText) {
  v1::ListPlansResponse response;
  v1::PlanRecord* plan = response.add_plans();
  plan->set_service("backend-api");
  plan->set_version(3);
  plan->set_applied_by("alice");
  plan->set_applied_unix_ms(1770196500000);
  EXPECT_EQ(RenderPlans(response, {{"backend-api", 2}}, {}),
            "SERVICE      NEWEST  IN FORCE  APPLIED BY  APPLIED AT\n"
            "backend-api  3       2         alice       2026-02-04T09:15:00Z\n");
  EXPECT_THAT(RenderPlans(response, {}, {}), testing::HasSubstr("  not known  "));
  plan->set_text("service: backend-api\n");
  const std::string head = "# backend-api version 3, applied by alice at 2026-02-04T09:15:00Z; ";
  EXPECT_EQ(RenderPlan(*plan, {{"backend-api", 3}}, {}), head + "in force\nservice: backend-api\n");
  EXPECT_EQ(RenderPlan(*plan, {{"backend-api", 2}}, {}),
            head + "version 2 is in force\nservice: backend-api\n");
  EXPECT_EQ(RenderPlan(*plan, {{"other", 3}}, {}),
            head + "which version is in force is not known\nservice: backend-api\n");
  plan->set_spread(4);
  plan->set_spread_from_ms(plan->applied_unix_ms());
  const std::string spread = RenderPlan(*plan, {{"backend-api", 3}}, {});
  EXPECT_NE(spread.find("in force; on 4 partitions from the event time " +
                        Moment(plan->applied_unix_ms()) + " on\n"),
            std::string::npos)
      << spread;
}

TEST(InForceBy, IsTheNewestVersionThatAnAlarmIsJudgedBy) {
  v1::ListAlarmsResponse response;
  for (const auto& [service, version] :
       {std::pair("api", 2u), std::pair("api", 3u), std::pair("api", 2u), std::pair("shop", 7u)}) {
    v1::AlarmStatus* alarm = response.add_alarms();
    alarm->set_service(service);
    alarm->set_plan_version(version);
  }
  EXPECT_EQ(InForceBy(response), (PlansInForce{{"api", 3}, {"shop", 7}}));
}

}  // namespace
}  // namespace liveops::ctl
