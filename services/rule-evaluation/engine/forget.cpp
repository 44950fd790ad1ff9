// Members of rules that were silent for so long that no window can show anything of them any more,
// however often they spoke, and whose silence was proven (ADR 14). Each is forgotten at a mark of
// the clock, and is new to the rule when it speaks again. It is kept, and nobody waits for it, as
// long as it alone knows that somebody spoke.
#include <algorithm>
#include <limits>

#include "services/rule-evaluation/engine/state.h"

namespace liveops::engine {
namespace {

// Who spoke once may do so each day.
constexpr std::int64_t kOnceMs = 86'400'000;

// So far back can a store look, the rounding of its windows to panes included.
std::int64_t LooksBackMs(const Rule& rule, std::size_t store) {
  const std::int64_t window_ms = rule.window_ms(store);
  const std::int64_t ago_ms = rule.windows[store].ago_ms;
  return ago_ms > 0 ? ago_ms + 3 * window_ms : window_ms + rule.windows[store].pane_ms;
}

// `idle_ms`: as long as anybody's silence must be.
bool IsQuiet(const State& s, const Rule& rule, const Cells& cells, const Member& member,
             std::int64_t idle_ms, std::int64_t end_ms) {
  const Series& series = s.series.at(member.series);
  if (series.kind == SeriesKind::kSlices) return false;  // nobody sends them
  const std::int64_t interval = series.Interval();
  const std::int64_t silent_ms =
      idle_ms + std::max(LooksBackMs(rule, cells.test), interval > 0 ? 3 * interval : kOnceMs);
  const std::int64_t since = std::max({series.seen_ms, member.newest.ms, rule.fed_after_ms});
  const std::int64_t absent_ms =
      AbsentAfter(rule.reach_ms(cells.test), interval, Departs(member.cell));
  return since <= end_ms - silent_ms && !Doubted(s, rule, end_ms - absent_ms);
}

// By operand and kind: is there one that spoke, and is not forgotten?
class Speakers {
 public:
  explicit Speakers(const Cells& cells) {
    for (const Member& m : cells.members) {
      if (!m.forgotten && m.newest.ms != INT64_MIN) bits_ |= BitOf(m);
    }
  }
  bool Has(const Member& like) const { return (bits_ & BitOf(like)) != 0; }

 private:
  static std::uint64_t BitOf(const Member& m) {
    static_assert(plan::Measure::kOperandsMax <= 8 && static_cast<int>(Cell::kDistinct) < 8);
    return std::uint64_t{1} << (8u * m.operand + static_cast<unsigned>(m.cell));
  }
  std::uint64_t bits_ = 0;
};

void ForgetQuiet(State& s, Rule& rule, Cells& cells, std::int64_t end_ms) {
  const std::int64_t idle_ms = s.now_ms() - IdleSince(s);
  const std::int64_t before_ms = end_ms - idle_ms - LooksBackMs(rule, cells.test);
  bool any = false;
  for (Member& member : cells.members) {
    if (!member.forgotten && member.newest.ms <= before_ms &&
        IsQuiet(s, rule, cells, member, idle_ms, end_ms)) {
      member.Forget();
      Series& series = s.series.at(member.series);
      ++series.forgotten;
      series.generation = 0;
    }
    any = any || member.forgotten;
  }
  if (!any) return;
  const Speakers speakers(cells);
  std::vector<bool> goes;
  for (const Member& member : cells.members) {
    goes.push_back(member.forgotten && speakers.Has(member));
  }
  if (std::find(goes.begin(), goes.end(), true) != goes.end()) DropMembers(s, rule, cells, goes);
}

// So long after a record named it last.
std::int64_t HeldMs(const State& s, const Rule& rule, const Cells& cells, const Member& member) {
  const bool departs = Departs(member.cell);
  const bool apart = !rule.spec.when.by.empty();
  if (!departs && !apart) return std::numeric_limits<std::int64_t>::max();
  const std::int64_t idle_ms = s.now_ms() - IdleSince(s);
  const std::int64_t interval = s.series.at(member.series).Interval();
  const std::int64_t reach_ms = rule.reach_ms(cells.test);
  const std::int64_t absent_ms = AbsentAfter(reach_ms, interval, departs);
  if (!departs && !rule.Own(cells.test)) return std::max(idle_ms + reach_ms, absent_ms);
  // It goes with its group.
  if (apart && rule.Own(cells.test) && cells.test >= rule.tests()) return 0;
  const bool fires = rule.spec.no_data == plan::NoData::kFire;
  return interval == 0 && fires ? std::max(idle_ms + kOnceMs, absent_ms) : absent_ms;
}

}  // namespace

bool Holds(const State& s, const Rule& rule, const Cells& cells, const Member& member) {
  if (member.forgotten) return false;
  return s.now_ms() - s.series.at(member.series).seen_ms < HeldMs(s, rule, cells, member);
}

bool IsUnused(const State& s, std::uint32_t id) {
  const Series& series = s.series.at(id);
  if (series.members == series.forgotten) return true;
  std::uint32_t let_go = 0;
  const auto ask = [&](const Rule& rule) {
    for (std::size_t test = 0; test < rule.stores(); ++test) {
      for (std::size_t i = 0; i < rule.test(test).measure.operands.size(); ++i) {
        const auto known =
            rule.members.find(Rule::MemberKey(id, test, static_cast<std::uint8_t>(i)));
        if (known == rule.members.end()) continue;
        const Cells& cells = *known->second.first;
        if (!Holds(s, rule, cells, cells.members[known->second.second])) ++let_go;
      }
    }
  };
  const Service& service = *s.services[series.service];
  for (const auto& rule : service.rules) ask(*rule);
  for (const Rule* reader : service.readers) ask(*reader);
  return series.members == let_go;
}

void ForgetQuiet(State& s) {
  const auto mark = MarkPassed(s);
  if (!mark) return;
  BeforeAll(s);
  for (const auto& [number, rule] : s.rules) {
    if (rule->home || rule->probe) continue;
    // The last step that is due at the mark.
    const std::int64_t end_ms =
        sketch::LastEnded(*mark - LatenessOf(s, *rule), rule->step_ms) * rule->step_ms;
    for (const auto& [key, group] : rule->groups) {
      for (const auto& cells : group->own) {
        if (cells) ForgetQuiet(s, *rule, *cells, end_ms);
      }
    }
    for (const auto& shared : rule->shared) {
      for (const auto& [key, cells] : shared) ForgetQuiet(s, *rule, *cells, end_ms);
    }
  }
}

}  // namespace liveops::engine
