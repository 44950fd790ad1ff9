// A member of a group can be closed though its broker is gone.
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <future>
#include <thread>

#include "common/kafka/kafka.h"
#include "deploy/local/stack/kafka_broker.h"
#include "deploy/local/stack/ports.h"

namespace liveops {
namespace {

constexpr const char* kTopic = "records";
constexpr int kPartitions = 16;
constexpr std::chrono::seconds kClosesWithin{9};  // three times what is promised

// librdkafka itself would wait for the coordinator, to which it wants to bring the offsets.
TEST(Closing, AMemberEndsThoughItsBrokerIsGoneItsCommitsAreUnderWayAndItsRecordsUnread) {
  const auto dir = std::filesystem::temp_directory_path() /
                   ("liveops-kafka-closing-" + std::to_string(getpid()));
  std::filesystem::create_directories(dir);
  auto ports = stack::FreePorts(2);
  ASSERT_TRUE(ports.ok()) << ports.error().message;
  stack::KafkaOptions options;
  options.libs_dir = std::string(LIVEOPS_SOURCE_DIR) + "/build/third_party/kafka/libs";
  options.dir = dir;
  options.port = (*ports)[0];
  options.controller_port = (*ports)[1];
  auto broker = stack::KafkaBroker::Start(options);
  ASSERT_TRUE(broker.ok()) << broker.error().message;
  ASSERT_TRUE((*broker)->WaitReady(Duration(60'000)).ok());
  const kafka::ClientConfig client{(*broker)->address(), "closing", {}};
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
  std::this_thread::sleep_for(Duration(1'000));  // until the member has fetched them

  (*broker)->Kill();
  const SteadyTime down_until = std::chrono::steady_clock::now() + std::chrono::seconds(2);
  while (std::chrono::steady_clock::now() < down_until) {
    std::this_thread::sleep_for(Duration(20));
    (*group)->CommitLater(0, 1);
  }
  auto closed = std::async(std::launch::async, [&] { (*group)->Close(); });
  const bool in_time = closed.wait_for(kClosesWithin) == std::future_status::ready;
  EXPECT_TRUE(in_time);
  if (!in_time) {
    EXPECT_TRUE((*broker)->Restart(Duration(60'000)).ok());  // lets it end
  }
  closed.wait();
  EXPECT_EQ(revoked, kPartitions);
  std::filesystem::remove_all(dir);
}

}  // namespace
}  // namespace liveops
