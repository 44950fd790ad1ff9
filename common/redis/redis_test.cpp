#include "common/redis/redis.h"

#include <gtest/gtest.h>

#include <atomic>
#include <string>

#include "common/redis/fake_server_for_tests.h"

namespace liveops::redis {
namespace {

using testing::FakeServer;

TEST(RedisErrors, OnesThatPassAreUnavailableAndTheStreamStaysInStep) {
  for (const std::string words :
       {"LOADING Redis is loading the dataset in memory", "MASTERDOWN Link with MASTER is down",
        "BUSY Redis is busy running a script", "TRYAGAIN Multiple keys request during rehashing",
        "CLUSTERDOWN The cluster is down", "NOREPLICAS Not enough good replicas to write.",
        "MISCONF Redis is configured to save RDB snapshots",
        "OOM command not allowed when used memory > 'maxmemory'.",
        "ERR max number of clients reached"}) {
    FakeServer server([&](const Command& command) {
      return command[0] == "GET" ? "-" + words + "\r\n" : "+" + command[1] + "\r\n";
    });
    Client client(server.config());
    const auto refused = client.RunAll({{"GET", "k"}, {"ECHO", "a"}, {"ECHO", "b"}});
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().code, ErrorCode::kUnavailable) << words;
    EXPECT_NE(refused.error().message.find(words), std::string::npos) << "the words are told";
    const auto next = client.Run({"ECHO", "c"});
    ASSERT_TRUE(next.ok()) << next.error().message;
    EXPECT_EQ(next->text, "c") << "no answer of the failed round may answer this one";
  }
}

TEST(RedisErrors, OthersAreInvalid) {
  for (const std::string words :
       {"ERR unknown command", "WRONGTYPE Operation against a key holding the wrong kind of value",
        "NOPERM this user has no permissions", "BUSYKEY Target key name already exists."}) {
    FakeServer server([&](const Command&) { return "-" + words + "\r\n"; });
    Client client(server.config());
    const auto refused = client.Run({"GET", "k"});
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().code, ErrorCode::kInvalid) << words;
  }
}

TEST(RedisErrors, AFormerPrimaryIsLeft) {
  std::atomic<int> writes{0};
  FakeServer server([&](const Command&) {
    return writes++ == 0 ? "-READONLY You can't write against a read only replica.\r\n" : "+OK\r\n";
  });
  Client client(server.config());
  const auto refused = client.Run({"SET", "k", "v"});
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::kUnavailable);
  EXPECT_FALSE(client.connected()) << "the connection leads to the former primary";
  EXPECT_TRUE(client.Run({"SET", "k", "v"}).ok()) << "a new one is opened at once";
}

}  // namespace
}  // namespace liveops::redis
