// The past of alarms of which the shard does not see all itself: other shards told it readings, or
// somebody else judges.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/rule-evaluation/service/hindsight_world_for_tests.h"

namespace liveops::evaluation {
namespace {

using engine::AlarmState;
using ::testing::HasSubstr;

constexpr const char* kSpreadPlan = R"(service: shop
spread: 2
alarms:
  - {name: busy, when: sum(cpu) over 10s > 100, page: false}
)";
const std::int32_t kNext = (kPartition + 1) % kPartitions;

class HindsightOfSpread : public HindsightWorld {
 protected:
  HindsightOfSpread() : HindsightWorld(kSpreadPlan, World::Other{{kNext}, "shop"}) {}
};

TEST_F(HindsightOfSpread, TellsWhatAllShardsHadThen) {
  world_.Run(60'000, 40, 40);
  world_.Run(180'000, 40, 70);
  ASSERT_EQ(world_.told.size(), 1U);
  const PastAlarm quiet = Look("shop/busy", 50'000);
  ASSERT_TRUE(quiet.view) << quiet.why_not;
  EXPECT_EQ(quiet.view->state, AlarmState::kOk);
  EXPECT_EQ(quiet.view->value, 80);
  EXPECT_THAT(Lines(quiet), HasSubstr("Missing for it to fire: a value 20 higher"));
  const PastAlarm firing = Look("shop/busy", 150'000);
  ASSERT_TRUE(firing.view) << firing.why_not;
  EXPECT_EQ(firing.view->state, AlarmState::kFiring);
  EXPECT_EQ(firing.view->value, 110);
  EXPECT_FALSE(firing.corrected) << "the replay says it by itself";
}

TEST_F(HindsightOfSpread, BeginsInTheMiddleOfTheLogAsWell) {
  world_.Run(2'400'000, 40, 40);
  world_.Run(2'460'000, 40, 70);
  const PastAlarm past = Look("shop/busy", 2'450'000);
  EXPECT_GT(past.first_offset, 0);
  ASSERT_TRUE(past.view) << past.why_not;
  EXPECT_EQ(past.view->state, AlarmState::kFiring);
  EXPECT_EQ(past.view->value, 110);
  EXPECT_FALSE(past.corrected);
}

TEST_F(HindsightOfSpread, NamesThePartitionThatSaidNothing) {
  world_.Run(60'000, 40, 40);
  world_.Run(120'000, 95);
  EXPECT_TRUE(world_.told.empty());
  const PastAlarm past = Look("shop/busy", 110'000);
  ASSERT_TRUE(past.view) << past.why_not;
  EXPECT_EQ(past.view->state, AlarmState::kOk);
  EXPECT_THAT(Lines(past), HasSubstr(fmt::format("partition {} does not say", kNext)));
}

// It is spread over this one and the next.
const std::int32_t kPayments = PartitionOf("payments", kPartitions);

class HindsightAcrossServices : public HindsightWorld {
 protected:
  HindsightAcrossServices()
      : HindsightWorld(R"(service: shop
alarms:
  - {name: lossy, when: 'sum(cpu) - sum(cpu{service="payments"}) > 5', page: false}
)",
                       World::Other{{kPayments, kPayments + 1}, "payments"},
                       std::vector<engine::ServiceRead>{{"payments", 2, {}}}) {}
};

TEST_F(HindsightAcrossServices, TellsWhatTheOtherServiceHadThen) {
  ASSERT_LT(kPayments + 1, kPartitions);
  ASSERT_NE(kPayments, kPartition);
  ASSERT_NE(kPayments + 1, kPartition);
  world_.Run(2'400'000, 40, 38);
  world_.Run(2'520'000, 40, 30);
  ASSERT_EQ(world_.told.size(), 1U);
  const PastAlarm quiet = Look("shop/lossy", 2'390'000);
  EXPECT_GT(quiet.first_offset, 0);
  ASSERT_TRUE(quiet.view) << quiet.why_not;
  EXPECT_EQ(quiet.view->state, AlarmState::kOk);
  EXPECT_EQ(quiet.view->value, 2);
  const PastAlarm firing = Look("shop/lossy", 2'515'000);
  ASSERT_TRUE(firing.view) << firing.why_not;
  EXPECT_EQ(firing.view->state, AlarmState::kFiring);
  EXPECT_EQ(firing.view->value, 10);
  EXPECT_FALSE(firing.corrected);
}

class HindsightOfForeign : public HindsightWorld {
 protected:
  HindsightOfForeign() : HindsightWorld("service: shop\nalarms: []\n") {}
};

TEST_F(HindsightOfForeign, TellsWhatOthersHadSaidByThen) {
  world_.Run(60'000, 1);
  world_.Alert("alertmanager", true, 240'000);
  world_.Run(600'000, 1);
  world_.Alert("alertmanager", false, 0);
  world_.Run(660'000, 1);
  const PastAlarm firing = Look("shop/alertmanager:Down", 120'000);
  ASSERT_TRUE(firing.view) << firing.why_not;
  EXPECT_EQ(firing.view->state, AlarmState::kFiring);
  EXPECT_FALSE(firing.corrected);
  EXPECT_EQ(firing.plan_version, 1U);
  EXPECT_THAT(Lines(firing), HasSubstr("Judged by others: told by way of alertmanager"));
  EXPECT_THAT(Lines(firing), HasSubstr("After, by the log: it became stale"));
  const PastAlarm stale = Look("shop/alertmanager:Down", 500'000);
  ASSERT_TRUE(stale.view) << stale.why_not;
  EXPECT_EQ(stale.view->state, AlarmState::kStale);
  EXPECT_THAT(Lines(stale), HasSubstr("not heard of again since"));
  const PastAlarm over = Look("shop/alertmanager:Down", 650'000);
  ASSERT_TRUE(over.view) << over.why_not;
  EXPECT_EQ(over.view->state, AlarmState::kOk);
  EXPECT_FALSE(Look("shop/alertmanager:Down", 50'000).view) << "nobody had told it yet";
}

TEST_F(HindsightOfForeign, KnowsFromTheLogWhatWasToldBeforeTheReplayBegins) {
  world_.Run(60'000, 1);
  world_.Alert("cloudwatch", true, 0);
  world_.Run(3'600'000, 1);
  const PastAlarm past = Look("shop/cloudwatch:Down", 3'590'000);
  ASSERT_TRUE(past.before);
  EXPECT_LT(past.before->source_offset, past.first_offset);
  ASSERT_TRUE(past.view) << past.why_not;
  EXPECT_EQ(past.view->state, AlarmState::kFiring) << "its word stands until it is taken back";
  EXPECT_FALSE(past.corrected);
}

}  // namespace
}  // namespace liveops::evaluation
