#include "services/liveopsctl/log/partition_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/liveopsctl/log/fake_kafka_for_tests.h"

namespace liveops::ctl {
namespace {

using ::testing::HasSubstr;

constexpr Duration kTimeout{50};

Instant At(std::int64_t ms) { return InstantFromMs(FakeKafka::kBegin + ms); }

class PartitionLogTest : public ::testing::Test {
 protected:
  PartitionLogTest() { kafka_.Run(60'000, "cpu", 50); }  // 300 records
  Result<PartitionLog> Open(const LogQuery& query) {
    return PartitionLog::Open(kafka_.Ports(), query, kTimeout);
  }
  // The offsets that a query gives.
  static std::vector<std::int64_t> Offsets(PartitionLog& log) {
    std::vector<std::int64_t> offsets;
    while (true) {
      const auto record = log.Next();
      if (!record.ok()) ADD_FAILURE() << record.error().message;
      if (!record.ok() || *record == nullptr) return offsets;
      offsets.push_back((*record)->offset);
    }
  }
  FakeKafka kafka_{"shop"};
};

TEST_F(PartitionLogTest, GivesAllThatIsKept) {
  auto log = Open({"shop", {}, {}, {}});
  ASSERT_TRUE(log.ok()) << log.error().message;
  EXPECT_EQ(log->part(), 0);
  EXPECT_EQ(Offsets(*log).size(), 300U);
  EXPECT_EQ(log->part(), 1);
  EXPECT_EQ(log->span().records, 300U);
  EXPECT_EQ(log->span().last_offset, 299);
  EXPECT_EQ(log->span().partition, PartitionOf("shop", FakeKafka::kPartitions));
  EXPECT_FALSE(log->span().begins_late);
}

TEST_F(PartitionLogTest, GivesTheStretchThatWasAskedFor) {
  auto log = Open({"shop", At(10'000), At(20'000), {}});
  ASSERT_TRUE(log.ok()) << log.error().message;
  const auto offsets = Offsets(*log);
  EXPECT_EQ(offsets.front(), 50);
  EXPECT_EQ(offsets.back(), 101) << "the records at 20 s are the last";
  EXPECT_FALSE(log->span().begins_late);
  auto last = Open({"shop", {}, {}, Duration(5000)});
  ASSERT_TRUE(last.ok());
  EXPECT_EQ(Offsets(*last).front(), 274) << "by the log's own newest time";
}

TEST_F(PartitionLogTest, SaysWhereTheLogBeginsLaterThanAskedFor) {
  kafka_.Forget(100);
  auto log = Open({"shop", At(5'000), {}, {}});
  ASSERT_TRUE(log.ok());
  EXPECT_EQ(Offsets(*log).front(), 100);
  EXPECT_TRUE(log->span().begins_late);
  auto all = Open({"shop", {}, {}, {}});
  ASSERT_TRUE(all.ok());
  EXPECT_EQ(Offsets(*all).front(), 100);
  EXPECT_FALSE(all->span().begins_late) << "nobody asked for more";
}

TEST_F(PartitionLogTest, SaysWhatItHoldsWhenThereIsNothing) {
  const auto later = Open({"shop", At(90'000), {}, {}});
  ASSERT_FALSE(later.ok());
  EXPECT_EQ(later.error().code, ErrorCode::kNotFound);
  EXPECT_THAT(later.error().message,
              HasSubstr("holds nothing of that time: it reaches from 2027-01-15T08:00:00.000Z to "
                        "2027-01-15T08:00:59.750Z"));
  EXPECT_FALSE(Open({"shop", {}, At(-1000), {}}).ok());
  kafka_.Forget(300);
  EXPECT_THAT(Open({"shop", {}, {}, {}}).error().message, HasSubstr("is empty"));
}

TEST_F(PartitionLogTest, PassesOverWhatCannotBeReadAndCountsIt) {
  kafka_.Garbage();
  auto log = Open({"shop", {}, {}, {}});
  ASSERT_TRUE(log.ok());
  EXPECT_EQ(Offsets(*log).size(), 300U);
  EXPECT_EQ(log->span().unreadable, 1U);
  EXPECT_EQ(log->span().records, 301U);
}

TEST(PartitionLog, MapsTimesAsTheInstallationDoes) {
  FakeKafka fast("shop", 10);
  fast.Run(10'000, "cpu", 50);
  auto log = PartitionLog::Open(fast.Ports(), {"shop", At(50'000), {}, {}}, kTimeout);
  ASSERT_TRUE(log.ok());
  const auto record = log->Next();
  ASSERT_TRUE(record.ok());
  EXPECT_EQ((*record)->append_time, RealFromMs(FakeKafka::kBegin + 5000));
  EXPECT_EQ(log->time_map().ToDomain((*record)->append_time), At(50'000));
}

}  // namespace
}  // namespace liveops::ctl
