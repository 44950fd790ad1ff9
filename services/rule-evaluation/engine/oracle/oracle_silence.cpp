#include <algorithm>
#include <utility>
#include <vector>

#include "services/rule-evaluation/engine/oracle/oracle.h"

namespace liveops::engine::oracle {
namespace {

constexpr std::int64_t kLongAgo = INT64_MIN / 4;
// A taken over alarm's series may take so long to come back, at least.
constexpr std::int64_t kReturnMs = 120'000;
constexpr std::int64_t kForgottenMs = 3'600'000;
constexpr std::int64_t kHousekeepMs = 600'000;

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
  const plan::Operand& operand = watch.test(member.test).measure.operands[member.operand];
  return watch.distinct(member) || IsRead(points_.at(member.series), operand.aggregate);
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
  if (member.forgotten) return !Doubted(end - reach);
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
    if (series.left || m->forgotten || m->gone) return false;
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
      spoke |= m->spoke || NewestTime(*m) > kLongAgo;
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

// "A series in which no rule had an interest for an hour is new when it speaks again."
bool Oracle::IsForgotten(std::size_t series) const {
  const auto hears = [&](const SpeakerBook& s) { return s.series == series; };
  return points_.at(series).named < time_.now() - kForgottenMs &&
         std::none_of(watches_.begin(), watches_.end(), [&](const auto& watch) {
           const auto reads = [&](const MemberBook& m) {
             return m.series == series && Holds(*watch, m);
           };
           return std::any_of(watch->members.begin(), watch->members.end(), reads) ||
                  std::any_of(watch->speakers.begin(), watch->speakers.end(), hears);
         });
}

// Reading: calm groups whose series were all silent for an hour more than their windows reach back
// are forgotten, and so is what several groups look at.
void Oracle::Housekeep() {
  if (time_.now() / kHousekeepMs == std::exchange(housekept_, time_.now()) / kHousekeepMs) return;
  for (const auto& watch : watches_) {
    const auto old = [&](const MemberBook& m) {
      const plan::Test& test = watch->test(m.test);
      const std::int64_t reach = test.window.count() + (m.past ? test.ago.count() : 0);
      return NewestTime(m) < time_.now() - kForgottenMs - reach && !Holds(*watch, m);
    };
    if (watch->overflow) {
      std::erase_if(watch->overflow->refused, [&](const auto& refused) {
        return refused.second < time_.now() - kForgottenMs;
      });
    }
    for (std::size_t t = 0; t < watch->tests(); ++t) {
      if (watch->counts(t)) ForgetSpeakers(*watch, t, time_.now() - kForgottenMs);
    }
    std::vector<const GroupBook*> calm;
    for (const auto& group : watch->groups) {
      if (!group->asleep || group->labels.empty() || group->life.state != AlarmState::kOk) continue;
      const bool all =
          std::all_of(watch->members.begin(), watch->members.end(), [&](const MemberBook& m) {
            return !watch->own(m.test) || m.labels != group->labels || old(m);
          });
      if (all) calm.push_back(group.get());
    }
    for (const GroupBook* group : calm) Forget(*watch, *group);
    const std::vector<MemberBook> before = watch->members;
    for (const MemberBook& m : before) {
      if (watch->own(m.test)) continue;
      const auto beside = [&](const MemberBook& o) {
        return o.test == m.test && o.past == m.past && o.labels == m.labels;
      };
      const bool all = std::all_of(watch->members.begin(), watch->members.end(),
                                   [&](const MemberBook& o) { return !beside(o) || old(o); });
      if (all) std::erase_if(watch->members, beside);
    }
  }
}

// "A group whose last series left closes as gone." Gauges leave; what counts or observes does not
// (for an hour). Where none came since a plan edit, only `last` is sure to be of gauges;
// what counts label values leaves as they do.
bool Oracle::Leaves(const Watch& watch, const GroupBook& group) const {
  if (watch.counts_itself()) return false;  // that nobody reports is what it says
  bool any = false;
  bool gauges = true;
  bool long_silent = !group.labels.empty();
  for (std::size_t t = 0; t < watch.tests(); ++t) {
    if (!watch.own(t)) continue;
    for (const MemberBook* m : Members(watch, group, t)) {
      any = true;
      gauges &= Ends(watch, *m);
      long_silent &=
          watch.judged - NewestTime(*m) >= kForgottenMs || points_.at(m->series).left.has_value();
    }
  }
  if (any) return gauges || long_silent;
  const plan::Measure& m = watch.when().measure;
  const plan::Aggregate aggregate = m.value().aggregate;
  if (!m.IsRatio() &&
      (aggregate == plan::Aggregate::kLast || aggregate == plan::Aggregate::kDistinct)) {
    return true;
  }
  const bool of_gauges = !m.IsRatio() && aggregate != plan::Aggregate::kRate &&
                         aggregate != plan::Aggregate::kIncrease &&
                         aggregate != plan::Aggregate::kQuantile;
  return (!group.labels.empty() || of_gauges) && watch.judged - watch.born >= kForgottenMs;
}

// Gauges whose silence is proven leave, as long as others stay.
void Oracle::DropGauges(Watch& watch, std::size_t test, bool past, const Labels& labels,
                        std::int64_t end) const {
  const auto here = [&](const MemberBook& m) {
    return m.test == test && m.past == past && m.labels == labels;
  };
  // "Whatever is in doubt later, it has left until it speaks."
  for (MemberBook& m : watch.members) {
    if (here(m) && Ends(watch, m) && NewestTime(m) > kLongAgo && Absent(watch, m, end))
      m.gone = true;
  }
  const auto leaves = [&](const MemberBook& m) {
    return Ends(watch, m) && (m.gone || Absent(watch, m, end));
  };
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
