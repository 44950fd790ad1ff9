// "A slice is judged when it is over, as a whole: good, bad, or neither where nothing is known of
// it; the alarms look at what part of those that were one or the other was bad."
#include <algorithm>

#include "common/plan/burn.h"
#include "services/rule-evaluation/engine/oracle/oracle.h"

namespace liveops::engine::oracle {

// Whose slices the alarm counts.
const Watch* Oracle::JudgeOf(const Watch& watch) const {
  if (!watch.of_slices) return nullptr;
  const auto judges = [&](const auto& other) {
    return other != nullptr && other->slice > 0 && other->alarm.slo == watch.alarm.slo;
  };
  const auto it = std::find_if(watches_.begin(), watches_.end(), judges);
  return it == watches_.end() ? nullptr : it->get();
}

// In the order of their ends, and a slice before the alarms that count it.
void Oracle::JudgeSliced() {
  while (true) {
    Watch* next = nullptr;
    for (const auto& watch : watches_) {
      if (watch->slice == 0 && !watch->of_slices) continue;
      const std::int64_t end = watch->judged + watch->StepMs();
      if (end > time_.now() - LatenessOf(*watch)) continue;
      const bool sooner = next == nullptr || end < next->judged + next->StepMs() ||
                          (end == next->judged + next->StepMs() && watch->slice > next->slice);
      if (sooner) next = watch.get();
    }
    if (next == nullptr) return;
    next->slice > 0 ? CloseSlice(*next) : JudgeStep(*next);
  }
}

void Oracle::CloseSlice(Watch& judge) {
  judge.judged += judge.slice;
  DropAllGauges(judge);
  std::vector<Truth> tests;
  for (std::size_t t = 0; t < judge.tests(); ++t)
    tests.push_back(DecideSlice(judge, t, judge.judged));
  const Truth good = Joined(judge.when(), tests);
  if (good != Truth::kUnknown) CountSlice(judge, judge.judged, good == Truth::kFalse);
}

// Reading: what is not wholly known, or misses somebody, is neither good nor bad: more could turn
// it either way. How few the events are does not matter.
Truth Oracle::DecideSlice(const Watch& judge, std::size_t test, std::int64_t end) const {
  const GroupBook& group = *judge.groups.front();
  const Amount amount = Measure(judge, group, test, {end - judge.slice, end, judge.slice}, false);
  const bool whole = end - judge.slice >= std::max({judge.born, hard_from_, soft_from_});
  if (!amount.known || !whole || Missing(judge, group, test, end)) return Truth::kUnknown;
  const plan::Test& t = judge.test(test);
  const double value = AtThreshold(amount.value, t.threshold);
  return plan::Holds(value, t.op, t.threshold) ? Truth::kTrue : Truth::kFalse;
}

// Reading: it counts as a whole where it ends.
void Oracle::CountSlice(const Watch& judge, std::int64_t end, bool bad) {
  std::map<std::string, Points::Ref> said;
  for (const auto& watch : watches_) {
    if (JudgeOf(*watch) != &judge) continue;
    for (std::size_t t = 0; t < watch->tests(); ++t) {
      for (std::size_t o = 0; o < 2; ++o) {
        const std::string name = plan::CanonicalSeries(watch->test(t).measure.operands[o]);
        const std::size_t series = points_.Own(name);
        if (!said.contains(name))
          said[name] = points_.Say(series, end, o == 1 || bad ? 1 : 0, time_.now());
        const auto same = [&](const MemberBook& m) {
          return m.series == series && m.test == t && m.operand == o;
        };
        auto m = std::find_if(watch->members.begin(), watch->members.end(), same);
        if (m == watch->members.end())
          m = watch->members.insert(m, {series, t, o, Labels(), false, {}});
        m->points.push_back(said[name].point);
      }
    }
    watch->groups.front()->asleep = false;
  }
}

std::map<std::string, Finding> Oracle::Budgets() const {
  std::map<std::string, Finding> budgets;
  for (const auto& watch : watches_) {
    if (plan::IsBudget(watch->alarm)) budgets[watch->alarm.name] = watch->groups.front()->last;
  }
  return budgets;
}

}  // namespace liveops::engine::oracle
