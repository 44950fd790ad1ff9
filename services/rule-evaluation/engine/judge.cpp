#include <algorithm>
#include <cmath>

#include "services/rule-evaluation/engine/state.h"

namespace liveops::engine {
namespace {

// A by-group of counters whose every series was silent for so long has left.
constexpr std::int64_t kForgottenMs = 3'600'000;
// The series of an alarm that was taken over are given at least so long to come back.
constexpr std::int64_t kReturnMs = 120'000;

// From when on everything is known that the rule's windows want.
std::int64_t KnownFrom(const State& s, const Rule& rule) {
  return std::max({rule.born_ms, s.hard_from_ms, s.soft_from_ms});
}

// Silence of this member counts as absence from here on.
std::int64_t AbsentAfter(const State& s, const Rule& rule, const Member& member) {
  const std::int64_t interval = s.series.at(member.series).Interval();
  return std::max(rule.window_ms(),
                  member.cell == Cell::kGauge ? 3 * interval : (5 * interval + 1) / 2);
}

// Was there, since then, a reason for which points may be missing?
bool Doubted(const State& s, const Rule& rule, std::int64_t since_ms) {
  return !s.presence.Proves(s.map.ToReal(InstantFromMs(since_ms))) ||
         s.services[rule.service]->refused_ms > since_ms;
}

bool Absent(const State& s, const Rule& rule, const Member& member, std::int64_t end_ms) {
  const std::int64_t after = AbsentAfter(s, rule, member);
  if (end_ms - std::max(member.newest_ms, kLongAgo) < after) return false;
  return s.series.at(member.series).unusable_ms <= end_ms - after &&
         !Doubted(s, rule, end_ms - after);
}

// An open alarm was taken over, and none of its series came since though it could have.
bool NoneReturned(const State& s, const Rule& rule, const Group& group, std::int64_t end_ms) {
  if (!group.life.open()) return false;
  // One that was refused for want of room may be among them.
  if (s.series.size() >= s.limits.series_max) return false;
  const std::int64_t after = std::max({rule.window_ms(), group.silence_ms, kReturnMs});
  return end_ms - std::max(group.taken_over_ms, rule.born_ms) >= after &&
         !Doubted(s, rule, end_ms - after);
}

// A "false" that rests on fewer series than there should be is no "false".
bool MissesSomebody(const State& s, const Rule& rule, const Group& group, std::int64_t end_ms) {
  const bool doubted = Doubted(s, rule, end_ms - rule.window_ms());
  for (const Member& member : group.members) {
    const Series& series = s.series.at(member.series);
    const std::int64_t silence = end_ms - std::max(member.newest_ms, kLongAgo);
    const bool unusable = series.unusable_ms > end_ms - rule.window_ms();
    if (member.cell == Cell::kGauge) {
      // Its reading counts for the window or two intervals; later it has left, if that is proven.
      if (silence >= std::max(rule.window_ms(), 2 * series.Interval())) return true;
    } else if ((doubted || unusable) && 2 * silence >= 5 * series.Interval()) {
      return true;
    }
  }
  return false;
}

Judgement Decide(const State& s, const Rule& rule, const Group& group, std::int64_t pane, Reading r,
                 bool eager) {
  Judgement j;
  const plan::Condition& when = rule.spec.when;
  const std::int64_t end_ms = pane * rule.pane_ms;
  const std::int64_t begin_ms = end_ms - rule.window_ms();
  const std::int64_t known_from = KnownFrom(s, rule);
  const bool whole = begin_ms >= known_from;
  const bool crossed = plan::Holds(r.value, when.op, when.threshold);
  // A short stall alone does not make an estimate worthless.
  bool believed = whole || (Upward(when.op) && begin_ms >= std::max(s.hard_from_ms, rule.born_ms));
  if (crossed && !believed && TrueStays(rule)) {
    // Of a window that is known in part only what really came counts, nothing extrapolated.
    const Reading sure = Measure(s, rule, group, pane, true);
    believed = sure.known && plan::Holds(sure.value, when.op, when.threshold);
    if (believed) r = sure;
  }
  j.eager = eager;
  j.at = InstantFromMs(eager ? group.touched_to_ms : end_ms);
  j.value = r.value;
  j.low = r.low;
  j.high = r.high;
  j.points = r.points;
  j.why = Why::kJudged;
  if (crossed) {
    const bool events = when.measure.denominator || !group.distributions[0].empty();
    const bool few =
        events && r.points + 1e-6 < rule.spec.min_count &&
        (when.measure.denominator || when.measure.value.aggregate == plan::Aggregate::kQuantile ||
         when.measure.value.aggregate == plan::Aggregate::kAvg);
    j.verdict = few || !believed ? Verdict::kUnknown : Verdict::kTrue;
    if (few) j.why = Why::kTooFew;
    if (!believed) j.why = Why::kNotCovered;
    return j;
  }
  // What first became true after everything is known is judged by the same knowledge.
  const Life& life = group.life;
  const bool idle = life.state == AlarmState::kOk;
  if (!idle && !whole && ToMs(life.since) < known_from) {
    j.why = Why::kNotCovered;
  } else if (!idle && !eager && MissesSomebody(s, rule, group, end_ms)) {
    j.why = Why::kQuiet;
  } else {
    j.verdict = Verdict::kFalse;
  }
  return j;
}

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
    case Told::kGone:
    case Told::kNothing:
      break;
  }
  return {AlarmState::kGone, "gone"};
}

