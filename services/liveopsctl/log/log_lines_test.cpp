#include "services/liveopsctl/log/log_lines.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/liveopsctl/log/fake_kafka_for_tests.h"

namespace liveops::ctl {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr Duration kTimeout{50};

class LogLinesTest : public ::testing::Test {
 protected:
  void Write(int from, int to, v1::LogLevel level = v1::LOG_LEVEL_INFO,
             const std::string& service = "shop") {
    for (int i = from; i < to; ++i) kafka_.Lines(service, {{level, "line " + std::to_string(i)}});
  }
  Result<LogLines> Open(LogLevel level = LogLevel::kUnknown, const std::string& match = "") {
    return LogLines::Open(kafka_.Ports(), {"shop", level, match}, kTimeout);
  }
  static std::vector<std::string> Texts(const Result<std::vector<v1::LogRecord>>& lines) {
    std::vector<std::string> out;
    EXPECT_TRUE(lines.ok()) << lines.error().message;
    for (const v1::LogRecord& line : *lines) out.push_back(line.message());
    return out;
  }
  FakeKafka kafka_{"shop"};
};

TEST_F(LogLinesTest, TheLastAreGivenInTheirOrderThenWhatIsAppended) {
  Write(0, 500);
  auto lines = Open();
  ASSERT_TRUE(lines.ok()) << lines.error().message;
  const auto last = Texts(lines->Last(100));
  ASSERT_EQ(last.size(), 100U);
  EXPECT_EQ(last.front(), "line 400");
  EXPECT_EQ(last.back(), "line 499");
  EXPECT_TRUE(lines->whole());
  EXPECT_THAT(Texts(lines->Next(Duration(1))), IsEmpty());
  Write(500, 501);
  EXPECT_THAT(Texts(lines->Next(Duration(1))), ElementsAre("line 500"));
}

TEST_F(LogLinesTest, ThoseThatFitAreFoundFarBack) {
  Write(0, 1, v1::LOG_LEVEL_ERROR);
  Write(1, 5000);
  Write(5000, 5001, v1::LOG_LEVEL_FATAL);
  Write(0, 10, v1::LOG_LEVEL_FATAL, "bank");
  auto lines = Open(LogLevel::kError);
  EXPECT_THAT(Texts(lines->Last(100)), ElementsAre("line 0", "line 5000"));
  EXPECT_TRUE(lines->whole());
  auto matching = Open(LogLevel::kUnknown, "ne*4321");
  EXPECT_THAT(Texts(matching->Last(1)), ElementsAre("line 4321"));
}

TEST_F(LogLinesTest, SaysWhenItDidNotLookThroughAll) {
  Write(0, 1, v1::LOG_LEVEL_ERROR);
  Write(1, 50'000);
  auto lines = Open(LogLevel::kError);
  EXPECT_THAT(Texts(lines->Last(1)), IsEmpty());
  EXPECT_FALSE(lines->whole());
}

TEST_F(LogLinesTest, AnEmptyLogAndGarbageHoldNoLines) {
  auto lines = Open();
  EXPECT_THAT(Texts(lines->Last(100)), IsEmpty());
  kafka_.Garbage(runtime::topic::kLogs);
  Write(0, 1);
  auto more = Open();
  EXPECT_THAT(Texts(more->Last(100)), ElementsAre("line 0"));
}

}  // namespace
}  // namespace liveops::ctl
