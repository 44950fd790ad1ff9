#include <algorithm>

#include "services/rule-evaluation/engine/merged.h"
#include "services/rule-evaluation/engine/state.h"

namespace liveops::engine {
namespace {

// A by-group of counters whose every series was silent for so long has left.
constexpr std::int64_t kForgottenMs = 3'600'000;
// The series of an alarm that was taken over are given at least so long to come back.
constexpr std::int64_t kReturnMs = 120'000;

}  // namespace

std::int64_t AbsentAfter(std::int64_t reach_ms, std::int64_t interval_ms, bool gauge) {
  const std::int64_t interval = interval_ms > 0 ? interval_ms : kIntervalAtFirstMs;
  return std::max(reach_ms, gauge ? 3 * interval : (5 * interval + 1) / 2);
}

bool Doubted(const State& s, const Rule& rule, std::int64_t since_ms) {
  if (RefusedAt(s, rule) > since_ms) return true;
  if (rule.vouched && ToMs(s.presence.doubted()) == rule.vouched->doubt_mark) {
    return rule.vouched->doubt_ms > since_ms;
  }
  return !s.presence.Proves(s.map.ToReal(InstantFromMs(since_ms)));
}

bool Absent(const State& s, const Rule& rule, const Cells& cells, const Member& member,
            std::int64_t end_ms) {
  // What it said in the past counts there as that of any other that is silent.
  if (s.series.at(member.series).left && cells.test < rule.tests()) return true;
  if (member.forgotten) return !Doubted(s, rule, end_ms - rule.reach_ms(cells.test));
  const std::int64_t after = AbsentAfter(
      rule.reach_ms(cells.test), s.series.at(member.series).Interval(), Departs(member.cell));
  // What came before a service was spread otherwise was not its own to hear.
  if (end_ms - std::max({member.newest.ms, kLongAgo, rule.fed_after_ms}) < after) return false;
  return s.series.at(member.series).unusable_ms <= end_ms - after &&
         !Doubted(s, rule, end_ms - after);
}

bool NoneReturned(const State& s, const Rule& rule, const Group& group, std::int64_t end_ms) {
  if (!group.life.open()) return false;
  // One that was refused for want of room may be among them.
  if (s.series.size() >= s.limits.series_max) return false;
  const std::int64_t after = std::max({rule.longest_window_ms(), group.silence_ms, kReturnMs});
  return end_ms - std::max(group.taken_over_ms, rule.born_ms) >= after &&
         !Doubted(s, rule, end_ms - after);
}

bool MissesSomebody(const State& s, const Rule& rule, const Cells& cells, std::int64_t end_ms) {
  if (s.merged != nullptr) return s.merged->MissesSomebody(rule, cells.test);
  const std::int64_t window_ms = rule.window_ms(cells.test);
  const bool doubted = Doubted(s, rule, end_ms - window_ms);
  for (const Member& member : cells.members) {
    const Series& series = s.series.at(member.series);
    if (series.left || member.forgotten || member.HasLeft()) continue;
    // Who stopped long ago makes no slice of these days unknown.
    if (rule.spec.judges_slices() && Forgotten(member, end_ms)) continue;
    const std::int64_t silence = end_ms - std::max(member.newest.ms, kLongAgo);
    const bool unusable = series.unusable_ms > end_ms - window_ms;
    if (Departs(member.cell)) {
      // Its reading counts for the window or two intervals; later it has left, if that is proven.
      if (silence >= std::max(window_ms, 2 * series.Interval())) return true;
    } else if ((doubted || unusable) && 2 * silence >= 5 * series.Interval()) {
      return true;
    }
  }
  return false;
}

bool Forgotten(const Member& member, std::int64_t end_ms) {
  return end_ms - std::max(member.newest.ms, kLongAgo) >= kForgottenMs;
}

// Gauges do, and what is counted by its label. What else counts or observes may have nothing to
// say: it leaves late, and only where label values tell it apart. Where it counts who reports, that
// nobody does is what it says.
bool Leaves(const State& s, const Rule& rule, const Group& group, std::int64_t end_ms) {
  if (rule.calls_roll) return false;
  const bool apart = !rule.spec.when.by.empty();
  bool members = group.HasMembers();
  bool departs = true;
  bool forgotten = true;
  group.ForEachMember([&](const Cells&, const Member& m) {
    departs = departs && Departs(m.cell);
    forgotten = forgotten && (Forgotten(m, end_ms) || s.series.at(m.series).left);
  });
  if (s.merged != nullptr) {
    for (const MergedStore& store : s.merged->Of(group).own) {
      members |= store.members;
      departs = departs && store.departs;
      forgotten = forgotten && store.forgotten;
    }
  }
  if (!members) {
    // What its series were can only be told from the condition.
    const plan::Measure& measure = rule.spec.when.measure;
    const plan::Aggregate aggregate = measure.value().aggregate;
    const bool may_depart = !measure.IsRatio() && Departs(CellFor(aggregate, SeriesKind::kGauge));
    if (may_depart &&
        (aggregate == plan::Aggregate::kLast || aggregate == plan::Aggregate::kDistinct)) {
      return true;
    }
    return (apart || may_depart) &&
           end_ms - std::max(group.taken_over_ms, rule.born_ms) >= kForgottenMs;
  }
  return departs || (apart && forgotten);
}

void DropAbsentGauges(State& s, Rule& rule, Cells& cells, std::int64_t end_ms) {
  if (!cells.departing) return;
  for (Member& m : cells.members) {
    const bool spoke = Departs(m.cell) && m.newest.ms > Member::kSpokeOnceMs;
    if (spoke && !m.HasLeft() && Absent(s, rule, cells, m, end_ms)) m.Leave();
  }
  if (cells.members.size() < 2) return;
  std::vector<bool> goes;
  for (const Member& m : cells.members) {
    goes.push_back(Departs(m.cell) && (m.HasLeft() || Absent(s, rule, cells, m, end_ms)));
  }
  const auto staying = std::count(goes.begin(), goes.end(), false);
  if (staying > 0 && static_cast<std::size_t>(staying) < goes.size()) {
    DropMembers(s, rule, cells, goes);
  }
}

}  // namespace liveops::engine
