// "A series of which no window can show anything any more, and whose silence is proven, is
// forgotten by a rule an hour later, and is new to it when it speaks again."
#include <algorithm>

#include "services/rule-evaluation/engine/oracle/oracle.h"

namespace liveops::engine::oracle {
namespace {

constexpr std::int64_t kHourMs = 3'600'000;
constexpr std::int64_t kMarkMs = 600'000;

}  // namespace

// Readings: windows end with a pane, so they look back by one further; those of an earlier time,
// whose panes are longer, by two windows. Who spoke once may do so each day. What names
// a series without a point of it shows that it lives.
bool Oracle::IsQuiet(const Watch& watch, const MemberBook& member, std::int64_t end) const {
  const SeriesBook& series = points_.at(member.series);
  if (series.kind == SeriesKind::kSlices) return false;  // nobody sends them
  const plan::Test& test = watch.test(member.test);
  const std::int64_t window = test.window.count();
  const std::int64_t ago = test.ago.count();
  const std::int64_t pane = watch.slice > 0 ? watch.slice : plan::PaneLength(test.window).count();
  const std::int64_t back = member.past ? ago + 3 * window : window + pane;
  const std::int64_t beat = series.Interval();
  const std::int64_t patience = kHourMs + std::max(back, beat > 0 ? 3 * beat : 24 * kHourMs);
  const std::int64_t known_beat = beat > 0 ? beat : 300'000;
  const std::int64_t absent =
      std::max(member.past ? window + ago : window,
               Ends(watch, member) ? 3 * known_beat : (5 * known_beat + 1) / 2);
  return std::max(series.named, NewestTime(member)) <= end - patience && !Doubted(end - absent);
}

// "At the ten minutes of the clock, before what the record says. It is kept while it alone knows
// that somebody spoke." Reading: of those that an operand reads.
void Oracle::ForgetQuiet() {
  const std::int64_t mark = time_.now() / kMarkMs;
  if (mark == housekept_ / kMarkMs) return;
  for (const auto& watch : watches_) {
    const std::int64_t step = watch->StepMs();
    const std::int64_t end = (mark * kMarkMs - LatenessOf(*watch)) / step * step;
    std::vector<MemberBook>& members = watch->members;
    for (MemberBook& m : members) m.forgotten = m.forgotten || IsQuiet(*watch, m, end);
    const auto spoke = [&](const MemberBook& m) {
      return !m.forgotten && (m.spoke || NewestTime(m) > 0);
    };
    std::vector<bool> goes;
    for (const MemberBook& m : members) {
      goes.push_back(
          m.forgotten && std::any_of(members.begin(), members.end(), [&](const MemberBook& o) {
            return spoke(o) && o.test == m.test && o.past == m.past && o.operand == m.operand &&
                   o.labels == m.labels && Ends(*watch, o) == Ends(*watch, m);
          }));
    }
    std::vector<MemberBook> kept;
    for (std::size_t i = 0; i < members.size(); ++i) {
      if (goes[i]) Return(*watch, members[i]);
      if (!goes[i]) kept.push_back(std::move(members[i]));
    }
    members = std::move(kept);
  }
}

// "What may leave alone, or with its group, is held until it is absent." Readings: what such a
// group said at an earlier time is no more when it leaves. What several groups look at is held
// until all of it is forgotten. Who spoke once may do so each day, where silence is told.
bool Oracle::Holds(const Watch& watch, const MemberBook& member) const {
  if (member.forgotten) return false;
  const SeriesBook& series = points_.at(member.series);
  const plan::Test& test = watch.test(member.test);
  const bool leaves = Ends(watch, member);
  const bool grouped = !watch.when().by.empty();
  if (!grouped && !leaves) return true;
  const std::int64_t silence = time_.now() - series.named;
  const std::int64_t reach = test.window.count() + (member.past ? test.ago.count() : 0);
  const std::int64_t beat = series.Interval();
  const std::int64_t beats =
      leaves ? 3 * (beat > 0 ? beat : 300'000) : (5 * (beat > 0 ? beat : 300'000) + 1) / 2;
  if (!watch.own(member.test) && !leaves) {
    return silence < kHourMs + reach || silence < beats;
  }
  if (grouped && watch.own(member.test) && member.past) return false;
  if (silence < reach) return true;
  if (beat == 0 && watch.alarm.no_data == plan::NoData::kFire) return silence < 25 * kHourMs;
  return silence < beats;
}

// What it said stays in the windows that it was said in.
void Oracle::Return(Watch& watch, MemberBook& member) {
  member.spoke = member.spoke || !member.points.empty();
  member.forgotten = false;
  watch.departed.push_back(member);
  watch.departed.back().left = true;
  member.points.clear();
}

}  // namespace liveops::engine::oracle
