#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "services/rule-evaluation/engine/oracle/history_probes.h"
#include "services/rule-evaluation/engine/oracle/spread_run.h"

// For the tests of this folder: seeded histories on several shards against one that sees all.
namespace liveops::engine::oracle {

// A test's seeds, in so many parts, each a case of its own.
struct SpreadSeeds {
  static constexpr std::uint64_t kParts = 8;

  std::uint64_t count = 0;
  std::function<SpreadConditions(std::uint64_t seed)> conditions;
  std::map<std::string, std::size_t> wanted;  // what each part sees at least so often
  std::vector<std::uint64_t> guarded;         // others, of the first part: they differed once
  std::vector<std::uint64_t> churned;         // likewise, and pods come and go in them
};

// LIVEOPS_SEED=7 replays one history, LIVEOPS_SEED=2000-3000 many; with --gtest_filter='*/0'.
// LIVEOPS_CHURN=1: pods come and go in each of them.
inline void CheckPart(const SpreadSeeds& seeds, std::uint64_t part, bool at_once) {
  std::map<std::string, std::size_t> saw;
  bool churn = false;
  const auto check = [&](std::uint64_t seed) {
    SpreadConditions conditions = seeds.conditions(seed);
    conditions.at_once = at_once;
    conditions.seed = seed;
    conditions.crashes = seed % 2 == 0;
    History history = Tamed(churn ? MakeHistoryWithChurn(seed) : MakeHistory(seed));
    if (conditions.others.empty()) history = WithProbes(std::move(history));
    const SpreadComparison c =
        CompareSpread(at_once ? history : WithoutFlapping(history), conditions);
    for (const auto& [what, times] : c.saw) saw[what] += times;
    if (!c.ok()) {
      ADD_FAILURE() << "seed " << seed << (churn ? " with churn: " : ": ") << c.difference;
    }
  };
  if (const char* replay = std::getenv("LIVEOPS_SEED")) {
    churn = std::getenv("LIVEOPS_CHURN") != nullptr;
    char* end = nullptr;
    const std::uint64_t first = std::strtoull(replay, &end, 10);
    const std::uint64_t last = *end == '-' ? std::strtoull(end + 1, nullptr, 10) : first;
    for (std::uint64_t seed = first; part == 0 && seed <= last; ++seed) check(seed);
    return;
  }
  const std::uint64_t of_part = seeds.count / SpreadSeeds::kParts;
  for (std::uint64_t i = 1; i <= of_part; ++i) check(part * of_part + i);
  if (part == 0) std::for_each(seeds.guarded.begin(), seeds.guarded.end(), check);
  churn = true;
  if (part == 0) std::for_each(seeds.churned.begin(), seeds.churned.end(), check);
  for (const auto& [what, times] : seeds.wanted) EXPECT_GE(saw[what], times) << what;
}

}  // namespace liveops::engine::oracle
