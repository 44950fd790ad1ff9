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
    std::vector<Transition> out;
    for (std::size_t i = from; i < to; ++i) {
      shard.Apply(maker_.Make(history_, history_.records[i], static_cast<std::int64_t>(i)), out);
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

  // A new owner with the last two hours before the end; gives what is said of the alarms.
  std::string Rebuild(std::deque<Rollup> rollups, std::int64_t from_minute,
                      std::uint64_t* whole = nullptr) {
    Shard shard({}, {});
    const std::string text = history_.PlanText(history_.records.front());
    shard.StartAt({{"shop", 1, text}});
    shard.Await(std::move(rollups));
    Play(shard, At(from_minute), size());
    EXPECT_EQ(shard.rollups_awaited(), 0u);
    if (whole != nullptr) *whole = shard.rules_made_whole();
    return Words(shard);
  }
  std::string Straight() {
    Shard shard({}, {});
    Play(shard, 0, size());
    return Words(shard);
  }

 private:
  History history_;
  RecordMaker maker_;
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

  Player near(Counters("ratio(c1, c0) by pod over 1h > 1%", 2, 150));
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

// After a refusal silence proves nothing: one that last spoke before the replay began is missing.
TEST(RollupParts, AShortWindowMissesWhomTheReplayDidNotHear) {
  History h = Counters("ratio(c1, c0) over 10min > 1%", 3, 250);
  for (HistoryRecord& record : h.records) {
    std::erase_if(record.points,
                  [&](const HistoryPoint& p) { return p.series >= 4 && p.time > 20 * kMinute; });
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

TEST(RollupParts, WhatIsNotWholeIsNotBelieved) {
  Player player(Counters(kLong, 300, 250));
  Shard shard({}, {});
  std::vector<Rollup> parts = player.Play(shard, 0, player.size());
  std::uint64_t whole = 0;
  EXPECT_THAT(player.Rebuild(WholeOf(parts), 130, &whole), Not(HasSubstr(kNotKnown)));
  EXPECT_EQ(whole, 1u);

  // The newest round is that of the fourth hour, and no other lies within the replay that begins
  // after the third.
  const std::int64_t newest = parts.back().round;
  std::vector<Rollup> cut;
  for (const Rollup& part : parts) {
    if (part.round == newest && part.part != 3) cut.push_back(part);
  }
  EXPECT_TRUE(WholeOf(cut).empty()) << "a part is missing";

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
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0].round, 20);
  EXPECT_EQ(found[1].part, 1u);
  EXPECT_TRUE(shelf.Take().empty());
}

}  // namespace
}  // namespace liveops::engine::oracle
