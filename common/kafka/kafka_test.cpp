// The adapter against librdkafka's mock cluster: what happens when brokers answer, and when they do
// not.
#include "common/kafka/kafka.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <librdkafka/rdkafka.h>
// (rdkafka.h comes first: the mock header needs it.)
#include <librdkafka/rdkafka_mock.h>

#include <atomic>
#include <chrono>
#include <ctime>
#include <string>
#include <thread>

#include "common/kafka/internal.h"

namespace liveops::kafka {
namespace {

using ::testing::HasSubstr;

class MockCluster : public ::testing::Test {
 protected:
  void SetUp() override {
    char why[256];
    rd_kafka_conf_t* conf = rd_kafka_conf_new();
    handle_ = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof why);
    ASSERT_NE(handle_, nullptr) << why;
    cluster_ = rd_kafka_mock_cluster_new(handle_, 1);
    ASSERT_EQ(rd_kafka_mock_topic_create(cluster_, "t", 2, 1), RD_KAFKA_RESP_ERR_NO_ERROR);
    config_.brokers = rd_kafka_mock_cluster_bootstraps(cluster_);
    config_.client_id = "test";
    config_.extra["fetch.wait.max.ms"] = "5";
  }
  void TearDown() override {
    rd_kafka_mock_cluster_destroy(cluster_);
    rd_kafka_destroy(handle_);
  }

  std::unique_ptr<Producer> MakeProducer(Producer::Options options = {}) {
    auto producer = Producer::Create(config_, options);
    EXPECT_TRUE(producer.ok());
    return std::move(*producer);
  }

  std::vector<Record> Read(std::int32_t partition, std::size_t count) {
    auto consumer = AssignedConsumer::Create(config_);
    EXPECT_TRUE(consumer.ok());
    EXPECT_TRUE((*consumer)->Assign({{"t", partition, kOffsetBeginning}}).ok());
    std::vector<Record> records;
    for (int i = 0; i < 100 + static_cast<int>(count) && records.size() < count; ++i) {
      auto record = (*consumer)->Poll(Duration(100));
      EXPECT_TRUE(record.ok()) << record.error().message;
      if (record.ok() && *record) records.push_back(**record);
    }
    return records;
  }