void TellIf(State& s, const Rule& rule, const Group& group, Told told, const Judgement& j,
            std::vector<Transition>& out) {
  if (told == Told::kNothing) return;
  const Words words = WordsFor(told);
  out.push_back(Tell(s, rule, group, words.state, words.reason, j));
}

// Does a group whose silence is proven leave? Gauges do. What counts or observes may have nothing
// to say: it leaves late, and only where label values tell it apart.
bool Leaves(const Rule& rule, const Group& group, std::int64_t end_ms) {
  const bool apart = !rule.spec.when.by.empty();
  if (group.members.empty()) {
    // What its series were can only be told from the condition.
    const plan::Measure& measure = rule.spec.when.measure;
    const plan::Aggregate aggregate = measure.value.aggregate;
    const bool may_be_gauge =
        !measure.denominator && CellFor(aggregate, SeriesKind::kGauge) == Cell::kGauge;
    if (may_be_gauge && aggregate == plan::Aggregate::kLast) return true;
    return (apart || may_be_gauge) &&
           end_ms - std::max(group.taken_over_ms, rule.born_ms) >= kForgottenMs;
  }
  const auto all = [&](auto f) {
    return std::all_of(group.members.begin(), group.members.end(), f);
  };
  if (all([](const Member& m) { return m.cell == Cell::kGauge; })) return true;
  return apart && all([&](const Member& m) {
           return end_ms - std::max(m.newest_ms, kLongAgo) >= kForgottenMs;
         });
}

// No value, and the silence is proven. True when the group is no more.
bool FallSilent(State& s, Rule& rule, Group& group, Judgement& j, std::vector<Transition>& out) {
  const AlarmState before = group.life.state;
  bool leaves = Leaves(rule, group, ToMs(j.at));
  Told told = Told::kNothing;
  if (rule.spec.no_data == plan::NoData::kFire) {
    told = group.life.FallSilent(j.at, s.now());
    leaves = false;
  } else if (leaves) {
    told = group.life.Leave(j.at);
    j.value = group.last.value;  // what it was when it left
  }
  TellIf(s, rule, group, told, j, out);
  Note(s, group, j, before, told);
  if (leaves && !group.labels.empty()) {
    RemoveGroup(s, rule, group);
    return true;
  }
  if (leaves) {
    while (!group.members.empty()) DropMember(s, rule, group, group.members.size() - 1);
  }
  if (group.life.state == AlarmState::kOk) {
    group.active = false;
    rule.active.erase(&group);
  }
  return false;
}

// Gauges whose silence is proven leave, as long as others stay.
void DropAbsentGauges(State& s, Rule& rule, Group& group, std::int64_t end_ms) {
  if (group.members.size() < 2) return;
  const auto leaves = [&](const Member& m) {
    return m.cell == Cell::kGauge && Absent(s, rule, m, end_ms);
  };
  if (std::all_of(group.members.begin(), group.members.end(), leaves)) return;
  for (std::size_t i = group.members.size(); i-- > 0;) {
    if (leaves(group.members[i])) DropMember(s, rule, group, i);
  }
}

