#include <algorithm>

#include "services/rule-evaluation/engine/activate.h"
#include "services/rule-evaluation/engine/readings.h"
#include "services/rule-evaluation/engine/rollup_parts.h"
#include "services/rule-evaluation/engine/slices.h"
#include "services/rule-evaluation/engine/state.h"

namespace liveops::engine {
namespace {

// Ticks come four times a second from each instance: longer than this nothing was written.
constexpr Duration kStall{2000};
// So long the watermark can wait for what was queued during a stall; a longer one leaves a hole.
constexpr Duration kStallMax{10'000};
constexpr std::int64_t kCatchUpMs = 2000;
constexpr std::int64_t kHousekeepMs = 600'000;
// What a tick says was refused was sent not longer ago.
constexpr std::int64_t kRefusedMs = 2000;
constexpr std::int64_t kIdleMs = 3'600'000;
// Nothing is compared with an earlier time than 30 d ago.
constexpr std::int64_t kHolesKeptMs = 31LL * 86'400'000;
constexpr Duration kRemembered{3'600'000};

constexpr std::int64_t kNativeLatenessMs = 2000;
constexpr std::int64_t kOtlpLatenessMs = 5000;
// Prometheus gathers what it scraped for up to 5 s, and sends again what failed.
constexpr std::int64_t kRemoteWriteLatenessMs = 15'000;
// A metric stream delivers most of a minute within three.
constexpr std::int64_t kCloudWatchLatenessMs = 300'000;
// Bills are made some times a day, of hours that are whole after a day.
constexpr std::int64_t kCostLatenessMs = 36LL * 3'600'000;
constexpr std::int64_t kLeastSteadyMs = 1000;

std::int64_t UsualLatenessMs(Protocol protocol) {
  switch (protocol) {
    case Protocol::kNative:
      return kNativeLatenessMs;
    case Protocol::kOtlp:
      return kOtlpLatenessMs;
    case Protocol::kRemoteWrite:
      return kRemoteWriteLatenessMs;
    case Protocol::kCloudWatch:
      return kCloudWatchLatenessMs;
    case Protocol::kCost:
      return kCostLatenessMs;
  }
  return kNativeLatenessMs;
}

std::optional<RealTime> MedianEventTime(const State& s, const BatchView& batch) {
  constexpr std::int64_t kMax = std::int64_t{1} << 53;  // beyond it is no time of ours
  if (batch.base_time_ms > kMax || batch.base_time_ms < -kMax) return std::nullopt;
  std::vector<std::int64_t> times;
  const auto add = [&](std::int64_t delta) {
    if (delta <= kMax && delta >= -kMax) times.push_back(delta);
  };
  for (const std::int64_t delta : batch.point_time_delta_ms) add(delta);
  for (const HistogramView& h : batch.histograms) add(h.time_delta_ms);
  if (times.empty()) return std::nullopt;
  const auto middle = times.begin() + static_cast<std::ptrdiff_t>((times.size() - 1) / 2);
  std::nth_element(times.begin(), middle, times.end());
  return s.map.ToReal(InstantFromMs(batch.base_time_ms + *middle));
}

// Watched series that were alive before the gap: when all of them are back, it is over.
std::uint64_t AwaitedSeries(State& s, std::int64_t before_ms) {
  std::uint64_t awaited = 0;
  BeforeAll(s);
  s.series.ForEach([&](std::uint32_t, Series& series) {
    if (series.members > 0 && !series.left && series.kind != SeriesKind::kSlices &&
        series.seen_ms >= before_ms - s.Scaled(600'000)) {
      ++awaited;
    } else {
      series.gap = static_cast<std::uint32_t>(s.presence.gap() + 1);  // nobody waits for it
    }
  });
  return awaited;
}

// So many are told apart; then the two oldest count as one.
constexpr std::size_t kHolesMax = 256;

void AddHole(State& s, const Hole& hole) {
  std::vector<Hole>& holes = s.holes;
  const auto open = std::find_if(holes.begin(), holes.end(), [&](const Hole& h) {
    return h.service == hole.service && h.to_ms >= hole.from_ms;
  });
  if (open != holes.end()) {
    open->to_ms = std::max(open->to_ms, hole.to_ms);
    return;
  }
  holes.push_back(hole);
  if (holes.size() <= kHolesMax) return;
  const auto second = holes.begin() + 1;
  second->from_ms = std::min(second->from_ms, holes.front().from_ms);
  if (second->service != holes.front().service) second->service = kNoService;
  holes.erase(holes.begin());
}

// A hole in what is known: windows that reach into it are unknown, and no judgement falls into it.
void OpenHole(State& s, const ClockStep& step) {
  BeforeAll(s);
  const std::int64_t now = s.now_ms();
  const Duration unseen = s.now() - s.map.ToDomain(step.from);
  s.hard_from_ms = now;
  if (step.corroborated) {
    // How much of it was time that passed is not known: no count is compared over it.
    s.series.ForEach([](std::uint32_t, Series& series) { series.ForgetBaseline(); });
  }
  for (const auto& [number, rule] : s.rules) {
    if (rule->home) continue;  // it hears of it from its own source
    rule->unseen_ms += unseen.count();
    rule->judged =
        std::max(rule->judged, sketch::LastEnded(now - LatenessOf(s, *rule), rule->step_ms));
    Schedule(s, *rule);
    for (const auto& [key, group] : rule->groups) {
      group->life.Skip(unseen);
      for (Life& level : group->levels) level.Skip(unseen);
    }
  }
}

void OnStep(State& s, const ClockStep& step) {
  if (step.first) {
    BeforeAll(s);
    for (const auto& [number, rule] : s.rules) StartRuleClock(s, *rule);
    if (s.mid_log) s.hard_from_ms = s.entered_ms = s.now_ms();
    s.mid_log = false;
    s.housekept_ms = s.now_ms();
  }
  if ((step.length() <= kStall && !step.hidden) || !step.counted) return;
  const std::int64_t before = ToMs(s.map.ToDomain(step.from));
  AddHole(s, {before, s.now_ms(), kNoService});
  s.presence.OnGap(s.clock.now(), AwaitedSeries(s, before));
  if (step.length() > kStallMax || step.hidden) {
    OpenHole(s, step);
  } else {
    s.soft_from_ms = s.now_ms();
    s.frozen_until_ms = s.now_ms() + s.Scaled(kCatchUpMs);
  }
}

}  // namespace

std::int64_t BaseLateness(const State& s, const Rule& rule, Protocol protocol) {
  const std::int64_t usual = UsualLatenessMs(protocol);
  std::int64_t lateness = s.Scaled(kLeastSteadyMs);
  if (rule.spec.lateness) lateness = std::max(lateness, rule.spec.lateness->count());
  if (!rule.spec.lateness_said_for_all) lateness = std::max(lateness, usual);
  return lateness;
}

std::int64_t LatenessOf(const State& s, const Rule& rule) {
  if (rule.spec.of_slices) {
    if (const Rule* judge = SliceRuleOf(s, rule)) return LatenessOf(s, *judge);
  }
  if (rule.fed()) return rule.lateness_ms;
  return std::max(rule.lateness_ms, BaseLateness(s, rule, Protocol::kOtlp));
}

void StartRuleClock(State& s, Rule& rule) {
  rule.lateness_ms = std::max(rule.lateness_ms, BaseLateness(s, rule, Protocol::kNative));
  if (!s.clock.started()) return;
  const std::int64_t now = s.now_ms();
  rule.born_ms = std::max(now, SpreadFrom(*s.services[rule.service], rule.spec));
  rule.judged = rule.told = sketch::LastEnded(now - LatenessOf(s, rule), rule.step_ms);
  if (rule.rolls) rule.rolls->next_ms = now + kRoundMs;
  Schedule(s, rule);
}

void AdvanceClock(State& s, const RecordView& record) {
  ClockStep step;
  if (const auto* tick = std::get_if<TickView>(&record.body)) {
    step = s.clock.OnTick(record.append_time, tick->instance, tick->session, tick->steady_ms);
  } else {
    std::optional<RealTime> events;
    if (s.clock.holds_step()) {
      const auto* batch = std::get_if<BatchView>(&record.body);
      // A bill's times say nothing of the present one.
      if (batch != nullptr && batch->protocol != Protocol::kCost)
        events = MedianEventTime(s, *batch);
    }
    step = s.clock.OnRecord(record.append_time, events);
  }
  s.counters.clock_steps_held = s.clock.steps_held();
  OnStep(s, step);
  if (step.first || step.to > step.from) {
    for (const std::string& lost : s.presence.OnClock(s.clock.now())) s.clock.Forget(lost);
  }
}

void ApplyTick(State& s, const TickView& tick) {
  s.presence.OnTick(s.clock.now(), tick.instance, tick.session, tick.accepting, tick.goodbye);
  if (tick.goodbye) s.clock.Forget(tick.instance);
  for (const auto& [name, points] : tick.refused_points) {
    const auto known = s.service_index.find(name);  // of one that is not known nothing is missed
    if (points == 0 || known == s.service_index.end()) continue;
    s.refused_ms[known->second] = s.now_ms();
    AddHole(s, {s.now_ms() - s.Scaled(kRefusedMs), s.now_ms(), known->second});
  }
  if (!tick.refused_any_service) return;
  AddHole(s, {s.now_ms() - s.Scaled(kRefusedMs), s.now_ms(), kNoService});
  std::fill(s.refused_ms.begin(), s.refused_ms.end(), s.now_ms());
}

namespace {

// Groups told apart by labels, and cells that groups share, whose series all fell silent long ago.
void ForgetSilent(State& s, Rule& rule, std::int64_t before_ms) {
  const auto old = [&](const Cells& cells, const Member& m) {
    return m.newest.ms < before_ms - rule.reach_ms(cells.test) && !Holds(s, rule, cells, m);
  };
  std::vector<Group*> silent;
  for (const auto& [key, group] : rule.groups) {
    for (const auto& cells : group->own) {
      if (cells) TrimRoll(s, rule, *cells, before_ms);
    }
    if (group->active || group->labels.empty() || group->life.state != AlarmState::kOk) continue;
    bool all = true;
    group->ForEachMember([&](const Cells& cells, const Member& m) { all = all && old(cells, m); });
    if (all) silent.push_back(group.get());
  }
  for (Group* group : silent) RemoveGroup(s, rule, *group);
  for (auto& shared : rule.shared) {
    std::erase_if(shared, [&](const auto& entry) {
      Cells& cells = *entry.second;
      TrimRoll(s, rule, cells, before_ms);
      if (!cells.roll.empty()) return false;
      const bool all = std::all_of(cells.members.begin(), cells.members.end(),
                                   [&](const Member& m) { return old(cells, m); });
      if (all) ForgetMembers(s, rule, cells);
      return all;
    });
  }
}

}  // namespace

std::int64_t IdleSince(const State& s) { return s.now_ms() - std::max(kIdleMs, s.Scaled(kIdleMs)); }

std::optional<std::int64_t> MarkPassed(const State& s) {
  const std::int64_t every = std::max<std::int64_t>(1, s.Scaled(kHousekeepMs));
  const std::int64_t mark = s.now_ms() / every;
  return mark == s.housekept_ms / every ? std::nullopt : std::optional(mark * every);
}

// Forgets what has no more use. Runs by the partition clock, and at the same marks of it wherever a
// shard began, so that every replay does it at the same record.
void Housekeep(State& s) {
  if (!MarkPassed(s)) return;
  const std::int64_t now = s.now_ms();
  BeforeAll(s);
  s.housekept_ms = now;
  const std::int64_t idle_ms = IdleSince(s);
  s.sessions.ForgetBefore(InstantFromMs(idle_ms));
  for (const auto& [number, rule] : s.rules) {
    if (rule->home) {
      HousekeepHome(s, *rule);
    } else if (!rule->probe) {
      ForgetSilent(s, *rule, std::min(idle_ms, now - rule->lateness_ms));
    }
    if (!rule->overflow) continue;
    std::erase_if(rule->overflow->refused,
                  [&](const auto& entry) { return entry.second < idle_ms; });
  }
  std::erase_if(s.holes, [&](const Hole& hole) { return hole.to_ms < now - kHolesKeptMs; });
  std::vector<std::uint32_t> unused;
  s.series.ForEach([&](std::uint32_t id, const Series& series) {
    if (series.members == 0 && series.seen_ms < idle_ms) unused.push_back(id);
  });
  for (const std::uint32_t id : unused) s.series.Remove(id);
  for (const auto& service : s.services) {
    HousekeepForeign(s, *service);
    ForgetAwaiting(s, *service);
    std::erase_if(service->deployments,
                  [&](const Deployment& d) { return s.now() - d.time > kRemembered; });
    std::erase_if(service->decommissions,
                  [&](const Decommission& d) { return s.now() - d.time > kRemembered; });
  }
}

}  // namespace liveops::engine
