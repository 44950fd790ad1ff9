#include "services/rule-evaluation/engine/oracle/spread_words.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace liveops::engine::oracle {
namespace {

bool Near(double a, double b) {
  if (std::isnan(a) || std::isnan(b)) return std::isnan(a) == std::isnan(b);
  return std::fabs(a - b) <= 1e-9 * std::max({std::fabs(a), std::fabs(b), 1e-6});
}

}  // namespace

std::string Line(const Transition& t) {
  const auto at = [](auto time) { return (static_cast<double>(ToMs(time) - kNine)) / 1000; };
  return fmt::format(
      "  {} {} {} {} {} episode {} step {} value {} of {} at {} since {} peak {} "
      "points {} swings {}\n",
      at(t.clock), t.alarm_id, AlarmStateName(t.state), t.reason, plan::SeverityName(t.severity),
      at(t.episode), t.step, t.value, t.threshold, at(t.window_end), at(t.since), t.peak, t.points,
      t.swings);
}

bool Same(const Transition& a, const Transition& b, const SpreadConditions& conditions) {
  if (conditions.at_once && (a.clock != b.clock || a.episode != b.episode)) return false;
  // Who tells no bounds, and counts how often it would have opened while it was damped for himself.
  const bool naive = !conditions.others.empty();
  const double points = std::fabs(static_cast<double>(a.points) - static_cast<double>(b.points));
  return a.alarm_id == b.alarm_id && a.state == b.state && a.reason == b.reason &&
         a.step == b.step && a.purpose == b.purpose && a.severity == b.severity &&
         a.severity_before == b.severity_before && (a.swings > 0) == (b.swings > 0) &&
         (naive || a.swings == b.swings) && a.groups_refused == b.groups_refused &&
         a.window_end == b.window_end && a.since == b.since && a.threshold == b.threshold &&
         Near(a.value, b.value) &&
         (naive || (Near(a.value_low, b.value_low) && Near(a.value_high, b.value_high))) &&
         Near(a.peak, b.peak) && points <= 1;
}

void InOrder(std::vector<Transition>& told) {
  std::stable_sort(told.begin(), told.end(), [](const Transition& a, const Transition& b) {
    return a.alarm_id != b.alarm_id ? a.alarm_id < b.alarm_id : a.window_end < b.window_end;
  });
}

}  // namespace liveops::engine::oracle
