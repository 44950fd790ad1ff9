// common/kafka and common/runtime against a real Apache Kafka: topics, domain time, claims and
// their voiding.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "common/kafka/kafka.h"
#include "common/runtime/ownership.h"
#include "common/runtime/topics.h"
#include "integration-tests/adapters/own_broker.h"

namespace liveops {
namespace {

using ::testing::HasSubstr;

class RealKafka : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    auto broker = OwnBroker::Start("test");
    ASSERT_TRUE(broker.ok()) << broker.error().message;
    broker_ = std::move(*broker);
  }
  static void TearDownTestSuite() { broker_.reset(); }

  static kafka::ClientConfig Client(const std::string& id) {
    return {(*broker_)->address(), id, {}};
  }

  static Result<TimeMap> Establish(const runtime::TopicsConfig& config) {
    Result<TimeMap> map = UnavailableError("not tried");
    for (int i = 0; i < 100; ++i) {
      map = runtime::EstablishTopics(Client("establisher"), config, Duration(10'000));
      if (map.ok() || map.error().code != ErrorCode::kUnavailable) return map;
      std::this_thread::sleep_for(Duration(100));
    }
    return map;
  }

  static std::unique_ptr<OwnBroker> broker_;
};
std::unique_ptr<OwnBroker> RealKafka::broker_;

TEST_F(RealKafka, DomainTimeIsWrittenOnceAndAnotherIsRefused) {
  auto first = Establish({.partitions = 4, .replication = 1, .domain_speed = 20});
  ASSERT_TRUE(first.ok()) << first.error().message;
  EXPECT_EQ(first->speed, 20);
  auto again = Establish({.partitions = 4, .replication = 1, .domain_speed = 0});
  ASSERT_TRUE(again.ok()) << again.error().message;
  EXPECT_EQ(again->real_origin, first->real_origin);
  auto other_speed = Establish({.partitions = 4, .replication = 1, .domain_speed = 1});
  ASSERT_FALSE(other_speed.ok());
  EXPECT_EQ(other_speed.error().code, ErrorCode::kConflict);
  EXPECT_THAT(other_speed.error().message, HasSubstr("speed 20"));
  auto other_count = Establish({.partitions = 8, .replication = 1, .domain_speed = 0});
  ASSERT_FALSE(other_count.ok());
  EXPECT_THAT(other_count.error().message, HasSubstr("has 4 partitions, 8 are configured"));
}

// One member of a group that claims what it is given.
struct Member {
  explicit Member(const kafka::ClientConfig& config, const std::string& instance) {
    auto made = kafka::Producer::Create(config);
    EXPECT_TRUE(made.ok());
    producer = std::move(*made);
    kafka::GroupConsumer::Options options;
    options.topic = runtime::topic::kMetrics;
    options.group = "claims";
    options.instance = instance;
    options.on_assigned = [this](const std::vector<std::int32_t>& partitions) {
      std::vector<kafka::PartitionOffset> starts;
      for (const std::int32_t partition : partitions) {
        auto epoch =
            runtime::ClaimPartition(*group, partition, 0, *producer, runtime::topic::kAlarms,
                                    partition, [] { return std::string("claim"); });
        if (epoch.ok()) epochs[partition] = *epoch;
        starts.push_back({runtime::topic::kMetrics, partition, kafka::kOffsetBeginning});
      }
      return starts;
    };
    auto joined = kafka::GroupConsumer::Create(config, options);
    EXPECT_TRUE(joined.ok());
    group = std::move(*joined);
  }
  bool PollUntilOwner(std::int32_t partition) {
    for (int i = 0; i < 300 && !epochs.contains(partition); ++i) (void)group->Poll(Duration(100));
    return epochs.contains(partition);
  }
  std::unique_ptr<kafka::Producer> producer;
  std::unique_ptr<kafka::GroupConsumer> group;
  std::map<std::int32_t, std::int64_t> epochs;
};

TEST_F(RealKafka, WhatAZombieWritesIsVoid) {
  ASSERT_TRUE(Establish({.partitions = 4, .replication = 1, .domain_speed = 20}).ok());
  const std::int32_t partition = 2;
  auto zombie = std::make_unique<Member>(Client("member"), "member-0");
  ASSERT_TRUE(zombie->PollUntilOwner(partition));
  const std::int64_t old_epoch = zombie->epochs[partition];
  // A second process under the same static name takes over while the first is not looking.
  Member successor(Client("member"), "member-0");
  ASSERT_TRUE(successor.PollUntilOwner(partition));
  EXPECT_GT(successor.epochs[partition], old_epoch);

  ASSERT_TRUE(zombie->producer
                  ->ProduceSync(runtime::topic::kAlarms, partition, "a", "from the zombie",
                                runtime::OwnerHeaders(old_epoch))
                  .ok())
      << "Kafka takes it: only the epoch tells";
  ASSERT_TRUE(successor.producer
                  ->ProduceSync(runtime::topic::kAlarms, partition, "a", "from the owner",
                                runtime::OwnerHeaders(successor.epochs[partition]))
                  .ok());
  auto reader = kafka::AssignedConsumer::Create(Client("reader"));
  ASSERT_TRUE(reader.ok());
  EpochFilter filter;
  std::vector<std::string> valid;
  ASSERT_TRUE(runtime::ReadToEnd(**reader, runtime::topic::kAlarms, partition,
                                 kafka::kOffsetBeginning, Duration(10'000),
                                 [&](const kafka::Record& record) {
                                   if (record.key.starts_with("claim/")) {
                                     filter.Claim(record.offset);
                                   } else if (filter.Valid(runtime::EpochOf(record))) {
                                     valid.push_back(record.value);
                                   }
                                 })
                  .ok());
  EXPECT_THAT(valid, ::testing::ElementsAre("from the owner"));
  auto refused = zombie->group->Commit(partition, 0);
  EXPECT_FALSE(refused.ok()) << "and it cannot claim again";
}

// Woken after another process of its name has taken its place, a member holds nothing and will get
// nothing any more: it must say so, or it would sit there for good.
TEST_F(RealKafka, AFencedMemberIsBeyondRepairAndSaysSoOnce) {
  ASSERT_TRUE(Establish({.partitions = 4, .replication = 1, .domain_speed = 20}).ok());
  std::vector<Error> told;
  kafka::ClientConfig config = Client("twin");
  config.on_fatal = [&](const Error& error) { told.push_back(error); };
  Member first(config, "twin-0");
  ASSERT_TRUE(first.PollUntilOwner(0));
  Member second(Client("twin"), "twin-0");
  ASSERT_TRUE(second.PollUntilOwner(0));
  for (int i = 0; i < 200 && told.empty(); ++i) (void)first.group->Poll(Duration(100));
  (void)first.group->Poll(Duration(100));
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told[0].code, ErrorCode::kConflict);
  EXPECT_FALSE(first.group->connected());
}

}  // namespace
}  // namespace liveops
