// A rule may have so many groups, a shard so many series, a service so many foreign alerts, and no
// more. What is beyond is refused; the alarms that there are go on unchanged, and one alarm of the
// rule's own, or of the service's, says how many are not watched.
#include <algorithm>

#include "common/base/hash.h"
#include "services/rule-evaluation/engine/state.h"

namespace liveops::engine {
namespace {

constexpr std::int64_t kTellEachMs = 60'000;
constexpr std::int64_t kIdleMs = 3'600'000;

}  // namespace

std::size_t Watched(const State& s, const Rule& rule) {
  switch (rule.spec.room) {
    case Room::kSeries:
      return s.series.size();
    case Room::kForeign:
      return s.services[rule.service]->foreign.size();
    case Room::kGroups:
      break;
  }
  return rule.groups.size();
}

const char* RoomWord(Room room) {
  return room == Room::kSeries ? "series" : room == Room::kForeign ? "alerts" : "alarms";
}

namespace {

Judgement Counted(const State& s, const Rule& rule) {
  Judgement j;
  j.verdict = Verdict::kTrue;
  j.at = s.now();
  j.value = static_cast<double>(Watched(s, rule) + rule.overflow->refused.size());
  return j;
}

Transition TellOverflow(const State& s, const Rule& rule, AlarmState state, const char* reason) {
  const Overflow& overflow = *rule.overflow;
  Transition t = Tell(s, rule, overflow.alarm, state, reason, Counted(s, rule));
  // No remediation begins because there is much of something.
  if (t.purpose == Purpose::kScenario) t.purpose = Purpose::kRecord;
  t.groups_refused = overflow.refused.size();
  t.threshold = static_cast<double>(Watched(s, rule));
  t.comparison = plan::Comparison::kGreater;
  t.unit = RoomWord(rule.spec.room);
  t.hold = Duration(0);
  t.top.clear();
  return t;
}

}  // namespace

Overflow& OverflowOf(State& s, Rule& rule) {
  if (!rule.overflow) {
    rule.overflow.emplace();
    rule.overflow->alarm.own.resize(rule.stores());  // no series feeds it
  }
  s.overflowing.insert(rule.number);
  return *rule.overflow;
}

void RefuseHash(State& s, Rule& rule, std::uint64_t hash) {
  BeforeService(s, rule.service);
  auto& refused = OverflowOf(s, rule).refused;
  const auto known = refused.find(hash);
  if (known != refused.end()) {
    known->second = s.now_ms();
  } else if (refused.size() < Overflow::kKnownMax) {
    refused.emplace(hash, s.now_ms());
  }
}

void Refuse(State& s, Rule& rule, const Labels& labels) {
  // Without labels there is one group, which the rule had from the start.
  if (!rule.probe && !labels.empty()) RefuseHash(s, rule, Xxh64(labels.Encode()));
}

void RefuseSeries(State& s, Service& service, const Fingerprint& series) {
  if (service.series_limit != nullptr) RefuseHash(s, *service.series_limit, series.lo);
}

void AdmitSeries(State& s, Service& service, const Fingerprint& series) {
  Rule* rule = service.series_limit;
  if (rule == nullptr || !rule->overflow) return;
  BeforeService(s, rule->service);
  rule->overflow->refused.erase(series.lo);
}

void Admit(State& s, Rule& rule, const std::string& key) {
  BeforeService(s, rule.service);
  rule.overflow->refused.erase(Xxh64(key));
}

void TellOverflows(State& s, std::vector<Transition>& out) {
  const std::vector<std::uint64_t> numbers(s.overflowing.begin(), s.overflowing.end());
  for (const std::uint64_t number : numbers) {
    Rule& rule = *s.rules.at(number);
    if (rule.role == Role::kSource) continue;  // it tells the home
    Overflow& overflow = *rule.overflow;
    Life& life = overflow.alarm.life;
    const std::uint64_t count = overflow.refused.size();
    const bool over = count == 0 && s.now_ms() - overflow.alarm.taken_over_ms >= s.Scaled(kIdleMs);
    const bool due = s.now_ms() - overflow.told_ms >= s.Scaled(kTellEachMs);
    if (!over && life.open() && (count == overflow.told || count == 0 || !due)) continue;
    BeforeService(s, rule.service);
    ++s.changes;
    rule.changed = true;
    if (over) {
      if (life.open()) {
        life.Leave(s.now());
        out.push_back(TellOverflow(s, rule, AlarmState::kResolved, "recovered"));
      }
      rule.overflow.reset();
      s.overflowing.erase(number);
      continue;
    }
    if (life.open()) {
      ++life.step;
    } else {
      life.FireNow(LifeRules{}, Counted(s, rule), s.now());
    }
    overflow.told = count;
    overflow.told_ms = s.now_ms();
    out.push_back(TellOverflow(s, rule, AlarmState::kFiring, "overflow"));
  }
}

bool Overflows(const Rule& rule) { return rule.overflow && rule.overflow->alarm.life.open(); }

void EndOverflow(State& s, Rule& rule, const char* reason, std::vector<Transition>& out) {
  if (!rule.overflow) return;
  if (Overflows(rule)) {
    ++rule.overflow->alarm.life.step;
    out.push_back(TellOverflow(s, rule, AlarmState::kWithdrawn, reason));
  }
  rule.overflow.reset();
  s.overflowing.erase(rule.number);
}

bool IsOverflow(const Rule& rule, const Transition& t) {
  return t.group.empty() && !rule.spec.when.by.empty();
}

bool AdoptOverflow(State& s, Rule& rule, const Transition& truth) {
  if (!rule.overflow && !IsOpen(truth.state)) return false;
  Overflow& overflow = OverflowOf(s, rule);
  Life& life = overflow.alarm.life;
  const bool open = IsOpen(truth.state);
  if (life.episode == truth.episode && life.step == truth.step && life.open() == open) return false;
  life.state = open ? AlarmState::kFiring : AlarmState::kOk;
  life.episode = truth.episode;
  life.step = truth.step;
  life.since = truth.since;
  life.state_since = truth.clock;
  // What was refused is named again with the series' next points, if it still is there.
  overflow.alarm.taken_over_ms = s.now_ms();
  overflow.told = truth.groups_refused;
  overflow.told_ms = ToMs(truth.clock);
  rule.changed = true;
  ++s.changes;
  return true;
}

}  // namespace liveops::engine
