#include "common/runtime/plan_spreads.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/runtime/plan_record_for_tests.h"

namespace liveops::runtime {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

constexpr std::int64_t kAppended = 1'770'000'000'000;

kafka::Record Plan(std::uint64_t version, int spread, std::int64_t appended_ms = kAppended,
                   std::int64_t from_ms = 0) {
  return SpreadRecord("shop", version, spread, from_ms, appended_ms);
}

SpreadStep Step(std::int64_t from_ms, int spread) { return {RealFromMs(from_ms), spread}; }

TEST(PlanSpreads, AChangeCountsTwoMinutesAfterItWasAppendedUnlessTheRecordSaysWhen) {
  PlanSpreads spreads;
  EXPECT_EQ(spreads.StepsOf("shop"), nullptr);
  ASSERT_TRUE(spreads.Take(Plan(1, 1)).ok());
  EXPECT_EQ(spreads.StepsOf("shop"), nullptr);
  EXPECT_FALSE(spreads.any());
  ASSERT_TRUE(spreads.Take(Plan(2, 4)).ok());
  ASSERT_TRUE(spreads.Take(Plan(3, 4, kAppended + 500'000)).ok());
  ASSERT_TRUE(spreads.Take(Plan(4, 2, kAppended + 900'000, kAppended + 800'000)).ok());
  EXPECT_THAT(*spreads.StepsOf("shop"),
              ElementsAre(Step(kAppended + 120'000, 4), Step(kAppended + 800'000, 2)));
  EXPECT_TRUE(spreads.any());
  EXPECT_EQ(spreads.StepsOf("other"), nullptr);
}

TEST(PlanSpreads, TheFirstRecordOfAVersionCountsAndGarbageChangesNothing) {
  PlanSpreads spreads;
  ASSERT_TRUE(spreads.Take(Plan(1, 4)).ok());
  ASSERT_TRUE(spreads.Take(Plan(1, 8, kAppended + 5)).ok());
  kafka::Record garbage;
  garbage.value = "garbage";
  EXPECT_EQ(spreads.Take(garbage).error().code, ErrorCode::kInvalid);
  EXPECT_EQ(spreads.Take(Plan(2, 1'000'000)).error().code, ErrorCode::kInvalid);
  EXPECT_EQ(spreads.Take(Plan(0, 2)).error().code, ErrorCode::kInvalid);
  EXPECT_TRUE(spreads.Take({}).ok()) << "a tombstone";
  EXPECT_THAT(*spreads.StepsOf("shop"), ElementsAre(Step(kAppended + 120'000, 4)));
}

TEST(PlanSpreads, OfAStretchIsNamedWhatCountedInItOrWasSaid) {
  PlanSpreads spreads;
  ASSERT_TRUE(spreads.Take(Plan(1, 4, kAppended, 1'000'000)).ok());
  ASSERT_TRUE(spreads.Take(Plan(2, 2, kAppended, 2'000'000)).ok());
  ASSERT_TRUE(spreads.Take(Plan(3, 1, kAppended, 3'000'000)).ok());
  ASSERT_TRUE(spreads.Take(SpreadRecord("bank", 1, 8, 2'500'000, kAppended)).ok());
  const auto within = [&](std::int64_t from_ms, std::int64_t to_ms) {
    return spreads.Within(RealFromMs(from_ms), RealFromMs(to_ms));
  };
  const SpreadStep four = Step(1'000'000, 4);
  const SpreadStep two = Step(2'000'000, 2);
  const SpreadStep one = Step(3'000'000, 1);
  const auto bank = Pair("bank", ElementsAre(Step(2'500'000, 8)));
  EXPECT_THAT(within(0, 879'999), IsEmpty());
  EXPECT_THAT(within(0, 880'000), ElementsAre(Pair("shop", ElementsAre(four)))) << "it was said";
  EXPECT_THAT(within(1'000'000, 1'879'999), ElementsAre(Pair("shop", ElementsAre(four))));
  EXPECT_THAT(within(1'999'999, 2'000'000), ElementsAre(Pair("shop", ElementsAre(four, two))));
  EXPECT_THAT(within(2'000'000, 2'000'000), ElementsAre(Pair("shop", ElementsAre(two))));
  EXPECT_THAT(within(2'600'000, 4'000'000), ElementsAre(bank, Pair("shop", ElementsAre(two, one))));
  EXPECT_THAT(within(3'000'000, 4'000'000), ElementsAre(bank)) << "one partition all the time";
}

}  // namespace
}  // namespace liveops::runtime
