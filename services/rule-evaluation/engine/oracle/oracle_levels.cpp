// "One alarm has several severities": each is a threshold of the same value, and lives by the
// alarm's own rules.
#include <algorithm>

#include "services/rule-evaluation/engine/oracle/oracle.h"

namespace liveops::engine::oracle {
namespace {

// The worst that is reached; none = no level is.
std::optional<plan::Severity> Worst(const Watch& watch, const GroupBook& group) {
  for (std::size_t i = group.levels.size(); i > 0; --i) {
    if (group.levels[i - 1].life.open()) return watch.alarm.levels[i - 1].severity;
  }
  return std::nullopt;
}

}  // namespace

std::optional<Word> Oracle::Step(const Watch& watch, GroupBook& group, const Finding& f) const {
  std::optional<Word> word = group.life.Judge(watch.Rules(f.shown), f, time_.now());
  if (group.life.state == AlarmState::kOk) {
    for (LevelBook& level : group.levels) level.life = AlarmLife();
    return word;
  }
  if (const auto reached = StepLevels(watch, group, f); reached && !word) word = reached;
  // Reading: how bad it is is told while it fires; else when it does again.
  if (group.life.state != AlarmState::kFiring) return word;
  const std::optional<plan::Severity> now = Worst(watch, group);
  const plan::Severity before = group.told.value_or(watch.alarm.severity);
  const plan::Severity after = now.value_or(watch.alarm.severity);
  const bool changed = now != group.told;
  group.told = now;
  if (word || !changed) return word;
  ++group.life.step;
  // A worse severity is the lesser number.
  if (after < before) group.life.Worsen(watch.Rules(f.shown), time_.now());
  if (after > before) group.life.eased = true;
  return Word{AlarmState::kFiring, after < before ? "escalated" : "eased", before};
}

// "What reaches a level has reached those below it, the alarm itself included."
std::optional<Word> Oracle::StepLevels(const Watch& watch, GroupBook& group,
                                       const Finding& f) const {
  bool news = false;
  for (std::size_t i = 0; i < group.levels.size(); ++i) {
    Finding own = f;
    own.truth = f.levels[i];
    AlarmLife& life = group.levels[i].life;
    const bool reached = life.open();
    life.Judge(watch.RulesOfLevel(i, group.life.flaps), own, time_.now());
    if (reached || !life.open()) continue;
    news = true;
    for (std::size_t k = 0; k < i; ++k)
      group.levels[k].life.Reach(watch.RulesOfLevel(k, group.life.flaps), own, time_.now());
  }
  if (!news) return std::nullopt;
  return group.life.Reach(watch.Rules(f.shown), f, time_.now());
}

// "An edit of the plan that removes the level told eases at once."
// Reading: unless what is left is as bad; and where the plan calls it worse now, it has become so.
std::optional<Word> Oracle::Regrade(const Watch& old, const Watch& fresh, GroupBook& group) const {
  std::vector<LevelBook> levels(fresh.alarm.levels.size());
  bool stays = !group.told;
  for (std::size_t i = 0; i < levels.size(); ++i) {
    const plan::Level& level = fresh.alarm.levels[i];
    for (std::size_t k = 0; k < group.levels.size(); ++k) {
      const plan::Level& was = old.alarm.levels[k];
      if (was.severity != level.severity) continue;
      stays |= group.told == level.severity;
      const bool same = old.when() == fresh.when() && was == level;
      if (!same && !group.levels[k].life.open()) continue;  // it is on its way under other words
      levels[i] = group.levels[k];
      if (!same) levels[i].life.clear_since.reset();
      if (!same) levels[i].slots.clear();
    }
  }
  group.levels = std::move(levels);
  if (stays) return std::nullopt;
  const plan::Severity before = *group.told;
  group.told = Worst(fresh, group);
  const plan::Severity after = group.told.value_or(fresh.alarm.severity);
  if (!group.life.open() || after == before) return std::nullopt;
  return Word{group.life.state, after < before ? "escalated" : "eased", before};
}

}  // namespace liveops::engine::oracle
