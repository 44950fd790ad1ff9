#include "services/rule-evaluation/service/snapshot_store.h"

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <utility>

#include "services/rule-evaluation/service/snapshot_port_for_tests.h"

namespace liveops::evaluation {
namespace {

Snapshot Make(std::int64_t epoch, std::int64_t offset, std::size_t size) {
  Snapshot s;
  s.position = {42, epoch, offset, epoch + 7};
  std::string& bytes = s.sections.emplace_back();
  for (std::size_t i = 0; i < size; ++i) {
    bytes.push_back(static_cast<char>((i * 31 + static_cast<std::size_t>(offset)) % 251));
  }
  return s;
}

Status Save(SnapshotStore& store, const Snapshot& s) {
  return store.Save(3, s.position, s.sections);
}

TEST(SnapshotStore, GivesBackWhatWasSaved) {
  MemoryPort port;
  SnapshotStore store(port);
  for (const std::size_t size : {std::size_t{0}, std::size_t{10}, SnapshotStore::kChunkBytes,
                                 SnapshotStore::kChunkBytes * 3 + 1}) {
    const Snapshot saved = Make(5, 100 + static_cast<std::int64_t>(size), size);
    ASSERT_TRUE(Save(store, saved).ok());
    const auto loaded = store.Load(3, 42);
    ASSERT_TRUE(loaded.ok()) << loaded.error().message;
    ASSERT_TRUE(loaded->has_value());
    EXPECT_EQ((*loaded)->sections, saved.sections);
    EXPECT_EQ((*loaded)->position.offset, saved.position.offset);
    EXPECT_EQ((*loaded)->position.epoch, 5);
    EXPECT_EQ((*loaded)->position.alarms_offset, 12);
  }
  EXPECT_LE(port.largest, 256u * 1024);
}

TEST(SnapshotStore, AbsentIsNotAnError) {
  MemoryPort port;
  const auto loaded = SnapshotStore(port).Load(3, 42);
  ASSERT_TRUE(loaded.ok());
  EXPECT_FALSE(loaded->has_value());
}

TEST(SnapshotStore, OldChunksGoWhenANewManifestStands) {
  MemoryPort port;
  SnapshotStore store(port);
  ASSERT_TRUE(Save(store, Make(5, 100, SnapshotStore::kChunkBytes * 2)).ok());
  ASSERT_TRUE(Save(store, Make(5, 200, 10)).ok());
  EXPECT_EQ(port.values.size(), 1u);
}

TEST(SnapshotStore, WhatDidNotChangeIsNotSentAgain) {
  MemoryPort port;
  SnapshotStore store(port);
  const auto save = [&](std::int64_t epoch, std::int64_t offset,
                        std::vector<std::string> sections) {
    return store.Save(3, {42, epoch, offset, 0}, sections);
  };
  ASSERT_TRUE(save(5, 100, {"head 1", "series", "service"}).ok());
  EXPECT_EQ(port.puts, 3);
  ASSERT_TRUE(save(5, 200, {"head 2", "series", "service"}).ok());
  EXPECT_EQ(port.puts, 4);
  EXPECT_EQ((*store.Load(3, 42))->sections,
            (std::vector<std::string>{"head 2", "series", "service"}));
  EXPECT_EQ(port.values.size(), 3u) << "the former head is gone";
  // Another owner's are its own, whatever stands there.
  ASSERT_TRUE(save(6, 300, {"head 2", "series", "service"}).ok());
  EXPECT_EQ(port.puts, 7);
  EXPECT_EQ(port.values.size(), 3u);
}

TEST(SnapshotStore, ChunksThatRedisLostAreSentAgain) {
  MemoryPort port;
  SnapshotStore store(port);
  ASSERT_TRUE(store.Save(3, {42, 5, 100, 0}, {"head", "series"}).ok());
  port.values.clear();
  port.manifests.clear();
  const Status lost = store.Save(3, {42, 5, 200, 0}, {"head", "series"});
  ASSERT_FALSE(lost.ok());
  EXPECT_EQ(lost.error().code, ErrorCode::kNotFound);
  ASSERT_TRUE(store.Save(3, {42, 5, 300, 0}, {"head", "series"}).ok());
  EXPECT_EQ((*store.Load(3, 42))->sections, (std::vector<std::string>{"head", "series"}));
}

TEST(SnapshotStore, AnOlderEpochOrOffsetNeverReplacesANewer) {
  MemoryPort port;
  SnapshotStore store(port);
  ASSERT_TRUE(Save(store, Make(5, 100, 10)).ok());
  const Status older = Save(store, Make(4, 900, 10));
  ASSERT_FALSE(older.ok());
  EXPECT_EQ(older.error().code, ErrorCode::kConflict);
  EXPECT_FALSE(Save(store, Make(5, 99, 10)).ok());
  EXPECT_TRUE(Save(store, Make(6, 50, 10)).ok()) << "a new owner that was rebuilt from the log";
  EXPECT_EQ((*store.Load(3, 42))->position.offset, 50);
  EXPECT_EQ(port.lasting.size(), 1u) << "refused chunks do not stay";
}

TEST(SnapshotStore, ASaveThatBreaksOffLeavesTheFormerOne) {
  MemoryPort port;
  SnapshotStore store(port);
  const Snapshot first = Make(5, 100, SnapshotStore::kChunkBytes * 2);
  ASSERT_TRUE(Save(store, first).ok());
  port.chunks_until_away = 1;
  EXPECT_FALSE(Save(store, Make(5, 200, SnapshotStore::kChunkBytes * 2)).ok());
  const auto loaded = store.Load(3, 42);
  ASSERT_TRUE(loaded.ok());
  EXPECT_EQ((*loaded)->sections, first.sections);
}

TEST(SnapshotStore, DamagedIncompleteAndForeignOnesAreRefusedAndRemoved) {
  const auto broken = [](auto damage, std::int64_t installation) {
    MemoryPort port;
    SnapshotStore store(port);
    EXPECT_TRUE(Save(store, Make(5, 100, SnapshotStore::kChunkBytes + 5)).ok());
    damage(port);
    const auto loaded = store.Load(3, installation);
    EXPECT_FALSE(loaded.ok());
    if (!loaded.ok()) {
      EXPECT_EQ(loaded.error().code, ErrorCode::kInvalid);
    }
    EXPECT_TRUE(port.manifests.empty());
  };
  broken([](MemoryPort& p) { p.values.begin()->second[7] ^= 1; }, 42);
  broken([](MemoryPort& p) { p.values.erase(p.values.begin()); }, 42);
  broken([](MemoryPort& p) { p.manifests.begin()->second.second = "?"; }, 42);
  broken([](MemoryPort&) {}, 43);
}

TEST(SnapshotStore, ASaveInTheMidstOfALoadIsFoundNotRemoved) {
  MemoryPort port;
  SnapshotStore store(port);
  ASSERT_TRUE(Save(store, Make(5, 100, SnapshotStore::kChunkBytes + 5)).ok());
  const Snapshot newer = Make(5, 200, SnapshotStore::kChunkBytes + 7);
  // The former owner's last one comes after we read the manifest, and takes the old chunks away.
  port.before_get = [&] { ASSERT_TRUE(Save(store, newer).ok()); };
  const auto loaded = store.Load(3, 42);
  ASSERT_TRUE(loaded.ok()) << loaded.error().message;
  ASSERT_TRUE(loaded->has_value());
  EXPECT_EQ((*loaded)->position.offset, 200);
  EXPECT_EQ((*loaded)->sections, newer.sections);
}

TEST(SnapshotStore, ASnapshotThatKeepsChangingIsTriedAgainLater) {
  MemoryPort port;
  SnapshotStore store(port);
  ASSERT_TRUE(Save(store, Make(5, 100, 10)).ok());
  std::int64_t offset = 100;
  std::function<void()> save = [&] {
    ASSERT_TRUE(Save(store, Make(5, ++offset, 10)).ok());
    port.before_get = save;
  };
  port.before_get = save;
  const auto loaded = store.Load(3, 42);
  ASSERT_FALSE(loaded.ok());
  EXPECT_EQ(loaded.error().code, ErrorCode::kUnavailable);
  port.before_get = nullptr;
  EXPECT_EQ((*store.Load(3, 42))->position.offset, offset) << "the newest is still there";
}

TEST(SnapshotStore, DropRemovesTheOneThatWasLoadedAndNoNewer) {
  MemoryPort port;
  SnapshotStore store(port);
  ASSERT_TRUE(Save(store, Make(5, 100, 10)).ok());
  const std::string first = (*store.Load(3, 42))->manifest;
  ASSERT_TRUE(Save(store, Make(5, 200, 10)).ok());
  ASSERT_TRUE(store.Drop(3, first).ok());
  const auto second = store.Load(3, 42);
  ASSERT_TRUE(second.ok() && second->has_value());
  EXPECT_EQ((*second)->position.offset, 200);
  ASSERT_TRUE(store.Drop(3, (*second)->manifest).ok());
  EXPECT_TRUE(port.manifests.empty());
  EXPECT_TRUE(port.values.empty());
}

TEST(SnapshotStore, AwayIsToldApartFromAbsent) {
  MemoryPort port;
  port.away = true;
  const auto loaded = SnapshotStore(port).Load(3, 42);
  ASSERT_FALSE(loaded.ok());
  EXPECT_EQ(loaded.error().code, ErrorCode::kUnavailable);
}

}  // namespace
}  // namespace liveops::evaluation
