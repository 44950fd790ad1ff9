#include "services/notifier/service/error_lines.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>

#include "common/runtime/topics.h"
#include "liveops/v1/alarms.pb.h"
#include "liveops/v1/logs.pb.h"
#include "services/notifier/service/compose.h"
#include "services/notifier/service/line_follower.h"

namespace liveops::notifier {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr std::int64_t kNow = 1'770'000'000'000;

v1::LogBatch Lines(const std::string& service,
                   const std::vector<std::pair<v1::LogLevel, std::string>>& lines,
                   std::int64_t time_ms = kNow) {
  v1::LogBatch batch;
  batch.set_service(service);
  for (const auto& [level, message] : lines) {
    v1::LogRecord& line = *batch.add_records();
    line.set_time_ms(time_ms);
    line.set_level(level);
    line.set_message(message);
    line.set_endpoint("/pay");
  }
  return batch;
}

kafka::Record RecordOf(const v1::LogBatch& batch) {
  kafka::Record record;
  record.topic = runtime::topic::kLogs;
  record.value = batch.SerializeAsString();
  return record;
}

std::vector<std::string> Texts(const std::vector<PageLine>& lines) {
  std::vector<std::string> out;
  for (const PageLine& line : lines) out.push_back(line.message);
  return out;
}

TEST(ErrorLines, TheNewestThreeOfAServiceAreKept) {
  ErrorLines lines;
  lines.Read(Lines("shop", {{v1::LOG_LEVEL_ERROR, "1"}, {v1::LOG_LEVEL_WARN, "no"}}));
  lines.Read(Lines("bank", {{v1::LOG_LEVEL_ERROR, "of the bank"}}));
  lines.Read(Lines("shop", {{v1::LOG_LEVEL_FATAL, "2"}, {v1::LOG_LEVEL_ERROR, "3"}}));
  lines.Read(Lines("shop", {{v1::LOG_LEVEL_ERROR, "4"}}));
  const auto shop = lines.Of("shop", InstantFromMs(kNow));
  EXPECT_THAT(Texts(shop), ElementsAre("2", "3", "4"));
  EXPECT_EQ(shop[0].endpoint, "/pay");
  EXPECT_EQ(shop[0].time, InstantFromMs(kNow));
  EXPECT_THAT(lines.Of("nobody", InstantFromMs(kNow)), IsEmpty());
}

TEST(ErrorLines, OldOnesAreNoNews) {
  ErrorLines lines;
  lines.Read(Lines("shop", {{v1::LOG_LEVEL_ERROR, "old"}}, kNow - 600'001));
  lines.Read(Lines("shop", {{v1::LOG_LEVEL_ERROR, "new"}}, kNow - 600'000));
  EXPECT_THAT(Texts(lines.Of("shop", InstantFromMs(kNow))), ElementsAre("new"));
}

TEST(ErrorLines, StandOnAPageThatOpensAndOnNoOther) {
  ErrorLines lines;
  lines.Read(Lines("shop", {{v1::LOG_LEVEL_ERROR, "card declined"}}));
  Registry registry;
  Group group;
  group.service = "shop";
  group.phase = Phase::kFiring;
  group.opening.set_clock_ms(kNow);
  NoticeDecision opens;
  EXPECT_THAT(ComposePage(registry, group, opens).error_lines, IsEmpty()) << "nobody keeps any";
  registry.ShowErrorLines(&lines);
  EXPECT_THAT(Texts(ComposePage(registry, group, opens).error_lines), ElementsAre("card declined"));
  NoticeDecision taken;
  taken.notice = Notice::kAcknowledged;
  EXPECT_THAT(ComposePage(registry, group, taken).error_lines, IsEmpty());
}

TEST(ReadingPace, ReadsTheFirstBytesOfASecond) {
  ReadingPace pace;
  const SteadyTime t{std::chrono::seconds(1000)};
  EXPECT_FALSE(pace.TooMuch(ReadingPace::kBytesPerSecond, t));
  EXPECT_TRUE(pace.TooMuch(1, t + std::chrono::milliseconds(999)));
  EXPECT_FALSE(pace.TooMuch(1, t + std::chrono::seconds(1)));
}

// Gives what is told, and says what it was assigned.
class FakeConsumer final : public kafka::AssignedConsumer {
 public:
  struct State {
    std::deque<kafka::Record> coming;
    std::vector<std::vector<kafka::PartitionOffset>> assigned;
    bool away = false;
  };
  explicit FakeConsumer(State& state) : state_(state) {}
  Status Assign(const std::vector<kafka::PartitionOffset>& partitions) override {
    state_.assigned.push_back(partitions);
    return {};
  }
  Result<std::optional<kafka::Record>> Poll(Duration) override {
    if (state_.away) return NotFoundError("the offset is no longer kept");
    if (state_.coming.empty()) return std::optional<kafka::Record>();
    std::optional<kafka::Record> record(state_.coming.front());
    state_.coming.pop_front();
    return record;
  }
  bool ReachedEnd(std::string_view, std::int32_t) const override { return true; }
  std::int64_t KnownEnd(std::string_view, std::int32_t) const override { return -1; }
  Result<std::pair<std::int64_t, std::int64_t>> Watermarks(std::string_view, std::int32_t,
                                                           Duration) override {
    return std::pair<std::int64_t, std::int64_t>(0, 0);
  }
  Result<std::int64_t> OffsetAt(std::string_view, std::int32_t, RealTime, Duration) override {
    return std::int64_t{0};
  }
  bool connected() const override { return true; }

 private:
  State& state_;
};

TEST(LineFollower, ReadsFromTheEndOnAndPassesOverAStorm) {
  FakeConsumer::State state;
  ErrorLines lines;
  Exemplars exemplars;
  LineFollower follower(std::make_unique<FakeConsumer>(state), 4, lines, exemplars);
  const SteadyTime t{std::chrono::seconds(1000)};
  v1::LogBatch first = Lines("shop", {{v1::LOG_LEVEL_ERROR, "1"}});
  first.add_exemplars()->set_time_ms(kNow);
  state.coming.push_back(RecordOf(first));
  follower.Once(t);
  EXPECT_EQ(exemplars.Of("shop", kNow - 1, kNow).size(), 1U);
  ASSERT_EQ(state.assigned.size(), 1U);
  ASSERT_EQ(state.assigned[0].size(), 4U);
  EXPECT_EQ(state.assigned[0][3].offset, kafka::kOffsetEnd);
  EXPECT_THAT(Texts(lines.Of("shop", InstantFromMs(kNow))), ElementsAre("1"));

  kafka::Record garbage;
  garbage.value = "\x07garbage";
  state.coming.push_back(garbage);
  follower.Once(t);
  kafka::Record storm = RecordOf(Lines("shop", {{v1::LOG_LEVEL_ERROR, "2"}}));
  storm.value.append(ReadingPace::kBytesPerSecond, ' ');
  state.coming.push_back(storm);
  follower.Once(t);
  state.coming.push_back(RecordOf(Lines("shop", {{v1::LOG_LEVEL_ERROR, "3"}})));
  follower.Once(t + std::chrono::seconds(1));
  EXPECT_EQ(state.assigned.size(), 2U) << "to the end again";
  EXPECT_THAT(Texts(lines.Of("shop", InstantFromMs(kNow))), ElementsAre("1", "3"));

  state.away = true;
  follower.Once(t);
  state.away = false;
  follower.Once(t);
  EXPECT_EQ(state.assigned.size(), 3U);
}

}  // namespace
}  // namespace liveops::notifier
