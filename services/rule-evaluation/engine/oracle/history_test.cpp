#include <gtest/gtest.h>

#include <cstdint>
#include <cstdlib>
#include <initializer_list>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/labels.h"
#include "services/rule-evaluation/engine/oracle/comparison.h"
#include "services/rule-evaluation/engine/oracle/history.h"
#include "services/rule-evaluation/engine/oracle/history_silence.h"

namespace liveops::engine::oracle {
namespace {

constexpr std::uint64_t kSeeds = 1000;
constexpr std::uint64_t kParts = 5;

// Other seeds than the test's own: LIVEOPS_SEED=7 replays one history, LIVEOPS_SEED=2000-3000 many;
// with --gtest_filter='Seeded/Histories.*/0', or 'Seeded/OddHistories.*/0'.
constexpr const char* kReplay = "LIVEOPS_SEED";

using Saw = std::map<std::string, std::size_t>;

using Maker = History (*)(std::uint64_t seed);

void ExpectAgreement(std::uint64_t seed, Maker make, Saw& saw) {
  const History history = make(seed);
  const Comparison comparison = Compare(history);
  for (const auto& [what, times] : comparison.saw) saw[what] += times;
  std::int64_t spoke = 0;
  for (const HistoryRecord& record : history.records) {
    if (record.kind != HistoryRecord::Kind::kBatch) continue;
    saw["an hour of silence"] += record.at - spoke > 3'600'000 ? 1 : 0;
    spoke = record.at;
  }
  if (comparison.ok()) return;
  const History least = Minimise(history);
  FAIL() << "seed " << seed << ": " << comparison.difference << "\nThe same of less:\n"
         << least.ToString() << Compare(least).difference << "\nAgain: " << kReplay << "=" << seed
         << " liveops_engine_oracle_test --gtest_filter='"
         << (make == MakeHistory ? "Seeded/Histories" : "Seeded/OddHistories") << ".*/0'";
}

void ExpectAgreementOf(std::uint64_t first, std::uint64_t last, Maker make, Saw& saw) {
  for (std::uint64_t seed = first; seed <= last && !::testing::Test::HasFatalFailure(); ++seed)
    ExpectAgreement(seed, make, saw);
}

// False when the environment asks for none.
bool Replays(std::uint64_t part, Maker make) {
  const char* replay = std::getenv(kReplay);
  if (replay == nullptr) return false;
  char* end = nullptr;
  const std::uint64_t first = std::strtoull(replay, &end, 10);
  const std::uint64_t last = *end == '-' ? std::strtoull(end + 1, nullptr, 10) : first;
  Saw saw;
  if (part == 0) ExpectAgreementOf(first, last, make, saw);
  return true;
}

class Histories : public ::testing::TestWithParam<std::uint64_t> {};

TEST_P(Histories, AgreeWithANaiveEvaluator) {
  if (Replays(GetParam(), MakeHistory)) return;
  Saw saw;
  // Here the window of an earlier time was a little longer than the one now.
  if (GetParam() == 0) {
    for (const std::uint64_t seed : {2493, 6845, 7457})
      ExpectAgreementOf(seed, seed, MakeHistory, saw);
  }
  const std::uint64_t first = GetParam() * (kSeeds / kParts) + 1;
  ExpectAgreementOf(first, first + kSeeds / kParts - 1, MakeHistory, saw);
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
                   {"an hour of silence", 1},
                   {"forgotten", 30},
                   {"a budget burns", 1},
                   {"a budget of slices burns", 2},
                   {"slices were counted", 40},
                   {"some were bad", 30},
                   {"some were neither", 15}};
  for (const auto& [what, times] : wanted) EXPECT_GE(saw[what], times) << what;
}

constexpr std::uint64_t kOddSeeds = 200;

// Windows that are not thirty panes of whole seconds (ADR 15), and the corners of the table of
// aggregates (docs/language.md).
class OddHistories : public ::testing::TestWithParam<std::uint64_t> {};

TEST_P(OddHistories, AgreeWithANaiveEvaluator) {
  if (Replays(GetParam(), MakeOddHistory)) return;
  Saw saw;
  const std::uint64_t first = GetParam() * (kOddSeeds / kParts) + 1;
  ExpectAgreementOf(first, first + kOddSeeds / kParts - 1, MakeOddHistory, saw);
  if (HasFatalFailure()) return;
  const Saw wanted{{"firing crossed", 50}, {"resolved recovered", 25}};
  for (const auto& [what, times] : wanted) EXPECT_GE(saw[what], times) << what;
}

// Gauges g, and ticks until `end`.
History OfPods(std::initializer_list<const char*> pods, std::int64_t end) {
  History h;
  for (const char* pod : pods) {
    HistorySeries s;
    s.name = pod;
    s.metric = "g";
    s.label_pairs = {{"pod", pod}};
    s.labels = Labels(s.label_pairs).Encode();
    s.fingerprint = FingerprintOf(std::vector<std::string_view>{s.metric, s.labels});
    h.series.push_back(s);
  }
  for (std::int64_t at = 0; at <= end; at += 250) {
    HistoryRecord tick;
    tick.at = at;
    tick.instance = "i";
    h.records.push_back(tick);
  }
  return h;
}

// A record at `at`: of each series the time of a point.
void Say(History& h, std::int64_t at, std::vector<std::pair<std::size_t, std::int64_t>> points) {
  HistoryRecord batch;
  batch.kind = HistoryRecord::Kind::kBatch;
  batch.at = at;
  batch.emitter = "e";
  for (const auto& [series, time] : points) batch.points.push_back({series, time, 0, 1, {}, {}});
  h.records.push_back(batch);
}

// What was on its way when it left says of a series that nobody reads that it did.
TEST(HistoriesByHand, WhoLeftIsKnownWithAndWithoutARestart) {
  History h = OfPods({"a"}, 20'000);
  Say(h, 5100, {{0, 5000}});
  HistoryRecord marker;
  marker.kind = HistoryRecord::Kind::kDecommission;
  marker.at = 12'100;
  marker.pairs = {{"pod", "a"}};
  h.records.push_back(marker);
  Say(h, 13'100, {{0, 11'000}});
  SortByTime(h);
  h.records[40].restart = true;
  const Comparison comparison = Compare(h);
  EXPECT_TRUE(comparison.ok()) << comparison.difference;
}

