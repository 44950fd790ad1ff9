// What the canonical form of a plan says is judged as the plan is: of random plans, edited at
// random, over random histories.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "common/plan/canonical_plan.h"
#include "common/plan/parse.h"
#include "services/rule-evaluation/engine/oracle/history.h"
#include "services/rule-evaluation/engine/shard.h"

namespace liveops::engine::oracle {
namespace {

// Checks that it says the same and is its own.
std::string CanonicalOf(const std::string& text) {
  const plan::ParseResult written = plan::Parse(text);
  EXPECT_TRUE(written.ok()) << text;
  std::string canonical = plan::CanonicalText(written.plan);
  const plan::ParseResult read = plan::Parse(canonical);
  for (const plan::Problem& problem : read.problems)
    ADD_FAILURE() << problem.ToString("canonical") << "\n" << canonical;
  EXPECT_TRUE(plan::Sorted(written.plan) == read.plan) << text << canonical;
  EXPECT_EQ(plan::CanonicalText(read.plan), canonical);
  return canonical;
}

std::string Line(const Transition& t) {
  return fmt::format("{} {} {} {} of {}{} {} {} to {} peak {} since {} at {} of record {}: {}",
                     Hex(TransitionId(t)), t.alarm_id, AlarmStateName(t.state), t.reason,
                     t.threshold, t.unit, t.value, t.value_low, t.value_high, t.peak, ToMs(t.since),
                     ToMs(t.window_end), t.source_offset, t.expression);
}

// In which order the alarms are told that one record moves goes by their order in the file.
std::vector<std::string> Lines(const std::vector<Transition>& told) {
  std::vector<std::string> lines;
  for (const Transition& t : told) lines.push_back(Line(t));
  std::sort(lines.begin(), lines.end());
  return lines;
}

std::vector<std::string> Stand(const Shard& shard) {
  std::vector<std::string> lines;
  for (const AlarmView& v : shard.Alarms()) {
    lines.push_back(fmt::format("{} {} {}: {}", v.alarm_id, AlarmStateName(v.state), v.expression,
                                v.explanation));
  }
  std::sort(lines.begin(), lines.end());
  return lines;
}

struct Seen {
  int plans = 0;
  std::size_t transitions = 0;
};

void ExpectTheSameOfTheCanonicalForm(const History& history, Seen& seen) {
  Shard written{TimeMap{}, ShardLimits{}};
  Shard canonical{TimeMap{}, ShardLimits{}};
  RecordMaker maker;
  std::int64_t offset = 0;
  for (const HistoryRecord& record : history.records) {
    RecordView view = maker.Make(history, record, offset++);
    std::vector<Transition> a;
    std::vector<Transition> b;
    written.Apply(view, a);
    std::string text;
    if (auto* plan = std::get_if<PlanActivationView>(&view.body)) {
      text = CanonicalOf(std::string(plan->text));
      plan->text = text;
      ++seen.plans;
    }
    canonical.Apply(view, b);
    seen.transitions += a.size();
    ASSERT_EQ(Lines(a), Lines(b)) << "seed " << history.seed << "\n" << text;
  }
  EXPECT_EQ(Stand(written), Stand(canonical)) << "seed " << history.seed;
}

TEST(CanonicalForms, OfRandomPlansAreJudgedAsThePlansAre) {
  Seen seen;
  for (std::uint64_t seed = 1; seed <= 60 && !HasFatalFailure(); ++seed) {
    ExpectTheSameOfTheCanonicalForm(MakeHistory(seed), seen);
    ExpectTheSameOfTheCanonicalForm(MakeOddHistory(seed), seen);
  }
  EXPECT_GT(seen.plans, 150);
  EXPECT_GT(seen.transitions, 500u);
}

}  // namespace
}  // namespace liveops::engine::oracle