void JudgeGroup(State& s, Rule& rule, Group& group, std::int64_t pane,
                std::vector<Transition>& out) {
  ++s.counters.judgements;
  const std::int64_t end_ms = pane * rule.pane_ms;
  DropAbsentGauges(s, rule, group, end_ms);
  const Reading r = Measure(s, rule, group, pane, false);
  if (r.known) {
    const Judgement j = Decide(s, rule, group, pane, r, false);
    const AlarmState before = group.life.state;
    const Told told = group.life.Step(rule.life_rules(), j, s.now());
    TellIf(s, rule, group, told, j, out);
    Note(s, group, j, before, told);
    return;
  }
  Judgement j;
  j.at = InstantFromMs(end_ms);
  j.points = r.points;
  j.why = r.no_events ? Why::kNoEvents : group.members.empty() ? Why::kNoPoints : Why::kQuiet;
  bool any = false;
  bool absent = !r.no_events;
  for (const Member& member : group.members) {
    if (member.operand != rule.primary()) continue;
    any = true;
    absent = absent && Absent(s, rule, member, end_ms);
  }
  if (any ? absent : NoneReturned(s, rule, group, end_ms)) {
    j.why = Why::kSilent;
    FallSilent(s, rule, group, j, out);
    return;
  }
  group.life.Step(rule.life_rules(), j, s.now());
  Note(s, group, j, group.life.state, Told::kNothing);
  if (!any && group.life.state == AlarmState::kOk) {
    group.active = false;
    rule.active.erase(&group);
  }
}

// A probe is told once: when it is true for a wholly fresh window, or when its time is over. True
// when it is over.
bool JudgeProbe(State& s, Rule& rule, std::int64_t pane, std::vector<Transition>& out) {
  const Probe& probe = *rule.probe;
  const Instant end = InstantFromMs(pane * rule.pane_ms);
  const bool fresh = end - Duration(rule.window_ms()) >= probe.started;
  const bool over = end >= probe.started + probe.within;
  if (!fresh && !over) return false;
  if (rule.groups.empty()) GroupFor(s, rule, {});
  bool all = true;
  Group* shown = nullptr;
  Judgement shown_j;
  for (const auto& [key, group] : rule.groups) {
    const Reading r = Measure(s, rule, *group, pane, false);
    Judgement j;
    j.at = end;
    j.points = r.points;
    if (r.known) j = Decide(s, rule, *group, pane, r, false);
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

void JudgePanes(State& s, Rule& rule, std::vector<Transition>& out) {
  const std::int64_t target = sketch::LastEnded(s.now_ms() - LatenessOf(s, rule), rule.pane_ms);
  while (rule.judged < target) {
    const std::int64_t pane = rule.judged + 1;
    rule.judged = pane;
    if (rule.probe) {
      if (!JudgeProbe(s, rule, pane, out)) continue;
      RemoveRule(s, *s.services[rule.service], rule);
      return;
    }
    const std::vector<Group*> groups(rule.active.begin(), rule.active.end());
    for (Group* group : groups) JudgeGroup(s, rule, *group, pane, out);
  }
  Schedule(s, rule);
}

}  // namespace

void JudgeDue(State& s, std::vector<Transition>& out) {
  const std::int64_t now = s.now_ms();
  if (now < s.frozen_until_ms) return;
  while (!s.due.empty() && s.due.begin()->first <= now) {
    Rule& rule = *s.rules.at(s.due.begin()->second);
    s.due.erase(s.due.begin());
    JudgePanes(s, rule, out);
  }
}

void JudgeTouched(State& s, std::vector<Transition>& out) {
  std::sort(s.touched.begin(), s.touched.end(), [](const auto& a, const auto& b) {
    return a.first->number != b.first->number ? a.first->number < b.first->number
                                              : a.second->number < b.second->number;
  });
  for (const auto& [rule, group] : s.touched) {
    if (rule->probe || !Upward(rule->spec.when.op)) continue;
    const bool adds_gauges = rule->spec.when.measure.value.aggregate == plan::Aggregate::kSum &&
                             group->members.front().cell == Cell::kGauge;
    const bool stays = TrueStays(*rule) && !adds_gauges;
    const std::uint8_t every = rule->spec.when.measure.denominator ? 3 : 1;
    const bool at_once =
        group->touched_operands == every && group->touched_from_ms == group->touched_to_ms;
    if (!stays && !at_once) continue;
    ++s.counters.judgements;
    const std::int64_t pane = sketch::PaneIndex(group->touched_to_ms, rule->pane_ms);
    const Reading r = Measure(s, *rule, *group, pane, stays);
    if (!r.known) continue;
    const Judgement j = Decide(s, *rule, *group, pane, r, true);
    if (j.verdict != Verdict::kTrue) continue;
    const AlarmState before = group->life.state;
    const Told told = group->life.Step(rule->life_rules(), j, s.now());
    TellIf(s, *rule, *group, told, j, out);
    Note(s, *group, j, before, told);
  }
  s.touched.clear();
}

}  // namespace liveops::engine
