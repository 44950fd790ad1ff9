// What is told in rollups, when, and what is not believed.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "common/base/labels.h"
#include "services/rule-evaluation/engine/oracle/history.h"
#include "services/rule-evaluation/engine/shard.h"

namespace liveops::engine::oracle {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::int64_t kMinute = 60'000;

// Counters of `pods` pods each minute, of which `bad` of a hundred are errors, for `minutes`.
History Counters(const std::string& when, int pods, std::int64_t minutes) {
  History h;
  HistoryRecord plan;
  plan.kind = HistoryRecord::Kind::kPlan;
  plan.version = 1;
  plan.alarms = {"{name: a, when: '" + when + "', severity: high, owner: on-call}"};
  h.records.push_back(plan);
  for (int i = 0; i < 2 * pods; ++i) {
    HistorySeries s;
    s.kind = SeriesKind::kCounterDelta;
    s.metric = i % 2 == 0 ? "c0" : "c1";
    Labels labels;
    labels.Set("pod", fmt::format("p{:04}", i / 2));
    s.labels = labels.Encode();
    s.fingerprint = FingerprintOf(std::vector<std::string_view>{s.metric, s.labels});
    h.series.push_back(s);
  }
  for (std::int64_t at = 0; at <= minutes * kMinute; at += 1000) {
    HistoryRecord tick;
    tick.at = at;
    tick.instance = "i";
    h.records.push_back(tick);
    if (at % kMinute != 0) continue;
    HistoryRecord batch;
    batch.kind = HistoryRecord::Kind::kBatch;
    batch.at = at;
    batch.emitter = "e";
    for (std::size_t i = 0; i < h.series.size(); ++i) {
      batch.points.push_back({i, at, kMinute, i % 2 == 0 ? 100.0 : 2.0, {}, {}});
    }
    h.records.push_back(batch);
  }
  return h;
}

// When an alarm began to fire the log of transitions says, which nobody adopts here.
std::string Words(const Shard& shard) {
  std::string all;
  for (const AlarmView& view : shard.Alarms()) {
    const std::string& words = view.explanation;
    all += fmt::format("{}: {}\n", view.alarm_id, words.substr(0, words.find(" since ")));
  }
  return all;
}

class Player {
 public:
  explicit Player(History history) : history_(std::move(history)) {}

  std::vector<Rollup> Play(Shard& shard, std::size_t from, std::size_t to) {
    std::vector<Rollup> rolled;
    for (std::size_t i = from; i < to; ++i) {
      shard.Apply(maker_.Make(history_, history_.records[i], static_cast<std::int64_t>(i)), told_);
      for (Rollup& part : shard.TakeRolled()) rolled.push_back(std::move(part));
    }
    return rolled;
  }
  std::size_t At(std::int64_t minute) const {
    std::size_t i = 0;
    while (i < size() && history_.records[i].at < minute * kMinute) ++i;
    return i;
  }
  std::size_t size() const { return history_.records.size(); }

  // A new owner with the last two hours before the end, which knows what was told before; gives
  // what is said of the alarms.
  std::string Rebuild(std::deque<Rollup> rollups, std::int64_t from_minute,
                      std::uint64_t* whole = nullptr) {
    Shard shard({}, {});
    const std::string text = history_.PlanText(history_.records.front());
    shard.StartAt({{"shop", 1, text}});
    shard.Await(std::move(rollups));
    for (const Transition& t : before_) {
      if (t.source_offset < static_cast<std::int64_t>(At(from_minute))) shard.Adopt(t);
    }
    told_.clear();
    Play(shard, At(from_minute), size());
    EXPECT_EQ(shard.rollups_awaited(), 0u);
    if (whole != nullptr) *whole = shard.rules_made_whole();
    return Words(shard);
  }
  std::string Straight() {
    Shard shard({}, {});
    told_.clear();
    Play(shard, 0, size());
    before_ = told_;
    return Words(shard);
  }
  // What was told since.
  std::vector<std::string> Told(std::int64_t from_minute) const {
    std::vector<std::string> lines;
    for (const Transition& t : told_) {
      if (t.source_offset < static_cast<std::int64_t>(At(from_minute))) continue;
      lines.push_back(fmt::format("{} {} at {}", t.alarm_id, AlarmStateName(t.state),
                                  (ToMs(t.window_end) - kNine) / kMinute));
    }
    return lines;
  }

