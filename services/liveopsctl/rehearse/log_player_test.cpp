#include "services/liveopsctl/rehearse/log_player.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/liveopsctl/rehearse/log_player_for_tests.h"

namespace liveops::rehearse {
namespace {

using engine::AlarmState;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// Three hosts, one a partition; each batch has all of them.
class SpreadLogTest : public LogPlayerTest {
 protected:
  SpreadLogTest() {
    for (int i = 0; i < 3; ++i)
      series_.push_back(
          {PartitionAt("shop", i), "shop", std::string(1, static_cast<char>('a' + i)), 1});
  }
  void SetAll(double value) {
    for (Series& series : series_) series.value = value;
  }
  const std::string text_ = PlanText("sum(x) over 10s > 25 for 20s", "spread: 3\n");
};

TEST_F(SpreadLogTest, FiresOnceByWhatAllPartitionsHaveAndResolves) {
  Play(text_, {{"shop", Always(3)}});
  EXPECT_THAT(player_->partitions(),
              ElementsAre(PartitionAt("shop", 0), PartitionAt("shop", 1), PartitionAt("shop", 2)));
  Until(kMinute);
  SetAll(10);  // no two of them are enough
  Until(2 * kMinute);
  EXPECT_THAT(States(), ElementsAre(AlarmState::kFiring));
  EXPECT_EQ(told_.value, 30);
  EXPECT_EQ(told_.alarm_id, "shop/hot");
  SetAll(1);
  Until(3 * kMinute);
  EXPECT_THAT(States(), ElementsAre(AlarmState::kResolved));
  ASSERT_EQ(player_->Alarms().size(), 1U) << "one alarm, however many shards";
  EXPECT_EQ(player_->Alarms().front().state, AlarmState::kOk);
}

TEST_F(SpreadLogTest, IsJudgedWhereTheSeriesLieThoughThePlanDoesNotSaySo) {
  Play(PlanText("sum(x) over 10s > 25 for 20s"), {{"shop", Always(3)}});
  SetAll(10);
  Until(kMinute);
  EXPECT_THAT(States(), ElementsAre(AlarmState::kFiring));
  EXPECT_EQ(told_.value, 30);
}

TEST_F(SpreadLogTest, APlanThatSpreadsWiderHearsMorePartitions) {
  Play(text_, {});
  EXPECT_EQ(player_->partitions().size(), 3U);
}

TEST_F(SpreadLogTest, WhoseClocksDifferTellTheSame) {
  const auto play = [&](std::map<std::int32_t, std::int64_t> ahead) {
    ahead_ = std::move(ahead);
    at_ = 0;
    Play(text_, {{"shop", Always(3)}});
    while (at_ < 3 * kMinute) {
      for (Series& series : series_) {
        const std::int64_t sent = at_ - Ahead(series.partition);
        series.value = sent >= kMinute && sent < 2 * kMinute ? 10 : 1;
      }
      Until(at_ + 250);
    }
    return player_->Take();
  };
  const std::vector<engine::Transition> alike = play({});
  ASSERT_EQ(alike.size(), 2U);
  // Of one that is ahead the points seem late, as they do live.
  const std::vector<engine::Transition> apart =
      play({{PartitionAt("shop", 1), 1'000}, {PartitionAt("shop", 2), -4'000}});
  ASSERT_EQ(apart.size(), 2U);
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(apart[i].state, alike[i].state);
    EXPECT_EQ(apart[i].window_end, alike[i].window_end);
    EXPECT_EQ(apart[i].value, alike[i].value);
    EXPECT_LE(std::chrono::abs(apart[i].clock - alike[i].clock), Duration(4'000));
  }
}

TEST_F(SpreadLogTest, OfAPartitionThatStoodStillNothingIsKnown) {
  Play(text_, {{"shop", Always(3)}});
  SetAll(10);
  Until(kMinute);
  EXPECT_THAT(States(), ElementsAre(AlarmState::kFiring));
  lost_.insert(PartitionAt("shop", 2));
  Until(3 * kMinute);
  EXPECT_THAT(States(), IsEmpty()) << "the part that is missing is no recovery";
  EXPECT_THAT(player_->Alarms().front().explanation,
              HasSubstr(std::to_string(PartitionAt("shop", 2))));
  lost_.clear();
  SetAll(1);
  Until(4 * kMinute);
  EXPECT_THAT(States(), ElementsAre(AlarmState::kResolved));
}

TEST_F(SpreadLogTest, WhatLiveShardsSaidIsPassedOver) {
  // The live one of the second partition had a hundred of the host there.
  engine::ShardLimits limits;
  limits.partition = PartitionAt("shop", 1);
  limits.partitions = kPartitions;
  engine::Shard live(TimeMap{}, limits);
  std::vector<engine::Transition> nothing;
  std::vector<engine::Readings> said;
  const auto apply = [&](engine::RecordView record) {
    record.offset = live.position() + 1;
    live.Apply(record, nothing, said);
  };
  engine::PlanActivationView plan;
  plan.service = "shop";
  plan.version = 1;
  plan.text = text_;
  for (; at_ < kMinute; at_ += 250) {
    if (at_ == 0) apply(Record(0, plan));
    apply(Record(at_, TickAt(at_)));
    if (at_ % 1000 == 0)
      Send({limits.partition, "shop", "b", 100}, static_cast<std::uint64_t>(at_ + 1), apply);
  }
  ASSERT_FALSE(said.empty());
  at_ = 0;
  Play(text_, {{"shop", Always(3)}});
  const std::int32_t home = PartitionAt("shop", 0);
  std::size_t next = 0;
  while (at_ < kMinute) {
    Until(at_ + 250);
    for (; next < said.size() && said[next].step_end_ms <= kTen + at_ + 10'000; ++next)
      player_->Replay(home, Record(at_, engine::ViewOf(said[next])));
  }
  EXPECT_EQ(next, said.size());
  EXPECT_THAT(States(), IsEmpty());
  engine::PlanActivationView other = plan;
  other.version = 7;
  const std::string without = "service: shop\nalarms: []\n";
  other.text = without;
  player_->Replay(home, Record(at_, other));
  EXPECT_EQ(player_->Alarms().size(), 1U) << "its own plan is in force";
}

TEST_F(SpreadLogTest, WhatCannotBeJudgedThereIsRefused) {
  const auto distinct = Make(PlanText("distinct(x, host) over 1min > 3"), {{"shop", Always(3)}});
  ASSERT_FALSE(distinct.ok());
  EXPECT_THAT(distinct.error().message,
              HasSubstr("the series of shop lie over 3 partitions, and there the plan cannot be "
                        "judged: "));
  const auto wide = Make(PlanText("sum(x) > 1", "spread: 9\n"), {});
  ASSERT_FALSE(wide.ok());
  EXPECT_THAT(wide.error().message, HasSubstr("shop is spread over 9 partitions"));
}

TEST_F(LogPlayerTest, ReadsOtherServicesWhereverTheyLie) {
  const std::string payments = ServiceElsewhere();
  for (const int spread : {1, 2}) {
    at_ = 0;
    series_ = {{PartitionAt("shop", 0), "shop", "a", 4},
               {PartitionAt(payments, 0), payments, "p", 1}};
    if (spread == 2) series_.push_back({PartitionAt(payments, 1), payments, "q", 1});
    Play(PlanText("sum(x) + sum(x{service=\"" + payments + "\"}) over 10s > 7.5 for 20s"),
         {{payments, Always(spread)}});
    EXPECT_EQ(player_->partitions().size(), static_cast<std::size_t>(1 + spread));
    EXPECT_EQ(player_->partitions().front(), PartitionAt("shop", 0));
    Until(kMinute);
    EXPECT_THAT(States(), IsEmpty());
    for (Series& series : series_) series.value = 4;
    Until(2 * kMinute);
    EXPECT_THAT(States(), ElementsAre(AlarmState::kFiring));
    EXPECT_EQ(told_.value, 4 + 4 * spread);
    series_[1].value = 0;
    series_[0].value = 0;
    Until(3 * kMinute);
    EXPECT_THAT(States(), ElementsAre(AlarmState::kResolved));
  }
}

TEST_F(LogPlayerTest, AServiceOfTheSamePartitionIsReadThere) {
  std::string neighbour;
  for (int i = 0; neighbour.empty(); ++i) {
    const std::string name = "payments-" + std::to_string(i);
    if (PartitionOf(name, kPartitions) == PartitionAt("shop", 0)) neighbour = name;
  }
  series_ = {{PartitionAt("shop", 0), neighbour, "p", 9}};
  Play(PlanText("sum(x{service=\"" + neighbour + "\"}) over 10s > 7 for 20s"), {});
  EXPECT_THAT(player_->partitions(), ElementsAre(PartitionAt("shop", 0)));
  Until(kMinute);
  EXPECT_THAT(States(), ElementsAre(AlarmState::kFiring));
}

}  // namespace
}  // namespace liveops::rehearse
