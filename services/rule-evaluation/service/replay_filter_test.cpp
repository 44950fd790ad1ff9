#include "services/rule-evaluation/service/replay_filter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace liveops::evaluation {
namespace {

using engine::AlarmState;
using Verdict = ReplayFilter::Verdict;

engine::Transition T(const std::string& alarm, std::int64_t episode, std::uint32_t step,
                     AlarmState state, std::int64_t source_offset) {
  engine::Transition t;
  t.alarm_id = alarm;
  t.episode = InstantFromMs(episode);
  t.step = step;
  t.state = state;
  t.source_offset = source_offset;
  return t;
}

LastWords Words(const std::vector<engine::Transition>& transitions) {
  LastWords words;
  for (const engine::Transition& t : transitions) words.Set(t.alarm_id, t);
  return words;
}

TEST(ReplayFilter, WithoutALogEverythingIsNew) {
  ReplayFilter filter;
  EXPECT_FALSE(filter.active());
  EXPECT_EQ(filter.Judge(T("a", 1, 0, AlarmState::kFiring, 5)), Verdict::kWrite);
  EXPECT_TRUE(filter.Settle(100, {}).empty());
}

TEST(ReplayFilter, AFaithfulReplayWritesNothingTwiceAndAdoptsNothing) {
  ReplayFilter filter(
      {T("a", 1, 0, AlarmState::kFiring, 5), T("a", 1, 1, AlarmState::kResolved, 9)});
  EXPECT_EQ(filter.last_offset(), 9);
  EXPECT_EQ(filter.Judge(T("a", 1, 0, AlarmState::kFiring, 5)), Verdict::kKnown);
  EXPECT_TRUE(filter.Settle(5, {}).empty());
  EXPECT_EQ(filter.Judge(T("a", 1, 1, AlarmState::kResolved, 9)), Verdict::kKnown);
  EXPECT_TRUE(filter.Settle(9, {}).empty());
  EXPECT_FALSE(filter.active());
  EXPECT_EQ(filter.Judge(T("a", 2, 0, AlarmState::kFiring, 10)), Verdict::kWrite);
  EXPECT_EQ(filter.contradictions(), 0u);
}

TEST(ReplayFilter, ARecordWhoseTransitionsWereHalfWrittenIsCompleted) {
  ReplayFilter filter({T("a", 1, 0, AlarmState::kFiring, 5)});
  EXPECT_EQ(filter.Judge(T("a", 1, 0, AlarmState::kFiring, 5)), Verdict::kKnown);
  EXPECT_EQ(filter.Judge(T("b", 1, 0, AlarmState::kFiring, 5)), Verdict::kWrite);
  EXPECT_TRUE(filter.Settle(5, {}).empty());
}

TEST(ReplayFilter, HalfWrittenDoesNotRevertToAnOlderWord) {
  // b resolved earlier and fired again by the record at which the crash fell, before that was
  // written.
  ReplayFilter filter({T("b", 1, 0, AlarmState::kFiring, 2), T("b", 1, 1, AlarmState::kResolved, 3),
                       T("a", 7, 0, AlarmState::kFiring, 5)});
  filter.Judge(T("b", 1, 0, AlarmState::kFiring, 2));
  filter.Judge(T("b", 1, 1, AlarmState::kResolved, 3));
  filter.Judge(T("a", 7, 0, AlarmState::kFiring, 5));
  EXPECT_EQ(filter.Judge(T("b", 7, 0, AlarmState::kFiring, 5)), Verdict::kWrite);
  EXPECT_TRUE(filter.Settle(5, {}).empty());
}

TEST(ReplayFilter, WhatTheLogDoesNotKnowBeforeItsLastRecordIsContradicted) {
  ReplayFilter filter({T("a", 1, 0, AlarmState::kFiring, 9)});
  EXPECT_EQ(filter.Judge(T("b", 1, 0, AlarmState::kFiring, 4)), Verdict::kContradicted);
  EXPECT_EQ(filter.contradictions(), 1u);
  filter.Judge(T("a", 1, 0, AlarmState::kFiring, 9));
  const auto truths = filter.Settle(9, {});
  ASSERT_EQ(truths.size(), 1u);
  EXPECT_EQ(truths[0].alarm_id, "b");
  EXPECT_EQ(truths[0].state, AlarmState::kResolved) << "for the log it never fired";
}

TEST(ReplayFilter, AnotherStateUnderTheSameIdIsContradicted) {
  ReplayFilter filter({T("a", 1, 0, AlarmState::kFiring, 5), T("a", 1, 1, AlarmState::kNoData, 9)});
  filter.Judge(T("a", 1, 0, AlarmState::kFiring, 5));
  EXPECT_EQ(filter.Judge(T("a", 1, 1, AlarmState::kResolved, 9)), Verdict::kContradicted);
  const auto truths = filter.Settle(9, {});
  ASSERT_EQ(truths.size(), 1u);
  EXPECT_EQ(truths[0].state, AlarmState::kNoData);
}

TEST(ReplayFilter, WhatTheReplayNeverSaidIsAdoptedOnceTheLogIsBehind) {
  ReplayFilter filter({T("a", 1, 0, AlarmState::kFiring, 5)});
  EXPECT_TRUE(filter.Settle(4, {}).empty());
  EXPECT_TRUE(filter.active());
  // The record at 5 itself is not there to be applied: the next one is 6.
  const auto truths = filter.Settle(5, {});
  ASSERT_EQ(truths.size(), 1u);
  EXPECT_EQ(truths[0].alarm_id, "a");
  EXPECT_FALSE(filter.active());
  EXPECT_TRUE(filter.Settle(6, {}).empty());
}

TEST(ReplayFilter, WhatTheLogKnowsFromBeforeTheReplayIsAdoptedNotClosed) {
  // x fires since before the replay; the replay (another build, or one without a snapshot) resolves
  // it, of which the log knows nothing.
  const engine::Transition firing = T("x", 1, 0, AlarmState::kFiring, 3);
  const engine::Transition later = T("a", 7, 0, AlarmState::kFiring, 20);
  ReplayFilter filter({later});
  EXPECT_EQ(filter.Judge(T("x", 1, 1, AlarmState::kResolved, 10)), Verdict::kContradicted);
  EXPECT_EQ(filter.Judge(later), Verdict::kKnown);
  const auto truths = filter.Settle(20, Words({firing, later}));
  ASSERT_EQ(truths.size(), 1u);
  EXPECT_EQ(truths[0].alarm_id, "x");
  EXPECT_EQ(truths[0].state, AlarmState::kFiring);
  EXPECT_EQ(truths[0].step, 0u);
}

TEST(ReplayFilter, NothingIsWrittenThatReadersWouldDrop) {
  // At the last logged record the log opened episode 8; a replay whose clock stood elsewhere opens
  // episode 7 there.
  const engine::Transition logged = T("a", 8, 0, AlarmState::kFiring, 5);
  ReplayFilter filter({logged});
  EXPECT_EQ(filter.Judge(T("a", 7, 0, AlarmState::kFiring, 5)), Verdict::kContradicted);
  const auto truths = filter.Settle(5, Words({logged}));
  ASSERT_EQ(truths.size(), 1u);
  EXPECT_EQ(truths[0].episode, InstantFromMs(8));
}

TEST(ReplayFilter, WhatTheReplayDidNotSayIsAdoptedWhereTheLogSaidIt) {
  // a was firing before the replay, whose windows are not whole yet, and resolved in it. What a
  // rollup says of a's next hold is only of use to who knows that.
  ReplayFilter filter({T("a", 1, 1, AlarmState::kResolved, 5), T("b", 7, 0, AlarmState::kFiring, 8),
                       T("b", 7, 1, AlarmState::kResolved, 9)});
  EXPECT_TRUE(filter.Settle(4, {}).empty());
  const auto truths = filter.Settle(5, {});
  ASSERT_EQ(truths.size(), 1u);
  EXPECT_EQ(truths[0].alarm_id, "a");
  EXPECT_EQ(truths[0].state, AlarmState::kResolved);
  EXPECT_TRUE(filter.Settle(6, {}).empty()) << "once";
  filter.Judge(T("b", 7, 0, AlarmState::kFiring, 8));
  filter.Judge(T("b", 7, 1, AlarmState::kResolved, 9));
  EXPECT_TRUE(filter.Settle(9, {}).empty());
  EXPECT_FALSE(filter.active());
}

TEST(ReplayFilter, AWordThatTheReplayContradictsLaterIsAdoptedAgain) {
  ReplayFilter filter({T("a", 1, 0, AlarmState::kFiring, 5), T("b", 7, 0, AlarmState::kFiring, 9)});
  EXPECT_EQ(filter.Settle(5, {}).size(), 1u);
  EXPECT_EQ(filter.Judge(T("a", 1, 1, AlarmState::kResolved, 7)), Verdict::kContradicted);
  EXPECT_TRUE(filter.Settle(7, {}).empty());
  filter.Judge(T("b", 7, 0, AlarmState::kFiring, 9));
  const auto truths = filter.Settle(9, {});
  ASSERT_EQ(truths.size(), 1u);
  EXPECT_EQ(truths[0].alarm_id, "a");
  EXPECT_EQ(truths[0].state, AlarmState::kFiring);
}

TEST(ReplayFilter, RepetitionsInTheLogCountOnce) {
  ReplayFilter filter({T("a", 1, 0, AlarmState::kFiring, 5), T("a", 1, 1, AlarmState::kResolved, 9),
                       T("a", 1, 0, AlarmState::kFiring, 5)});
  filter.Judge(T("a", 1, 0, AlarmState::kFiring, 5));
  filter.Judge(T("a", 1, 1, AlarmState::kResolved, 9));
  EXPECT_TRUE(filter.Settle(9, {}).empty());
}

TEST(ReplayFilter, AnotherOwnersWordAddedLaterHoldsUsToo) {
  ReplayFilter filter;
  filter.Add(T("a", 1, 0, AlarmState::kFiring, 20));
  EXPECT_TRUE(filter.active());
  EXPECT_EQ(filter.Judge(T("a", 1, 0, AlarmState::kFiring, 20)), Verdict::kKnown);
  EXPECT_TRUE(filter.Settle(20, {}).empty());
}

}  // namespace
}  // namespace liveops::evaluation
