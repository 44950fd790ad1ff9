// The owner of a partition that holds a part of a spread service's series (ADR 9).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <vector>

#include "common/base/hash.h"
#include "services/rule-evaluation/service/owner_world_for_tests.h"

namespace liveops::evaluation {
namespace {

constexpr std::int32_t kPartitions = 16;
constexpr const char* kPlan = R"(service: shop
spread: 3
owners:
  on-call: {slack: "#oncall"}
alarms:
  - {name: busy, when: "sum(load) over 10s > 5", severity: critical, owner: on-call}
)";

class SpreadOwnerTest : public OwnerWorld {
 protected:
  static std::int32_t Home() { return PartitionOf("shop", kPartitions); }
  static std::int32_t Source() { return (Home() + 1) % kPartitions; }

  void Start(RealTime readings_from = {}) {
    engine::ShardLimits limits;
    limits.partition = Source();
    limits.partitions = kPartitions;
    Own(Source(), {OwnerState{engine::Shard(TimeMap{}, limits), {}, {}},
                   ReplayFilter{},
                   {},
                   5,
                   "claim/1",
                   0,
                   1,
                   false,
                   0,
                   readings_from});
  }
  // What was written into another partition than its own log.
  std::vector<std::size_t> Written() const { return SentTo(runtime::topic::kMetrics); }
  void Told() {
    for (int i = 0; i < 8; ++i) TickAfter(250);
    Activate(kPlan, now_ms_ - 60'000);
    for (int i = 0; i < 20; ++i) TickAfter(250);
  }
};

TEST_F(SpreadOwnerTest, WritesItsReadingsIntoTheHomesPartitionAndKeepsThemUntilTheyStand) {
  Start();
  Told();
  const std::vector<std::size_t> written = Written();
  ASSERT_GE(written.size(), 2u);
  const FakeProducer::Sent first = producer_.sent[written[0]];
  EXPECT_EQ(first.partition, Home());
  EXPECT_EQ(first.key, "shop");
  ASSERT_FALSE(first.headers.empty());
  EXPECT_EQ(first.headers[0].name, runtime::kEpochHeader);
  v1::ShardRecord record;
  ASSERT_TRUE(record.ParseFromString(first.value));
  EXPECT_EQ(record.readings().rule(), "busy");
  EXPECT_EQ(record.readings().source_partition(), Source());
  EXPECT_NE(record.source().sequence(), 0u);
  // A snapshot now, and a crash: what was not acknowledged would be lost.
  const std::size_t own = owner_->unconfirmed() - written.size();
  EXPECT_FALSE(owner_->CanSnapshot());
  Answer(written[0], false);
  for (std::size_t i = 1; i < written.size(); ++i) Answer(written[i], true);
  EXPECT_EQ(owner_->unconfirmed(), own + written.size());
  const std::size_t before = producer_.sent.size();
  owner_->RetryFailed(std::chrono::steady_clock::now());
  ASSERT_GT(producer_.sent.size(), before);
  EXPECT_EQ(producer_.sent[before].value, first.value);
  for (std::size_t i = before; i < producer_.sent.size(); ++i) Answer(i, true);
  EXPECT_EQ(owner_->unconfirmed(), own);
}

TEST_F(SpreadOwnerTest, SaysNothingOfStepsForWhichNobodyWaitsAnyMore) {
  Start(RealFromMs(now_ms_ + 3'600'000));
  Told();
  EXPECT_TRUE(Written().empty());
}

TEST_F(SpreadOwnerTest, TellsItsPlanInForceWithSinceWhenTheServiceIsSpread) {
  Start();
  Told();
  const auto& sent = producer_.sent;
  const auto plan =
      std::find_if(sent.begin(), sent.end(), [](const auto& s) { return s.key == "plan/shop"; });
  ASSERT_NE(plan, sent.end());
  const auto event = DecodeAlarmRecord(plan->value);
  ASSERT_TRUE(event.ok());
  EXPECT_EQ(ToMs(std::get<PlanInForce>(*event).spread_from), 1'800'000'002'000 - 60'000);
}

}  // namespace
}  // namespace liveops::evaluation
