// How a countermeasure ends, and who is told.
#include <gtest/gtest.h>

#include "services/notifier/service/core_test_support.h"

namespace liveops::notifier {
namespace {

struct RemedyTest : ::testing::Test {
  RemedyTest() { world.Plan(); }
  World world;
};

TEST_F(RemedyTest, ARefusedProposalIsToldWithItsReasonAndNothingToApprove) {
  for (const bool outcome : {false, true}) {  // read before the first notice, or not yet written
    World w;
    w.Plan();
    w.Start();
    w.Fire();
    w.Refuse("backend-api/deep", outcome);
    w.PagerDutyOk();
    w.SlackOk();
    for (const char* to : {"slack/oncall", "pagerduty"}) {
      const SentMessage told = w.Take(to);
      EXPECT_TRUE(told.Has("refused: nothing ran")) << told.body;
      EXPECT_TRUE(told.Has("this remedy ran 3 times, a person must look")) << told.body;
      EXPECT_TRUE(told.Has("surge on deployment/backend-api")) << told.body;
      EXPECT_FALSE(told.Has("remediations approve")) << told.body;
      EXPECT_FALSE(told.Has("Runs: ")) << told.body;
    }
  }
}

TEST_F(RemedyTest, ARefusedProposalThatNoPageCarriesIsToldItsApprover) {
  world.Start();
  world.Refuse("backend-api/not-firing");
  EXPECT_TRUE(world.Take("slack/oncall").Has("this remedy ran 3 times, a person must look"));
}

TEST_F(RemedyTest, ADenialAfterAnApprovalEndsTheRemedy) {
  world.Start();
  world.Fire();
  world.PagerDutyOk();
  world.SlackOk();
  world.Propose();
  world.SlackOk();
  world.Approve("alice");
  world.Deny("bob");
  const SentMessage told = world.Take("slack/oncall");
  EXPECT_TRUE(told.Has("denied: nothing ran")) << told.body;
  EXPECT_TRUE(told.Has("bob")) << told.body;
}

}  // namespace
}  // namespace liveops::notifier
