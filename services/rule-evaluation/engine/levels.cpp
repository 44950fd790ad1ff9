// How bad an alarm is: each worse severity lives by the same rules as the alarm itself.
#include <algorithm>

#include "services/rule-evaluation/engine/state.h"

namespace liveops::engine {
namespace {

Verdict VerdictAt(const Judgement& j, std::size_t level) {
  const unsigned bit = 1u << level;
  return (j.levels_true & bit) != 0    ? Verdict::kTrue
         : (j.levels_false & bit) != 0 ? Verdict::kFalse
                                       : Verdict::kUnknown;
}

// A level of a flapping alarm is held as long as the alarm.
LifeRules RulesOf(const Rule& rule, const plan::Level& level, bool damped) {
  LifeRules rules;
  rules.op = level.op;
  rules.hold = level.hold;
  rules.clear = level.clear ? &*level.clear : nullptr;
  rules.keep = level.clear ? Duration(0) : rule.spec.keep_firing;
  if (damped && rule.spec.flapping) rules.keep = std::max(rules.keep, rule.spec.flapping->quiet);
  return rules;
}

}  // namespace

std::uint8_t LevelOf(const Group& group) {
  for (std::size_t i = group.levels.size(); i > 0; --i) {
    if (group.levels[i - 1].open()) return static_cast<std::uint8_t>(i);
  }
  return 0;
}

void CalmLevels(Group& group) {
  for (Life& level : group.levels) level = Life();
}

void HushLevels(Group& group, bool told) {
  for (Life& level : group.levels) {
    if (told && !level.open()) level = Life();
    level.clear_since = {};
  }
}

Stepped StepAlarm(const State& s, const Rule& rule, Group& group, const Judgement& j) {
  const LifeRules rules = rule.life_rules(j.test);
  Life& life = group.life;
  Stepped stepped{life.Step(rules, j, s.now()), group.level};
  if (life.state == AlarmState::kOk) {
    CalmLevels(group);
    return stepped;
  }
  bool reached = false;
  for (std::size_t i = 0; i < group.levels.size(); ++i) {
    const LifeRules own = RulesOf(rule, rule.spec.levels[i], life.damped);
    Judgement of_level = j;
    of_level.verdict = VerdictAt(j, i);
    if (group.levels[i].Step(own, of_level, s.now()) != Told::kFires) continue;
    reached = true;
    for (std::size_t k = 0; k < i; ++k) group.levels[k].FireNow(own, of_level, s.now());
  }
  const std::uint8_t level = LevelOf(group);
  // Who is as bad as that is bad at all, however long the alarm's own hold is.
  if (reached && life.state != AlarmState::kFiring) stepped.told = life.FireNow(rules, j, s.now());
  if (life.state != AlarmState::kFiring) return stepped;
  group.level = level;
  if (stepped.told == Told::kNothing && level != stepped.level_before) {
    ++life.step;
    const bool worse = level > stepped.level_before;
    worse ? life.Worsen(rules, s.now()) : life.Ease();
    stepped.told = worse ? Told::kEscalates : Told::kEases;
  }
  return stepped;
}

bool AmendLevels(const RuleSpec& before, bool same_condition, const RuleSpec& now, Group& group) {
  const auto index_of = [](const RuleSpec& spec, plan::Severity severity) {
    const auto it = std::find_if(spec.levels.begin(), spec.levels.end(),
                                 [&](const plan::Level& l) { return l.severity == severity; });
    return static_cast<std::size_t>(it - spec.levels.begin());
  };
  std::vector<Life> levels(now.levels.size());
  std::vector<Slots> slots(now.levels.size());
  for (std::size_t i = 0; i < levels.size(); ++i) {
    const std::size_t old = index_of(before, now.levels[i].severity);
    if (old == before.levels.size()) continue;
    const bool same = same_condition && before.levels[old] == now.levels[i];
    // One that is on its way under other words begins anew.
    if (!same && !group.levels[old].open()) continue;
    levels[i] = std::move(group.levels[old]);
    if (same) slots[i] = std::move(group.level_slots[old]);
    if (!same) levels[i].clear_since = {};
  }
  const bool told = group.life.open() && group.level > 0;
  const bool gone =
      told && index_of(now, before.levels[group.level - 1].severity) == now.levels.size();
  group.levels = std::move(levels);
  group.level_slots = std::move(slots);
  group.level = LevelOf(group);
  return gone;
}

void SetLevels(const Rule& rule, plan::Severity severity, Group& group) {
  group.level = 0;
  for (std::size_t i = 0; i < group.levels.size(); ++i) {
    group.levels[i] = Life();
    // Worse severities are lesser.
    if (rule.spec.levels[i].severity < severity) continue;
    group.level = static_cast<std::uint8_t>(i + 1);
    if (!group.life.open()) continue;
    group.levels[i].state = AlarmState::kFiring;
    group.levels[i].since = group.life.since;
    group.levels[i].state_since = group.life.state_since;
  }
}

}  // namespace liveops::engine
