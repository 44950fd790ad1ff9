#include <gtest/gtest.h>

#include <cstdint>
#include <cstdlib>
#include <map>
#include <string>

#include "services/rule-evaluation/engine/oracle/spread_run.h"

// Conditions over several services (ADR 11), each on a shard of its own, against one naive
// evaluator that sees everything.
namespace liveops::engine::oracle {
namespace {

constexpr std::uint64_t kParts = 8;
constexpr std::uint64_t kSeeds = 400;

// LIVEOPS_SEED=7 replays one history, LIVEOPS_SEED=2000-3000 many; with --gtest_filter='*/0'.
constexpr const char* kReplay = "LIVEOPS_SEED";

using Saw = std::map<std::string, std::size_t>;

void Check(std::uint64_t seed, bool at_once, Saw& saw) {
  SpreadConditions conditions;
  conditions.at_once = at_once;
  conditions.seed = seed;
  conditions.crashes = seed % 2 == 0;
  conditions.others = Apart({"payments", "stock", "mail", "search", "media"});
  conditions.others.resize(1 + seed % 2);
  const History history = Tamed(MakeHistory(seed));
  const SpreadComparison c =
      CompareSpread(at_once ? history : WithoutFlapping(history), conditions);
  for (const auto& [what, times] : c.saw) saw[what] += times;
  if (!c.ok()) ADD_FAILURE() << "seed " << seed << ": " << c.difference;
}

class SeveralServices : public ::testing::TestWithParam<std::uint64_t> {};

void CheckAll(std::uint64_t part, bool at_once) {
  Saw saw;
  if (const char* replay = std::getenv(kReplay)) {
    char* end = nullptr;
    const std::uint64_t first = std::strtoull(replay, &end, 10);
    const std::uint64_t last = *end == '-' ? std::strtoull(end + 1, nullptr, 10) : first;
    for (std::uint64_t seed = first; part == 0 && seed <= last; ++seed) Check(seed, at_once, saw);
    return;
  }
  const std::uint64_t first = part * (kSeeds / kParts) + 1;
  for (std::uint64_t seed = first; seed < first + kSeeds / kParts; ++seed) {
    Check(seed, at_once, saw);
  }
  const Saw wanted{{"firing crossed", 60}, {"resolved recovered", 30}, {"crash", 20},
                   {"repeated", 500},      {"over several", 5},        {"over another", 20}};
  for (const auto& [what, times] : wanted) EXPECT_GE(saw[what], times) << what;
}

// To the millisecond.
TEST_P(SeveralServices, TellWhatOneThatSeesAllTells) { CheckAll(GetParam(), true); }

// When it is told differs then; what is told does not.
TEST_P(SeveralServices, TellTheSameWhereReadingsComeLater) { CheckAll(GetParam(), false); }

INSTANTIATE_TEST_SUITE_P(Seeded, SeveralServices, ::testing::Range<std::uint64_t>(0, kParts));

}  // namespace
}  // namespace liveops::engine::oracle
