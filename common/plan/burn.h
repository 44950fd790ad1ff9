#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/plan/model.h"

// The alarms that a service level objective makes: how fast its error budget is being burnt, as in
// "The Site Reliability Workbook" (Beyer et al., 2018), chapter 5, "Alerting on SLOs", the section
// on multiwindow, multi-burn-rate alerts. Pure.
namespace liveops::plan {

inline constexpr const char* kFastBurn = "-fast-burn";
inline constexpr const char* kSlowBurn = "-slow-burn";
inline constexpr const char* kBudget = "-budget";

// What an objective of slices counts, as the engine does when a slice is over: series of these
// names, which nobody emits, with the labels `slo` and `condition`.
inline constexpr const char* kSlices = "slo:slices";
inline constexpr const char* kBadSlices = "slo:bad_slices";
inline bool IsSliceCount(std::string_view metric) {
  return metric == kSlices || metric == kBadSlices;
}
// The rule that judges them has this name.
inline constexpr const char* kSliceRule = "-slices";
// The share of slices that were bad. `condition` there tells one condition or length from another:
// what was counted under one says nothing under another.
Measure BadSlices(const std::string& slo, const TimeSlices& slices);
// How many of them the shortest window of the alarms holds.
std::int64_t SlicesInShortest(const TimeSlices& slices);
// Too few bad ones to wake somebody, where the plan does not say: one alone, if there is room for
// two.
std::uint64_t UsualBadSlices(const TimeSlices& slices);

struct BurnAlarms {
  Alarm fast;    // wakes somebody
  Alarm slow;    // is looked at by day, and only while the fast one does not fire
  Alarm budget;  // is told to nobody: how much is left, and that nothing is
};

// Names, conditions, summaries, slo, owner and min_count; severities and evidence are the caller's.
BurnAlarms MakeBurnAlarms(const Slo& slo);

// Is it the one that says how much of an objective's error budget is left? Its window is the
// objective's time, its threshold what of it may be bad.
bool IsBudget(const Alarm& alarm);
// "the month's error budget", of an objective over 30 d.
std::string BudgetName(Duration over);

// Why an alarm of the objective could never fire, with the figures; "" when each can.
std::string BurnFault(const Slo& slo);

}  // namespace liveops::plan
