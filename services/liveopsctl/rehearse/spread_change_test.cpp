// A spread that changes within the stretch of a backtest, held against the shards that judged live.

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "services/liveopsctl/rehearse/log_player_for_tests.h"

namespace liveops::rehearse {
namespace {

constexpr std::int64_t kSaid = 3 * kMinute;  // the plan with the other spread stood in plans.v1
constexpr std::int64_t kFrom = kSaid + kSpreadLead.count();

// What the player is given is given to those, too.
class SpreadChangeTest : public LogPlayerTest {
 protected:
  // One activation of the plan in each partition, as an owner writes it.
  struct Activation {
    std::int64_t at = 0;
    std::string text;
    RealTime spread_from{};
    std::vector<engine::ServiceRead> reads;
  };

  void Give(std::int32_t partition, const engine::RecordView& record) override {
    player_->Replay(partition, record);
    engine::ShardLimits limits;
    limits.partition = partition;
    limits.partitions = kPartitions;
    Live& live =
        live_.try_emplace(partition, Live{engine::Shard(TimeMap{}, limits), 0}).first->second;
    while (live.activated < activations_.size() && activations_[live.activated].at <= at_) {
      const Activation& of = activations_[live.activated++];
      engine::PlanActivationView plan;
      plan.service = "shop";
      plan.version = live.activated;
      plan.text = of.text;
      plan.spread_from = of.spread_from;
      plan.reads = of.reads;
      Apply(live, Record(at_, plan));
    }
    Apply(live, record);
  }
  struct Live {
    engine::Shard shard;
    std::size_t activated = 0;
  };
  void Apply(Live& live, engine::RecordView record) {
    std::vector<engine::Readings> readings;
    record.offset = live.shard.position() + 1;
    live.shard.Apply(record, judged_, readings);
    for (const engine::Readings& told : readings) {
      engine::RecordView heard;
      heard.append_time = record.append_time;
      heard.body = engine::ViewOf(told);
      Apply(live_.at(told.home_partition), heard);
    }
  }
  void SetAll(double value) {
    for (Series& series : series_) series.value = value;
  }
  static std::vector<std::string> Words(const std::vector<engine::Transition>& told) {
    std::vector<std::string> words;
    for (const engine::Transition& t : told) {
      words.push_back(fmt::format("{} {} {} at {}, of the window up to {}", t.alarm_id, t.reason,
                                  t.value, ToMs(t.clock) - kTen, ToMs(t.window_end) - kTen));
    }
    return words;
  }
  // Over the limit from 1 to 4 min and from 9 to 10 min, with the change between.
  void Go(const std::function<void()>& move) {
    Until(kMinute);
    SetAll(10);
    Until(4 * kMinute);
    SetAll(1);
    Until(kFrom);
    move();
    Until(9 * kMinute);
    SetAll(10);
    Until(10 * kMinute);
    SetAll(1);
    Until(11 * kMinute);
  }
  // That it is as live, and that live the change is no small matter.
  void Expect(const std::string& service, int before, int after) {
    const std::vector<engine::Transition> told = player_->Take();
    EXPECT_EQ(Words(told), Words(judged_));
    ASSERT_EQ(told.size(), 4U) << fmt::format("{}", fmt::join(Words(told), "\n"));
    for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(told[i].reason, i % 2 ? "recovered" : "crossed");
    EXPECT_GT(ToMs(told[1].window_end) - kTen, kFrom)
        << "it was over a minute before, and nobody could know";
    const std::vector<SeriesMove> moves = player_->Moves();
    ASSERT_EQ(moves.size(), 1U);
    EXPECT_EQ(moves[0].service, service);
    EXPECT_EQ(moves[0].from, InstantFromMs(kTen + kFrom));
    EXPECT_EQ(moves[0].before, before);
    EXPECT_EQ(moves[0].after, after);
  }

  std::vector<Activation> activations_;
  std::map<std::int32_t, Live> live_;
  std::vector<engine::Transition> judged_;
};

const RealTime kChanged = RealFromMs(kTen + kFrom);
constexpr const char* kCondition = "sum(x) over 10s > 25 for 20s";

TEST_F(SpreadChangeTest, ToMoreIsJudgedAsLive) {
  series_ = {{PartitionAt("shop", 0), "shop", "a", 1, "of-a"},
             {PartitionAt("shop", 1), "shop", "b", 1, "of-b"},
             {PartitionAt("shop", 0), "shop", "c", 1, "of-c"}};
  const std::string two = PlanText(kCondition, "spread: 2\n");
  activations_ = {{0, two, {}, {}}, {kSaid, PlanText(kCondition, "spread: 3\n"), kChanged, {}}};
  Play(two, {{"shop", {{RealTime{}, 2}, {kChanged, 3}}}});
  EXPECT_EQ(player_->partitions().size(), 3U);
  Go([&] { series_[2].partition = PartitionAt("shop", 2); });
  Expect("shop", 2, 3);
}

TEST_F(SpreadChangeTest, ToOneIsJudgedAsLive) {
  series_ = {{PartitionAt("shop", 0), "shop", "a", 1, "of-a"},
             {PartitionAt("shop", 2), "shop", "b", 1, "of-b"},
             {PartitionAt("shop", 1), "shop", "c", 1, "of-c"}};
  const std::string one = PlanText(kCondition);
  activations_ = {{0, PlanText(kCondition, "spread: 3\n"), {}, {}}, {kSaid, one, kChanged, {}}};
  Play(one, {{"shop", {{RealTime{}, 3}, {kChanged, 1}}}});
  Go([&] {
    for (Series& series : series_) series.partition = PartitionAt("shop", 0);
  });
  Expect("shop", 3, 1);
}

TEST_F(SpreadChangeTest, OfAServiceThatIsReadIsJudgedAsLive) {
  const std::string payments = ServiceElsewhere();
  series_ = {{PartitionAt("shop", 0), "shop", "a", 1, "of-a"},
             {PartitionAt(payments, 0), payments, "p", 1, "of-p"},
             {PartitionAt(payments, 0), payments, "q", 1, "of-q"}};
  const std::string text =
      PlanText("sum(x) + sum(x{service=\"" + payments + "\"}) over 10s > 25 for 20s");
  activations_ = {{0, text, {}, {{payments, 1, {}}}}, {kSaid, text, {}, {{payments, 2, kChanged}}}};
  Play(text, {{payments, {{kChanged, 2}}}});
  Go([&] { series_[2].partition = PartitionAt(payments, 1); });
  Expect(payments, 1, 2);
}

// Those that were over when the log begins, or that come after its end, say nothing.
TEST_F(SpreadChangeTest, OnlyThoseWithinAreTold) {
  const auto at = [](std::int64_t minute) { return RealFromMs(kTen + minute * kMinute); };
  Play(PlanText(kCondition), {{"shop", {{at(-5), 2}, {at(1), 3}, {at(9), 4}}}});
  Until(8 * kMinute);
  const std::vector<SeriesMove> moves = player_->Moves();
  ASSERT_EQ(moves.size(), 1U) << "the second was said before";
  EXPECT_EQ(moves[0].from, InstantFromMs(kTen + 9 * kMinute));
  EXPECT_EQ(moves[0].before, 3);
  EXPECT_EQ(moves[0].after, 4);
}

}  // namespace
}  // namespace liveops::rehearse
