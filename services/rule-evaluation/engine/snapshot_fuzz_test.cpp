#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/bytes.h"
#include "common/base/hash.h"
#include "services/rule-evaluation/engine/busy_log.h"
#include "services/rule-evaluation/engine/shard.h"

namespace liveops::engine {
namespace {

using testing::Held;

std::string Sealed(const std::string& bytes) {
  ByteWriter sum;
  sum.Fixed64(Xxh64(bytes));
  return bytes + sum.Take();
}

// A section with other bytes and a check sum that fits them: what gets past the sum.
std::string Mutated(const std::string& section, std::mt19937_64& random) {
  std::string bytes = section.substr(0, section.size() - 8);
  const auto below = [&](std::size_t n) { return static_cast<std::size_t>(random() % n); };
  for (std::size_t changes = 1 + below(3); changes > 0 && !bytes.empty(); --changes) {
    const std::size_t at = below(bytes.size());
    switch (below(5)) {
      case 0:
        bytes[at] = static_cast<char>(bytes[at] ^ (1 << below(8)));
        break;
      case 1:
        bytes[at] = static_cast<char>(random());
        break;
      case 2:
        bytes.resize(at);
        break;
      case 3:
        bytes.erase(at, 1 + below(9));
        break;
      default:
        bytes.insert(at, bytes.substr(below(bytes.size()), 1 + below(9)));
        break;
    }
  }
  return Sealed(bytes);
}

// LIVEOPS_FUZZ_SECONDS: how long to go on instead of a fixed number of rounds.
bool GoOn(int round, std::chrono::steady_clock::time_point begin) {
  const char* seconds = std::getenv("LIVEOPS_FUZZ_SECONDS");
  if (seconds == nullptr) return round < 400;
  return std::chrono::steady_clock::now() - begin < std::chrono::seconds(std::atoi(seconds));
}

TEST(SnapshotFuzz, WhateverGetsPastTheCheckSumIsRefusedOrRuns) {
  const std::deque<Held> records = testing::BusyLog();
  std::vector<std::vector<std::string>> snapshots;
  std::vector<std::size_t> cuts = {3, records.size() / 2, records.size() - 80};
  {
    Shard shard({}, {});
    std::vector<Transition> out;
    for (std::size_t i = 0; i < records.size(); ++i) {
      for (const std::size_t cut : cuts) {
        if (i == cut) snapshots.push_back(shard.Sections());
      }
      shard.Apply(records[i].view, out);
    }
  }
  int restored = 0;
  const auto begin = std::chrono::steady_clock::now();
  for (int round = 0; GoOn(round, begin); ++round) {
    std::mt19937_64 random(static_cast<std::uint64_t>(round));
    const std::size_t which = random() % snapshots.size();
    std::vector<std::string> sections = snapshots[which];
    std::string& section = sections[random() % sections.size()];
    section = Mutated(section, random);
    auto shard =
        Shard::Restore(std::vector<std::string_view>(sections.begin(), sections.end()), {}, {});
    if (!shard.ok()) continue;
    ++restored;
    std::vector<Transition> out;
    for (std::size_t i = cuts[which]; i < records.size(); ++i) shard->Apply(records[i].view, out);
    (void)shard->Alarms();
    EXPECT_FALSE(shard->Sections().empty());
  }
  EXPECT_GT(restored, 10) << "so that what gets past is tried";
}

// Found by make fuzz: they were taken, and the next point of the distribution wrote beyond them.
TEST(SnapshotFuzz, PanesOfADistributionThatDoNotAscendAreRefused) {
  testing::Script script;
  script.plans["p"] = testing::One("slow", "p95(took) in ms > 100ms");
  script.text =
      "plan -2min p\nseries O observation took unit=ms\n0s..1min every 2s: O=50\nend 62s\n";
  std::string fault;
  Shard shard({}, {});
  std::vector<Transition> out;
  for (const Held& record : testing::ReadScript(script, fault)) shard.Apply(record.view, out);
  ASSERT_EQ(fault, "");
  std::vector<std::string> sections = shard.Sections();
  const auto restored = [&] {
    return Shard::Restore(std::vector<std::string_view>(sections.begin(), sections.end()), {}, {})
        .ok();
  };
  ASSERT_TRUE(restored());
  const auto index = [](std::int64_t second) {
    ByteWriter out_of;
    out_of.Signed((testing::kNine + second * 1000) / 2000);
    return out_of.Take();
  };
  std::string bytes = sections.back().substr(0, sections.back().size() - 8);
  const std::size_t at = bytes.find(index(30));
  ASSERT_NE(at, std::string::npos);
  bytes.replace(at, index(30).size(), index(10));
  sections.back() = Sealed(bytes);
  EXPECT_FALSE(restored());
}

}  // namespace
}  // namespace liveops::engine
