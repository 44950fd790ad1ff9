// What deploy/ ships for rehearsals is held against the plan that it ships.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "services/liveopsctl/rehearse/backtest.h"
#include "services/liveopsctl/rehearse/judge.h"
#include "services/liveopsctl/rehearse/test_run.h"

namespace liveops::rehearse {
namespace {

namespace fs = std::filesystem;

const fs::path kDeploy = fs::path(LIVEOPS_SOURCE_DIR) / "deploy";

std::string TextOf(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  EXPECT_TRUE(in) << path;
  return std::string((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
}

std::string Lines(const std::vector<plan::Problem>& problems) {
  std::string text;
  for (const plan::Problem& problem : problems) text += problem.ToString("") + "\n";
  return text;
}

std::string Lines(const std::vector<Discrepancy>& discrepancies) {
  std::string text;
  for (const Discrepancy& d : discrepancies) {
    text += d.alarm + ": expected " + d.expected + ", got " + d.got + "\n  " + d.explanation + "\n";
  }
  return text;
}

// Of deploy/plans/<service>.yaml.
Coverage RunTestsOf(const std::string& service) {
  const std::string text = TextOf(kDeploy / ("plans/" + service + ".yaml"));
  const plan::ParseResult plan = plan::Parse(text);
  EXPECT_EQ(Lines(plan.problems), "");
  const auto read = ReadPlanTests(TextOf(kDeploy / ("plans/" + service + ".test.yaml")),
                                  [&](const std::string&, std::string&) { return &plan.plan; });
  EXPECT_EQ(Lines(read.problems), "");
  const TestRunner runner(plan.plan, text);
  Coverage coverage(plan.plan);
  for (const PlanTest& test : read.file.tests) {
    const Result<TestOutcome> outcome = runner.Run(test);
    if (!outcome.ok()) {
      ADD_FAILURE() << outcome.error().message;
      continue;
    }
    EXPECT_EQ(Lines(outcome->discrepancies), "") << test.name;
    EXPECT_THAT(outcome->notes, testing::IsEmpty()) << test.name;
    coverage.Add(*outcome);
  }
  return coverage;
}

TEST(Shipped, TheSeedPlansTestsPassAndCoverEveryAlarmThatPages) {
  const Coverage coverage = RunTestsOf("backend-api");
  EXPECT_GT(coverage.alarms(), 5U);
  EXPECT_THAT(coverage.NeverFired(), testing::IsEmpty());
  EXPECT_THAT(coverage.NeverResolved(), testing::IsEmpty());
  EXPECT_THAT(coverage.NeverSilent(), testing::IsEmpty());
}

TEST(Shipped, TheTestsOfLiveOpsOwnPlanPassAndCoverEveryAlarmThatPages) {
  const Coverage coverage = RunTestsOf("liveops");
  EXPECT_EQ(coverage.alarms(), 5U);
  EXPECT_THAT(coverage.NeverFired(), testing::IsEmpty());
  EXPECT_THAT(coverage.NeverResolved(), testing::IsEmpty());
}

TEST(Shipped, TheTestsOfThePlanOverTwoServicesPassAndCoverEveryAlarmThatPages) {
  const Coverage coverage = RunTestsOf("checkout");
  EXPECT_EQ(coverage.alarms(), 2U);
  EXPECT_THAT(coverage.NeverFired(), testing::IsEmpty());
  EXPECT_THAT(coverage.NeverResolved(), testing::IsEmpty());
}

class ShippedIncident : public testing::TestWithParam<const char*> {};

TEST_P(ShippedIncident, PagesAsItSays) {
  const std::string text = TextOf(kDeploy / "plans/backend-api.yaml");
  const plan::ParseResult plan = plan::Parse(text);
  ASSERT_EQ(Lines(plan.problems), "");
  Backtest backtest(plan.plan, text);
  RecordingReader reader;
  RecordedLine line;
  const fs::path folder = kDeploy / "incidents";
  std::ifstream in(folder / (GetParam() + std::string(".jsonl")));
  for (std::string one; std::getline(in, one);) {
    const auto problem = reader.Read(one, line);
    ASSERT_FALSE(problem) << problem->ToString("");
    backtest.Take(line);
  }
  ASSERT_FALSE(reader.End());
  const auto pages =
      ReadExpectedPages(TextOf(folder / (GetParam() + std::string(".expect.yaml"))), plan.plan);
  ASSERT_EQ(Lines(pages.problems), "");
  const BacktestReport report = backtest.Finish();
  EXPECT_EQ(Lines(JudgePages(pages.pages, report.told, {}, report.from)), "");
  EXPECT_THAT(report.unread_metrics, testing::IsEmpty());
  EXPECT_EQ(report.points_unit_mismatch, 0U);
  EXPECT_THAT(report.header.made_by, testing::StartsWith("the demo's workload model"));
}

const char* const kIncidents[] = {"bad-deploy", "traffic-loss", "connection-leak", "quiet-day"};

INSTANTIATE_TEST_SUITE_P(, ShippedIncident, testing::ValuesIn(kIncidents), [](const auto& of) {
  std::string name = of.param;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
});

TEST(Shipped, EveryIncidentIsHeldAgainstThePlan) {
  for (const auto& entry : fs::directory_iterator(kDeploy / "incidents")) {
    if (entry.path().extension() != ".jsonl") continue;
    EXPECT_THAT(kIncidents, testing::Contains(entry.path().stem().string()));
  }
}

}  // namespace
}  // namespace liveops::rehearse
