#include "services/rule-evaluation/service/alarm_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "common/redis/fake_server_for_tests.h"
#include "services/rule-evaluation/service/redis_snapshot_port.h"

namespace liveops::evaluation {
namespace {

constexpr Duration kPatience{20'000};

using Alarms = std::vector<std::pair<std::string, std::string>>;

Alarms Many(int count) {
  Alarms alarms;
  for (int i = 0; i < count; ++i) alarms.emplace_back("a" + std::to_string(i), "status");
  return alarms;
}

// A table whose scripts get the answers of `script_answers`, one after the other.
class AlarmTableTest : public testing::Test {
 protected:
  std::string Answer(const redis::Command& command) {
    const std::lock_guard lock(mutex_);
    if (command[0] == "HGETALL") return "*2\r\n$1\r\n3\r\n$2\r\n20\r\n";
    if (command[0] != "EVAL") {
      others_.push_back(command[0]);
      return "$-1\r\n";
    }
    const std::size_t at = scripts_++;
    return at < script_answers_.size() ? script_answers_[at] : ":1\r\n";
  }
  void Own(std::int64_t epoch) {
    table_.Start();
    table_.Own(3, epoch);
  }

  std::mutex mutex_;
  std::vector<std::string> others_;  // commands that no script fences; guarded by mutex_
  std::size_t scripts_ = 0;          // guarded by mutex_
  std::vector<std::string> script_answers_;
  redis::testing::FakeServer server_{[this](const redis::Command& c) { return Answer(c); }};
  redis::Client client_{server_.config()};
  RedisSnapshotPort port_{client_};
  SnapshotStore snapshots_{port_};
  AlarmTable table_{client_, snapshots_};
};

TEST_F(AlarmTableTest, AReplacementEndsWithTheMark) {
  script_answers_ = {"*1\r\n$4\r\ngone\r\n"};
  Own(20);
  table_.Replace(3, Many(250));
  ASSERT_TRUE(table_.Drain(kPatience));
  EXPECT_EQ(table_.counters().refreshes, 1u);
  const std::lock_guard lock(mutex_);
  EXPECT_EQ(scripts_, 5u) << "its beginning, 251 rows, the mark";
  EXPECT_THAT(others_, testing::IsEmpty());
}

TEST_F(AlarmTableTest, AReplacementStopsWhereAnotherOwnerBegan) {
  // Paused between two pieces; when it wakes, the next owner has the rows.
  script_answers_ = {"*0\r\n", ":1\r\n", ":-1\r\n"};
  Own(20);
  table_.Replace(3, Many(250));
  ASSERT_TRUE(table_.Drain(kPatience));
  EXPECT_EQ(table_.counters().refreshes, 0u);
  table_.Put(3, "a0", "status");
  ASSERT_TRUE(table_.Drain(kPatience)) << "a lost table takes nothing more";
  const std::lock_guard lock(mutex_);
  EXPECT_EQ(scripts_, 3u);
  EXPECT_THAT(others_, testing::IsEmpty()) << "written without a look at whose the rows are";
}

TEST_F(AlarmTableTest, AReplacementIsNotBegunOverANewerOwner) {
  script_answers_ = {":-1\r\n"};
  Own(20);
  table_.Replace(3, Many(5));
  ASSERT_TRUE(table_.Drain(kPatience));
  EXPECT_EQ(table_.counters().refreshes, 0u);
  const std::lock_guard lock(mutex_);
  EXPECT_EQ(scripts_, 1u);
  EXPECT_THAT(others_, testing::IsEmpty());
}

TEST_F(AlarmTableTest, ATableLostOnTheWayIsWantedWhole) {
  script_answers_ = {"*0\r\n", ":0\r\n"};
  Own(20);
  table_.Replace(3, Many(5));
  ASSERT_TRUE(table_.Drain(kPatience));
  EXPECT_THAT(table_.TakeRefreshWanted(), testing::ElementsAre(3));
  EXPECT_EQ(table_.counters().refreshes, 0u);
}

}  // namespace
}  // namespace liveops::evaluation
