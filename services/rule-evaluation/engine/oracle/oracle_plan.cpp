#include <algorithm>

#include "common/plan/parse.h"
#include "services/rule-evaluation/engine/oracle/oracle.h"

namespace liveops::engine::oracle {
namespace {

constexpr std::int64_t kNativeMs = 2000;
constexpr std::int64_t kOtlpMs = 5000;
constexpr std::int64_t kLeastMs = 1000;

std::unique_ptr<Watch> WatchOf(const plan::Plan& plan, const plan::Alarm& alarm) {
  auto watch = std::make_unique<Watch>();
  watch->alarm = alarm;
  watch->lateness_said_for_all = true;
  for (std::size_t t = 0; t < watch->tests(); ++t) {
    for (const plan::Operand& operand : watch->test(t).measure.operands) {
      const auto it = std::find_if(plan.lateness.begin(), plan.lateness.end(),
                                   [&](const auto& said) { return said.first == operand.metric; });
      if (it == plan.lateness.end()) {
        watch->lateness_said_for_all = false;
      } else {
        watch->said_lateness = std::max(watch->said_lateness.value_or(0), it->second.count());
      }
    }
  }
  return watch;
}

// Reading: the operator's direction is part of what a window means; a quorum of its slots.
bool SameWindows(const plan::Condition& a, const plan::Condition& b) {
  if (plan::TestCount(a) != plan::TestCount(b) || a.quorum != b.quorum) return false;
  for (std::size_t t = 0; t < plan::TestCount(a); ++t) {
    const plan::Test& x = plan::TestOf(a, t);
    const plan::Test& y = plan::TestOf(b, t);
    if (x.measure != y.measure || x.by != y.by || x.window != y.window ||
        Upward(x.op) != Upward(y.op))
      return false;
  }
  return true;
}

}  // namespace

std::int64_t Watch::StepMs() const {
  if (alarm.when.quorum.needed > 0) return alarm.when.quorum.slot.count();
  std::int64_t step = INT64_MAX;
  for (std::size_t t = 0; t < tests(); ++t)
    step = std::min(step, plan::PaneLength(test(t).window).count());
  return step;
}

std::int64_t Watch::LongestWindowMs() const {
  std::int64_t longest = 0;
  for (std::size_t t = 0; t < tests(); ++t) longest = std::max(longest, test(t).window.count());
  return longest;
}

// "The watermark is the clock minus the allowed lateness: native 2 s, OTLP 5 s, by plan per metric;
// at least 1 s."
std::int64_t Oracle::LatenessFor(const Watch& watch, bool otlp) const {
  const std::int64_t said = std::max(kLeastMs, watch.said_lateness.value_or(0));
  return watch.lateness_said_for_all ? said : std::max(said, otlp ? kOtlpMs : kNativeMs);
}

// Until a series feeds it nobody knows how late its points may come.
std::int64_t Oracle::LatenessOf(const Watch& watch) const {
  return watch.members.empty() ? std::max(watch.lateness, LatenessFor(watch, true))
                               : watch.lateness;
}

void Oracle::Start(Watch& watch) const {
  watch.lateness = LatenessFor(watch, false);
  watch.born = time_.now();
  watch.judged = (time_.now() - LatenessOf(watch)) / watch.StepMs() * watch.StepMs();
  if (!watch.when().by.empty()) return;
  watch.groups.push_back(std::make_unique<GroupBook>());
}

// "A plan edit: unchanged: all state kept. Changed: same episode, windows kept where equal. Removed
// while firing: withdrawn."
void Oracle::ActivatePlan(const PlanActivationView& view) {
  if (view.version <= version_) return;
  const plan::ParseResult parsed = plan::Parse(view.text);
  if (!parsed.ok()) return;
  version_ = view.version;
  std::vector<std::unique_ptr<Watch>> watches;
  for (const plan::Alarm& alarm : parsed.plan.alarms) {
    std::unique_ptr<Watch> fresh = WatchOf(parsed.plan, alarm);
    const auto old = std::find_if(watches_.begin(), watches_.end(), [&](const auto& watch) {
      return watch != nullptr && watch->alarm.name == alarm.name;
    });
    // Other labels are other alarms.
    if (old != watches_.end() && (*old)->when().by == alarm.when.by) {
      watches.push_back(Replace(**old, std::move(fresh)));
      old->reset();
    } else {
      Start(*fresh);
      watches.push_back(std::move(fresh));
    }
  }
  for (const auto& watch : watches_) {
    if (watch != nullptr) Withdraw(*watch);
  }
  watches_ = std::move(watches);
}

std::unique_ptr<Watch> Oracle::Replace(Watch& old, std::unique_ptr<Watch> fresh) {
  const bool same = old.when() == fresh->when();
  if (same || SameWindows(old.when(), fresh->when())) {
    fresh->born = old.born;
    fresh->judged = old.judged;
    fresh->lateness = std::max(old.lateness, LatenessFor(*fresh, false));
    fresh->members = std::move(old.members);
    fresh->groups = std::move(old.groups);
    for (const auto& group : fresh->groups) {
      if (old.alarm.clear != fresh->alarm.clear) group->life.clear_since.reset();
      if (same) continue;
      group->life.NewWords();
      group->slots.clear();
    }
    return fresh;
  }
  // Other windows: open episodes go on, and wait for them.
  Start(*fresh);
  for (auto& group : old.groups) {
    if (!group->life.open()) continue;
    for (std::size_t t = 0; t < old.tests(); ++t) {
      if (!old.own(t)) continue;
      for (const MemberBook* m : Members(old, *group, t))
        group->silence = std::max(group->silence, 3 * points_.at(m->series).Interval());
    }
    group->life.NewWords();
    group->life.shown = group->last.shown = 0;
    group->asleep = false;
    group->slots.clear();
    std::erase_if(fresh->groups, [&](const auto& g) { return g->labels == group->labels; });
    fresh->groups.push_back(std::move(group));
  }
  return fresh;
}

void Oracle::Withdraw(Watch& watch) {
  for (const auto& group : watch.groups) {
    if (!group->life.open()) continue;
    ++group->life.step;
    Finding f = group->last;
    f.at = time_.now();
    Tell(watch, *group, {AlarmState::kWithdrawn, "removed"}, f);
  }
}

}  // namespace liveops::engine::oracle
