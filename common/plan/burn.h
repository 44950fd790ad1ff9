#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/plan/model.h"

// The alarms that a service level objective makes: how fast its error budget is being burnt, as in
// "The Site Reliability Workbook" (Beyer et al., 2018), chapter 5, "Alerting on SLOs", the section
// on multiwindow, multi-burn-rate alerts. Pure.
namespace liveops::plan {

inline constexpr const char* kFastBurn = "-fast-burn";
inline constexpr const char* kSlowBurn = "-slow-burn";
inline constexpr const char* kBudget = "-budget";

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
