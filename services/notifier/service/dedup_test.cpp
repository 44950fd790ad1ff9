#include <gtest/gtest.h>

#include "services/notifier/service/core_test_support.h"

namespace liveops::notifier {
namespace {

using namespace std::chrono_literals;

// An alarm that was paged, resolved, and fires again within its plan's window.
struct DedupTest : ::testing::Test {
  DedupTest() {
    world.Plan(std::string(kPlanText) + "dedup: 10min\n");
    world.Start();
    world.Fire("deep", 1000, v1::SEVERITY_MEDIUM);
    EXPECT_TRUE(world.questions.empty()) << "the first page asks nobody";
    world.SlackOk();
    world.Resolve();
    world.SlackOk();
    world.Fire("deep", 2000, v1::SEVERITY_MEDIUM);
  }
  void Answer(DedupView::State state, Duration left = Duration(0), bool rebuild = false) {
    ASSERT_FALSE(world.questions.empty());
    world.Run(world.core->OnDedup(world.questions.back(), state,
                                  InstantFromMs(world.clock_ms) + left, rebuild, world.now));
  }
  World world;
};

TEST_F(DedupTest, ThePageOpensAWindow) {
  ASSERT_FALSE(world.stores.empty());
  const DedupStore& store = world.stores.back();
  ASSERT_EQ(store.windows.size(), 1u);
  EXPECT_EQ(store.windows[0].until, InstantFromMs(world.clock_ms) + Duration(600'000));
}

TEST_F(DedupTest, ARefireWithinTheWindowWaitsUntilItEnds) {
  EXPECT_FALSE(world.AnythingTo("slack"));
  Answer(DedupView::State::kHeld, Duration(60'000));
  world.Advance(59s);
  EXPECT_FALSE(world.AnythingTo("slack"));
  world.Advance(2s);
  EXPECT_TRUE(world.AnythingTo("slack"));
}

TEST_F(DedupTest, ARefireThatIsOverWithinTheWindowIsSuperseded) {
  Answer(DedupView::State::kHeld, Duration(60'000));
  world.Transition("deep", 2000, 1, v1::ALARM_STATE_RESOLVED, v1::SEVERITY_MEDIUM);
  world.Advance(120s);
  EXPECT_FALSE(world.AnythingTo("slack"));
}

// worldmonitor#4990: a Redis error was read as "duplicate", every alert was dropped.
TEST_F(DedupTest, WhenTheTableCannotTellThePageGoesOut) {
  Answer(DedupView::State::kCannotTell, Duration(0), true);
  EXPECT_TRUE(world.AnythingTo("slack"));
  EXPECT_TRUE(world.stores.back().rebuild) << "and the table is built again from Kafka";
  ASSERT_EQ(world.stores.back().windows.size(), 1u);
  EXPECT_EQ(world.stores.back().windows[0].alarm_id, "backend-api/deep");
}

TEST_F(DedupTest, WhenTheTableDoesNotAnswerThePageGoesOut) {
  world.Advance(299ms);
  EXPECT_FALSE(world.AnythingTo("slack"));
  world.Advance(1ms);
  EXPECT_TRUE(world.AnythingTo("slack"));
}

TEST_F(DedupTest, ANewOwnerStoresTheWindowsAnew) {
  world.Kill();
  world.stores.clear();
  world.Start();
  bool found = false;
  for (const DedupStore& store : world.stores) found |= store.rebuild && !store.windows.empty();
  EXPECT_TRUE(found);
}

// At the takeover no plan asked for windows, so that no partition was marked as known.
TEST(FirstDedupPlan, ItsWindowsAreStoredWhenItComesIntoForce) {
  World world;
  world.Plan(kPlanText);
  world.Start();
  world.Fire("deep", 1000, v1::SEVERITY_MEDIUM);
  world.SlackOk();
  EXPECT_TRUE(world.stores.empty());
  world.Plan(std::string(kPlanText) + "dedup: 10min\n");
  bool rebuilt = false;
  for (const DedupStore& store : world.stores) rebuilt |= store.rebuild && !store.windows.empty();
  EXPECT_TRUE(rebuilt) << "the page before it counts too";
}

}  // namespace
}  // namespace liveops::notifier
