#include <gtest/gtest.h>

#include <cstdint>
#include <cstdlib>
#include <string>

#include "services/rule-evaluation/engine/oracle/comparison.h"
#include "services/rule-evaluation/engine/oracle/history.h"

namespace liveops::engine::oracle {
namespace {

// LIVEOPS_SEED=7 replays one history, LIVEOPS_SEED=2000-3000 many.
constexpr const char* kReplay = "LIVEOPS_SEED";
constexpr std::uint64_t kSeeds = 1000;
constexpr std::uint64_t kParts = 10;

void ExpectAgreement(std::uint64_t seed, std::size_t& told) {
  const History history = MakeHistory(seed);
  const Comparison comparison = Compare(history);
  told += comparison.told;
  if (comparison.ok()) return;
  const History least = Minimise(history);
  FAIL() << "seed " << seed << ": " << comparison.difference << "\nThe same of less:\n"
         << least.ToString() << Compare(least).difference << "\nAgain: " << kReplay << "=" << seed
         << " liveops_engine_oracle_test";
}

class Histories : public ::testing::TestWithParam<std::uint64_t> {};

TEST_P(Histories, AgreeWithANaiveEvaluator) {
  if (std::getenv(kReplay) != nullptr) GTEST_SKIP() << "only " << kReplay << " is played";
  std::size_t told = 0;
  for (std::uint64_t i = 0; i < kSeeds / kParts; ++i) {
    ExpectAgreement(GetParam() * (kSeeds / kParts) + i + 1, told);
    if (HasFatalFailure()) return;
  }
  EXPECT_GT(told, 1000u) << "the histories tell too little";
}

INSTANTIATE_TEST_SUITE_P(Seeded, Histories, ::testing::Range<std::uint64_t>(0, kParts));

TEST(HistoryOfOneSeed, Replayed) {
  const char* replay = std::getenv(kReplay);
  if (replay == nullptr) GTEST_SKIP() << "no " << kReplay;
  char* end = nullptr;
  const std::uint64_t first = std::strtoull(replay, &end, 10);
  const std::uint64_t last = *end == '-' ? std::strtoull(end + 1, nullptr, 10) : first;
  std::size_t told = 0;
  for (std::uint64_t seed = first; seed <= last; ++seed) {
    ExpectAgreement(seed, told);
    if (HasFatalFailure()) return;
  }
}

}  // namespace
}  // namespace liveops::engine::oracle
