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

struct BurnAlarms {
  Alarm fast;  // wakes somebody
  Alarm slow;  // is looked at by day, and only while the fast one does not fire
};

// Names, conditions, summaries, slo, owner and min_count; severities and evidence are the caller's.
BurnAlarms MakeBurnAlarms(const Slo& slo);

// Why an alarm of the objective could never fire, with the figures; "" when each can.
std::string BurnFault(const Slo& slo);

}  // namespace liveops::plan
