#include "services/rule-evaluation/engine/activate.h"

#include <algorithm>
#include <utility>

#include "common/plan/parse.h"
#include "services/rule-evaluation/engine/readings.h"
#include "services/rule-evaluation/engine/rollup_parts.h"

namespace liveops::engine {

Rule* FindRule(Service& service, std::string_view name, bool source) {
  for (const auto& rule : service.rules) {
    if (rule->spec.name == name && (rule->role == Role::kSource) == source) return rule.get();
  }
  return nullptr;
}

Rule& NewRule(State& s, Service& service, RuleSpec spec, Role role,
              const std::optional<Probe>& probe) {
  auto rule =
      MakeRule(std::move(spec), s.next_number++, s.service_index.find(service.name)->second);
  rule->role = role;
  if (role == Role::kHome) rule->home = std::make_unique<Home>();
  rule->probe = probe;
  Rule& made = *rule;
  AddRule(s, service, std::move(rule));
  LinkReads(s, made);
  StartRuleClock(s, made);
  // Without `by` there is one group, from the start: it can be seen to be blind.
  if (made.spec.when.by.empty()) GroupFor(s, made, {});
  return made;
}

namespace {

// `reason`: "removed"; or what became of an alarm that goes on as another, a shadow or none.
void Withdraw(State& s, const Rule& rule, Group& group, const char* reason,
              std::vector<Transition>& out) {
  if (!group.life.open()) return;
  ++group.life.step;
  Judgement j;
  j.at = s.now();
  j.test = group.last.test;
  j.value = group.last.value;
  j.points = group.last.points;
  out.push_back(Tell(s, rule, group, AlarmState::kWithdrawn, reason, j));
}

// The episode that Withdraw ended goes on under the new purpose, as one of its own.
void Reopen(State& s, const Rule& rule, const char* reason, std::vector<Transition>& out) {
  for (const auto& [key, group] : rule.groups) {
    if (!group->life.open()) continue;
    group->life.Rename(s.now());
    out.push_back(Tell(s, rule, *group, group->life.state, reason, group->last));
  }
}

// The plan does not have the level any more that an open episode was told at.
void Regrade(State& s, const Rule& rule, Group& group, plan::Severity before,
             std::vector<Transition>& out) {
  const plan::Severity now = rule.spec.SeverityAt(group.level);
  if (now == before) return;
  ++group.life.step;
  // A worse one is the lesser number.
  const char* reason = now < before ? "escalated" : "eased";
  out.push_back(Tell(s, rule, group, group.life.state, reason, group.last));
  out.back().severity_before = before;
}

// The windows differ but the alarm is the same: open episodes go on.
void TakeOver(State& s, Rule& old, Rule& fresh, bool same_purpose, std::vector<Transition>& out) {
  for (const auto& [key, group] : old.groups) {
    if (!group->life.open()) continue;
    Group* next = &OpenGroup(s, fresh, group->labels);
    next->life = group->life;
    next->life.clear_since = next->life.return_since = {};  // holds that ran under other words
    if (!fresh.spec.flapping) next->life.Undamp();
    next->last = group->last;
    // The tests are others: what is shown from now on is the first one's.
    next->life.test = next->last.test = 0;
    next->levels = group->levels;
    next->level_slots = group->level_slots;
    next->level = group->level;
    const bool eased = AmendLevels(old.spec, false, fresh.spec, *next);
    if (eased && same_purpose) Regrade(s, fresh, *next, old.spec.SeverityAt(group->level), out);
    next->silence_ms = group->silence_ms;
    if (old.home) {
      const auto kept = old.home->groups.find(key);
      if (kept != old.home->groups.end())
        next->silence_ms = std::max(next->silence_ms, kept->second.silence_ms);
    }
    group->ForEachMember([&](const Cells&, const Member& member) {
      next->silence_ms = std::max(next->silence_ms, 3 * s.series.at(member.series).Interval());
    });
    Activate(fresh, *next);
  }
}

// The windows stay. A hold that ran under other words begins anew.
void Reword(State& s, Rule& rule, RuleSpec spec, std::vector<Transition>& out) {
  const bool same_purpose = rule.spec.purpose == spec.purpose;
  const bool same = rule.spec.when == spec.when;
  const bool same_clear =
      rule.spec.clear == spec.clear && rule.spec.keep_firing == spec.keep_firing;
  const RuleSpec before = std::exchange(rule.spec, std::move(spec));
  rule.lateness_ms = std::max(rule.lateness_ms, BaseLateness(s, rule, Protocol::kNative));
  if (before.expression != rule.spec.expression || before.levels.size() != rule.spec.levels.size())
    TellAnew(s, rule);
  Schedule(s, rule);
  for (const auto& [key, group] : rule.groups) {
    const plan::Severity severity = before.SeverityAt(group->level);
    const bool eased = AmendLevels(before, same, rule.spec, *group);
    if (eased && same_purpose) Regrade(s, rule, *group, severity, out);
    Life& life = group->life;
    if (!same || !same_clear) {
      life.clear_since = {};
      for (Life& level : group->levels) level.clear_since = {};
    }
    if (!rule.spec.flapping) life.Undamp();
    if (same) continue;
    life.return_since = {};
    group->slots.clear();
    if (life.state != AlarmState::kPending) continue;
    life.state = AlarmState::kOk;
    life.ahead.clear();
  }
}

// What the plan now says under a name that it had already.
void Amend(State& s, Service& service, Rule& old, RuleSpec spec, Role role, bool respread,
           std::vector<Transition>& out) {
  ++s.changes;
  for (const auto& [key, group] : old.groups) group->changed = true;
  old.changed = true;
  const bool same_windows =
      !respread && (old.spec.when == spec.when || SameWindows(old.spec.when, spec.when));
  const bool goes_on = same_windows || old.spec.when.by == spec.when.by;
  // Who is told of a shadow and of an alarm differs: neither hears of the other's episode.
  const char* turned = old.spec.purpose == spec.purpose ? nullptr
                       : spec.purpose == Purpose::kPage ? "promoted"
                                                        : "shadowed";
  const char* reason = turned != nullptr && goes_on ? turned : "removed";
  if (turned != nullptr || !goes_on) {
    for (const auto& [key, group] : old.groups) Withdraw(s, old, *group, reason, out);
  }
  // Under another purpose or other windows it begins anew, if it is so.
  if (turned != nullptr || !same_windows) {
    EndOverflow(s, old, reason, out);
  }
  Rule* rule = &old;
  if (same_windows) {
    Reword(s, old, std::move(spec), out);
  } else {
    rule = &NewRule(s, service, std::move(spec), role);
    if (goes_on) TakeOver(s, old, *rule, turned == nullptr, out);
    RemoveRule(s, service, old);
  }
  if (turned != nullptr && goes_on) Reopen(s, *rule, turned, out);
}

// Over how many shards the series lie, and since when. True when that differs from before: the
// windows begin anew.
bool Spread(const State& s, Service& service, int spread, RealTime from) {
  const std::int64_t from_ms = from == RealTime{} ? kLongAgo : ToMs(s.map.ToDomain(from));
  const bool differs = service.spread != spread || service.spread_from_ms != from_ms;
  const bool alone = service.spread == 1 && spread == 1 && service.spread_from_ms == kLongAgo;
  service.spread = spread;
  service.spread_from_ms = from_ms;
  return differs && !alone;
}

// The plan's order, then the probes.
void Arrange(Service& service, const std::vector<std::string>& names) {
  const auto place = [&](const std::unique_ptr<Rule>& rule) {
    return rule->probe ? names.end() : std::find(names.begin(), names.end(), rule->spec.name);
  };
  std::stable_sort(service.rules.begin(), service.rules.end(),
                   [&](const auto& a, const auto& b) { return place(a) < place(b); });
}

}  // namespace

void ActivatePlan(State& s, const PlanActivationView& view, std::vector<Transition>& out) {
  const Service* known = FindService(s, view.service);
  const std::vector<ReadFrom> reads = ReadsOf(s, view);
  if (known != nullptr && view.version < known->version) return;
  if (known != nullptr && view.version == known->version && reads == known->reads) return;
  const plan::ParseResult parsed = plan::Parse(view.text);
  if (!parsed.ok() || parsed.plan.service != view.service) {
    ++s.counters.plans_refused;
    return;
  }
  Service& service = ServiceOf(s, view.service);
  BeforeService(s, s.service_index.find(service.name)->second);
  service.version = view.version;
  service.text = view.text;
  OwnForeign(s, service, parsed.plan.OwnerOfForeign());
  const bool respread = Spread(s, service, parsed.plan.spread, view.spread_from);
  const std::set<std::string> moved = Moved(service.reads, reads);
  service.reads = reads;
  if (respread) RestartProbes(s, service);
  // Do the series of a rule lie elsewhere than before?
  const auto anew = [&](const RuleSpec& spec) { return respread || ReadsAnyOf(spec, moved); };
  std::vector<RuleSpec> specs = SpecsOf(parsed.plan);
  // Of some none lie here, or none do by now.
  std::erase_if(specs, [&](const auto& spec) { return RolesOf(s, service, spec).empty(); });
  std::vector<std::string> names;
  for (const RuleSpec& spec : specs) names.push_back(spec.name);

  std::vector<Rule*> removed;
  for (const auto& rule : service.rules) {
    const auto spec = std::find_if(specs.begin(), specs.end(),
                                   [&](const auto& x) { return x.name == rule->spec.name; });
    const bool old_source = rule->role == Role::kSource && spec != specs.end() &&
                            (anew(*spec) || RolesOf(s, service, *spec).back() != Role::kSource);
    if ((spec == specs.end() || old_source) && !rule->probe) removed.push_back(rule.get());
  }
  for (Rule* rule : removed) {
    for (const auto& [key, group] : rule->groups) Withdraw(s, *rule, *group, "removed", out);
    EndOverflow(s, *rule, "removed", out);
    RemoveRule(s, service, *rule);
  }
  for (const RuleSpec& spec : specs) {
    for (const Role role : RolesOf(s, service, spec)) {
      if (Rule* old = FindRule(service, spec.name, role == Role::kSource)) {
        Amend(s, service, *old, spec, role, anew(spec), out);
      } else {
        NewRule(s, service, spec, role);
      }
    }
  }
  StartAwaiting(s, service);
  Arrange(service, names);
  Rebind(s, service);
  WithdrawAdopted(s, out);
}

namespace {

bool FitsGroups(const Rule& rule, const Labels& group) {
  if (group.size() != rule.spec.when.by.size()) return false;
  return std::all_of(group.begin(), group.end(), [&](const auto& label) {
    return std::find(rule.spec.when.by.begin(), rule.spec.when.by.end(), label.first) !=
           rule.spec.when.by.end();
  });
}

void MakeStand(State& s, Rule& rule, Group& group, const Transition& truth) {
  Life life;
  life.state = IsOpen(truth.state) ? truth.state : AlarmState::kOk;
  life.episode = truth.episode;
  life.step = truth.step;
  life.since = truth.since;
  life.state_since = truth.clock;
  life.peak = truth.peak;
  life.was_firing = truth.state == AlarmState::kNoData && truth.step > 0;
  life.swings = truth.swings;
  life.damped = IsOpen(truth.state) && truth.swings > 0;
  group.life = life;
  SetLevels(rule, truth.severity, group);
  group.taken_over_ms = s.now_ms();
  group.last.why = Why::kJudged;
  group.last.verdict = IsOpen(truth.state) ? Verdict::kTrue : Verdict::kFalse;
  group.last.at = truth.window_end;
  group.last.value = truth.value;
  group.last.low = truth.value_low;
  group.last.high = truth.value_high;
  group.last.points = static_cast<double>(truth.points);
  Activate(rule, group);
  MarkChanged(s, group);
}

}  // namespace

bool AdoptTransition(State& s, const Transition& truth) {
  if (!truth.origin.empty()) return AdoptForeign(s, truth);
  Service* service = FindService(s, truth.service);
  if (service != nullptr) BeforeService(s, s.service_index.find(service->name)->second);
  Rule* rule = service == nullptr ? nullptr : FindRule(*service, truth.name);
  if (truth.purpose == Purpose::kProbe) {
    if (rule == nullptr) return false;
    RemoveRule(s, *service, *rule);
    if (Rule* source = FindRule(*service, truth.name, true)) RemoveRule(s, *service, *source);
    return true;
  }
  if (rule != nullptr && IsOverflow(*rule, truth)) return AdoptOverflow(s, *rule, truth);
  if (rule == nullptr || !FitsGroups(*rule, truth.group)) {
    if (IsOpen(truth.state)) {
      s.adopted[truth.alarm_id] = truth;
    } else {
      s.adopted.erase(truth.alarm_id);
    }
    return IsOpen(truth.state);
  }
  const auto known = rule->groups.find(truth.group.Encode());
  if (known == rule->groups.end() && !IsOpen(truth.state)) return false;
  Group* group = &OpenGroup(s, *rule, truth.group);
  const Life& life = group->life;
  const bool stands_open = life.open() && life.state == truth.state;
  const bool stands_closed = !life.open() && !IsOpen(truth.state);
  if (life.episode == truth.episode && life.step == truth.step && (stands_open || stands_closed)) {
    return false;
  }
  MakeStand(s, *rule, *group, truth);
  return true;
}

void WithdrawAdopted(State& s, std::vector<Transition>& out) {
  for (auto it = s.adopted.begin(); it != s.adopted.end();) {
    Transition truth = it->second;
    Service* service = FindService(s, truth.service);
    if (service == nullptr || service->version == 0) {
      ++it;
      continue;
    }
    it = s.adopted.erase(it);
    Rule* rule = FindRule(*service, truth.name);
    if (rule != nullptr && (FitsGroups(*rule, truth.group) || IsOverflow(*rule, truth))) {
      AdoptTransition(s, truth);
      continue;
    }
    ++truth.step;
    truth.state = AlarmState::kWithdrawn;
    truth.reason = "removed";
    truth.window_end = s.now();
    truth.clock = s.now();
    truth.clock_real = s.clock.now();
    truth.duration = std::max(Duration(0), s.now() - truth.episode);
    truth.plan_version = service->version;
    truth.source_offset = s.position;
    truth.top.clear();
    out.push_back(std::move(truth));
  }
}

}  // namespace liveops::engine
