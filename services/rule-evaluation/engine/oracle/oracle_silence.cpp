#include <algorithm>

#include "services/rule-evaluation/engine/oracle/oracle.h"

namespace liveops::engine::oracle {
namespace {

constexpr std::int64_t kLongAgo = INT64_MIN / 4;
// A taken over alarm's series may take so long to come back, at least.
constexpr std::int64_t kReturnMs = 120'000;

bool IsPrimary(const plan::Measure& measure, std::size_t operand) {
  return !measure.IsRatio() || operand == 1;
}

}  // namespace

// "After a refusal, a lost instance or a gap in the log, absence proves nothing."
bool Oracle::Doubted(std::int64_t since) const { return !time_.Proves(since) || refused_ > since; }

std::int64_t Oracle::NewestTime(const MemberBook& member) const {
  const Point* newest = NewestUpTo(member, INT64_MAX);
  return newest == nullptr ? kLongAgo : newest->time;
}

bool Oracle::Ends(const Watch& watch, const MemberBook& member) const {
  return watch.distinct(member) || IsGauge(points_.at(member.series));
}

// "Absence begins at max(W, 2.5 x interval) behind the watermark. A gauge lives for max(W, 3 x
// interval)." Readings: points that came too late or from too far ahead prove that it is not
// absent; before a second point the interval is not known, and taken for 5 min.
bool Oracle::Absent(const Watch& watch, const MemberBook& member, std::int64_t end) const {
  const SeriesBook& series = points_.at(member.series);
  if (series.left && !member.past) return true;
  const std::int64_t beat = series.Interval() > 0 ? series.Interval() : 300'000;
  const plan::Test& test = watch.test(member.test);
  const std::int64_t reach = test.window.count() + (member.past ? test.ago.count() : 0);
  const std::int64_t length = std::max(reach, Ends(watch, member) ? 3 * beat : (5 * beat + 1) / 2);
  return end - NewestTime(member) >= length && series.unusable <= end - length &&
         !Doubted(end - length);
}

// Does the test rest on fewer series than there should be?
// Reading: a gauge is missed as soon as its reading counts no more, until it has left; a counter or
// a distribution may have nothing to say, so it is missed only where its silence proves nothing.
bool Oracle::Missing(const Watch& watch, const GroupBook& group, std::size_t test,
                     std::int64_t end) const {
  const std::int64_t window = watch.test(test).window.count();
  const MemberBooks members = Members(watch, group, test);
  return std::any_of(members.begin(), members.end(), [&](const MemberBook* m) {
    const SeriesBook& series = points_.at(m->series);
    if (series.left) return false;
    const std::int64_t silence = end - NewestTime(*m);
    // "No slice waits for who has been silent for an hour."
    if (watch.slice > 0 && silence >= 3'600'000) return false;
    if (Ends(watch, *m)) return silence >= std::max(window, 2 * series.Interval());
    return (Doubted(end - window) || series.unusable > end - window) &&
           2 * silence >= 5 * series.Interval();
  });
}

bool Oracle::HasPrimaries(const Watch& watch, const GroupBook& group) const {
  for (std::size_t t = 0; t < watch.tests(); ++t) {
    if (!watch.own(t)) continue;
    for (const MemberBook* m : Members(watch, group, t)) {
      if (IsPrimary(watch.test(t).measure, m->operand)) return true;
    }
    if (watch.counts(t) && CountHeads(watch, t, watch.judged).known > 0) return true;
  }
  return false;
}

// The silence of all without which there is no value is proven.
// Reading: a ratio's part may be silent; of a condition with several tests all must be.
bool Oracle::Silent(const Watch& watch, const GroupBook& group, std::int64_t end) const {
  bool absent = true;
  bool spoke = false;  // "no_data needs one point since the plan's activation"
  for (std::size_t t = 0; t < watch.tests(); ++t) {
    if (!watch.own(t)) continue;
    for (const MemberBook* m : Members(watch, group, t)) {
      if (!IsPrimary(watch.test(t).measure, m->operand)) continue;
      spoke |= NewestTime(*m) > kLongAgo;
      absent &= Absent(watch, *m, end);
    }
    if (!watch.counts(t)) continue;
    const Heads heads = CountHeads(watch, t, end);
    spoke |= heads.known > 0;
    absent &= heads.here + heads.perhaps == 0;
  }
  if (spoke) return absent;
  // Nobody has returned to an alarm that was taken over.
  if (!group.life.open()) return false;
  const std::int64_t length = std::max({watch.LongestWindowMs(), group.silence, kReturnMs});
  return end - watch.born >= length && !Doubted(end - length);
}

// "A group whose last series left closes as gone." Gauges leave; what counts or observes does not
// (for an hour). Where none came since a plan edit, only `last` is sure to be of gauges;
// what counts label values leaves as they do.
bool Oracle::Leaves(const Watch& watch, const GroupBook& group) const {
  if (watch.counts_itself()) return false;  // that nobody reports is what it says
  bool any = false;
  bool gauges = true;
  for (std::size_t t = 0; t < watch.tests(); ++t) {
    if (!watch.own(t)) continue;
    for (const MemberBook* m : Members(watch, group, t)) {
      any = true;
      gauges &= Ends(watch, *m);
    }
  }
  if (any) return gauges;
  const plan::Measure& m = watch.when().measure;
  return !m.IsRatio() && (m.value().aggregate == plan::Aggregate::kLast ||
                          m.value().aggregate == plan::Aggregate::kDistinct);
}

// Gauges whose silence is proven leave, as long as others stay.
void Oracle::DropGauges(Watch& watch, std::size_t test, bool past, const Labels& labels,
                        std::int64_t end) const {
  const auto here = [&](const MemberBook& m) {
    return m.test == test && m.past == past && m.labels == labels;
  };
  const auto leaves = [&](const MemberBook& m) { return Ends(watch, m) && Absent(watch, m, end); };
  const bool all = std::all_of(watch.members.begin(), watch.members.end(),
                               [&](const MemberBook& m) { return !here(m) || leaves(m); });
  if (all) return;
  // Reading: what label values were heard in a window is counted there, whoever has left since.
  for (const MemberBook& m : watch.members) {
    if (!here(m) || !leaves(m) || !watch.distinct(m)) continue;
    watch.departed.push_back(m);
    watch.departed.back().left = true;
  }
  std::erase_if(watch.members, [&](const MemberBook& m) { return here(m) && leaves(m); });
}

}  // namespace liveops::engine::oracle
