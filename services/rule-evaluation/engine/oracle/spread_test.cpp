#include "services/rule-evaluation/engine/oracle/spread_for_tests.h"

namespace liveops::engine::oracle {
namespace {

SpreadConditions ConditionsOf(std::uint64_t seed) {
  SpreadConditions conditions;
  conditions.spread = 2 + static_cast<int>(seed % 3);
  return conditions;
}

const SpreadSeeds kSeeds{480,
                         ConditionsOf,
                         {{"firing crossed", 100},
                          {"resolved recovered", 50},
                          {"no_data silent", 5},
                          {"firing escalated", 5},
                          {"firing true", 1},
                          {"probe before the plan", 2},
                          {"crash", 20},
                          {"repeated", 1000}},
                         // Who has no observations let none of another shard stand; what left
                         // was missed again, or its words counted for longer.
                         {1552, 603, 782, 2495},
                         {16, 18, 47}};

class Spread : public ::testing::TestWithParam<std::uint64_t> {};

// To the millisecond and the record.
TEST_P(Spread, TellsWhatOneShardTells) { CheckPart(kSeeds, GetParam(), true); }

// When it is told differs then; what is told does not.
TEST_P(Spread, TellsTheSameWhereReadingsComeLater) { CheckPart(kSeeds, GetParam(), false); }

INSTANTIATE_TEST_SUITE_P(Seeded, Spread, ::testing::Range<std::uint64_t>(0, SpreadSeeds::kParts));

}  // namespace
}  // namespace liveops::engine::oracle
