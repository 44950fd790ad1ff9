#include "deploy/local/sink/alerts.h"

namespace liveops::sink {

const char* AlertStateName(Alert::State state) {
  switch (state) {
    case Alert::State::kTriggered:
      return "triggered";
    case Alert::State::kAcknowledged:
      return "acknowledged";
    case Alert::State::kResolved:
      return "resolved";
  }
  return "";
}

AlertEffect AlertBook::Apply(const AlertEvent& event) {
  const std::string& key = event.dedup_key.empty() ? event.fresh_key : event.dedup_key;
  const auto open = open_.find({event.routing_key, key});
  if (event.action == "trigger") {
    if (open != open_.end()) {
      Alert& alert = alerts_[open->second];
      ++alert.triggers;
      alert.summary = event.summary;
      alert.severity = event.severity;
      return {"merged", alert.number};
    }
    Alert alert;
    alert.number = static_cast<std::int64_t>(alerts_.size()) + 1;
    alert.routing_key = event.routing_key;
    alert.dedup_key = key;
    alert.summary = event.summary;
    alert.severity = event.severity;
    alert.source = event.source;
    alert.triggers = 1;
    alert.opened_us = event.at_us;
    open_[{event.routing_key, key}] = alerts_.size();
    alerts_.push_back(alert);
    return {"opened", alert.number};
  }
  if (open == open_.end()) return {"dropped", 0};
  Alert& alert = alerts_[open->second];
  if (event.action == "acknowledge") {
    if (alert.state == Alert::State::kTriggered) {
      alert.state = Alert::State::kAcknowledged;
      alert.acknowledged_us = event.at_us;
    }
    return {"acknowledged", alert.number};
  }
  if (event.action != "resolve") return {"dropped", 0};
  alert.state = Alert::State::kResolved;
  alert.resolved_us = event.at_us;
  open_.erase(open);
  return {"resolved", alert.number};
}

}  // namespace liveops::sink
