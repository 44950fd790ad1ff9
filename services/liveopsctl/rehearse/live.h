#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "services/liveopsctl/rehearse/backtest.h"
#include "services/liveopsctl/rehearse/watched.h"

// A plan held against what its service really sends. Pure.
namespace liveops::rehearse {

// A metric of which nothing came for so long has vanished; or for ten times its usual interval, if
// that is longer.
inline constexpr Duration kVanishedAfter = std::chrono::minutes(5);
inline constexpr int kVanishedIntervals = 10;

struct LiveMetric {
  std::string name;
  std::optional<Sighting> seen;
  bool vanished = false;  // it was seen, and is no longer
  bool unheard = false;   // it is of another service, and never was: the value stays unknown
  std::string nearest;  // of the metrics that were seen, when this one never was; "" = none is near
};

struct LiveAlarm {
  std::string name;
  engine::Purpose purpose = engine::Purpose::kPage;
  std::vector<LiveMetric> metrics;  // that its condition reads
  // At the end of the log, of the group that is worst off: open, then pending, then the others.
  engine::AlarmState now = engine::AlarmState::kBlind;
  std::string explanation;
  std::size_t groups = 0;  // that there are then
  std::size_t open = 0;    // of these: they would fire now
  std::size_t fired = 0;   // episodes in all
  double fired_per_day = 0;

  bool blind() const { return now == engine::AlarmState::kBlind; }
  bool vanished() const;
  bool unheard() const;
};

struct LiveReport {
  std::vector<LiveAlarm> alarms;  // in the plan's order
  double pages_per_day = 0;

  // Some alarm rests on nothing, on what is no longer sent, or on what another service never sent.
  bool unsound() const;
};

// `report` is of the plan on the log.
LiveReport HoldAgainst(const plan::Plan& plan, const BacktestReport& report);

}  // namespace liveops::rehearse
