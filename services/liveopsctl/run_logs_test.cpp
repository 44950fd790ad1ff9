#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/liveopsctl/log_for_tests.h"

namespace liveops::ctl {
namespace {

using ::testing::HasSubstr;

class LogsCommand : public LogTest {
 protected:
  LogsCommand() {
    kafka_.Lines("shop", {{v1::LOG_LEVEL_INFO, "started"}, {v1::LOG_LEVEL_ERROR, "card declined"}});
    kafka_.Lines("shop", {{v1::LOG_LEVEL_WARN, "slow\x1b[2J"}});
  }
  Ran RunLogs(const std::vector<std::string>& more) { return RunOnKafka({"logs", "shop"}, more); }
};

TEST_F(LogsCommand, ShowsTheLastLines) {
  const Ran ran = RunLogs({});
  EXPECT_EQ(ran.code, kExitOk) << ran.err;
  EXPECT_EQ(ran.out,
            "08:00:00.000  INFO     started\n"
            "08:00:00.000  ERROR    card declined\n"
            "08:00:00.000  WARN     slow\\x1b[2J\n");
  EXPECT_THAT(RunLogs({"--last", "1"}).out, HasSubstr("slow"));
  EXPECT_EQ(RunLogs({"--last", "1", "--level", "error"}).out,
            "08:00:00.000  ERROR    card declined\n");
  EXPECT_EQ(RunLogs({"--match", "card*ed"}).out, "08:00:00.000  ERROR    card declined\n");
}

TEST_F(LogsCommand, AsJson) {
  EXPECT_EQ(RunLogs({"--level", "error", "--json"}).out,
            "{\"time_ms\":1800000000000,\"level\":\"error\",\"message\":\"card "
            "declined\",\"attributes\":{}}\n");
}

TEST_F(LogsCommand, FollowsUntilItIsInterrupted) {
  int rounds = 0;
  meanwhile_ = [&] {
    if (++rounds == 3) kafka_.Lines("shop", {{v1::LOG_LEVEL_ERROR, "again"}});
    if (rounds == 4) kafka_.Lines("bank", {{v1::LOG_LEVEL_ERROR, "of another"}});
  };
  interrupt_at_ = 10;
  const Ran ran = RunLogs({"--follow", "--level", "error"});
  EXPECT_EQ(ran.code, kExitOk);
  EXPECT_EQ(ran.out,
            "08:00:00.000  ERROR    card declined\n"
            "08:00:00.000  ERROR    again\n");
}

TEST_F(LogsCommand, SaysWhenThereIsNone) {
  const Ran ran = RunWords({"logs", "shop", "--level", "fatal", "--kafka", "b:9"});
  EXPECT_EQ(ran.code, kExitOk);
  EXPECT_THAT(ran.err, HasSubstr("no line that fits is kept of \"shop\""));
}

TEST_F(LogsCommand, AWrongLevelIsToldWithTheNearest) {
  const Ran ran = RunLogs({"--level", "eror"});
  EXPECT_EQ(ran.code, kExitUsage);
  EXPECT_THAT(ran.err, HasSubstr("unknown level \"eror\"; did you mean \"error\"?"));
}

}  // namespace
}  // namespace liveops::ctl
