// common/redis against a real redis-server.
#include "common/redis/redis.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <filesystem>
#include <thread>

#include "deploy/local/stack/ports.h"
#include "deploy/local/stack/process.h"
#include "deploy/local/stack/redis_server.h"

namespace liveops {
namespace {

class RealRedis : public ::testing::Test {
 protected:
  void SetUp() override {
    dir_ =
        std::filesystem::temp_directory_path() / ("liveops-redis-test-" + std::to_string(getpid()));
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

  redis::Client MakeClient(Duration timeout = Duration(2'000)) {
    redis::Config config;
    config.port = server_->port();
    config.timeout = timeout;
    return redis::Client(config);
  }

  std::filesystem::path dir_;
  std::unique_ptr<stack::RedisServer> server_;
};

TEST_F(RealRedis, KeepsBytesAsTheyAre) {
  auto client = MakeClient();
  const std::string binary("\0\r\n\xff", 4);
  ASSERT_TRUE(client.Run({"SET", "k", binary}).ok());
  auto reply = client.Run({"GET", "k"});
  ASSERT_TRUE(reply.ok());
  EXPECT_EQ(reply->text, binary);
  EXPECT_TRUE(client.Run({"GET", "absent"})->nil());
  EXPECT_TRUE(client.connected());
}

TEST_F(RealRedis, AnswersStandInTheOrderOfTheCommands) {
  auto client = MakeClient();
  std::vector<redis::Command> commands;
  for (int i = 0; i < 100; ++i) commands.push_back({"INCR", "n"});
  auto replies = client.RunAll(commands);
  ASSERT_TRUE(replies.ok());
  ASSERT_EQ(replies->size(), 100U);
  for (int i = 0; i < 100; ++i) EXPECT_EQ((*replies)[static_cast<std::size_t>(i)].integer, i + 1);
}

TEST_F(RealRedis, AnErrorAnswerLeavesTheStreamInStep) {
  auto client = MakeClient();
  auto replies = client.RunAll({{"SET", "text", "x"}, {"INCR", "text"}, {"SET", "after", "y"}});
  ASSERT_FALSE(replies.ok());
  EXPECT_EQ(replies.error().code, ErrorCode::kInvalid);
  EXPECT_EQ(client.Run({"GET", "after"})->text, "y");
}

TEST_F(RealRedis, AScriptIsAtomic) {
  auto client = MakeClient();
  const std::string script =
      "if redis.call('GET', KEYS[1]) == ARGV[1] then return 1 else return 0 end";
  ASSERT_TRUE(client.Run({"SET", "k", "a"}).ok());
  EXPECT_EQ(client.Script(script, {"k"}, {"a"})->integer, 1);
  EXPECT_EQ(client.Script(script, {"k"}, {"b"})->integer, 0);
}

TEST_F(RealRedis, ALateReplyNeverAnswersTheNextQuestion) {
  auto patient = MakeClient();
  ASSERT_TRUE(patient.Run({"SET", "first", "1"}).ok());
  ASSERT_TRUE(patient.Run({"SET", "second", "2"}).ok());
  auto client = MakeClient(Duration(200));
  for (int i = 0; i < 50 && !client.connected(); ++i) (void)client.Run({"PING"});
  ASSERT_TRUE(client.connected());
  server_->process().Signal(SIGSTOP);
  auto timed_out = client.Run({"GET", "first"});
  server_->process().Signal(SIGCONT);
  ASSERT_FALSE(timed_out.ok());
  EXPECT_EQ(timed_out.error().code, ErrorCode::kUnavailable);
  EXPECT_FALSE(client.connected());
  Result<redis::Reply> next = UnavailableError("not asked");
  for (int i = 0; i < 50 && !next.ok(); ++i) {
    next = client.Run({"GET", "second"});
    if (!next.ok()) std::this_thread::sleep_for(Duration(50));
  }
  ASSERT_TRUE(next.ok()) << next.error().message;
  EXPECT_EQ(next->text, "2");
}

TEST_F(RealRedis, IsUnavailableWhileAwayAndHealsByItself) {
  auto client = MakeClient();
  ASSERT_TRUE(client.Run({"PING"}).ok());
  server_->Kill();
  auto away = client.Run({"PING"});
  ASSERT_FALSE(away.ok());
  EXPECT_EQ(away.error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(away.error().message, ::testing::HasSubstr(std::to_string(server_->port())));
  ASSERT_TRUE(server_->Restart(Duration(10'000)).ok());
  bool healed = false;
  for (int i = 0; i < 50 && !healed; ++i) {
    healed = client.Run({"PING"}).ok();
    if (!healed) std::this_thread::sleep_for(Duration(50));
  }
  EXPECT_TRUE(healed);
}

}  // namespace
}  // namespace liveops
