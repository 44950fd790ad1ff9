#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/notifier/service/core_test_support.h"

namespace liveops::notifier {
namespace {

using namespace std::chrono_literals;

struct SeverityTest : ::testing::Test {
  SeverityTest() {
    world.Plan();
    world.Start();
  }
  void Becomes(std::uint32_t step, v1::Severity severity) {
    world.Transition("deep", 1000, step, v1::ALARM_STATE_FIRING, severity);
    world.Advance(2s);
    world.ReadBack();
  }
  World world;
};

TEST_F(SeverityTest, ARiseGoesToTheDestinationsOfTheWorseSeverityUnderOneDedupKey) {
  Becomes(0, v1::SEVERITY_MEDIUM);
  world.SlackOk();
  EXPECT_FALSE(world.AnythingTo("pagerduty"));
  Becomes(1, v1::SEVERITY_HIGH);
  EXPECT_TRUE(world.Take("slack/oncall").Has("HIGH, up from MEDIUM"));
  const SentMessage opened = world.Take("pagerduty");
  EXPECT_TRUE(opened.Has("\"severity\":\"error\""));
  EXPECT_FALSE(opened.Has("up from")) << "PagerDuty had not heard of it";
  world.Answer(opened, 202, "{}");
  Becomes(2, v1::SEVERITY_CRITICAL);
  const SentMessage worse = world.Take("pagerduty");
  EXPECT_TRUE(worse.Has("\"severity\":\"critical\""));
  EXPECT_TRUE(worse.Has("\"event_action\":\"trigger\""));
  EXPECT_TRUE(worse.Has(DedupKey("backend-api/deep", InstantFromMs(1000))));
  EXPECT_TRUE(opened.Has(DedupKey("backend-api/deep", InstantFromMs(1000))));
}

TEST_F(SeverityTest, AFallIsToldInSlackAndWakesNobody) {
  Becomes(0, v1::SEVERITY_CRITICAL);
  world.SlackOk();
  world.PagerDutyOk();
  Becomes(1, v1::SEVERITY_HIGH);
  EXPECT_FALSE(world.AnythingTo("pagerduty"));
  EXPECT_TRUE(world.Take("slack/oncall").Has("HIGH, down from CRITICAL"));
}

TEST_F(SeverityTest, AStepWithoutARiseIsNoPage) {
  Becomes(0, v1::SEVERITY_HIGH);
  world.SlackOk();
  world.PagerDutyOk();
  Becomes(1, v1::SEVERITY_HIGH);  // an overflow that has grown
  EXPECT_TRUE(world.sent.empty());
}

TEST_F(SeverityTest, ASuccessorKnowsHowBadWasTold) {
  Becomes(0, v1::SEVERITY_HIGH);
  world.SlackOk();
  world.PagerDutyOk();
  world.Kill();
  world.Transition("deep", 1000, 1, v1::ALARM_STATE_FIRING, v1::SEVERITY_CRITICAL);
  world.Start();
  world.Advance(6s);
  world.ReadBack();
  EXPECT_TRUE(world.Take("slack/oncall").Has("CRITICAL, up from HIGH"));
}

}  // namespace
}  // namespace liveops::notifier
