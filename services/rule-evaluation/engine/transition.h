#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/hash.h"
#include "common/base/labels.h"
#include "common/base/time.h"
#include "common/plan/model.h"

namespace liveops::engine {

enum class AlarmState : std::uint8_t {
  kOk = 1,
  kPending = 2,  // true, the hold still runs; never a transition
  kFiring = 3,
  kNoData = 4,
  kResolved = 5,   // as a transition; the alarm is then kOk
  kGone = 6,       // as a transition
  kWithdrawn = 7,  // as a transition
  kBlind = 8,      // never saw its metric since the plan's activation; never a transition
  kStale = 9,      // a foreign alert that was not told again in time
};
const char* AlarmStateName(AlarmState state);
// An episode goes on.
inline bool IsOpen(AlarmState state) {
  return state == AlarmState::kFiring || state == AlarmState::kNoData ||
         state == AlarmState::kStale;
}

enum class Purpose : std::uint8_t { kPage = 1, kRecord = 2, kScenario = 3, kProbe = 4 };

struct Contribution {
  std::string label;  // "endpoint=/games"
  double value = 0;   // in the measure's unit; NaN = its series are silent, which is proven
  double share = 0;   // of the whole; 0 = of none, it is the worst gauge
};

struct Change {
  std::string description;
  Instant time{};
};

// What the log holds of an alarm's life. Identified by (alarm_id, episode, step).
struct Transition {
  std::string alarm_id;  // AlarmId()
  std::string service;
  std::string name;
  Labels group;
  Purpose purpose = Purpose::kPage;
  Instant episode{};
  std::uint32_t step = 0;
  AlarmState state = AlarmState::kFiring;
  // "crossed", "overflow", "flapping", "escalated", "eased", "recovered", "silent", "returned",
  // "gone", "decommissioned", "removed", "promoted", "shadowed", "true", "timed_out", "reported",
  // "stale"
  std::string reason;
  plan::Severity severity = plan::Severity::kMedium;
  std::optional<plan::Severity> severity_before;  // "escalated" and "eased": from what
  std::string owner;
  std::string expression;
  double value = std::numeric_limits<double>::quiet_NaN();
  double value_low = std::numeric_limits<double>::quiet_NaN();
  double value_high = std::numeric_limits<double>::quiet_NaN();
  double threshold = 0;
  plan::Comparison comparison = plan::Comparison::kGreater;
  std::string unit;
  std::string compared;  // "now 612 ms, 1d ago 300 ms"; "" = the value is not compared
  std::string
      budget;  // "12 % of the month's error budget is left"; "" = of no objective, or unknown
  Duration window{0};
  Duration hold{0};
  Instant window_end{};
  Instant since{};
  double peak = std::numeric_limits<double>::quiet_NaN();
  Duration duration{0};
  std::uint64_t points = 0;
  std::vector<Contribution> top;
  std::vector<Change> changes;
  std::uint64_t plan_version = 0;
  Instant clock{};
  RealTime clock_real{};
  std::int64_t source_offset = 0;
  std::string probe_id;
  std::string summary;
  std::string runbook;
  std::uint32_t swings = 0;  // of a flapping episode: how often it opened, or would have; 0 = none
  Duration flaps_within{0};  // of a flapping one: the time in which it opened so often,
  Duration quiet{0};         // and how long it must have been clear to be over
  // "overflow": the groups for which the rule has no room, or the series for which the shard has
  // none. Its value is how many there are in all, its threshold how many are watched.
  std::uint64_t groups_refused = 0;
  // Of a foreign alert; "" and epoch of the plan's own alarms.
  std::string origin;     // who judges it: "alertmanager"
  std::string link;       // where
  Instant heard{};        // partition clock when it was last told
  Instant valid_until{};  // so long its word is good
};

// `service/name` and, with groups, `{label="value",…}`.
std::string AlarmId(std::string_view service, std::string_view name, const Labels& group);
// The condition of a remediation scenario has this alarm name: "scenario:<name>".
std::string ScenarioAlarmName(std::string_view scenario);
// So is the alarm called that tells that there is no room for more series of a service.
inline constexpr std::string_view kSeriesLimitName = "limit:series";
// And the one that tells that there is no room for more foreign alerts of a service.
inline constexpr std::string_view kForeignLimitName = "limit:foreign-alerts";
// SHA-256 over (alarm id, episode in ms, step).
Sha256 TransitionId(const Transition& transition);

// What is left of what an objective allows to be bad over its whole time.
struct ErrorBudget {
  std::string slo;
  double objective = 0;  // 0..1
  Duration over{0};
  double left = 0;         // 1 = all, below 0 = more was bad than is allowed
  double covered = 0;      // of its time, what is known, 0..1; in the rest nothing was bad
  double events = 0;       // that were counted, or slices
  double not_counted = 0;  // slices since the rule began that were neither good nor bad
};
// "12 % of the month's error budget is left", "at most 99 % of … is left (3h of 30d is known)".
std::string BudgetText(const ErrorBudget& budget);

// One alarm as it stands, for operators.
struct AlarmView {
  std::string alarm_id;
  std::string service;
  std::string name;
  Purpose purpose = Purpose::kPage;
  AlarmState state = AlarmState::kOk;
  plan::Severity severity = plan::Severity::kMedium;
  std::string owner;
  std::string expression;
  double value = std::numeric_limits<double>::quiet_NaN();
  double threshold = 0;
  plan::Comparison comparison = plan::Comparison::kGreater;
  std::string unit;
  Instant since{};
  Instant episode{};  // epoch when not open
  Duration hold{0};
  Duration window{0};
  Instant watermark{};
  Instant clock{};
  std::uint64_t points = 0;
  std::uint64_t plan_version = 0;
  std::uint32_t swings = 0;           // of an open flapping episode
  std::optional<ErrorBudget> budget;  // of an alarm that an objective made, if anything is known
  std::string explanation;
  std::string origin;  // as of a Transition
  std::string link;
  Instant heard{};
  Instant valid_until{};
};

}  // namespace liveops::engine
