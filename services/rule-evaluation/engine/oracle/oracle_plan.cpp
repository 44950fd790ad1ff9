#include <algorithm>
#include <map>
#include <set>

#include "common/plan/burn.h"
#include "common/plan/parse.h"
#include "services/rule-evaluation/engine/oracle/oracle.h"

namespace liveops::engine::oracle {
namespace {

constexpr std::int64_t kNativeMs = 2000;
constexpr std::int64_t kOtlpMs = 5000;
constexpr std::int64_t kRemoteWriteMs = 15'000;
constexpr std::int64_t kCloudWatchMs = 300'000;
constexpr std::int64_t kCostMs = 36LL * 3'600'000;
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
    if (x.measure != y.measure || x.by != y.by || x.window != y.window || x.ago != y.ago ||
        Upward(x.op) != Upward(y.op))
      return false;
  }
  return true;
}

}  // namespace

std::int64_t Watch::StepMs() const {
  if (slice > 0) return slice;
  if (alarm.when.quorum.needed > 0) return alarm.when.quorum.slot.count();
  std::int64_t step = INT64_MAX;
  for (std::size_t t = 0; t < tests(); ++t)
    step = std::min(step, plan::PaneLength(test(t).window).count());
  // "It is looked at each minute."
  if (plan::IsBudget(alarm)) step = std::min<std::int64_t>(step, 60'000);
  return step;
}

std::int64_t Watch::LongestWindowMs() const {
  std::int64_t longest = 0;
  for (std::size_t t = 0; t < tests(); ++t) longest = std::max(longest, test(t).window.count());
  return longest;
}

Manner Watch::Rules(std::size_t shown) const {
  return {test(shown).op, when().hold.count(), alarm.clear, alarm.keep_firing.count(),
          alarm.flapping};
}

// "Meanwhile its severity does not fall sooner either."
// Reading: what has no clear of its own is kept for so long as the alarm.
Manner Watch::RulesOfLevel(std::size_t i, bool flaps) const {
  const plan::Level& level = alarm.levels[i];
  Manner manner{level.op, level.hold.count(), level.clear, 0, std::nullopt};
  if (!level.clear) manner.keep = alarm.keep_firing.count();
  if (flaps) manner.keep = std::max<std::int64_t>(manner.keep, alarm.flapping->quiet.count());
  return manner;
}

// "The watermark is the clock minus the allowed lateness: native 2 s, OTLP 5 s, remote write 15 s,
// CloudWatch 5 min, costs 36 h, by plan per metric; at least 1 s."
std::int64_t Oracle::LatenessFor(const Watch& watch, Protocol protocol) const {
  const std::int64_t said = std::max(kLeastMs, watch.said_lateness.value_or(0));
  if (watch.lateness_said_for_all) return said;
  if (protocol == Protocol::kCost) return std::max(said, kCostMs);
  if (protocol == Protocol::kCloudWatch) return std::max(said, kCloudWatchMs);
  if (protocol == Protocol::kRemoteWrite) return std::max(said, kRemoteWriteMs);
  return std::max(said, protocol == Protocol::kOtlp ? kOtlpMs : kNativeMs);
}

// Until a series feeds it nobody knows how late its points may come.
std::int64_t Oracle::LatenessOf(const Watch& watch) const {
  if (const Watch* judge = JudgeOf(watch)) return LatenessOf(*judge);
  return watch.members.empty() && watch.speakers.empty()
             ? std::max(watch.lateness, LatenessFor(watch, Protocol::kOtlp))
             : watch.lateness;
}

void Oracle::Start(Watch& watch) const {
  watch.lateness = LatenessFor(watch, Protocol::kNative);
  watch.born = time_.now();
  watch.judged = (time_.now() - LatenessOf(watch)) / watch.StepMs() * watch.StepMs();
  if (!watch.when().by.empty()) return;
  watch.groups.push_back(std::make_unique<GroupBook>());
  watch.groups.back()->levels.resize(watch.alarm.levels.size());
  watch.groups.back()->asleep = !watch.counts_itself();
}

// "A plan edit: unchanged: all state kept. Changed: same episode, windows kept where equal. Removed
// while firing: withdrawn."
void Oracle::ActivatePlan(const PlanActivationView& view) {
  if (view.version <= version_) return;
  const plan::ParseResult parsed = plan::Parse(view.text);
  if (!parsed.ok()) return;
  version_ = view.version;
  std::vector<std::unique_ptr<Watch>> watches;
  std::vector<plan::Alarm> alarms;
  std::map<std::string, std::int64_t> slices;  // by alarm
  std::set<std::string> sliced;                // objectives
  for (const plan::Slo& slo : parsed.plan.slos) {
    if (!slo.slices) continue;
    plan::Alarm judge;
    judge.name = slo.name + "-slices";
    judge.when = slo.slices->good;
    judge.slo = slo.name;
    slices[judge.name] = slo.slices->window.count();
    sliced.insert(slo.name);
    alarms.push_back(judge);
  }
  alarms.insert(alarms.end(), parsed.plan.alarms.begin(), parsed.plan.alarms.end());
  for (const plan::Alarm& alarm : alarms) {
    std::unique_ptr<Watch> fresh = WatchOf(parsed.plan, alarm);
    if (const auto it = slices.find(alarm.name); it != slices.end()) fresh->slice = it->second;
    fresh->of_slices = fresh->slice == 0 && sliced.contains(alarm.slo);
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
    if (watch == nullptr) continue;
    Withdraw(*watch, "removed");
    EndOverflow(*watch, "removed");
  }
  watches_ = std::move(watches);
}

// "When the key is removed the alarm keeps its windows and the hold that runs, and if it is open it
// is paged then, as an episode that begins. When it is added while it is open, the page is closed,
// with that reason, and the shadow goes on."
std::unique_ptr<Watch> Oracle::Replace(Watch& old, std::unique_ptr<Watch> fresh) {
  const bool same = old.when() == fresh->when();
  const bool same_windows = same || SameWindows(old.when(), fresh->when());
  const bool same_purpose = old.alarm.page == fresh->alarm.page;
  const char* turned = fresh->alarm.page ? "promoted" : "shadowed";
  if (!same_purpose) Withdraw(old, turned);
  if (!same_purpose || !same_windows) EndOverflow(old, same_purpose ? "removed" : turned);
  if (same_windows) {
    fresh->born = old.born;
    fresh->judged = old.judged;
    fresh->lateness = std::max(old.lateness, LatenessFor(*fresh, Protocol::kNative));
    fresh->members = std::move(old.members);
    fresh->departed = std::move(old.departed);
    fresh->speakers = std::move(old.speakers);
    fresh->overflow = std::move(old.overflow);
    GoOn(old, *fresh, same, same_purpose);
  } else {
    // Other windows: open episodes go on, and wait for them.
    Start(*fresh);
    std::erase_if(old.groups, [](const auto& group) { return !group->life.open(); });
    for (const auto& group : old.groups) {
      for (const MemberBook& m : old.members) {
        if (old.own(m.test) && m.labels == group->labels)
          group->silence = std::max(group->silence, 3 * points_.at(m.series).Interval());
      }
      std::erase_if(fresh->groups, [&](const auto& g) { return g->labels == group->labels; });
      group->life.shown = group->last.shown = 0;
      group->asleep = false;
    }
    GoOn(old, *fresh, false, same_purpose);
  }
  if (same_purpose) return fresh;
  for (const auto& group : fresh->groups) {
    if (!group->life.open()) continue;
    group->life.Rename(time_.now());
    Tell(*fresh, *group, {group->life.state, turned, {}}, group->last);
  }
  return fresh;
}

// The groups live on under the new words. "Holds that ran under the old ones begin anew."
void Oracle::GoOn(Watch& old, Watch& fresh, bool same, bool same_purpose) {
  const bool same_end =
      old.alarm.clear == fresh.alarm.clear && old.alarm.keep_firing == fresh.alarm.keep_firing;
  for (auto& group : old.groups) {
    const std::optional<Word> word = Regrade(old, fresh, *group);
    if (!fresh.alarm.flapping) group->life.Calm();
    if (!same) {
      group->life.NewWords();
      group->slots.clear();
    }
    if (!same_end || !same) {
      group->life.clear_since.reset();
      for (LevelBook& level : group->levels) level.life.clear_since.reset();
    }
    if (word && same_purpose) {
      ++group->life.step;
      Tell(fresh, *group, *word, group->last);
    }
    fresh.groups.push_back(std::move(group));
  }
}

void Oracle::Withdraw(Watch& watch, const char* reason) {
  for (const auto& group : watch.groups) {
    if (!group->life.open()) continue;
    ++group->life.step;
    Finding f = group->last;
    f.at = time_.now();
    Tell(watch, *group, {AlarmState::kWithdrawn, reason, {}}, f);
  }
}

}  // namespace liveops::engine::oracle
