#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "services/rule-evaluation/engine/busy_log.h"
#include "services/rule-evaluation/engine/shard.h"

namespace liveops::engine {
namespace {

using testing::BusyLog;
using testing::Held;

TickView TickAt(std::int64_t steady_ms) {
  TickView tick;
  tick.instance = "i";
  tick.session = 1;
  tick.steady_ms = steady_ms;
  return tick;
}

std::vector<std::string_view> Views(const std::vector<std::string>& sections) {
  return {sections.begin(), sections.end()};
}

TEST(Cut, IsTheStateAtItsBeginningHoweverLongItTakes) {
  const std::deque<Held> records = BusyLog();
  std::vector<Transition> out;
  for (const std::size_t begin : {std::size_t{40}, records.size() / 3, records.size() / 2}) {
    Shard shard({}, {});
    std::size_t i = 0;
    for (; i < begin; ++i) shard.Apply(records[i].view, out);
    const std::vector<std::string> whole = shard.Sections();
    ASSERT_GT(whole.size(), 2u);
    shard.BeginCut();
    EXPECT_EQ(shard.CutPosition(), shard.position());
    // One section a record; most are forced by the record that would change them.
    Shard::CutState state = Shard::CutState::kGoing;
    for (; i < records.size() && state == Shard::CutState::kGoing; ++i) {
      shard.Apply(records[i].view, out);
      state = shard.ContinueCut(1);
    }
    ASSERT_EQ(state, Shard::CutState::kWhole);
    const std::vector<std::string> cut = shard.TakeCut();
    EXPECT_EQ(cut, whole) << "begun before record " << begin;
    EXPECT_EQ(shard.CutPosition(), -1);
    const auto restored = Shard::Restore(Views(cut), {}, {});
    ASSERT_TRUE(restored.ok()) << restored.error().message;
    EXPECT_EQ(restored->Sections(), whole);
  }
}

TEST(Cut, AHoleInTheLogGivesItUp) {
  const std::deque<Held> records = BusyLog();
  std::vector<Transition> out;
  Shard shard({}, {});
  for (std::size_t i = 0; i < 200; ++i) shard.Apply(records[i].view, out);
  shard.BeginCut();
  RecordView late = records[200].view;
  late.append_time = late.append_time + Duration(60'000);
  EXPECT_EQ(shard.ContinueCut(0), Shard::CutState::kGoing);
  for (int i = 0; i < 300; ++i) {  // until the step is corroborated
    late.offset = records[200].view.offset + i;
    late.append_time = late.append_time + Duration(250);
    late.body = TickAt(1'000'000 + 250 * i);
    shard.Apply(late, out);
  }
  EXPECT_EQ(shard.ContinueCut(1), Shard::CutState::kNone);
  EXPECT_TRUE(shard.TakeCut().empty());
  shard.BeginCut();
  EXPECT_EQ(shard.ContinueCut(1 << 30), Shard::CutState::kWhole);
}

TEST(Cut, WhatDidNotChangeKeepsItsBytes) {
  const std::deque<Held> records = BusyLog();
  std::vector<Transition> out;
  Shard shard({}, {});
  for (const Held& held : records) shard.Apply(held.view, out);
  const std::vector<std::string> before = shard.Sections();
  RecordView tick = records.back().view;
  tick.offset += 1;
  tick.body = TickAt(0);
  shard.Apply(tick, out);
  const std::vector<std::string> after = shard.Sections();
  ASSERT_EQ(after.size(), before.size());
  EXPECT_NE(after[0], before[0]) << "the position";
  for (std::size_t i = 1; i < after.size(); ++i) EXPECT_EQ(after[i], before[i]) << i;
}

TEST(Cut, SectionsInAnotherOrderOrNumberAreRefused) {
  const std::deque<Held> records = BusyLog();
  std::vector<Transition> out;
  Shard shard({}, {});
  for (const Held& held : records) shard.Apply(held.view, out);
  const std::vector<std::string> good = shard.Sections();
  ASSERT_TRUE(Shard::Restore(Views(good), {}, {}).ok());
  for (std::size_t i = 0; i < good.size(); ++i) {
    std::vector<std::string> bad = good;
    bad.erase(bad.begin() + static_cast<std::ptrdiff_t>(i));
    EXPECT_FALSE(Shard::Restore(Views(bad), {}, {}).ok()) << i;
    bad = good;
    bad.push_back(good[i]);
    EXPECT_FALSE(Shard::Restore(Views(bad), {}, {}).ok()) << i;
    bad = good;
    bad[i][bad[i].size() / 2] ^= 4;
    EXPECT_FALSE(Shard::Restore(Views(bad), {}, {}).ok()) << i;
  }
  std::vector<std::string> swapped = good;
  std::swap(swapped[0], swapped[1]);
  EXPECT_FALSE(Shard::Restore(Views(swapped), {}, {}).ok());
}

}  // namespace
}  // namespace liveops::engine
