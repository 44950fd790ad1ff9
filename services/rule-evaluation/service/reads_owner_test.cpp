// The owner of a partition where series lie that another service's plan reads (ADR 11).
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
owners:
  on-call: {slack: "#oncall"}
alarms:
  - {name: busy, when: 'sum(load) > 5', severity: critical, owner: on-call}
  - {name: lost, when: 'sum(a) - sum(b{service="payments"}) > 5', severity: high, owner: on-call}
)";
using Reads = std::vector<engine::ServiceRead>;

class ReadsOwnerTest : public OwnerWorld {
 protected:
  static std::int32_t Home() { return PartitionOf("shop", kPartitions); }
  static std::int32_t Source() { return PartitionOf("payments", kPartitions); }

  void SetUp() override {
    ASSERT_NE(Home(), Source());
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
                   {}});
    for (int i = 0; i < 8; ++i) TickAfter(250);
  }
  static StoredPlan Newest(const Reads& reads) {
    StoredPlan plan{"shop", 1, kPlan, "kim", 0, 5};
    plan.reads = reads;
    return plan;
  }
  // What it wrote into its own log is read there.
  bool Consider(const Reads& reads, int seconds) {
    const std::size_t before = producer_.sent.size();
    owner_->ConsiderPlan(Newest(reads), SteadyTime(std::chrono::seconds(seconds)));
    if (producer_.sent.size() == before) return false;
    const auto sent = producer_.sent[before];
    EXPECT_EQ(sent.topic, runtime::topic::kMetrics);
    EXPECT_EQ(sent.partition, Source());
    v1::ShardRecord record;
    EXPECT_TRUE(record.ParseFromString(sent.value));
    EXPECT_TRUE(record.has_plan());
    Apply(record);
    return true;
  }
  // The plan in force, as it was last told.
  PlanInForce Told() {
    PlanInForce last;
    for (const auto& sent : producer_.sent) {
      if (sent.key != "plan/shop") continue;
      const auto event = DecodeAlarmRecord(sent.value);
      EXPECT_TRUE(event.ok());
      last = std::get<PlanInForce>(*event);
    }
    return last;
  }
};

TEST_F(ReadsOwnerTest, TellsTheOthersHomeWhatItsSeriesDoForTheRuleThatReadsThem) {
  const Reads reads{{"payments", 1, {}}};
  ASSERT_TRUE(Consider(reads, 1));
  EXPECT_EQ(Told().reads, reads);
  for (int i = 0; i < 40; ++i) TickAfter(250);
  std::size_t told = 0;
  for (const std::size_t i : SentTo(runtime::topic::kMetrics)) {
    v1::ShardRecord record;
    ASSERT_TRUE(record.ParseFromString(producer_.sent[i].value));
    if (!record.has_readings()) continue;
    EXPECT_EQ(producer_.sent[i].partition, Home());
    EXPECT_EQ(record.readings().service(), "shop");
    EXPECT_EQ(record.readings().rule(), "lost") << "the other rule is of its own series alone";
    EXPECT_EQ(record.readings().source_partition(), Source());
    ++told;
  }
  EXPECT_GE(told, 2u);
}

TEST_F(ReadsOwnerTest, WritesTheVersionAgainWhenWhatItReadsLiesElsewhere) {
  const Reads before{{"payments", 1, {}}};
  const Reads spread{{"payments", 4, RealFromMs(1'800'000'500'000)}};
  ASSERT_TRUE(Consider(before, 10));
  EXPECT_FALSE(Consider(before, 20));
  ASSERT_TRUE(Consider(spread, 30));
  EXPECT_EQ(owner_->shard().PlanReads("shop"), spread);
  EXPECT_EQ(Told().reads, spread);
  EXPECT_EQ(Told().version, 1u);
  EXPECT_FALSE(Consider(spread, 40));
  EXPECT_FALSE(Consider(before, 50)) << "a library that has not read so far";
}

}  // namespace
}  // namespace liveops::evaluation
