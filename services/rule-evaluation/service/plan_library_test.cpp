#include "services/rule-evaluation/service/plan_library.h"

#include <gtest/gtest.h>

#include <string>

#include "services/rule-evaluation/service/alarm_table.h"

namespace liveops::evaluation {
namespace {

kafka::Record Plan(std::int64_t offset, const std::string& service, std::uint64_t version,
                   const std::string& text) {
  kafka::Record record;
  record.offset = offset;
  record.value = EncodePlanRecord({}, {service, version, text, "kim", 1, -1});
  return record;
}

TEST(PlanLibrary, TheFirstOfOneVersionCounts) {
  PlanLibrary library;
  ASSERT_TRUE(library.Read(Plan(0, "s", 1, "first")).ok());
  ASSERT_TRUE(library.Read(Plan(1, "s", 1, "second")).ok());
  EXPECT_EQ(library.Get("s", 1)->text, "first");
  EXPECT_EQ(library.Get("s", 1)->offset, 0);
  EXPECT_EQ(library.revision(), 1u);
}

TEST(PlanLibrary, KnowsTheNewestOfEachService) {
  PlanLibrary library;
  ASSERT_TRUE(library.Read(Plan(0, "s", 2, "two")).ok());
  ASSERT_TRUE(library.Read(Plan(1, "s", 1, "one")).ok());
  ASSERT_TRUE(library.Read(Plan(2, "t", 5, "five")).ok());
  EXPECT_EQ(library.Newest("s")->version, 2u);
  EXPECT_EQ(library.NewestOfAll().size(), 2u);
  EXPECT_FALSE(library.Newest("u").has_value());
}

kafka::Record SpreadPlan(std::int64_t offset, std::uint64_t version, int spread,
                         std::int64_t appended_ms, std::int64_t from_ms = 0) {
  kafka::Record record;
  record.offset = offset;
  record.append_time = RealFromMs(appended_ms);
  record.value =
      EncodePlanRecord({}, {"s", version, "text", "kim", 1, -1, spread, RealFromMs(from_ms)});
  return record;
}

TEST(PlanLibrary, TellsSinceWhenAServiceIsSpreadAsItIs) {
  PlanLibrary library;
  const auto from_ms = [&](std::uint64_t version) {
    return ToMs(library.Get("s", version)->spread_from);
  };
  // Out of order, as compaction may leave them when one was written again.
  ASSERT_TRUE(library.Read(SpreadPlan(1, 3, 4, 3'000'000)).ok());
  ASSERT_TRUE(library.Read(SpreadPlan(2, 1, 1, 1'000'000)).ok());
  ASSERT_TRUE(library.Read(SpreadPlan(3, 4, 8, 4'000'000)).ok());
  EXPECT_EQ(from_ms(3), 3'120'000);
  ASSERT_TRUE(library.Read(SpreadPlan(4, 2, 4, 9'000'000, 2'120'000)).ok());
  EXPECT_EQ(from_ms(1), 0) << "it never was otherwise";
  EXPECT_EQ(from_ms(2), 2'120'000) << "a record that was written again says it itself";
  EXPECT_EQ(from_ms(3), 2'120'000) << "version 3 changed nothing";
  EXPECT_EQ(from_ms(4), 4'120'000);
  EXPECT_EQ(ToMs(library.Newest("s")->spread_from), 4'120'000);
  EXPECT_EQ(ToMs(library.NewestOfAll()[0].spread_from), 4'120'000);
}

constexpr const char* kReader = R"(service: shop
owners: {on-call: {slack: "#oncall"}}
alarms:
  - {name: lost, when: 'sum(a) - sum(b{service="s"}) > 5', severity: high, owner: on-call}
)";

TEST(PlanLibrary, TellsHowTheServicesThatAPlanReadsAreSpread) {
  PlanLibrary library;
  ASSERT_TRUE(library.Read(Plan(0, "shop", 1, kReader)).ok());
  using Reads = std::vector<engine::ServiceRead>;
  EXPECT_EQ(library.Newest("shop")->reads, (Reads{{"s", 1, {}}})) << "there is no plan of it";
  ASSERT_TRUE(library.Read(SpreadPlan(1, 1, 1, 1'000'000)).ok());
  EXPECT_EQ(library.Newest("shop")->reads, (Reads{{"s", 1, {}}}));
  ASSERT_TRUE(library.Read(SpreadPlan(2, 2, 4, 2'000'000)).ok());
  const Reads spread{{"s", 4, RealFromMs(2'120'000)}};
  EXPECT_EQ(library.NewestOfAll()[1].reads, spread);
  EXPECT_TRUE(library.Newest("s")->reads.empty());
}

TEST(PlanLibrary, WhereSeriesThatAreReadLieNeverGoesBack) {
  using Reads = std::vector<engine::ServiceRead>;
  const Reads before{{"s", 1, {}}};
  const Reads later{{"s", 4, RealFromMs(2'120'000)}};
  EXPECT_FALSE(MovedSince(before, before));
  EXPECT_TRUE(MovedSince(before, later));
  EXPECT_FALSE(MovedSince(later, before));
  EXPECT_TRUE(MovedSince({}, before));
}

TEST(PlanLibrary, GarbageIsToldAndStillCountsAsRead) {
  PlanLibrary library;
  kafka::Record record;
  record.offset = 7;
  record.value = "garbage";
  EXPECT_FALSE(library.Read(record).ok());
  EXPECT_TRUE(library.WaitFor(7, Duration(0)));
  EXPECT_FALSE(library.WaitFor(8, Duration(0)));
}

TEST(PendingAlarms, TheNewestOfAnAlarmReplacesTheOlder) {
  PendingAlarms pending(10);
  pending.Put("a", "1");
  pending.Put("a", "2");
  pending.Put("b", "1");
  pending.Remove("b");
  const auto taken = pending.Take(10);
  ASSERT_EQ(taken.size(), 2u);
  EXPECT_EQ(taken[0].second, "2");
  EXPECT_EQ(taken[1].second, std::nullopt);
  EXPECT_TRUE(pending.empty());
}

TEST(PendingAlarms, WhatIsGivenBackDoesNotHideNewer) {
  PendingAlarms pending(10);
  pending.Put("a", "old");
  pending.Put("b", "old");
  auto taken = pending.Take(10);
  pending.Put("a", "new");
  pending.GiveBack(std::move(taken));
  const auto again = pending.Take(10);
  ASSERT_EQ(again.size(), 2u);
  EXPECT_EQ(again[0].second, "new");
  EXPECT_EQ(again[1].second, "old");
}

TEST(PendingAlarms, BeyondItsLimitItAsksForARefresh) {
  PendingAlarms pending(2);
  pending.Put("a", "1");
  pending.Put("b", "1");
  EXPECT_FALSE(pending.TakeOverflow());
  pending.Put("b", "2");
  EXPECT_FALSE(pending.TakeOverflow()) << "b was pending already";
  pending.Put("c", "1");
  EXPECT_EQ(pending.size(), 2u);
  EXPECT_TRUE(pending.TakeOverflow());
  EXPECT_FALSE(pending.TakeOverflow());
}

}  // namespace
}  // namespace liveops::evaluation