 private:
  History history_;
  RecordMaker maker_;
  std::vector<Transition> told_;    // by what was played last
  std::vector<Transition> before_;  // by the straight one
};

std::deque<Rollup> WholeOf(const std::vector<Rollup>& parts, std::int64_t epoch = 1) {
  RollupShelf shelf;
  for (const Rollup& part : parts) shelf.Put(epoch, part);
  return shelf.Take();
}

constexpr const char* kLong = "ratio(c1, c0) by pod over 3h > 1%";
constexpr const char* kNotKnown = "reaches back before what is known";

TEST(RollupParts, ARoundAnHourWhereAReplayWouldNotReach) {
  Player player(Counters(kLong, 2, 150));
  Shard shard({}, {});
  EXPECT_TRUE(player.Play(shard, 0, player.At(59)).empty());
  const auto first = player.Play(shard, player.At(59), player.At(110));
  const auto second = player.Play(shard, player.At(110), player.size());
  ASSERT_EQ(first.size(), 1u);
  ASSERT_EQ(second.size(), 1u);
  EXPECT_TRUE(first[0].last);
  EXPECT_EQ(first[0].round, first[0].position);
  EXPECT_LT(first[0].round, second[0].round);
  EXPECT_EQ(first[0].digest, second[0].digest);

  Player near(Counters("ratio(c1, c0) by pod over 1h > 3%", 2, 150));
  Shard other({}, {});
  EXPECT_TRUE(near.Play(other, 0, near.size()).empty());
}

TEST(RollupParts, WhatIsTakenInGivesWhatWasThere) {
  Player player(Counters(kLong, 2, 250));
  Shard shard({}, {});
  const auto parts = player.Play(shard, 0, player.size());
  const std::string straight = player.Straight();
  EXPECT_THAT(straight, HasSubstr("above 1 %"));
  EXPECT_EQ(player.Rebuild(WholeOf(parts), 130), straight);
  EXPECT_THAT(player.Rebuild({}, 130), HasSubstr(kNotKnown));
}

TEST(RollupParts, ManySeriesMakeManyPartsAndASnapshotBetweenThemChangesNothing) {
  Player player(Counters(kLong, 300, 70));
  Shard straight({}, {});
  const auto parts = player.Play(straight, 0, player.size());
  ASSERT_GT(parts.size(), 5u);
  for (std::size_t i = 0; i < parts.size(); ++i) {
    EXPECT_EQ(parts[i].part, i);
    EXPECT_EQ(parts[i].round, parts[0].round);
    EXPECT_EQ(parts[i].last, i + 1 == parts.size());
    EXPECT_LT(parts[i].content.size(), 64u << 10);
  }
  // A new owner with a snapshot from the middle of the round goes on with it.
  Shard before({}, {});
  const auto middle = static_cast<std::size_t>(parts[2].position) + 1;
  auto again = player.Play(before, 0, middle);
  auto restored = Shard::Restore(before.Snapshot(), {}, {});
  ASSERT_TRUE(restored.ok()) << restored.error().message;
  for (Rollup& part : player.Play(*restored, middle, player.size())) again.push_back(part);
  ASSERT_EQ(again.size(), parts.size());
  for (std::size_t i = 0; i < parts.size(); ++i) EXPECT_EQ(again[i].content, parts[i].content) << i;
  EXPECT_EQ(restored->Snapshot(), straight.Snapshot());
}

TEST(RollupParts, OneGroupOfManySeriesIsCutToo) {
  Player player(Counters("ratio(c1, c0) over 3h > 1%", 300, 250));
  Shard shard({}, {});
  const auto parts = player.Play(shard, 0, player.size());
  ASSERT_GT(parts.size(), 10u);
  EXPECT_EQ(player.Rebuild(WholeOf(parts), 130), player.Straight());
}

// After a refusal silence proves nothing: one that speaks each 40 min, and last before the replay
// began, is missing.
TEST(RollupParts, AShortWindowMissesWhomTheReplayDidNotHear) {
  History h = Counters("ratio(c1, c0) over 10min > 1%", 3, 250);
  for (HistoryRecord& record : h.records) {
    std::erase_if(record.points, [&](const HistoryPoint& p) {
      return p.series >= 4 && (p.time > 120 * kMinute || p.time % (40 * kMinute) != 0);
    });
    for (HistoryPoint& p : record.points) {
      if (p.series % 2 == 1 && p.time > 235 * kMinute) p.value = 0;
    }
    if (record.points.empty() && record.at > 240 * kMinute && record.at % kMinute == 1000) {
      record.refused_service = "shop";
    }
  }
  Player player(std::move(h));
  Shard shard({}, {});
  const auto parts = player.Play(shard, 0, player.size());
  const std::string straight = player.Straight();
  EXPECT_THAT(straight, HasSubstr("firing"));
  EXPECT_EQ(player.Rebuild(WholeOf(parts), 130), straight);
  EXPECT_LT(parts.back().content.size(), 2000u) << "more than who speaks seldom";
  const std::string without = player.Rebuild({}, 130);
  EXPECT_NE(without, straight);
  EXPECT_THAT(without, Not(HasSubstr("firing"))) << "it forgot who is missing";
  // Too short a replay to know the others.
  EXPECT_EQ(player.Rebuild(WholeOf(parts), 220), player.Rebuild({}, 220));
}

TEST(RollupParts, ARuleThatWasFedLongAgoIsNotBlind) {
  History h = Counters("max(c0) by pod over 5min > 90", 1, 250);
  for (HistorySeries& series : h.series) series.kind = SeriesKind::kGauge;
  for (HistoryRecord& record : h.records) {
    if (record.at > 20 * kMinute) record.points.clear();
  }
  Player player(std::move(h));
  Shard shard({}, {});
  const auto parts = player.Play(shard, 0, player.size());
  const std::string straight = player.Straight();
  EXPECT_THAT(straight, HasSubstr("no series of c0 at present"));
  EXPECT_EQ(player.Rebuild(WholeOf(parts), 130), straight);
}

// What it counted while it was away is in no window then: its first total is one to count from.
TEST(RollupParts, WhoWasForgottenIsNewToOneThatIsRebuiltToo) {
  for (const char* when : {"increase(c0) over 5min > 2000", "increase(c0) over 90min > 30000",
                           "increase(c0{pod=\"p0002\"}) over 5min > 700"}) {
    History h = Counters(when, 3, 310);
    for (HistorySeries& series : h.series) series.kind = SeriesKind::kCounterCumulative;
    for (HistoryRecord& record : h.records) {
      std::erase_if(record.points, [&](const HistoryPoint& p) {
        return p.series >= 4 && p.time > 20 * kMinute && p.time < 290 * kMinute;
      });
      for (HistoryPoint& p : record.points) {
        p.duration = 0;
        p.value = static_cast<double>(p.time / kMinute * 100);
        if (p.series >= 4 && p.time > 200 * kMinute) p.value += 1'000'000;
      }
    }
    Player player(std::move(h));
    Shard shard({}, {});
    const auto parts = player.Play(shard, 0, player.size());
    EXPECT_EQ(shard.series_known(), 6u);
    const std::string straight = player.Straight();
    const auto told = player.Told(130);
    EXPECT_TRUE(told.empty()) << when;
    EXPECT_EQ(player.Rebuild(WholeOf(parts), 130), straight) << when;
    EXPECT_EQ(player.Told(130), told) << when;
  }
}

// Of one whose interval it does not know yet a replay would tell silence, as of a new one.
TEST(RollupParts, UntilTheRoundIsThereNoAlarmMoves) {
  constexpr std::int64_t kSeldom = 66;
  History h = Counters("ratio(c1, c0) by pod over 30min > 1% for 10min", 2, 250);
  h.records[0].alarms[0].insert(h.records[0].alarms[0].size() - 1, ", no_data: fire");
  for (HistoryRecord& record : h.records) {
    std::erase_if(record.points, [&](const HistoryPoint& p) {
      return p.series >= 2 && p.time % (kSeldom * kMinute) != 0;
    });
    for (HistoryPoint& p : record.points) {
      if (p.series >= 2) p.duration = kSeldom * kMinute;
    }
  }
  Player player(std::move(h));
  Shard shard({}, {});
  const auto parts = player.Play(shard, 0, player.size());
  const std::string straight = player.Straight();
  const auto told = player.Told(130);
  EXPECT_EQ(player.Rebuild(WholeOf(parts), 130), straight);
  EXPECT_EQ(player.Told(130), told);
  player.Rebuild({}, 130);
  EXPECT_THAT(player.Told(130), Contains(HasSubstr("no_data")));
}

// A replay would begin to count anew how long it has been so, or has been over.
TEST(RollupParts, HowFarAnAlarmIsOnItsWayIsTold) {
  Player fires(Counters("ratio(c1, c0) by pod over 10min > 1% for 4h", 2, 260));
  Shard shard({}, {});
  auto parts = fires.Play(shard, 0, fires.size());
  std::string straight = fires.Straight();
  EXPECT_THAT(straight, HasSubstr("above 1 %"));
  const auto told = fires.Told(130);
  EXPECT_THAT(told, Contains(HasSubstr("firing")));
  EXPECT_EQ(fires.Rebuild(WholeOf(parts), 130), straight);
  EXPECT_EQ(fires.Told(130), told);
  fires.Rebuild({}, 130);
  EXPECT_TRUE(fires.Told(130).empty());

  History h = Counters("ratio(c1, c0) by pod over 10min > 1%", 2, 280);
  h.records[0].alarms[0].insert(h.records[0].alarms[0].size() - 1, ", clear: \"< 1% for 150min\"");
  for (HistoryRecord& record : h.records) {
    for (HistoryPoint& p : record.points) {
      if (p.series % 2 == 1 && p.time > 100 * kMinute) p.value = 0;
    }
  }
  Player clears(std::move(h));
  Shard other({}, {});
  parts = clears.Play(other, 0, clears.size());
  straight = clears.Straight();
  const auto resolved = clears.Told(130);
  EXPECT_THAT(resolved, Contains(HasSubstr("resolved")));
  EXPECT_EQ(clears.Rebuild(WholeOf(parts), 130), straight);
  EXPECT_EQ(clears.Told(130), resolved);
  clears.Rebuild({}, 130);
  EXPECT_TRUE(clears.Told(130).empty());
}

TEST(RollupParts, OfSeveralRoundsTheFirstThatIsOfUseIsTakenIn) {
  Player player(Counters(kLong, 2, 310));
  Shard shard({}, {});
  std::vector<Rollup> parts = player.Play(shard, 0, player.size());
  ASSERT_EQ(parts.size(), 5u);
  const std::string straight = player.Straight();
  parts[2].content[40] ^= 1;
  std::uint64_t whole = 0;
  EXPECT_EQ(player.Rebuild(WholeOf(parts), 130, &whole), straight);
  EXPECT_EQ(whole, 1u) << "the second within the replay, and none after it";
}

TEST(RollupParts, WhatIsNotWholeIsNotBelieved) {
  Player player(Counters(kLong, 300, 250));
  Shard shard({}, {});
  std::vector<Rollup> parts = player.Play(shard, 0, player.size());
  std::uint64_t whole = 0;
  EXPECT_THAT(player.Rebuild(WholeOf(parts), 130, &whole), Not(HasSubstr(kNotKnown)));
  EXPECT_EQ(whole, 1u);

  const std::int64_t newest = parts.back().round;
  std::vector<Rollup> cut;
  for (const Rollup& part : parts) {
    if (part.round == newest && part.part != 3) cut.push_back(part);
  }
  EXPECT_TRUE(WholeOf(cut).empty()) << "a part is missing";

  // The newest round is that of the fourth hour; here no other lies within the replay.
  std::vector<Rollup> damaged;
  for (const Rollup& part : parts) {
    if (part.round == newest) damaged.push_back(part);
  }
  damaged[3].content[40] ^= 1;
  EXPECT_THAT(player.Rebuild(WholeOf(damaged), 130, &whole), HasSubstr(kNotKnown));
  EXPECT_EQ(whole, 0u);

  std::vector<Rollup> foreign = parts;
  for (Rollup& part : foreign) ++part.digest;
  EXPECT_THAT(player.Rebuild(WholeOf(foreign), 130, &whole), HasSubstr(kNotKnown));
  EXPECT_EQ(whole, 0u);

  // The replay begins after the round did: what came between is in neither.
  EXPECT_THAT(player.Rebuild(WholeOf(parts), 245, &whole), HasSubstr(kNotKnown));
  EXPECT_EQ(whole, 0u);
}

TEST(RollupParts, TheShelfMakesNoRoundOfTwoOwnersParts) {
  const auto part = [](std::int64_t round, std::uint32_t number, bool last) {
    return Rollup{"shop", "a", 7, round, number, last, round + number, ""};
  };
  RollupShelf shelf;
  shelf.Put(1, part(10, 0, false));
  shelf.Put(1, part(10, 1, true));
  shelf.Put(1, part(20, 0, false));
  shelf.Put(2, part(20, 1, true));
  auto found = shelf.Take();
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0].round, 10);

  // A replay tells again, out of order and twice; and an older round after a newer one.
  shelf.Put(1, part(20, 1, true));
  shelf.Put(1, part(20, 0, false));
  shelf.Put(1, part(20, 0, false));
  shelf.Put(2, part(10, 0, true));
  found = shelf.Take();
  ASSERT_EQ(found.size(), 3u);
  EXPECT_EQ(found[0].round, 10);
  EXPECT_EQ(found[1].round, 20);
  EXPECT_EQ(found[2].part, 1u);
  EXPECT_TRUE(shelf.Take().empty());
}

}  // namespace
}  // namespace liveops::engine::oracle