  rd_kafka_t* handle_ = nullptr;
  rd_kafka_mock_cluster_t* cluster_ = nullptr;
  ClientConfig config_;
};

TEST_F(MockCluster, RecordsComeBackAsTheyWent) {
  auto producer = MakeProducer();
  const std::string binary("\0\x01\xff", 3);
  auto first =
      producer->ProduceSync("t", 1, "key", binary, {{"epoch", "7"}, {"traceparent", "00-x"}});
  ASSERT_TRUE(first.ok()) << first.error().message;
  EXPECT_EQ(first->offset, 0);
  ASSERT_TRUE(producer->ProduceSync("t", 1, "gone", "").ok());
  EXPECT_TRUE(producer->connected());
  EXPECT_EQ(producer->queued_bytes(), 0U);

  const auto records = Read(1, 2);
  ASSERT_EQ(records.size(), 2U);
  EXPECT_EQ(records[0].key, "key");
  EXPECT_EQ(records[0].value, binary);
  ASSERT_NE(records[0].FindHeader("epoch"), nullptr);
  EXPECT_EQ(*records[0].FindHeader("epoch"), "7");
  EXPECT_EQ(records[0].FindHeader("absent"), nullptr);
  EXPECT_EQ(records[1].key, "gone");
  EXPECT_TRUE(records[1].value.empty()) << "a tombstone";
}

TEST_F(MockCluster, TheEndOfAPartitionIsReachedAfterItsRecordsAndNotBefore) {
  auto producer = MakeProducer();
  ASSERT_TRUE(producer->ProduceSync("t", 0, "a", "1").ok());
  ASSERT_TRUE(producer->ProduceSync("t", 0, "b", "2").ok());
  auto consumer = AssignedConsumer::Create(config_);
  ASSERT_TRUE(consumer.ok());
  ASSERT_TRUE((*consumer)->Assign({{"t", 0, kOffsetBeginning}}).ok());
  std::size_t read = 0;
  const auto poll = [&] {
    auto record = (*consumer)->Poll(Duration(100));
    ASSERT_TRUE(record.ok()) << record.error().message;
    if (*record) ++read;
  };
  for (int i = 0; i < 100 && !(*consumer)->ReachedEnd("t", 0); ++i) {
    poll();
    EXPECT_TRUE(read == 2 || !(*consumer)->ReachedEnd("t", 0));
  }
  EXPECT_EQ(read, 2U);
  EXPECT_TRUE((*consumer)->ReachedEnd("t", 0));
  EXPECT_FALSE((*consumer)->ReachedEnd("t", 1)) << "it is not read";
  EXPECT_EQ((*consumer)->KnownEnd("t", 0), 2);
  ASSERT_TRUE((*consumer)->Assign({{"t", 0, 1}}).ok());
  EXPECT_FALSE((*consumer)->ReachedEnd("t", 0)) << "of what is assigned now nothing was read";
}

TEST_F(MockCluster, AssignmentsMayFollowEachOtherAtOnce) {
  auto producer = MakeProducer();
  ASSERT_TRUE(producer->ProduceSync("t", 0, "a", "1").ok());
  auto consumer = AssignedConsumer::Create(config_);
  ASSERT_TRUE(consumer.ok());
  for (int i = 0; i < 60; ++i) {
    ASSERT_TRUE((*consumer)->Assign({{"t", 0, kOffsetBeginning}, {"t", 1, 0}}).ok());
    if (i % 3 == 0) (void)(*consumer)->Poll(Duration(20));
  }
  std::size_t read = 0;
  for (int i = 0; i < 100 && read == 0; ++i) {
    auto record = (*consumer)->Poll(Duration(100));
    ASSERT_TRUE(record.ok()) << record.error().message;
    if (*record) ++read;
  }
  EXPECT_EQ(read, 1U);
}

TEST_F(MockCluster, KeepsTheOrderOfOnePartition) {
  auto producer = MakeProducer();
  std::atomic<int> delivered{0};
  for (int i = 0; i < 200; ++i) {
    producer->Produce("t", 0, "k", std::to_string(i), {},
                      [&](const Result<Delivery>& d) { delivered += d.ok() ? 1 : 0; });
  }
  ASSERT_TRUE(producer->Flush(Duration(10'000)));
  const auto records = Read(0, 200);
  ASSERT_EQ(records.size(), 200U);
  for (int i = 0; i < 200; ++i)
    EXPECT_EQ(records[static_cast<std::size_t>(i)].value, std::to_string(i));
  EXPECT_EQ(delivered, 200);
}

// librdkafka's own queue would spin meanwhile.
TEST_F(MockCluster, WaitingForAcknowledgementsTakesNoTime) {
  auto producer = MakeProducer();
  ASSERT_TRUE(producer->ProduceSync("t", 0, "k", "first").ok());
  rd_kafka_mock_broker_set_rtt(cluster_, 1, 300);
  std::atomic<int> delivered{0};
  const std::string large(100'000, 'x');
  const auto cpu = [] {
    timespec used{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    return static_cast<double>(used.tv_sec) + static_cast<double>(used.tv_nsec) * 1e-9;
  };
  const auto begin = std::chrono::steady_clock::now();
  const double cpu_before = cpu();
  for (int i = 0; i < 20; ++i)
    producer->Produce("t", 0, "k", large, {}, [&](const auto& d) { delivered += d.ok() ? 1 : 0; });
  ASSERT_TRUE(producer->Flush(Duration(20'000)));
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  EXPECT_EQ(delivered, 20);
  EXPECT_GT(took.count(), 0.5);
  EXPECT_LT(cpu() - cpu_before, took.count() / 3);
}

// A broker that is away is told to all, also to those that were not handed to librdkafka yet.
TEST_F(MockCluster, WhoWaitsBehindOthersIsAnsweredInTimeToo) {
  auto producer = MakeProducer({.message_timeout = Duration(700)});
  // To connect may take longer than a record may.
  bool connected = false;
  for (int i = 0; i < 20 && !connected; ++i)
    connected = producer->ProduceSync("t", 0, "k", "first").ok();
  ASSERT_TRUE(connected);
  rd_kafka_mock_broker_set_down(cluster_, 1);
  std::atomic<int> answered{0};
  const auto begin = std::chrono::steady_clock::now();
  std::atomic<std::int64_t> last_ms{0};
  for (int i = 0; i < 50; ++i) {
    producer->Produce("t", 0, "k", std::string(50'000, 'x'), {}, [&](const auto& d) {
      EXPECT_FALSE(d.ok());
      last_ms =
          std::chrono::duration_cast<Duration>(std::chrono::steady_clock::now() - begin).count();
      ++answered;
    });
  }
  for (int i = 0; i < 200 && answered < 50; ++i) std::this_thread::sleep_for(Duration(50));
  EXPECT_EQ(answered, 50);
  EXPECT_LT(last_ms, 4'000) << "twice what is promised: the host may be busy";
  EXPECT_EQ(producer->queued_bytes(), 0U);
}

TEST_F(MockCluster, ABrokerThatIsAwayFailsTheDeliveryInTime) {
  auto producer = MakeProducer({.message_timeout = Duration(1000), .queue_bytes_max = 1 << 20});
  rd_kafka_mock_broker_set_down(cluster_, 1);
  const auto begin = std::chrono::steady_clock::now();
  auto result = producer->ProduceSync("t", 0, "k", "v");
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(result.error().message, HasSubstr("t/0"));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(6));
  EXPECT_EQ(producer->queued_bytes(), 0U);
}

TEST_F(MockCluster, AFullQueueRefusesAtOnce) {
  auto producer = MakeProducer({.message_timeout = Duration(60'000), .queue_bytes_max = 1000});
  rd_kafka_mock_broker_set_down(cluster_, 1);
  int refused = 0;
  std::atomic<int> answered{0};
  for (int i = 0; i < 20; ++i) {
    bool inside = true;
    producer->Produce("t", 0, "k", std::string(100, 'x'), {}, [&](const Result<Delivery>& d) {
      ++answered;
      if (inside && !d.ok()) ++refused;
    });
    inside = false;
  }
  EXPECT_GT(refused, 8);
  producer.reset();
  EXPECT_EQ(answered, 20)
      << "every callback runs exactly once, at the latest when the producer goes";
}

TEST_F(MockCluster, ABadPropertyIsNamed) {
  config_.extra["no.such.property"] = "1";
  auto producer = Producer::Create(config_);
  ASSERT_FALSE(producer.ok());
  EXPECT_EQ(producer.error().code, ErrorCode::kInvalid);
  EXPECT_THAT(producer.error().message, HasSubstr("no.such.property"));
}

TEST_F(MockCluster, AnOffsetThatNoLongerExistsIsAnError) {
  auto producer = MakeProducer();
  ASSERT_TRUE(producer->ProduceSync("t", 0, "k", "v").ok());
  auto consumer = AssignedConsumer::Create(config_);
  ASSERT_TRUE(consumer.ok());
  ASSERT_TRUE((*consumer)->Assign({{"t", 0, 500}}).ok());
  bool found = false;
  for (int i = 0; i < 50 && !found; ++i) {
    auto record = (*consumer)->Poll(Duration(100));
    if (!record.ok()) {
      EXPECT_EQ(record.error().code, ErrorCode::kNotFound);
      found = true;
    }
  }
  EXPECT_TRUE(found);
}

TEST(Errors, MapToWhatTheCallerCanDo) {
  EXPECT_EQ(internal::ToError(RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION, "x").code,
            ErrorCode::kConflict);
  EXPECT_EQ(internal::ToError(RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID, "x").code,
            ErrorCode::kConflict);
  EXPECT_EQ(internal::ToError(RD_KAFKA_RESP_ERR__MSG_TIMED_OUT, "x").code, ErrorCode::kUnavailable);
  EXPECT_EQ(internal::ToError(RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, "x").code, ErrorCode::kInvalid);
}

}  // namespace
}  // namespace liveops::kafka
