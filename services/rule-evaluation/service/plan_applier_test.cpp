#include "services/rule-evaluation/service/plan_applier.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace liveops::evaluation {
namespace {

constexpr const char* kPlan = R"(service: shop
owners:
  on-call: {slack: "#oncall"}
metrics:
  flips: {metric: flip, unit: "1"}
alarms:
  - {name: flipped, when: "last(flip) > 0.5", severity: critical, owner: on-call}
)";

// A log of one partition that the library follows; it can take a record and lose the answer.
class FakeLog final : public kafka::Producer {
 public:
  explicit FakeLog(PlanLibrary& library) : library_(library) {}
  void Produce(std::string_view, std::int32_t, std::string_view key, std::string value,
               const std::vector<kafka::Header>&, Delivered done) override {
    kafka::Record record;
    record.offset = next_++;
    record.key = std::string(key);
    record.value = std::string(value);
    record.append_time = append_time;
    (void)library_.Read(record);
    keys.push_back(record.key);
    done(refusal ? Result<kafka::Delivery>(*refusal) : kafka::Delivery{record.offset, {}});
  }
  bool Flush(Duration) override { return true; }
  bool connected() const override { return true; }
  std::size_t queued_bytes() const override { return 0; }

  RealTime append_time = RealFromMs(1'770'000'000'000);
  std::optional<Error> refusal;
  std::vector<std::string> keys;

 private:
  PlanLibrary& library_;
  std::int64_t next_ = 0;
};

class PlanApplierTest : public testing::Test {
 protected:
  PlanLibrary library_;
  FakeLog log_{library_};
  runtime::Writer writer_{"evaluator-0", 1};
  PlanApplier applier_{log_, writer_, library_, 16};
};

TEST_F(PlanApplierTest, WritesNothingBeforeTheLibraryIsRead) {
  const auto applied = applier_.Apply(kPlan, std::nullopt, "kim");
  ASSERT_FALSE(applied.ok());
  EXPECT_EQ(applied.error().code, ErrorCode::kUnavailable);
  EXPECT_TRUE(log_.keys.empty());
}

TEST_F(PlanApplierTest, TakesTheNextVersionAndTheSameTextOnce) {
  library_.SetComplete();
  const auto first = applier_.Apply(kPlan, std::nullopt, "kim");
  ASSERT_TRUE(first.ok());
  EXPECT_EQ(first->version, 1u);
  const auto again = applier_.Apply(kPlan, std::nullopt, "kim");
  ASSERT_TRUE(again.ok());
  EXPECT_TRUE(again->unchanged);
  EXPECT_THAT(log_.keys, testing::ElementsAre("shop:1"));
}

TEST_F(PlanApplierTest, AnotherNewestVersionThanTheExpectedOneIsToldAndNothingIsWritten) {
  library_.SetComplete();
  const auto none = applier_.Apply(kPlan, 1, "kim");
  ASSERT_TRUE(none.ok());
  EXPECT_TRUE(none->unexpected);
  EXPECT_EQ(none->version, 0u);
  ASSERT_TRUE(applier_.Apply(kPlan, std::nullopt, "kim").ok());
  const std::string edited = std::string(kPlan) + "# edited\n";
  const auto expected = applier_.Apply(edited, 1, "lee");
  ASSERT_TRUE(expected.ok());
  EXPECT_FALSE(expected->unexpected);
  EXPECT_EQ(expected->version, 2u);
  const auto late = applier_.Apply(kPlan, 1, "kim");
  ASSERT_TRUE(late.ok());
  EXPECT_TRUE(late->unexpected);
  EXPECT_EQ(late->version, 2u);
  EXPECT_EQ(late->newest.applied_by, "lee");
  EXPECT_GT(late->newest.applied_unix_ms, 0);
  EXPECT_THAT(log_.keys, testing::ElementsAre("shop:1", "shop:2"));
}

TEST_F(PlanApplierTest, WhereNoneIsExpectedThereMustBeNoneYet) {
  library_.SetComplete();
  const auto first = applier_.Apply(kPlan, 0, "kim");
  ASSERT_TRUE(first.ok());
  EXPECT_FALSE(first->unexpected);
  EXPECT_EQ(first->version, 1u);
  const auto second = applier_.Apply(std::string(kPlan) + "# edited\n", 0, "lee");
  ASSERT_TRUE(second.ok());
  EXPECT_TRUE(second->unexpected);
  EXPECT_EQ(second->newest.applied_by, "kim");
  EXPECT_THAT(log_.keys, testing::ElementsAre("shop:1"));
}

TEST_F(PlanApplierTest, AnUnansweredWriteIsToldAsOneThatMayCount) {
  library_.SetComplete();
  log_.refusal = UnavailableError("writing liveops.plans.v1/0: Local: Message timed out");
  const auto doubtful = applier_.Apply(kPlan, std::nullopt, "kim");
  ASSERT_FALSE(doubtful.ok());
  EXPECT_EQ(doubtful.error().code, ErrorCode::kTimeout) << "kUnavailable: nothing was written";
  EXPECT_THAT(doubtful.error().message, testing::HasSubstr("may have been accepted"));
  EXPECT_THAT(doubtful.error().message, testing::HasSubstr("plan show shop"));
  // It did count here; asking again finds it.
  log_.refusal.reset();
  const auto again = applier_.Apply(kPlan, std::nullopt, "kim");
  ASSERT_TRUE(again.ok());
  EXPECT_TRUE(again->unchanged);
  EXPECT_EQ(again->version, 1u);
}

TEST_F(PlanApplierTest, ARefusedWriteIsToldAsRefused) {
  library_.SetComplete();
  log_.refusal = InvalidError("writing liveops.plans.v1/0: Broker: Message size too large");
  const auto refused = applier_.Apply(kPlan, std::nullopt, "kim");
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::kInvalid);
}

TEST_F(PlanApplierTest, AChangeOfTheSpreadCountsTwoMinutesAfterItStandsInTheLog) {
  library_.SetComplete();
  kafka::Record spread;
  StoredPlan before{"shop", 1, std::string(kPlan) + "spread: 4\n", "kim", 1, -1, 4};
  spread.value = EncodePlanRecord({}, before);
  spread.append_time = log_.append_time - std::chrono::hours(1);
  ASSERT_TRUE(library_.Read(spread).ok());
  const auto one = applier_.Apply(kPlan, std::nullopt, "kim");
  ASSERT_TRUE(one.ok());
  EXPECT_EQ(one->version, 2u);
  EXPECT_EQ(one->spread, 1);
  EXPECT_EQ(one->spread_from, log_.append_time + std::chrono::minutes(2));
  log_.append_time += std::chrono::hours(1);
  const auto same = applier_.Apply(std::string(kPlan) + "# edited\n", std::nullopt, "kim");
  ASSERT_TRUE(same.ok());
  EXPECT_EQ(same->spread_from, RealTime{}) << "it says what the version before it said";
}

TEST_F(PlanApplierTest, MorePartitionsThanThereAreIsAProblemWithItsPlaceAndTheNearest) {
  library_.SetComplete();
  const auto applied = applier_.Apply(std::string(kPlan) + "spread: 17\n", std::nullopt, "kim");
  ASSERT_TRUE(applied.ok());
  ASSERT_EQ(applied->problems.size(), 1u);
  EXPECT_EQ(applied->problems[0].line, 8);
  EXPECT_EQ(applied->problems[0].column, 9);
  EXPECT_THAT(applied->problems[0].message, testing::HasSubstr("from 1 to 16; the nearest is 16"));
  EXPECT_TRUE(log_.keys.empty());
}

}  // namespace
}  // namespace liveops::evaluation
