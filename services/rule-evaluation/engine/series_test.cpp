#include "services/rule-evaluation/engine/series.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <random>
#include <vector>

namespace liveops::engine {
namespace {

using ::testing::ElementsAre;

std::string BytesOf(const SeriesTable& table) {
  ByteWriter out;
  table.WriteFree(out);
  table.WriteBlock(0, UINT32_MAX, out);
  return out.Take();
}

bool Reload(SeriesTable& table, const std::string& bytes) {
  ByteReader in(bytes);
  return table.ReadFree(in) && table.ReadBlock(0, UINT32_MAX, in) && in.AtEnd() && table.Complete();
}

// Against a map, with fingerprints that crowd into few places of the index and into none.
TEST(SeriesTable, FindsWhatWasAddedAndNotRemoved) {
  for (const std::uint64_t crowd : {std::uint64_t{7}, std::uint64_t{500}, UINT64_MAX}) {
    std::mt19937_64 random(crowd);
    SeriesTable table;
    std::map<Fingerprint, std::uint32_t> known;
    const auto any = [&] { return Fingerprint{random() % 300, random() % crowd}; };
    for (int i = 0; i < 20'000; ++i) {
      const Fingerprint fingerprint = any();
      const auto it = known.find(fingerprint);
      ASSERT_EQ(table.Find(fingerprint), it == known.end() ? SeriesTable::kNone : it->second);
      if (it != known.end() && random() % 2 == 0) {
        table.Remove(it->second);
        known.erase(it);
      } else if (it == known.end()) {
        const std::uint32_t next = table.NextId();
        known[fingerprint] = table.Add(fingerprint, SeriesKind::kGauge, 3);
        ASSERT_EQ(known[fingerprint], next);
      }
      ASSERT_EQ(table.size(), known.size());
    }
    for (const auto& [fingerprint, id] : known) {
      ASSERT_EQ(table.Find(fingerprint), id);
      ASSERT_EQ(table.at(id).fingerprint, fingerprint);
    }
    EXPECT_GT(known.size(), 50u);
  }
}

// Spans are reckoned from these times, and doubled: beyond our reach they would overflow.
TEST(SeriesTable, TimesBeyondAllReachAreNotReadBack) {
  for (const std::int64_t far : {std::int64_t{4'791'316'487'298'271'520}, INT64_MIN}) {
    for (std::int64_t Series::*const time :
         {&Series::last_ms, &Series::last_start_ms, &Series::seen_ms, &Series::unusable_ms}) {
      SeriesTable table;
      Series& series = table.at(table.Add({1, 2}, SeriesKind::kGauge, 0));
      SeriesTable good;
      EXPECT_TRUE(Reload(good, BytesOf(table)));
      series.*time = far;
      SeriesTable bad;
      EXPECT_FALSE(Reload(bad, BytesOf(table))) << far;
    }
  }
}

TEST(SeriesTable, FindsARecordsSeriesInAnyOrder) {
  SeriesTable table;
  std::vector<SeriesView> views(1000);
  for (std::uint64_t i = 0; i < views.size(); ++i) {
    views[i].fingerprint = {i, i * 0x9e37'79b9'7f4a'7c15u};
    if (i % 3 != 0) table.Add(views[i].fingerprint, SeriesKind::kGauge, 0);
  }
  std::mt19937_64 random(1);
  for (int round = 0; round < 5; ++round) {
    const auto found = table.FindAll(views);
    ASSERT_EQ(found.size(), views.size());
    for (std::size_t i = 0; i < views.size(); ++i) {
      ASSERT_EQ(found[i], table.Find(views[i].fingerprint)) << i;
      ASSERT_EQ(found[i] == SeriesTable::kNone, views[i].fingerprint.hi % 3 == 0);
    }
    std::shuffle(views.begin(), views.end(), random);
    if (round == 3) views.resize(5);
  }
  EXPECT_TRUE(table.FindAll({}).empty());
}

TEST(SeriesTable, NumbersAreUsedAgainAndSeriesStayWhereTheyAre) {
  SeriesTable table;
  for (std::uint64_t i = 0; i < 600; ++i) table.Add({1, i}, SeriesKind::kGauge, 0);
  Series* const kept = &table.at(300);
  table.at(10).labels = "of the one before";
  table.at(10).feeds.push_back({});
  table.at(10).members = 2;
  table.Remove(10);
  table.Remove(400);
  EXPECT_FALSE(table.Has(10));
  EXPECT_FALSE(table.Has(600));
  EXPECT_EQ(table.Add({2, 1}, SeriesKind::kObservation, 5), 400u);
  EXPECT_EQ(table.Add({2, 2}, SeriesKind::kObservation, 5), 10u);
  EXPECT_EQ(table.at(10).labels, "");
  EXPECT_TRUE(table.at(10).feeds.empty());
  EXPECT_EQ(table.at(10).members, 0u);
  for (std::uint64_t i = 0; i < 5000; ++i) table.Add({3, i}, SeriesKind::kGauge, 0);
  EXPECT_EQ(&table.at(300), kept);
  std::uint32_t expected = 0;
  table.ForEach([&](std::uint32_t id, const Series&) { EXPECT_EQ(id, expected++); });
  EXPECT_EQ(expected, 5600u);
}

Series& Filled(SeriesTable& table) {
  Series& series = table.at(table.Add({7, 8}, SeriesKind::kHistogramCumulative, 2));
  for (const std::int64_t t : {1000, 6000, 11'000, 17'000}) series.Seen(t, t - 500);
  series.labels = "labels";
  series.slowest = Protocol::kRemoteWrite;
  series.gap = 4;
  for (const std::int64_t start : {100, 200, 300}) {
    const std::size_t i = series.AddStream(start, start + 5000, 8);
    series.stream(i).value = 1.5;
    if (start != 200) series.buckets(i) = {1, 2, static_cast<std::uint64_t>(start)};
  }
  return series;
}

TEST(SeriesTable, ComesBackFromItsBytes) {
  SeriesTable table;
  Filled(table);
  for (std::uint64_t i = 0; i < 400; ++i) table.Add({1, i}, SeriesKind::kGauge, 0);
  table.Remove(3);
  table.Remove(9);
  const std::string bytes = BytesOf(table);
  SeriesTable again;
  ASSERT_TRUE(Reload(again, bytes));
  EXPECT_EQ(BytesOf(again), bytes);
  const std::uint32_t id = again.Find({7, 8});
  ASSERT_NE(id, SeriesTable::kNone);
  EXPECT_EQ(again.at(id).Interval(), 5000);
  EXPECT_EQ(again.at(id).stream_count, 3);
  EXPECT_EQ(again.at(id).stream(2).start_ms, 300);
  EXPECT_THAT(again.at(id).buckets(2), ElementsAre(1, 2, 300));
  EXPECT_TRUE(again.at(id).buckets(1).empty());
  EXPECT_EQ(again.Add({9, 9}, SeriesKind::kGauge, 0), 9u);
}

TEST(SeriesTable, RefusesASeriesThatStandsThereTwice) {
  SeriesTable table;
  table.Add({1, 1}, SeriesKind::kGauge, 0);
  table.Add({1, 2}, SeriesKind::kGauge, 0);
  std::string bytes = BytesOf(table);
  const std::string second("\x02\0\0\0\0\0\0\0", 8);
  bytes[bytes.find(second)] = 1;
  SeriesTable again;
  EXPECT_FALSE(Reload(again, bytes));
}

TEST(Series, TheStreamThatWasSilentLongestMakesRoom) {
  Series series;
  for (const std::int64_t last : {50, 20, 40}) {
    const std::size_t i = series.AddStream(last + 1000, last, 3);
    series.buckets(i) = {static_cast<std::uint64_t>(last)};
  }
  EXPECT_EQ(series.AddStream(9000, 60, 3), 2u);
  EXPECT_EQ(series.stream_count, 3);
  EXPECT_EQ(series.stream(0).last_ms, 50);
  EXPECT_EQ(series.stream(1).last_ms, 40);
  EXPECT_EQ(series.stream(2).last_ms, 60);
  EXPECT_THAT(series.buckets(0), ElementsAre(50));
  EXPECT_THAT(series.buckets(1), ElementsAre(40));
  EXPECT_TRUE(series.buckets(2).empty());
  // The first itself, and of a counter, which keeps no buckets.
  Series counter;
  for (const std::int64_t last : {10, 20, 30}) counter.AddStream(last + 1000, last, 3);
  EXPECT_EQ(counter.AddStream(9000, 40, 3), 2u);
  EXPECT_EQ(counter.stream(0).last_ms, 20);
  EXPECT_EQ(counter.stream(2).start_ms, 9000);
  counter.ForgetBaseline();
  EXPECT_EQ(counter.stream_count, 0);
  EXPECT_EQ(counter.AddStream(1, 2, 3), 0u);
  EXPECT_EQ(counter.stream(0).value, 0);
}

TEST(FeedList, KeepsItsOrder) {
  FeedList feeds;
  EXPECT_TRUE(feeds.empty());
  for (std::uint32_t i = 0; i < 100; ++i) feeds.push_back({nullptr, nullptr, i});
  ASSERT_EQ(feeds.size(), 100u);
  std::uint32_t expected = 0;
  for (const Feed& feed : feeds) EXPECT_EQ(feed.member, expected++);
  feeds.clear();
  EXPECT_TRUE(feeds.empty());
  feeds.push_back({nullptr, nullptr, 5});
  EXPECT_EQ(feeds.begin()->member, 5u);
}

}  // namespace
}  // namespace liveops::engine
