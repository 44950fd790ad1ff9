#include "services/liveopsctl/log/service_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "services/liveopsctl/log/fake_kafka_for_tests.h"

namespace liveops::ctl {
namespace {

using ::testing::HasSubstr;

constexpr Duration kTimeout{50};

Instant At(std::int64_t ms) { return InstantFromMs(FakeKafka::kBegin + ms); }

TEST(OpenKafka, SaysWhereNobodyAnswers) {
  kafka::ClientConfig config;
  config.brokers = "127.0.0.1:1";
  const auto opened = OpenKafka(config, kTimeout);
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(opened.error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(opened.error().message, HasSubstr("no Kafka answers at 127.0.0.1:1: "));
}

// What was given, as (partition, offset).
using Given = std::vector<std::pair<std::int32_t, std::int64_t>>;

class ServiceLogTest : public ::testing::Test {
 protected:
  ServiceLogTest() { kafka_.Run(60'000, "cpu", 50); }  // 300 records in the home, 240 elsewhere
  Result<ServiceLog> Open(const LogQuery& query, int partitions = 1) {
    return ServiceLog::Open([this]() -> Result<KafkaPorts> { return kafka_.Ports(); }, query,
                            [&](const rehearse::LogPlaces& places) {
                              places_ = places;
                              std::vector<std::int32_t> chosen;
                              for (int i = 0; i < partitions; ++i)
                                chosen.push_back(kafka_.PartitionAt(i));
                              return Result<std::vector<std::int32_t>>(chosen);
                            },
                            kTimeout);
  }
  static Given All(ServiceLog& log) {
    Given given;
    while (true) {
      const auto next = log.Next();
      if (!next.ok()) ADD_FAILURE() << next.error().message;
      if (!next.ok() || next->record == nullptr) return given;
      given.emplace_back(next->partition, next->record->offset);
      at_.push_back(next->record->append_time);
    }
  }
  static std::vector<std::int64_t> Offsets(ServiceLog& log) {
    std::vector<std::int64_t> offsets;
    for (const auto& [partition, offset] : All(log)) offsets.push_back(offset);
    return offsets;
  }
  static const rehearse::PartitionSpan& Span(const ServiceLog& log, std::size_t i = 0) {
    return log.span().partitions.at(i);
  }
  void SetUp() override { at_.clear(); }

  FakeKafka kafka_{"shop"};
  rehearse::LogPlaces places_;
  static inline std::vector<RealTime> at_;  // of what All gave
};

TEST_F(ServiceLogTest, GivesAllThatIsKept) {
  auto log = Open({"shop", {}, {}, {}});
  ASSERT_TRUE(log.ok()) << log.error().message;
  EXPECT_EQ(log->part(), 0);
  EXPECT_EQ(Offsets(*log).size(), 300U);
  EXPECT_EQ(log->part(), 1);
  EXPECT_EQ(log->span().records(), 300U);
  EXPECT_EQ(Span(*log).last_offset, 299);
  EXPECT_EQ(Span(*log).partition, PartitionOf("shop", FakeKafka::kPartitions));
  EXPECT_FALSE(log->span().begins_late);
}

TEST_F(ServiceLogTest, GivesTheStretchThatWasAskedFor) {
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

TEST_F(ServiceLogTest, SaysWhereTheLogBeginsLaterThanAskedFor) {
  kafka_.Forget(100);
  auto log = Open({"shop", At(5'000), {}, {}});
  ASSERT_TRUE(log.ok());
  EXPECT_EQ(Offsets(*log).front(), 100);
  EXPECT_EQ(log->span().begins_late, kafka_.PartitionAt(0));
  auto all = Open({"shop", {}, {}, {}});
  ASSERT_TRUE(all.ok());
  EXPECT_EQ(Offsets(*all).front(), 100);
  EXPECT_FALSE(all->span().begins_late) << "nobody asked for more";
}

TEST_F(ServiceLogTest, SaysWhatItHoldsWhenThereIsNothing) {
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

TEST_F(ServiceLogTest, PassesOverWhatCannotBeReadAndCountsIt) {
  kafka_.Garbage();
  auto log = Open({"shop", {}, {}, {}});
  ASSERT_TRUE(log.ok());
  EXPECT_EQ(Offsets(*log).size(), 300U);
  EXPECT_EQ(log->span().unreadable(), 1U);
  EXPECT_EQ(log->span().records(), 301U);
}

TEST_F(ServiceLogTest, MapsTimesAsTheInstallationDoes) {
  kafka_ = FakeKafka("shop", 10);
  kafka_.Run(10'000, "cpu", 50);
  auto log = Open({"shop", At(50'000), {}, {}});
  ASSERT_TRUE(log.ok());
  const auto next = log->Next();
  ASSERT_TRUE(next.ok());
  EXPECT_EQ(next->record->append_time, RealFromMs(FakeKafka::kBegin + 5000));
  EXPECT_EQ(places_.time_map.ToDomain(next->record->append_time), At(50'000));
}

TEST_F(ServiceLogTest, GivesSeveralPartitionsInTheOrderOfTimeThenOfPartitions) {
  auto log = Open({"shop", {}, {}, {}}, 3);
  ASSERT_TRUE(log.ok()) << log.error().message;
  const Given given = All(*log);
  ASSERT_EQ(given.size(), 300U + 240 + 240);
  EXPECT_TRUE(std::is_sorted(at_.begin(), at_.end()));
  // At the beginning all have a tick, and the home a reading after its own.
  std::vector<std::int32_t> first;
  for (int i = 0; i < 4; ++i) first.push_back(given[static_cast<std::size_t>(i)].first);
  EXPECT_TRUE(std::is_sorted(first.begin(), first.end()));
  std::map<std::int32_t, std::int64_t> next;
  for (const auto& [partition, offset] : given) EXPECT_EQ(offset, next[partition]++);
  EXPECT_EQ(log->span().records(), 780U);
  EXPECT_EQ(Span(*log, 0).records, 300U);
  EXPECT_EQ(Span(*log, 2).partition, kafka_.PartitionAt(2));
  EXPECT_EQ(Span(*log, 2).last_offset, 239);
  EXPECT_EQ(log->part(), 1);
}

TEST_F(ServiceLogTest, ABrokerWhoseClockGoesBackHoldsNothingUp) {
  kafka_.SetAhead(kafka_.PartitionAt(1), -5'000);
  kafka_.Run(70'000, "cpu", 50);
  auto log = Open({"shop", {}, {}, {}}, 2);
  ASSERT_TRUE(log.ok()) << log.error().message;
  // Those that are stamped with times that have passed come when they are next.
  std::map<std::int32_t, std::int64_t> next;
  for (const auto& [partition, offset] : All(*log)) EXPECT_EQ(offset, next[partition]++);
  EXPECT_EQ(next[kafka_.PartitionAt(1)], 280);
  EXPECT_EQ(next[kafka_.PartitionAt(0)], 5 * 65);  // up to 64.75 s, where the other ends
}

TEST_F(ServiceLogTest, CountsWhatWasGivenAndNotWhatWasReadAhead) {
  auto log = Open({"shop", {}, {}, {}}, 3);
  ASSERT_TRUE(log.ok());
  ASSERT_TRUE(log->Next().ok());
  EXPECT_EQ(log->span().records(), 1U);
}

TEST_F(ServiceLogTest, KeepsToTheTimeThatAllPartitionsHave) {
  const std::int32_t second = kafka_.PartitionAt(1);
  const std::int32_t third = kafka_.PartitionAt(2);
  kafka_.Forget(40, second);  // 10 s
  kafka_.Lose(third);
  kafka_.Run(80'000, "cpu", 50);
  auto log = Open({"shop", At(1'000), {}, {}}, 3);
  ASSERT_TRUE(log.ok()) << log.error().message;
  (void)All(*log);
  EXPECT_EQ(at_.front(), RealFromMs(FakeKafka::kBegin + 10'000));
  EXPECT_EQ(at_.back(), RealFromMs(FakeKafka::kBegin + 59'750));
  EXPECT_EQ(log->span().begins_late, second);
  EXPECT_EQ(log->span().ends_early, third);
  EXPECT_EQ(log->span().ends, At(59'750));
  for (std::size_t i = 0; i < 3; ++i) EXPECT_GE(Span(*log, i).records, 200U);
  // Counted back from the end of all.
  auto last = Open({"shop", {}, {}, Duration(5'000)}, 3);
  ASSERT_TRUE(last.ok()) << last.error().message;
  at_.clear();
  (void)All(*last);
  EXPECT_EQ(at_.front(), RealFromMs(FakeKafka::kBegin + 54'750));
  // All that is kept is not kept of all.
  auto all = Open({"shop", {}, {}, {}}, 3);
  ASSERT_TRUE(all.ok()) << all.error().message;
  EXPECT_EQ(all->span().begins_late, second);
  // Nobody asked for what it lacks.
  auto before = Open({"shop", At(20'000), At(30'000), {}}, 3);
  ASSERT_TRUE(before.ok());
  EXPECT_FALSE(before->span().begins_late);
  EXPECT_FALSE(before->span().ends_early);
}

TEST_F(ServiceLogTest, SaysWhichPartitionIsEmptyOrHasNoTimeInCommon) {
  const std::int32_t second = kafka_.PartitionAt(1);
  kafka_.Lose(second);
  kafka_.Run(120'000, "cpu", 50);
  kafka_.Forget(500);  // from 100 s on
  const auto apart = Open({"shop", {}, {}, {}}, 2);
  ASSERT_FALSE(apart.ok());
  EXPECT_EQ(apart.error().code, ErrorCode::kNotFound);
  EXPECT_EQ(apart.error().message,
            "there is no time of which all partitions of shop have records: partition " +
                std::to_string(kafka_.PartitionAt(0)) +
                " begins at 2027-01-15T08:01:40.000Z, and partition " + std::to_string(second) +
                " ends at 2027-01-15T08:00:59.750Z");
  kafka_.Forget(240, second);
  const auto empty = Open({"shop", {}, {}, {}}, 2);
  ASSERT_FALSE(empty.ok());
  EXPECT_EQ(empty.error().message,
            "partition " + std::to_string(second) +
                " of liveops.metrics.v1 is empty: it is one of those of shop");
}

TEST_F(ServiceLogTest, KnowsWhereSeriesLieInTheTimeThatWasAskedFor) {
  kafka_.Spread(1, 4, -1000);
  kafka_.Spread(2, 2, 20'000);
  kafka_.Spread(2, 3, 21'000);  // another record of a version says nothing
  kafka_.Garbage(runtime::topic::kPlans);
  const auto asked = [&](std::optional<Instant> from, std::optional<Instant> to) {
    EXPECT_TRUE(Open({"shop", from, to, {}}).ok());
    return places_.spread;
  };
  using Spreads = std::map<std::string, std::vector<SpreadStep>, std::less<>>;
  const auto step = [](std::int64_t ms, int spread) {
    return SpreadStep{RealFromMs(FakeKafka::kBegin + ms), spread};
  };
  EXPECT_EQ(asked({}, {}), (Spreads{{"shop", {step(-1000, 4), step(20'000, 2)}}}));
  EXPECT_EQ(asked(At(30'000), {}), (Spreads{{"shop", {step(20'000, 2)}}}));
  EXPECT_EQ(asked({}, At(10'000)), (Spreads{{"shop", {step(-1000, 4), step(20'000, 2)}}}));
  EXPECT_EQ(places_.partitions, FakeKafka::kPartitions);
  kafka_.Spread(3, 1, 40'000);
  EXPECT_EQ(asked(At(50'000), {}), (Spreads{}));
}

TEST_F(ServiceLogTest, SaysWhyNoPartitionsWereChosen) {
  const auto log = ServiceLog::Open(
      [this]() -> Result<KafkaPorts> { return kafka_.Ports(); }, {"shop", {}, {}, {}},
      [](const rehearse::LogPlaces&) -> Result<std::vector<std::int32_t>> {
        return InvalidError("not there");
      },
      kTimeout);
  ASSERT_FALSE(log.ok());
  EXPECT_EQ(log.error().message, "not there");
}

TEST_F(ServiceLogTest, SaysThatKafkaWentAwayBetweenTwoPartitions) {
  int opened = 0;
  const auto open = [&]() -> Result<KafkaPorts> {
    if (++opened == 2) return UnavailableError("no broker");
    return kafka_.Ports();
  };
  const auto log = ServiceLog::Open(
      open, {"shop", {}, {}, {}},
      [&](const rehearse::LogPlaces&) {
        return Result<std::vector<std::int32_t>>({kafka_.PartitionAt(0), kafka_.PartitionAt(1)});
      },
      kTimeout);
  ASSERT_FALSE(log.ok());
  EXPECT_EQ(log.error().code, ErrorCode::kUnavailable);
}

TEST_F(ServiceLogTest, APartitionThatGivesNothingMoreIsTold) {
  auto log = Open({"shop", {}, {}, {}}, 2);
  ASSERT_TRUE(log.ok());
  ASSERT_TRUE(log->Next().ok());
  kafka_.Mute(kafka_.PartitionAt(1));
  auto next = log->Next();
  while (next.ok() && next->record != nullptr) next = log->Next();
  ASSERT_FALSE(next.ok()) << "the rest would not be all";
  EXPECT_EQ(next.error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(next.error().message, "partition " + std::to_string(kafka_.PartitionAt(1)) +
                                      " of liveops.metrics.v1 gave no record for 50ms");
}

}  // namespace
}  // namespace liveops::ctl
