#include "services/rule-evaluation/service/hindsight.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "services/rule-evaluation/service/hindsight_world_for_tests.h"

namespace liveops::evaluation {
namespace {

using engine::AlarmState;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr const char* kPlan = R"(service: shop
alarms:
  - {name: hot, when: last(cpu) > 90 for 1min, page: false}
  - {name: hot-pods, when: last(cpu) by pod > 90 for 1min, page: false}
  - {name: slow, when: avg(cpu) over 1h > 99 for 1h, keep_firing: 2h, page: false}
  - {name: more, when: last(cpu) over 1min > 150% compared to 1d ago, page: false}
  - {name: dark, when: last(light) < 1, page: false}
)";

class HindsightTest : public HindsightWorld {
 protected:
  HindsightTest() : HindsightWorld(kPlan) {}
};

TEST_F(HindsightTest, TellsTheStateOfThatMomentAndWhatWasMissing) {
  world_.Run(60'000, 50);
  world_.Run(180'000, 95);
  world_.Run(240'000, 40);
  ASSERT_GE(world_.told.size(), 4U);  // both alarms fire and resolve

  const PastAlarm quiet = Look("shop/hot", 50'000);
  ASSERT_TRUE(quiet.view) << quiet.why_not;
  EXPECT_EQ(quiet.view->state, AlarmState::kOk);
  EXPECT_EQ(quiet.view->value, 50);
  EXPECT_EQ(quiet.plan_applied_by, "kim");
  EXPECT_FALSE(quiet.before);
  ASSERT_TRUE(quiet.after);
  EXPECT_EQ(quiet.after->state, AlarmState::kFiring);
  EXPECT_THAT(Lines(quiet), HasSubstr("Missing for it to fire: a value 40 higher, and then 1min"));

  const PastAlarm pending = Look("shop/hot", 100'000);
  ASSERT_TRUE(pending.view);
  EXPECT_EQ(pending.view->state, AlarmState::kPending);
  EXPECT_THAT(Lines(pending), HasSubstr("more of being true; it had been true for"));

  const PastAlarm firing = Look("shop/hot", 150'000);
  ASSERT_TRUE(firing.view);
  EXPECT_EQ(firing.view->state, AlarmState::kFiring);
  EXPECT_FALSE(firing.corrected);
  ASSERT_TRUE(firing.before);
  EXPECT_EQ(firing.view->episode, firing.before->episode);
  EXPECT_THAT(Lines(firing), HasSubstr("Nothing was missing: it was open."));
  EXPECT_THAT(Lines(firing), HasSubstr("Before, by the log: it fired at "));
  EXPECT_THAT(Lines(firing), HasSubstr("After, by the log: it resolved at "));

  const PastAlarm dark = Look("shop/dark", 150'000);
  ASSERT_TRUE(dark.view);
  EXPECT_EQ(dark.view->state, AlarmState::kBlind);
  EXPECT_THAT(Lines(dark), HasSubstr("Missing for it to fire: any point of its metric."));
  EXPECT_FALSE(dark.begins_late);
}

TEST_F(HindsightTest, BeginsAsAnOwnerDoesWhereTheLogIsCut) {
  world_.Run(60'000, 50);
  world_.Run(600'000, 95);
  world_.Forget(1500);  // 5 records a second: after the firing
  const PastAlarm past = Look("shop/hot", 500'000);
  ASSERT_TRUE(past.view) << past.why_not;
  EXPECT_EQ(past.view->state, AlarmState::kFiring) << "the log says so";
  EXPECT_EQ(past.view->value, 95);
  EXPECT_TRUE(past.begins_late);
  EXPECT_EQ(past.first_offset, 1500);
  EXPECT_THAT(Lines(past), HasSubstr("Not complete: the log begins then"));
}

TEST_F(HindsightTest, AnswersFromTheTransitionsWhereTheSamplesAreGone) {
  world_.Run(60'000, 50);
  world_.Run(600'000, 95);
  world_.Forget(2000);
  const PastAlarm past = Look("shop/hot", 200'000);
  EXPECT_FALSE(past.view);
  EXPECT_EQ(past.records, 0U);
  ASSERT_TRUE(past.before);
  EXPECT_EQ(past.before->state, AlarmState::kFiring);
  EXPECT_THAT(Lines(past), HasSubstr("the log of the samples no longer reaches back to then"));
  EXPECT_THAT(Lines(past), HasSubstr("By the log alone, it was open."));
}

TEST_F(HindsightTest, AnEpisodeThatClosedLongBeforeTheReplayHidesNoHold) {
  world_.Run(60'000, 50);
  world_.Run(180'000, 95);
  world_.Run(2'400'000, 50);
  world_.Run(2'430'000, 95);
  const PastAlarm past = Look("shop/hot", 2'429'000);
  ASSERT_TRUE(past.view) << past.why_not;
  ASSERT_TRUE(past.before);
  EXPECT_EQ(past.before->state, AlarmState::kResolved);
  EXPECT_LT(past.before->source_offset, past.first_offset);
  EXPECT_EQ(past.view->state, AlarmState::kPending);
  EXPECT_FALSE(past.corrected);
}

TEST_F(HindsightTest, BeginsSoEarlyThatAllOfTheAlarmIsKnown) {
  world_.Run(60'000, 50);
  const std::int64_t at = 50'000;
  const auto before = [&](const PastAlarm& past) { return World::At(at) - past.wanted; };
  EXPECT_EQ(before(Look("shop/hot", at)), std::chrono::minutes(30)) << "at least";
  EXPECT_EQ(before(Look("shop/slow", at)), std::chrono::minutes(60 + 60 + 15 + 120));
  EXPECT_EQ(before(Look("shop/more", at)), std::chrono::minutes(24 * 60 + 1 + 15));
}

TEST_F(HindsightTest, AWordOfAZombieIsNone) {
  world_.Run(60'000, 50);
  world_.Run(180'000, 95);
  engine::Transition stray = world_.told.front();
  stray.alarm_id = "shop/dark";
  world_.Say(stray, -5);
  EXPECT_FALSE(Look("shop/dark", 170'000).before);
}

TEST_F(HindsightTest, NamesTheGroupsThatThereWere) {
  world_.Run(60'000, 50);
  const PastAlarm past = Look("shop/hot-pods", 50'000);
  EXPECT_FALSE(past.view);
  EXPECT_THAT(past.groups, ElementsAre("shop/hot-pods{pod=\"a\"}"));
  EXPECT_THAT(past.why_not, HasSubstr("there was no group shop/hot-pods then"));
  const PastAlarm found = Look("shop/hot-pods{pod=\"a\"}", 50'000);
  ASSERT_TRUE(found.view);
  EXPECT_EQ(found.view->value, 50);
}

TEST_F(HindsightTest, SaysWhatThereWasNotThen) {
  world_.Run(60'000, 50);
  EXPECT_THAT(
      Look("shop/hott", 50'000).why_not,
      HasSubstr("plan version 1, in force then, had no alarm \"hott\"; did you mean \"hot\""));
  EXPECT_THAT(Look("shop/hot", -5000).why_not, HasSubstr("no plan of shop was in force then"));
  const PastAlarm late = Look("shop/hot", 90'000);
  EXPECT_TRUE(late.ends_early);
  EXPECT_THAT(Lines(late), HasSubstr("the log ends before that moment"));
  const auto bad = hindsight_.Look("hot", World::At(0), {});
  ASSERT_FALSE(bad.ok());
  EXPECT_EQ(bad.error().code, ErrorCode::kInvalid);
}

TEST_F(HindsightTest, GivesUpWhenAskedToAndLetsOneReplayRunAtATime) {
  world_.Run(600'000, 50);
  std::vector<std::uint64_t> seen;
  const auto stopped =
      hindsight_.Look("shop/hot", World::At(590'000), [&](std::uint64_t done, std::uint64_t all) {
        seen.push_back(done);
        EXPECT_GE(all, done);
        const auto second = hindsight_.Look("shop/hot", World::At(590'000), {});
        EXPECT_FALSE(second.ok());
        EXPECT_EQ(second.error().code, ErrorCode::kUnavailable);
        return false;
      });
  ASSERT_FALSE(stopped.ok());
  EXPECT_EQ(stopped.error().code, ErrorCode::kTimeout);
  EXPECT_THAT(seen, ElementsAre(2000U));
}

TEST_F(HindsightTest, IsNotAskedBeforeTheTopicsAreKnown) {
  Hindsight closed({}, []() -> Result<std::unique_ptr<kafka::AssignedConsumer>> {
    return InternalError("nobody asks");
  });
  const auto past = closed.Look("shop/hot", World::At(0), {});
  ASSERT_FALSE(past.ok());
  EXPECT_EQ(past.error().code, ErrorCode::kUnavailable);
}

}  // namespace
}  // namespace liveops::evaluation
