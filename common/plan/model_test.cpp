#include "common/plan/model.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "common/plan/units.h"

namespace liveops::plan {
namespace {

TEST(Model, AThresholdItselfIsFalseForStrictComparisons) {
  EXPECT_FALSE(Holds(5, Comparison::kGreater, 5));
  EXPECT_TRUE(Holds(5, Comparison::kGreaterEqual, 5));
  EXPECT_FALSE(Holds(5, Comparison::kLess, 5));
  EXPECT_TRUE(Holds(5, Comparison::kLessEqual, 5));
  EXPECT_TRUE(Holds(5.001, Comparison::kGreater, 5));
  EXPECT_TRUE(Holds(4.999, Comparison::kLess, 5));
}

TEST(Model, ResponseTimesFollowSeverity) {
  const Plan plan;
  EXPECT_EQ(CanonicalText(plan.ResponseTo(Severity::kCritical)), "5min");
  EXPECT_EQ(CanonicalText(plan.ResponseTo(Severity::kHigh)), "30min");
  EXPECT_EQ(CanonicalText(plan.ResponseTo(Severity::kMedium)), "1h");
  EXPECT_EQ(CanonicalText(plan.ResponseTo(Severity::kLow)), "next business day");
  EXPECT_STREQ(SeverityName(Severity::kHigh), "high");
}

TEST(Model, PanesAreAThirtiethOfTheWindowButASecondAtLeast) {
  EXPECT_EQ(PaneLength(std::chrono::minutes(1)), Duration(2000));
  EXPECT_EQ(PaneLength(std::chrono::seconds(10)), Duration(1000));
  EXPECT_EQ(PaneLength(std::chrono::hours(1)), Duration(120'000));
}

TEST(Model, PanesDivideTheWindow) {
  EXPECT_EQ(PaneLength(std::chrono::seconds(40)), Duration(1600));
  EXPECT_EQ(PaneLength(std::chrono::seconds(100)), Duration(4000));
  EXPECT_EQ(PaneLength(Duration(1500)), Duration(1500));
  for (int seconds = 1; seconds <= 10'000; ++seconds) {
    const Duration window = std::chrono::seconds(seconds);
    const Duration pane = PaneLength(window);
    ASSERT_EQ(window % pane, Duration(0)) << seconds;
    ASSERT_GE(pane, std::chrono::seconds(1)) << seconds;
    ASSERT_GE(window / pane, std::min(seconds, 25)) << seconds;
    ASSERT_LE(window / pane, 30) << seconds;
  }
}

TEST(Model, TestsAreTheConditionsOwnThenTheOthers) {
  Condition condition;
  condition.threshold = 1;
  EXPECT_EQ(TestCount(condition), 1u);
  EXPECT_EQ(TestOf(condition, 0).threshold, 1);
  condition.more.resize(2);
  condition.more[1].threshold = 3;
  EXPECT_EQ(TestCount(condition), 3u);
  EXPECT_EQ(TestOf(condition, 2).threshold, 3);
}

TEST(Units, OfRates) {
  EXPECT_EQ(RateUnit("", std::chrono::minutes(1)), "/min");
  EXPECT_EQ(RateUnit("1", std::chrono::minutes(5)), "/5min");
  EXPECT_EQ(RateUnit("By", std::chrono::seconds(1)), "By/s");
}

TEST(Units, ConvertWithinAFamilyOnly) {
  EXPECT_EQ(ConvertUnit(0.8, "s", "ms"), 800);
  EXPECT_EQ(ConvertUnit(250, "ms", "s"), 0.25);
  EXPECT_EQ(ConvertUnit(1, "%", "1"), 0.01);
  EXPECT_EQ(ConvertUnit(0.5, "1", "%"), 50);
  EXPECT_EQ(ConvertUnit(2, "KiB", "By"), 2048);
  EXPECT_EQ(ConvertUnit(7, "jobs", "jobs"), 7);
  EXPECT_EQ(ConvertUnit(7, "jobs", "ms"), std::nullopt);
  EXPECT_EQ(ConvertUnit(7, "ms", "%"), std::nullopt);
}

}  // namespace
}  // namespace liveops::plan
