#include <algorithm>
#include <cmath>

#include "services/rule-evaluation/engine/merged.h"
#include "services/rule-evaluation/engine/readings.h"
#include "services/rule-evaluation/engine/slices.h"
#include "services/rule-evaluation/engine/state.h"

namespace liveops::engine {
namespace {

void Note(State& s, Group& group, const Judgement& j, AlarmState before, Told told) {
  const bool told_any = told != Told::kNothing || group.life.state != before;
  const bool differs = j.why != group.last.why || j.verdict != group.last.verdict;
  const bool aged = j.at - group.told >= Duration(s.Scaled(2000)) &&
                    !(j.value == group.last.value && group.life.state == AlarmState::kOk);
  Judgement kept = j;
  if (std::isnan(kept.value) && !std::isnan(group.last.value)) {
    kept.value = group.last.value;  // the last known one, for people
    kept.low = group.last.low;
    kept.high = group.last.high;
    kept.test = group.last.test;
    if (std::isnan(j.compared.now)) kept.compared = group.last.compared;
  }
  group.last = kept;
  if (told_any || differs || aged) {
    group.told = j.at;
    MarkChanged(s, group);
  }
}

struct Words {
  AlarmState state;
  const char* reason;
};

Words WordsFor(Told told) {
  switch (told) {
    case Told::kFires:
      return {AlarmState::kFiring, "crossed"};
    case Told::kRecovers:
      return {AlarmState::kResolved, "recovered"};
    case Told::kFallsSilent:
      return {AlarmState::kNoData, "silent"};
    case Told::kReturnsFiring:
      return {AlarmState::kFiring, "returned"};
    case Told::kReturnsResolved:
      return {AlarmState::kResolved, "returned"};
    case Told::kEscalates:
      return {AlarmState::kFiring, "escalated"};
    case Told::kEases:
      return {AlarmState::kFiring, "eased"};
    case Told::kGone:
    case Told::kNothing:
      break;
  }
  return {AlarmState::kGone, "gone"};
}

void TellIf(State& s, const Rule& rule, const Group& group, const Stepped& stepped,
            const Judgement& j, std::vector<Transition>& out) {
  const Told told = stepped.told;
  if (told == Told::kNothing) return;
  const Words words = WordsFor(told);
  const bool flaps = group.life.damped && group.life.step == 0;
  out.push_back(Tell(s, rule, group, words.state, flaps ? "flapping" : words.reason, j));
  if (told == Told::kEscalates || told == Told::kEases) {
    out.back().severity_before = rule.spec.SeverityAt(stepped.level_before);
  }
}

// Will what was rolled up take the place of what is known of the windows? Then what is judged until
// then moves no alarm: how each stood is in the log, or comes with the rest.
bool AwaitsRound(const Rule& rule) {
  return rule.rolls && rule.rolls->awaited && rule.role == Role::kWhole;
}

// No value, and the silence is proven. True when the group is no more.
bool FallSilent(State& s, Rule& rule, Group& group, Judgement& j, std::vector<Transition>& out) {
  const AlarmState before = group.life.state;
  const bool awaits = AwaitsRound(rule);
  bool leaves = Leaves(s, rule, group, ToMs(j.at)) && !(awaits && group.life.open());
  Told told = Told::kNothing;
  const LifeRules rules = rule.life_rules(0);
  const bool fires = rule.spec.no_data == plan::NoData::kFire;
  if (awaits) {
    leaves = leaves && !fires;
  } else if (fires || group.life.damped) {
    HushLevels(group, fires);
  }
  if (fires && !awaits) {
    if (!group.life.open()) {
      CalmLevels(group);
      group.level = 0;
    }
    told = group.life.FallSilent(rules, j.at, s.now());
    leaves = false;
  } else if (!awaits) {
    group.life.Hush(rules);
  }
  if (leaves) {
    told = group.life.Leave(j.at);
    CalmLevels(group);
    j.value = group.last.value;  // what it was when it left
  }
  TellIf(s, rule, group, {told, 0}, j, out);
  Note(s, group, j, before, told);
  if (leaves && rule.home) Depart(s, rule, group, ToMs(j.at));
  if (leaves && !group.labels.empty()) {
    RemoveGroup(s, rule, group);
    return true;
  }
  if (leaves) DropEveryMember(s, rule, group);  // not what they said in the past
  if (group.life.state == AlarmState::kOk && !rule.calls_roll) Deactivate(rule, group);
  return false;
}

// The series without which the group has no value.
struct Primaries {
  bool any = false;
  bool spoke = false;  // one had a point that came in time
  bool absent = true;  // proven
};

Primaries PrimariesOf(const MergedStep& step, const Rule& rule, const Group& group) {
  // Who says nothing may have some that speak.
  Primaries found{step.untold, step.untold, !step.untold};
  const std::vector<MergedStore>& own = step.Of(group).own;
  for (std::size_t i = 0; i < own.size() && i < rule.tests(); ++i) {
    if (!own[i].primary) continue;
    found.any = true;
    found.spoke = found.spoke || own[i].spoke;
    found.absent = found.absent && own[i].absent;
  }
  return found;
}

Primaries PrimariesOf(const State& s, const Rule& rule, const Group& group, std::int64_t end_ms) {
  Primaries found;
  if (s.merged != nullptr) return PrimariesOf(*s.merged, rule, group);
  group.ForEachMember([&](const Cells& cells, const Member& member) {
    if (cells.test >= rule.tests()) return;
    if (!IsPrimary(rule.test(cells.test).measure, member.operand)) return;
    found.any = true;
    found.spoke = found.spoke || member.newest.ms != INT64_MIN;
    found.absent = found.absent && Absent(s, rule, cells, member, end_ms);
  });
  for (const auto& cells : group.own) {
    if (!cells || cells->roll.empty()) continue;
    const Reading count = CountReporters(s, rule, *cells, end_ms);
    found.any = found.any || count.known;
    found.spoke = found.spoke || count.known;
    found.absent = found.absent && count.high == 0;
  }
  return found;
}

// Of series that are named, but did not speak since the rule began, no silence is proven: what they
// said before is not in its windows.
bool IsSilent(const State& s, const Rule& rule, const Group& group, const Primaries& primaries,
              std::int64_t end_ms) {
  return primaries.spoke ? primaries.absent : NoneReturned(s, rule, group, end_ms);
}

// Which groups have the greatest values; of equal ones, whose labels come first. One whose value is
// not known, while its silence is not proven, may be among them.
void RankGroups(const State& s, const Rule& rule, std::int64_t end_ms) {
  struct Ranked {
    double value;
    Group* group;
  };
  std::vector<Ranked> ranked;
  std::size_t unknown = 0;
  bool whole = true;
  for (Group* group : rule.active) {
    group->standing = Verdict::kUnknown;
    const RankValue found = ValueForRank(s, rule, *group, end_ms);
    if (found.value) {
      ranked.push_back({*found.value, group});
      whole = whole && found.whole;
    } else if (found.why != Why::kNoEvents &&
               !IsSilent(s, rule, *group, PrimariesOf(s, rule, *group, end_ms), end_ms)) {
      ++unknown;
    }
  }
  std::sort(ranked.begin(), ranked.end(), [](const Ranked& a, const Ranked& b) {
    return a.value != b.value ? a.value > b.value : a.group->labels < b.group->labels;
  });
  const auto top = static_cast<std::size_t>(rule.spec.when.top);
  const bool room = ranked.size() + unknown <= top;  // for all
  for (std::size_t i = 0; i < ranked.size(); ++i) {
    // A rank among values of windows that are known in part says nothing.
    if (!whole && !room) continue;
    if (i >= top) ranked[i].group->standing = Verdict::kFalse;
    if (i + 1 + unknown <= top) ranked[i].group->standing = Verdict::kTrue;
  }
}

}  // namespace

void JudgeGroup(State& s, Rule& rule, Group& group, std::int64_t end_ms,
                std::vector<Transition>& out) {
  ++s.counters.judgements;
  for (const auto& cells : group.own) {
    if (cells) DropAbsentGauges(s, rule, *cells, end_ms);
  }
  Judgement j = Decide(s, rule, group, end_ms, false);
  const bool no_value = std::isnan(j.value) && j.verdict == Verdict::kUnknown;
  Primaries primaries;
  if (no_value) {
    primaries = PrimariesOf(s, rule, group, end_ms);
    const bool counts = primaries.any && j.why == Why::kNoEvents;
    if (!counts && IsSilent(s, rule, group, primaries, end_ms)) {
      j.why = Why::kSilent;
      FallSilent(s, rule, group, j, out);
      return;
    }
  }
  const AlarmState before = group.life.state;
  Stepped stepped{Told::kNothing, 0};
  if (!AwaitsRound(rule)) stepped = StepAlarm(s, rule, group, j);
  TellIf(s, rule, group, stepped, j, out);
  Note(s, group, j, before, stepped.told);
  if (no_value && !primaries.any && group.life.state == AlarmState::kOk && !rule.calls_roll) {
    Deactivate(rule, group);  // until a series feeds it
  }
}

// A probe is told once: when it is true for a wholly fresh window, or when its time is over.
bool JudgeProbe(State& s, Rule& rule, std::int64_t end_ms, std::vector<Transition>& out) {
  const Probe& probe = *rule.probe;
  const Instant end = InstantFromMs(end_ms);
  const bool fresh = end - Duration(rule.longest_window_ms()) >= probe.started;
  const bool over = end >= probe.started + probe.within;
  if (!fresh && !over) return false;
  if (rule.groups.empty()) GroupFor(s, rule, {});
  bool all = true;
  Group* shown = nullptr;
  Judgement shown_j;
  for (const auto& [key, group] : rule.groups) {
    const Judgement j = Decide(s, rule, *group, end_ms, false);
    const bool holds = fresh && j.verdict == Verdict::kTrue;
    if (shown == nullptr || (all && !holds)) {
      shown = group.get();
      shown_j = j;
    }
    all = all && holds;
    ++s.counters.judgements;
  }
  if (shown == nullptr || (!all && !over)) return false;
  shown->life.since = end;
  shown->life.peak = shown_j.value;
  out.push_back(Tell(s, rule, *shown, all ? AlarmState::kFiring : AlarmState::kResolved,
                     all ? "true" : "timed_out", shown_j));
  return true;
}

namespace {

void JudgeSteps(State& s, Rule& rule, std::vector<Transition>& out) {
  const std::int64_t target = sketch::LastEnded(s.now_ms() - LatenessOf(s, rule), rule.step_ms);
  if (rule.judged < target) BeforeService(s, rule.service);
  while (rule.judged < target) {
    const std::int64_t step = rule.judged + 1;
    rule.judged = step;
    const std::int64_t end_ms = step * rule.step_ms;
    if (rule.role == Role::kSource && rule.spec.judges()) {
      if (!TellStep(s, rule, step)) continue;
      RemoveRule(s, *s.services[rule.service], rule);
      return;
    }
    if (rule.probe) {
      if (!JudgeProbe(s, rule, end_ms, out)) continue;
      RemoveRule(s, *s.services[rule.service], rule);
      return;
    }
    if (rule.spec.judges_slices()) {
      JudgeSlice(s, rule, end_ms);
      break;  // what reads it is due before the next
    }
    for (const auto& shared : rule.shared) {
      for (const auto& [key, cells] : shared) DropAbsentGauges(s, rule, *cells, end_ms);
    }
    if (rule.spec.when.top > 0) RankGroups(s, rule, end_ms);
    const std::vector<Group*> groups = rule.active;
    for (Group* group : groups) JudgeGroup(s, rule, *group, end_ms, out);
    if (rule.spec.of_slices) break;  // a slice may be over before the next step is
  }
  Schedule(s, rule);
}

}  // namespace

void JudgeDue(State& s, std::vector<Transition>& out) {
  const std::int64_t now = s.now_ms();
  if (now < s.frozen_until_ms) return;
  while (!s.due.empty() && s.due.begin()->at_ms <= now) JudgeSteps(s, *s.due.begin()->rule, out);
}

void JudgeTouched(State& s, std::vector<Transition>& out) {
  if (!s.limits.eager) s.touched.clear();
  std::sort(s.touched.begin(), s.touched.end(), [](const auto& a, const auto& b) {
    return a.first->number != b.first->number ? a.first->number < b.first->number
                                              : a.second->number < b.second->number;
  });
  for (const auto& [rule, group] : s.touched) {
    if (rule->probe || rule->role != Role::kWhole || rule->spec.judges_slices()) continue;
    if (AwaitsRound(*rule)) continue;
    std::int64_t newest_ms = kLongAgo;
    bool upward = false;
    for (const auto& cells : group->own) {
      if (!cells || cells->touched != s.position) continue;
      newest_ms = std::max(newest_ms, cells->touched_to_ms);
      upward |= plan::IsUpward(rule->test(cells->test).op);
    }
    if (!upward) continue;
    ++s.counters.judgements;
    const Judgement j = Decide(s, *rule, *group, newest_ms, true);
    if (j.verdict != Verdict::kTrue) continue;
    const AlarmState before = group->life.state;
    const Stepped stepped = StepAlarm(s, *rule, *group, j);
    TellIf(s, *rule, *group, stepped, j, out);
    Note(s, *group, j, before, stepped.told);
  }
  s.touched.clear();
}

}  // namespace liveops::engine
