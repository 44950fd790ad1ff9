#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace liveops::sink {

// One alert as PagerDuty's own page would list it.
struct Alert {
  std::int64_t number = 0;  // 1, 2, … in order of opening
  std::string routing_key;
  std::string dedup_key;
  std::string summary;  // of the newest trigger
  std::string severity;
  std::string source;
  enum class State { kTriggered, kAcknowledged, kResolved } state = State::kTriggered;
  std::int64_t triggers = 0;  // 1 + those merged into it
  std::int64_t opened_us = 0;
  std::int64_t acknowledged_us = 0;  // 0 = not
  std::int64_t resolved_us = 0;      // 0 = not
};
const char* AlertStateName(Alert::State state);  // "triggered", …

// What an event did.
struct AlertEffect {
  std::string word;        // "opened", "merged", "acknowledged", "resolved", "dropped"
  std::int64_t alert = 0;  // its number; 0 when dropped
};

struct AlertEvent {
  std::string action;  // "trigger", "acknowledge", "resolve"
  std::string routing_key;
  std::string dedup_key;  // of a trigger it may be empty: a fresh one is drawn from `fresh_key`
  std::string fresh_key;
  std::string summary;
  std::string severity;
  std::string source;
  std::int64_t at_us = 0;
};

// PagerDuty's rules (https://support.pagerduty.com/docs/event-management#deduplication): a trigger
// on an open key merges, one after a resolve opens a new alert; an acknowledge or resolve without
// an open alert is dropped; keys of different integrations do not meet. Pure; not thread-safe.
class AlertBook {
 public:
  AlertEffect Apply(const AlertEvent& event);
  const std::vector<Alert>& alerts() const { return alerts_; }

 private:
  std::vector<Alert> alerts_;
  // (routing key, dedup key) -> index of its open alert.
  std::map<std::pair<std::string, std::string>, std::size_t> open_;
};

}  // namespace liveops::sink
