#include "services/rule-evaluation/engine/oracle/spread_for_tests.h"

// Conditions over several services (ADR 11), each on a shard of its own, against one naive
// evaluator that sees everything.
namespace liveops::engine::oracle {
namespace {

SpreadConditions ConditionsOf(std::uint64_t seed) {
  SpreadConditions conditions;
  conditions.others = Apart({"payments", "stock", "mail", "search", "media"});
  conditions.others.resize(1 + seed % 2);
  return conditions;
}

const SpreadSeeds kSeeds{400,
                         ConditionsOf,
                         {{"firing crossed", 60},
                          {"resolved recovered", 30},
                          {"crash", 20},
                          {"repeated", 500},
                          {"over several", 5},
                          {"over another", 20}},
                         // The window of an earlier time was longer than the one now.
                         {2493, 782, 2495},
                         {47}};

class SeveralServices : public ::testing::TestWithParam<std::uint64_t> {};

// To the millisecond.
TEST_P(SeveralServices, TellWhatOneThatSeesAllTells) { CheckPart(kSeeds, GetParam(), true); }

// When it is told differs then; what is told does not.
TEST_P(SeveralServices, TellTheSameWhereReadingsComeLater) { CheckPart(kSeeds, GetParam(), false); }

INSTANTIATE_TEST_SUITE_P(Seeded, SeveralServices,
                         ::testing::Range<std::uint64_t>(0, SpreadSeeds::kParts));

}  // namespace
}  // namespace liveops::engine::oracle
