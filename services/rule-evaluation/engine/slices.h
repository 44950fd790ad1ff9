#pragma once

#include <cstdint>
#include <string>

#include "services/rule-evaluation/engine/state.h"

// Objectives of slices of time: steps of Shard::Apply, as those in state.h.
namespace liveops::engine {

// Slices are read by what counts them alone, and by it nothing else.
inline bool MayRead(const Rule& rule, SeriesKind kind) {
  return rule.spec.judges() && !rule.home && rule.spec.of_slices == (kind == SeriesKind::kSlices);
}

// --- slices.cpp ---
// The rule that judges the slices that an alarm of the objective counts; nullptr while there is
// none.
const Rule* SliceRuleOf(const State& s, const Rule& rule);
// What reads its counts waits as long as it does.
void ScheduleSliced(State& s, const Rule& judge);
// Judges the slice that ends there and, where it is good or bad, counts it.
void JudgeSlice(State& s, Rule& rule, std::int64_t end_ms);
// Of an alarm that reads them: "; the last slice of 1min, to 10:04:00, was bad: …"; "" of another.
std::string SliceText(const State& s, const Rule& rule);

// --- verdict.cpp ---
// Is a slice that ends there good (true) or bad (false)? Unknown where there is no value, the slice
// is not wholly known, or somebody is missing: either way more points could turn it.
Judgement DecideSlice(const State& s, const Rule& rule, Group& group, std::int64_t end_ms);

// --- view.cpp ---
// What is known, of an alarm that is not true now: of each of its tests.
std::string Reasons(const Rule& rule, const Group& group);
std::string TimeOfDay(Instant t);  // "10:04:00"

}  // namespace liveops::engine