// Found by seed 8129 of an earlier generator. At 57 s b leaves the present alone, and returns with
// a point that is a repeat; at 177 s it leaves the past, and at 209 s speaks again.
TEST(HistoriesByHand, WhoLeftThePastAloneIsInItAgain) {
  History h = OfPods({"a", "b"}, 345'000);
  HistoryRecord plan;
  plan.kind = HistoryRecord::Kind::kPlan;
  plan.version = 1;
  plan.alarms = {
      "{name: x, when: 'distinct(g, pod) over 10s > 150% compared to 2min ago', severity: low, "
      "owner: on-call, no_data: fire}"};
  h.records.push_back(plan);
  Say(h, 45'300, {{0, 44'500}, {1, 45'000}});
  Say(h, 47'300, {{0, 47'050}, {1, 46'800}});
  Say(h, 64'000, {{1, 46'800}});
  Say(h, 210'400, {{0, 209'600}, {1, 209'400}});
  Say(h, 330'000, {{0, 329'800}, {1, 329'900}});
  SortByTime(h);
  const Comparison comparison = Compare(h);
  EXPECT_TRUE(comparison.ok()) << comparison.difference;
  EXPECT_EQ(comparison.saw.count("firing crossed"), 0u) << "as many as two minutes ago";
  EXPECT_GT(comparison.saw.count("resolved returned"), 0u);
}

INSTANTIATE_TEST_SUITE_P(Seeded, Histories, ::testing::Range<std::uint64_t>(0, kParts));
INSTANTIATE_TEST_SUITE_P(Seeded, OddHistories, ::testing::Range<std::uint64_t>(0, kParts));

}  // namespace
}  // namespace liveops::engine::oracle
