#include "services/ingest/service/plan_follower.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <deque>

#include "common/runtime/plan_record_for_tests.h"
#include "liveops/v1/plans.pb.h"

namespace liveops::ingest {
namespace {

using std::chrono::seconds;
using testing::ElementsAre;

constexpr std::int64_t kAppended = 1'770'000'000'000;

kafka::Record Plan(std::uint64_t version, int spread, std::int64_t appended_ms = kAppended) {
  return runtime::SpreadRecord("shop", version, spread, 0, appended_ms);
}

TEST(SpreadBook, GivesWhatTheRecordsSayAndTheWidest) {
  SpreadBook book;
  EXPECT_EQ(book.StepsOf("shop"), nullptr);
  EXPECT_EQ(book.WidestOf("shop"), 1);
  ASSERT_TRUE(book.Read(Plan(1, 1)).ok());
  ASSERT_TRUE(book.Read(Plan(2, 4)).ok());
  ASSERT_TRUE(book.Read(Plan(3, 2)).ok());
  kafka::Record garbage;
  garbage.value = "garbage";
  EXPECT_EQ(book.Read(garbage).error().code, ErrorCode::kInvalid);
  ASSERT_NE(book.StepsOf("shop"), nullptr);
  EXPECT_EQ(book.StepsOf("shop")->size(), 2u);
  EXPECT_EQ(book.WidestOf("shop"), 4) << "its older points lie there";
  EXPECT_EQ(book.WidestOf("other"), 1);
}

TEST(SpreadBook, IsFreshForThirtySeconds) {
  SpreadBook book;
  const SteadyTime t{seconds(1000)};
  EXPECT_FALSE(book.Fresh(t));
  book.ReadToEnd(t);
  EXPECT_TRUE(book.Fresh(t + seconds(30)));
  EXPECT_FALSE(book.Fresh(t + seconds(31)));
}

// The log as the broker has it; gives what is assigned.
class FakeConsumer final : public kafka::AssignedConsumer {
 public:
  struct State {
    std::deque<kafka::Record> log;  // may have holes
    std::int64_t end = 0;
    std::vector<std::int64_t> assigned;
    bool away = false;
    bool gone = false;  // the next poll finds that its offset is no longer kept
  };
  explicit FakeConsumer(State& state) : state_(state) {}

  Status Assign(const std::vector<kafka::PartitionOffset>& partitions) override {
    next_ = partitions.at(0).offset;
    state_.assigned.push_back(next_);
    ended_ = false;
    return {};
  }
  Result<std::optional<kafka::Record>> Poll(Duration) override {
    if (state_.away) return std::optional<kafka::Record>();
    if (std::exchange(state_.gone, false)) return NotFoundError("no such offset");
    for (const kafka::Record& record : state_.log) {
      if (record.offset < next_) continue;
      next_ = record.offset + 1;
      return std::optional(record);
    }
    ended_ = true;
    return std::optional<kafka::Record>();
  }
  bool ReachedEnd(std::string_view, std::int32_t) const override { return ended_; }
  std::int64_t KnownEnd(std::string_view, std::int32_t) const override { return state_.end; }
  Result<std::pair<std::int64_t, std::int64_t>> Watermarks(std::string_view, std::int32_t,
                                                           Duration) override {
    return InternalError("blocks while the broker is away");
  }
  Result<std::int64_t> OffsetAt(std::string_view, std::int32_t, RealTime, Duration) override {
    return NotFoundError("not asked");
  }
  bool connected() const override { return !state_.away; }

 private:
  State& state_;
  std::int64_t next_ = 0;
  bool ended_ = false;
};

class PlanFollowerTest : public testing::Test {
 protected:
  void Append(kafka::Record record) {
    record.offset = log_.end++;
    log_.log.push_back(std::move(record));
  }
  void Pass(int rounds, SteadyTime::duration each) {
    for (int i = 0; i < rounds; ++i) {
      now_ += each;
      follower_.Once(now_);
    }
  }

  FakeConsumer::State log_;
  SpreadBook book_;
  LogRules log_rules_;
  PlanFollower follower_{std::make_unique<FakeConsumer>(log_), book_, log_rules_};
  SteadyTime now_{seconds(1000)};
};

TEST_F(PlanFollowerTest, AnEmptyLogIsReadToItsEnd) {
  EXPECT_FALSE(book_.Fresh(now_));
  Pass(1, seconds(1));
  EXPECT_TRUE(book_.Fresh(now_));
}

TEST_F(PlanFollowerTest, KeepsTheBookFreshWhileTheBrokerAnswersAndNoLonger) {
  Append(Plan(1, 4));
  Pass(2, seconds(1));
  EXPECT_NE(book_.StepsOf("shop"), nullptr);
  Pass(100, seconds(1));
  EXPECT_TRUE(book_.Fresh(now_));
  ASSERT_GT(log_.assigned.size(), 10u);
  EXPECT_LT(log_.assigned.size(), 25u);
  EXPECT_EQ(log_.assigned.back(), 1) << "nothing is read twice";
  log_.away = true;
  Pass(40, seconds(1));
  EXPECT_FALSE(book_.Fresh(now_));
  log_.away = false;
  Pass(1, seconds(1));
  EXPECT_FALSE(book_.Fresh(now_)) << "that was the end as it was when the broker went away";
  Pass(1, seconds(1));
  EXPECT_TRUE(book_.Fresh(now_)) << "at once, not 5 s later";
}

TEST_F(PlanFollowerTest, IsNotFreshBeforeWhatStandsThereWasRead) {
  Append(Plan(1, 1));
  Append(Plan(2, 4));
  Pass(2, seconds(1));
  EXPECT_FALSE(book_.Fresh(now_));
  Pass(1, seconds(1));
  EXPECT_TRUE(book_.Fresh(now_));
}

TEST_F(PlanFollowerTest, RecordsThatWereTakenAwayAtTheEndHoldNothingUp) {
  Append(Plan(1, 4));
  log_.end = 9;
  Pass(100, seconds(1));
  EXPECT_TRUE(book_.Fresh(now_));
}

TEST_F(PlanFollowerTest, BeginsAnewWhereItsOffsetIsNoLongerKept) {
  Append(Plan(1, 4));
  Pass(3, seconds(1));
  log_.gone = true;
  Append(Plan(2, 8, kAppended + 1000));
  Pass(5, seconds(1));
  EXPECT_THAT(log_.assigned, ElementsAre(kafka::kOffsetBeginning, kafka::kOffsetBeginning));
  EXPECT_EQ(book_.WidestOf("shop"), 8);
  EXPECT_EQ(book_.StepsOf("shop")->size(), 2u);
}

TEST_F(PlanFollowerTest, ReadsWhatIsToBeCountedOfLogLines) {
  v1::PlanRecord plan;
  plan.set_service("shop");
  plan.set_version(1);
  plan.set_text("service: shop\nlogs:\n  - {name: declined, match: card}\n");
  kafka::Record record;
  record.value = plan.SerializeAsString();
  Append(record);
  Append({});
  Pass(3, seconds(0));
  ASSERT_NE(log_rules_.Of("shop"), nullptr);
  EXPECT_EQ(log_rules_.Of("shop")->at(0).name, "declined");
  EXPECT_EQ(log_rules_.Of("bank"), nullptr);
}

}  // namespace
}  // namespace liveops::ingest
