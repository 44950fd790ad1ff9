#include <gtest/gtest.h>

#include <cstdint>
#include <cstdlib>
#include <map>
#include <string>

#include "services/rule-evaluation/engine/oracle/comparison.h"
#include "services/rule-evaluation/engine/oracle/history.h"

namespace liveops::engine::oracle {
namespace {

constexpr std::uint64_t kSeeds = 1000;
constexpr std::uint64_t kParts = 5;

// Other seeds than the test's own: LIVEOPS_SEED=7 replays one history, LIVEOPS_SEED=2000-3000 many;
// with --gtest_filter='*/0'.
constexpr const char* kReplay = "LIVEOPS_SEED";

using Saw = std::map<std::string, std::size_t>;

void ExpectAgreement(std::uint64_t seed, Saw& saw) {
  const History history = MakeHistory(seed);
  const Comparison comparison = Compare(history);
  for (const auto& [what, times] : comparison.saw) saw[what] += times;
  if (comparison.ok()) return;
  const History least = Minimise(history);
  FAIL() << "seed " << seed << ": " << comparison.difference << "\nThe same of less:\n"
         << least.ToString() << Compare(least).difference << "\nAgain: " << kReplay << "=" << seed
         << " liveops_engine_oracle_test --gtest_filter='*/0'";
}

void ExpectAgreementOf(std::uint64_t first, std::uint64_t last, Saw& saw) {
  for (std::uint64_t seed = first; seed <= last && !::testing::Test::HasFatalFailure(); ++seed)
    ExpectAgreement(seed, saw);
}

class Histories : public ::testing::TestWithParam<std::uint64_t> {};

TEST_P(Histories, AgreeWithANaiveEvaluator) {
  Saw saw;
  if (const char* replay = std::getenv(kReplay)) {
    char* end = nullptr;
    const std::uint64_t first = std::strtoull(replay, &end, 10);
    const std::uint64_t last = *end == '-' ? std::strtoull(end + 1, nullptr, 10) : first;
    if (GetParam() == 0) ExpectAgreementOf(first, last, saw);
    return;
  }
  const std::uint64_t first = GetParam() * (kSeeds / kParts) + 1;
  ExpectAgreementOf(first, first + kSeeds / kParts - 1, saw);
  if (HasFatalFailure()) return;
  // Histories in which little happens would agree with anything.
  const Saw wanted{{"firing crossed", 200},
                   {"resolved recovered", 100},
                   {"no_data silent", 10},
                   {"firing returned", 3},
                   {"resolved returned", 5},
                   {"gone gone", 1},
                   {"gone decommissioned", 5},
                   {"withdrawn removed", 5},
                   {"firing escalated", 10},
                   {"firing eased", 10},
                   {"firing flapping", 2},
                   {"firing overflow", 2},
                   {"late", 50},
                   {"too few report", 3},
                   {"enough report again", 1},
                   {"distinct crossed", 5},
                   {"topk crossed", 2},
                   {"repeated", 50},
                   {"from the future", 10},
                   {"a budget burns", 1},
                   {"a budget of slices burns", 2},
                   {"slices were counted", 40},
                   {"some were bad", 30},
                   {"some were neither", 15}};
  for (const auto& [what, times] : wanted) EXPECT_GE(saw[what], times) << what;
}

INSTANTIATE_TEST_SUITE_P(Seeded, Histories, ::testing::Range<std::uint64_t>(0, kParts));

}  // namespace
}  // namespace liveops::engine::oracle
