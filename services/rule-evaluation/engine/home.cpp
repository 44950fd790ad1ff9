// The home of a rule whose series lie on several shards: takes in what the sources say of a step,
// and judges the step when all have said it (ADR 9).
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "common/base/text.h"
#include "services/rule-evaluation/engine/merged.h"
#include "services/rule-evaluation/engine/merger.h"
#include "services/rule-evaluation/engine/readings.h"
#include "services/rule-evaluation/engine/state.h"

namespace liveops::engine {
namespace {

// A source that told a later step does not tell this one any more, but for a retry on its way.
constexpr std::int64_t kOvertakenMs = 5000;
// After so long people are told who is missed.
constexpr std::int64_t kMissedMs = 2000;
// No step lies further ahead of the clock.
constexpr std::int64_t kAheadMs = 86'400'000;
constexpr std::uint32_t kPartsMax = 4096;
// Series that left are forgotten by their shards an hour later, and at the next look.
constexpr std::int64_t kDepartedMs = 3 * 3'600'000;

Rule* HomeRule(Service& service, std::string_view name) {
  for (const auto& rule : service.rules) {
    if (rule->home && rule->spec.name == name) return rule.get();
  }
  return nullptr;
}

bool HasSource(const Rule& rule, std::int32_t partition) {
  return std::find(rule.sources.begin(), rule.sources.end(), partition) != rule.sources.end();
}

enum class Word { kTold, kNone, kWaits };

// Has the source said what it says of the step, or will it not say anything?
Word WordOf(const State& s, const Rule& rule, std::int64_t step, std::int32_t source) {
  const auto& waiting = rule.home->waiting;
  auto it = waiting.find(step);
  if (it != waiting.end()) {
    const auto told = it->second.find(source);
    if (told != it->second.end() && told->second.whole()) return Word::kTold;
  }
  const std::int64_t given_up = step * rule.step_ms + LatenessOf(s, rule) + s.Scaled(kGiveUpMs);
  if (s.now_ms() >= given_up) return Word::kNone;
  for (it = waiting.upper_bound(step); it != waiting.end(); ++it) {
    const auto told = it->second.find(source);
    if (told == it->second.end() || !told->second.whole()) continue;
    if (s.now_ms() - told->second.whole_ms >= s.Scaled(kOvertakenMs)) return Word::kNone;
    StepReading later;
    const bool read = DecodeReading(rule, told->second.bytes.begin()->second, later);
    return read && later.rule.after < step ? Word::kNone : Word::kWaits;
  }
  return Word::kWaits;
}

// Time passed that nobody observed, before this step.
void SkipUnseen(Rule& rule, const Home::Told& own) {
  StepReading reading;
  if (!DecodeReading(rule, own.bytes.begin()->second, reading)) return;
  const Duration unseen(reading.rule.unseen_ms);
  if (unseen <= Duration(0)) return;
  for (const auto& [key, group] : rule.groups) {
    group->life.Skip(unseen);
    for (Life& level : group->levels) level.Skip(unseen);
  }
}

// True when the rule, a probe, is over.
bool JudgeStep(State& s, Rule& rule, std::int64_t step, std::vector<Transition>& out) {
  std::map<std::int32_t, Home::Told> told = std::move(rule.home->waiting[step]);
  Merger merger(s, rule, step);
  for (const std::int32_t source : rule.sources) {
    const auto it = told.find(source);
    if (it != told.end() && it->second.whole()) {
      merger.Add(source, it->second);
    } else {
      merger.Untold();
    }
  }
  SkipUnseen(rule, told.at(rule.sources.front()));
  MergedStep merged = merger.Merge();
  rule.judged = step;
  rule.home->waiting.erase(rule.home->waiting.begin(), rule.home->waiting.upper_bound(step));
  s.merged = &merged;
  bool over = false;
  if (rule.probe) {
    over = JudgeProbe(s, rule, step * rule.step_ms, out);
  } else {
    const std::vector<Group*> groups = rule.active;
    for (Group* group : groups) JudgeGroup(s, rule, *group, step * rule.step_ms, out);
  }
  s.merged = nullptr;
  return over;
}

// The first step that the home's own source told; it tells them in their order. Nothing is judged
// that it did not tell.
std::optional<std::int64_t> NextOwn(const Home& home, std::int32_t own) {
  for (const auto& [at, by_source] : home.waiting) {
    const auto told = by_source.find(own);
    if (told != by_source.end() && told->second.whole()) return at;
  }
  return std::nullopt;
}

void ShowMissed(State& s, Rule& rule, std::int32_t missed) {
  if (rule.home->missed == missed) return;
  rule.home->missed = missed;
  rule.changed = true;
  ++s.changes;
  for (const auto& [key, group] : rule.groups) group->changed = true;
}

// True when the rule, a probe, is over.
bool JudgeHome(State& s, Rule& rule, std::vector<Transition>& out) {
  const std::int32_t own = rule.sources.front();
  std::int32_t missed = -1;
  std::optional<std::int64_t> step;
  while ((step = NextOwn(*rule.home, own))) {
    for (std::size_t i = 1; i < rule.sources.size() && missed < 0; ++i) {
      if (WordOf(s, rule, *step, rule.sources[i]) == Word::kWaits) missed = rule.sources[i];
    }
    if (missed >= 0) break;
    BeforeService(s, rule.service);
    if (JudgeStep(s, rule, *step, out)) return true;
  }
  if (missed >= 0) {
    const Home::Told& told = rule.home->waiting.at(*step).at(own);
    if (s.now_ms() - told.whole_ms < s.Scaled(kMissedMs)) missed = -1;
  }
  ShowMissed(s, rule, missed);
  return false;
}

}  // namespace

void TakeReadings(State& s, const ReadingsView& view) {
  Service* service = FindService(s, view.service);
  Rule* rule = service == nullptr ? nullptr : HomeRule(*service, view.rule);
  if (rule == nullptr || rule->reads != view.windows) return;
  const std::int64_t step = view.step_end_ms / rule->step_ms;
  const bool sane = view.part < view.parts && view.parts <= kPartsMax &&
                    view.step_end_ms % rule->step_ms == 0 && view.step_end_ms > 0 &&
                    view.step_end_ms <= s.now_ms() + kAheadMs &&
                    HasSource(*rule, view.source_partition);
  if (!sane || step <= rule->judged) return;
  BeforeService(s, rule->service);
  Home::Told& told = rule->home->waiting[step][view.source_partition];
  if (told.whole() || (told.parts > 0 && told.parts != view.parts)) return;
  told.parts = view.parts;
  told.bytes.emplace(view.part, view.groups);
  if (told.whole()) told.whole_ms = s.now_ms();
}

void JudgeHomes(State& s, std::vector<Transition>& out) {
  const std::vector<std::uint64_t> numbers(s.homes.begin(), s.homes.end());
  for (const std::uint64_t number : numbers) {
    Rule& rule = *s.rules.at(number);
    if (!JudgeHome(s, rule, out)) continue;
    // With its own source, which nobody hears any more.
    Service& service = *s.services[rule.service];
    const std::string name = rule.spec.name;
    std::vector<Rule*> over;
    for (const auto& r : service.rules) {
      if (r->spec.name == name) over.push_back(r.get());
    }
    for (Rule* r : over) RemoveRule(s, service, *r);
  }
}

void Depart(State& s, Rule& rule, const Group& group, std::int64_t end_ms) {
  if (!group.labels.empty()) {
    rule.home->departed[group.key] = end_ms;
    rule.home->groups.erase(group.key);
    return;
  }
  auto& left = rule.home->groups[group.key].left;
  for (const auto& [source, store] : s.merged->Of(group).sources) {
    if (store < rule.tests()) left[{source, store}] = end_ms;
  }
}

void HousekeepHome(State& s, Rule& rule) {
  Home& home = *rule.home;
  std::int64_t reach = 0;
  for (std::size_t i = 0; i < rule.stores(); ++i) reach = std::max(reach, rule.reach_ms(i));
  std::erase_if(home.departed, [&](const auto& entry) {
    return entry.second < s.now_ms() - reach - std::max(kDepartedMs, s.Scaled(kDepartedMs));
  });
  std::vector<Group*> silent;
  for (const auto& [key, group] : rule.groups) {
    const auto kept = home.groups.find(key);
    const bool heard = kept != home.groups.end() && kept->second.heard;
    if (heard || group->active || group->labels.empty() || rule.probe) continue;
    if (group->life.state == AlarmState::kOk) silent.push_back(group.get());
  }
  for (Group* group : silent) RemoveGroup(s, rule, *group);
  std::erase_if(home.groups, [&](const auto& entry) { return !rule.groups.contains(entry.first); });
}

std::string MissedText(const State& s, const Rule& rule) {
  if (!rule.home || rule.home->missed < 0) return "";
  const std::string of =
      rule.others.empty() ? ""
                          : fmt::format(", where series of {} lie,",
                                        fmt::join(ServicesAt(s, rule, rule.home->missed), " and "));
  return fmt::format("unknown since {}: partition {}{} does not say what its series do; before: ",
                     FormatUtc(rule.judged_ms()).substr(11, 8), rule.home->missed, of);
}

}  // namespace liveops::engine
