// A member of a group can be closed though its broker is gone.
#include <gtest/gtest.h>

#include <chrono>
#include <future>
#include <thread>

#include "common/kafka/kafka.h"
#include "integration-tests/adapters/own_broker.h"

namespace liveops {
namespace {

constexpr const char* kTopic = "records";
constexpr int kPartitions = 16;
constexpr std::chrono::seconds kClosesWithin{9};  // three times what is promised

// librdkafka itself would wait for the coordinator, to which it wants to bring the offsets.
TEST(Closing, AMemberEndsThoughItsBrokerIsGoneItsCommitsAreUnderWayAndItsRecordsUnread) {
  auto started = OwnBroker::Start("closing");
  ASSERT_TRUE(started.ok()) << started.error().message;
  OwnBroker& broker = **started;
  const kafka::ClientConfig client{broker->address(), "closing", {}};
  ASSERT_TRUE(kafka::EnsureTopics(client, {{kTopic, kPartitions, {}}}, 1, Duration(20'000)).ok());

  kafka::GroupConsumer::Options member;
  member.topic = kTopic;
  member.group = "closing";
  member.instance = "closing-0";
  int given = 0;
  int revoked = 0;
  member.on_assigned = [&](const std::vector<std::int32_t>& partitions) {
    given += static_cast<int>(partitions.size());
    std::vector<kafka::PartitionOffset> starts;
    for (const std::int32_t partition : partitions)
      starts.push_back({kTopic, partition, kafka::kOffsetBeginning});
    return starts;
  };
  member.on_revoked = [&](const std::vector<std::int32_t>& partitions) {
    revoked += static_cast<int>(partitions.size());
  };
  auto group = kafka::GroupConsumer::Create(client, member);
  ASSERT_TRUE(group.ok()) << group.error().message;
  for (int i = 0; i < 300 && given < kPartitions; ++i) (void)(*group)->Poll(Duration(100));
  ASSERT_EQ(given, kPartitions);

  auto producer = kafka::Producer::Create(client);
  ASSERT_TRUE(producer.ok()) << producer.error().message;
  for (std::int32_t partition = 0; partition < kPartitions; ++partition)
    ASSERT_TRUE((*producer)->ProduceSync(kTopic, partition, "", "unread").ok());
  const auto fetched = [&] {
    for (std::int32_t partition = 0; partition < kPartitions; ++partition) {
      if ((*group)->KnownEnd(partition) < 1) return false;
    }
    return true;
  };
  for (int i = 0; i < 1000 && !fetched(); ++i) std::this_thread::sleep_for(Duration(10));
  ASSERT_TRUE(fetched());

  broker->Kill();
  const SteadyTime down_until = std::chrono::steady_clock::now() + std::chrono::seconds(2);
  while (std::chrono::steady_clock::now() < down_until) {
    std::this_thread::sleep_for(Duration(20));
    (*group)->CommitLater(0, 1);
  }
  auto closed = std::async(std::launch::async, [&] { (*group)->Close(); });
  const bool in_time = closed.wait_for(kClosesWithin) == std::future_status::ready;
  EXPECT_TRUE(in_time);
  if (!in_time) {
    EXPECT_TRUE(broker->Restart(Duration(60'000)).ok());  // lets it end
  }
  closed.wait();
  EXPECT_EQ(revoked, kPartitions);
}

}  // namespace
}  // namespace liveops
