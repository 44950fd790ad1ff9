#include <fmt/format.h>

#include <cmath>
#include <map>

#include "common/base/text.h"
#include "common/base/time.h"
#include "common/plan/burn.h"
#include "services/liveopsctl/render/alarms.h"
#include "services/liveopsctl/render/table.h"

namespace liveops::ctl {
namespace {

// The three that the plan makes of each.
struct Objective {
  const v1::AlarmStatus* fast = nullptr;
  const v1::AlarmStatus* slow = nullptr;
  const v1::AlarmStatus* budget = nullptr;
  bool whole() const { return fast != nullptr && slow != nullptr && budget != nullptr; }
};

// By service and name.
std::map<std::pair<std::string, std::string>, Objective> ObjectivesOf(
    const v1::ListAlarmsResponse& response) {
  std::map<std::pair<std::string, std::string>, Objective> found;
  for (const v1::AlarmStatus& alarm : response.alarms()) {
    const auto take = [&](std::string_view suffix, const v1::AlarmStatus* Objective::*which) {
      if (!alarm.name().ends_with(suffix)) return;
      const std::string name = alarm.name().substr(0, alarm.name().size() - suffix.size());
      found[{alarm.service(), name}].*which = &alarm;
    };
    take(plan::kFastBurn, &Objective::fast);
    take(plan::kSlowBurn, &Objective::slow);
    take(plan::kBudget, &Objective::budget);
  }
  std::erase_if(found, [](const auto& entry) { return !entry.second.whole(); });
  return found;
}

bool Burns(const v1::AlarmStatus& alarm) { return alarm.state() == v1::ALARM_STATE_FIRING; }

Cell BurnCell(const Objective& objective) {
  if (Burns(*objective.fast))
    return {fmt::format("fast: {}", StateWord(v1::ALARM_STATE_FIRING)), Tone::kBad};
  if (Burns(*objective.slow))
    return {fmt::format("slow: {}", StateWord(v1::ALARM_STATE_FIRING)), Tone::kWarning};
  return "";
}

// Of events, or of slices of time.
std::string Good(const v1::AlarmStatus& budget) {
  const bool slices = budget.expression().find(plan::kBadSlices) != std::string::npos;
  return FormatValue(100 - budget.threshold(), "%") + (slices ? " of slices" : "");
}

std::string Left(const v1::AlarmStatus& budget) {
  if (!budget.has_budget()) return "unknown";
  return FormatValue(std::round(budget.budget().left() * 1000) / 10, "%");
}

// Of the rest nothing is counted.
std::string Known(const v1::AlarmStatus& budget) {
  if (!budget.has_budget()) return "";
  return FormatValue(std::floor(budget.budget().covered() * 1000) / 10, "%");
}

}  // namespace

v1::ListAlarmsResponse OfObjectives(const v1::ListAlarmsResponse& response) {
  v1::ListAlarmsResponse out;
  for (const auto& [key, objective] : ObjectivesOf(response)) {
    for (const v1::AlarmStatus* alarm : {objective.budget, objective.fast, objective.slow}) {
      *out.add_alarms() = *alarm;
    }
  }
  return out;
}

std::string RenderSlos(const v1::ListAlarmsResponse& response, const Style& style) {
  const auto objectives = ObjectivesOf(response);
  if (objectives.empty()) return "No objectives.\n";
  Table table({"SERVICE", "OBJECTIVE", "GOOD", "OVER", "BUDGET LEFT", "KNOWN", "BURNS"});
  for (const auto& [key, objective] : objectives) {
    const v1::AlarmStatus& budget = *objective.budget;
    const auto over = Duration(static_cast<std::int64_t>(budget.window_ms()));
    table.Row({key.first, key.second, Good(budget), FormatDuration(over), Left(budget),
               Known(budget), BurnCell(objective)});
  }
  return table.ToString(style);
}

}  // namespace liveops::ctl
