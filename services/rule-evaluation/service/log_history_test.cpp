#include "services/rule-evaluation/service/log_history.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "common/runtime/ownership.h"

namespace liveops::evaluation {
namespace {

using engine::AlarmState;

class Log {
 public:
  std::int64_t Claim() {
    return Put("claim/" + std::to_string(next_), EncodeClaim({}, "x", 0), -1);
  }
  void Transition(std::int64_t epoch, const std::string& alarm, std::uint32_t step,
                  std::int64_t source_offset) {
    engine::Transition t;
    t.alarm_id = alarm;
    t.episode = InstantFromMs(1);
    t.step = step;
    t.state = step == 0 ? AlarmState::kFiring : AlarmState::kResolved;
    t.source_offset = source_offset;
    Put(alarm, EncodeTransition({}, t, 0), epoch);
  }
  void Plan(std::int64_t epoch, std::uint64_t version, std::int64_t source_offset) {
    Put("plan/s", EncodePlanInForce({}, {"s", version, "text", 0, source_offset, {}}), epoch);
  }
  std::int64_t Put(const std::string& key, const std::string& value, std::int64_t epoch) {
    kafka::Record record;
    record.offset = next_++;
    record.append_time = RealFromMs(1000 + record.offset);
    record.key = key;
    record.value = value;
    if (epoch >= 0) record.headers = runtime::OwnerHeaders(epoch);
    records_.push_back(record);
    return record.offset;
  }
  void Into(LogHistory& history, std::int64_t from = 0) const {
    for (const kafka::Record& record : records_) {
      if (record.offset >= from) history.Read(record);
    }
  }

 private:
  std::int64_t next_ = 0;
  std::vector<kafka::Record> records_;
};

TEST(LogHistory, SplitsAtTheReplaysStart) {
  Log log;
  const auto first = log.Claim();
  log.Plan(first, 1, 3);
  log.Transition(first, "a", 0, 10);
  log.Transition(first, "b", 0, 20);
  log.Transition(first, "a", 1, 30);
  log.Plan(first, 2, 35);
  const auto own = log.Claim();
  LogHistory history(own, 20, EpochFilter::kNoEpoch);
  log.Into(history);
  ASSERT_EQ(history.before().size(), 1u);
  EXPECT_EQ(history.before().at("a").step, 0u);
  ASSERT_EQ(history.after().size(), 2u);
  EXPECT_EQ(history.last().at("a").step, 1u);
  EXPECT_EQ(history.plans().at("s").version, 2u);
  EXPECT_EQ(history.plans_before().at("s").version, 1u);
  EXPECT_TRUE(history.saw_own_claim());
  EXPECT_EQ(history.own_claim_key(), "claim/" + std::to_string(own));
  EXPECT_EQ(history.own_claim_time(), RealFromMs(1000 + own));
}

TEST(LogHistory, AZombiesWritesAreVoidAndItsKeysNamed) {
  Log log;
  const auto zombie = log.Claim();
  log.Transition(zombie, "a", 0, 10);
  const auto newer = log.Claim();
  log.Transition(zombie, "a", 1, 20);
  log.Transition(zombie, "b", 0, 20);
  log.Transition(newer, "b", 0, 21);
  const auto own = log.Claim();
  LogHistory history(own, 0, EpochFilter::kNoEpoch);
  log.Into(history);
  EXPECT_EQ(history.last().at("a").step, 0u);
  EXPECT_EQ(history.last().at("b").source_offset, 21);
  EXPECT_THAT(history.voided(), testing::ElementsAre("a"));
}

TEST(LogHistory, ReadingFromTheMiddleKnowsTheClaimInForceThere) {
  Log log;
  const auto first = log.Claim();
  const auto second = log.Claim();
  const auto middle = second + 1;
  log.Transition(first, "a", 0, 10);
  log.Transition(second, "b", 0, 11);
  const auto own = log.Claim();
  LogHistory history(own, 0, second);
  log.Into(history, middle);
  EXPECT_FALSE(history.last().contains("a"));
  EXPECT_TRUE(history.last().contains("b"));
}

TEST(LogHistory, NothingAfterTheOwnClaimIsLookedAtAndGarbageIsCounted) {
  Log log;
  const auto first = log.Claim();
  log.Put("a", "garbage", first);
  log.Put("a", "", first);
  const auto own = log.Claim();
  log.Transition(own, "a", 0, 10);
  LogHistory history(own, 0, EpochFilter::kNoEpoch);
  log.Into(history);
  EXPECT_TRUE(history.last().empty());
  EXPECT_EQ(history.unreadable(), 1u);
}

TEST(LogHistory, RepetitionsAndStepsBackAreLeftOut) {
  Log log;
  const auto first = log.Claim();
  log.Transition(first, "a", 0, 10);
  log.Transition(first, "a", 1, 12);
  log.Transition(first, "a", 0, 10);
  log.Transition(first, "a", 1, 12);
  const auto own = log.Claim();
  LogHistory history(own, 0, EpochFilter::kNoEpoch);
  log.Into(history);
  EXPECT_EQ(history.after().size(), 2u);
  EXPECT_EQ(history.last().at("a").step, 1u);
}

}  // namespace
}  // namespace liveops::evaluation
