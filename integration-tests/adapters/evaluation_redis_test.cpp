// rule-evaluation's scripts against a real redis-server: what a former owner may still do there.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "common/redis/fake_server_for_tests.h"
#include "deploy/local/stack/ports.h"
#include "deploy/local/stack/process.h"
#include "deploy/local/stack/redis_server.h"
#include "services/rule-evaluation/service/alarm_table.h"
#include "services/rule-evaluation/service/redis_snapshot_port.h"

namespace liveops::evaluation {
namespace {

constexpr Duration kPatience{20'000};
constexpr std::int32_t kPartition = 3;

using Alarms = std::vector<std::pair<std::string, std::string>>;

Alarms Named(const std::string& prefix, int count, const std::string& status) {
  Alarms alarms;
  for (int i = 0; i < count; ++i) alarms.emplace_back(prefix + std::to_string(i), status);
  return alarms;
}

std::string Bytes(const Result<redis::Reply>& reply) {
  if (!reply.ok()) return "-ERR " + reply.error().message + "\r\n";
  switch (reply->kind) {
    case redis::Reply::Kind::kInteger:
      return ":" + std::to_string(reply->integer) + "\r\n";
    case redis::Reply::Kind::kText:
      return "$" + std::to_string(reply->text.size()) + "\r\n" + reply->text + "\r\n";
    case redis::Reply::Kind::kArray: {
      std::string bytes = "*" + std::to_string(reply->array.size()) + "\r\n";
      for (const redis::Reply& part : reply->array) bytes += Bytes(part);
      return bytes;
    }
    default:
      return "$-1\r\n";
  }
}

class EvaluationRedis : public ::testing::Test {
 protected:
  void SetUp() override {
    dir_ = std::filesystem::temp_directory_path() /
           ("liveops-evaluation-redis-test-" + std::to_string(getpid()));
    std::filesystem::create_directories(dir_);
    auto ports = stack::FreePorts(1);
    ASSERT_TRUE(ports.ok()) << ports.error().message;
    auto server = stack::RedisServer::Start(dir_, ports->front(), /*keep=*/false);
    ASSERT_TRUE(server.ok()) << server.error().message;
    server_ = std::move(*server);
    ASSERT_TRUE(server_->WaitReady(Duration(10'000)).ok());
  }
  void TearDown() override {
    server_.reset();
    std::filesystem::remove_all(dir_);
  }
  redis::Config Config() const {
    redis::Config config;
    config.port = server_->port();
    config.timeout = Duration(5'000);
    return config;
  }
  // Fills the whole table of the partition as its owner under `epoch`.
  void FillAs(std::int64_t epoch, Alarms alarms) {
    redis::Client client(Config());
    RedisSnapshotPort port(client);
    SnapshotStore snapshots(port);
    AlarmTable table(client, snapshots);
    table.Start();
    table.Own(kPartition, epoch);
    table.Replace(kPartition, std::move(alarms));
    ASSERT_TRUE(table.Drain(kPatience));
    ASSERT_EQ(table.counters().refreshes, 1u);
  }

  std::filesystem::path dir_;
  std::unique_ptr<stack::RedisServer> server_;
};

TEST_F(EvaluationRedis, AnOwnerPausedHalfWayTouchesNothingOfItsSuccessors) {
  FillAs(10, Named("a", 150, "old"));
  // The former owner's connection, on which another takes over after its first piece of rows.
  redis::Client real(Config());
  int scripts = 0;
  redis::testing::FakeServer between([&](const redis::Command& command) {
    if (command[0] == "EVAL" && ++scripts == 3) FillAs(20, Named("a", 120, "new"));
    return Bytes(real.Run(command));
  });
  redis::Config slow = between.config();
  slow.timeout = kPatience;
  redis::Client client(slow);
  RedisSnapshotPort port(client);
  SnapshotStore snapshots(port);
  AlarmTable table(client, snapshots);
  table.Start();
  table.Own(kPartition, 11);
  table.Replace(kPartition, Named("b", 250, "zombie"));
  ASSERT_TRUE(table.Drain(kPatience));
  EXPECT_EQ(table.counters().refreshes, 0u);
  table.Stop();

  const auto ids = real.Run({"SMEMBERS", AlarmIndexKey(kPartition)});
  ASSERT_TRUE(ids.ok());
  EXPECT_EQ(ids->array.size(), 120u);
  for (const auto& [alarm, status] : Named("a", 120, "new")) {
    EXPECT_EQ(real.Run({"GET", AlarmKey(alarm)})->text, status) << alarm;
  }
  EXPECT_EQ(real.Run({"HGET", kAlarmOwnersKey, std::to_string(kPartition)})->text, "20");
}

TEST_F(EvaluationRedis, ACompleteTableTakesNoRowWhileItsSuccessorReplacesIt) {
  redis::Client client(Config());
  RedisSnapshotPort port(client);
  SnapshotStore snapshots(port);
  AlarmTable table(client, snapshots);
  table.Start();
  table.Own(kPartition, 10);
  table.Replace(kPartition, Named("a", 3, "old"));
  ASSERT_TRUE(table.Drain(kPatience));
  // The successor has begun, and has not come to the end.
  ASSERT_TRUE(client.Run({"HSET", kAlarmWritersKey, std::to_string(kPartition), "20"}).ok());
  table.Put(kPartition, "a0", "zombie");
  ASSERT_TRUE(table.Drain(kPatience));
  EXPECT_EQ(client.Run({"GET", AlarmKey("a0")})->text, "old");
}

TEST_F(EvaluationRedis, AManifestIsRemovedOnlyWhileItIsTheOneThatWasRead) {
  redis::Client client(Config());
  RedisSnapshotPort port(client);
  ASSERT_TRUE(port.PutChunk("chunk", "bytes", Duration(60'000)).ok());
  ASSERT_TRUE(port.CommitManifest("manifest", 5, 100, "second", {"chunk"}).ok());
  const auto other = port.RemoveManifest("manifest", "first", {"chunk"});
  ASSERT_TRUE(other.ok()) << other.error().message;
  EXPECT_FALSE(*other);
  EXPECT_EQ(**port.GetManifest("manifest"), "second");
  EXPECT_EQ(**port.Get("chunk"), "bytes");
  const auto same = port.RemoveManifest("manifest", "second", {"chunk"});
  ASSERT_TRUE(same.ok()) << same.error().message;
  EXPECT_TRUE(*same);
  EXPECT_FALSE(port.GetManifest("manifest")->has_value());
  EXPECT_FALSE(port.Get("chunk")->has_value());
}

}  // namespace
}  // namespace liveops::evaluation
