#include "services/rule-evaluation/engine/transition.h"

#include <array>
#include <string_view>

namespace liveops::engine {

const char* AlarmStateName(AlarmState state) {
  switch (state) {
    case AlarmState::kOk:
      return "ok";
    case AlarmState::kPending:
      return "pending";
    case AlarmState::kFiring:
      return "firing";
    case AlarmState::kNoData:
      return "no_data";
    case AlarmState::kResolved:
      return "resolved";
    case AlarmState::kGone:
      return "gone";
    case AlarmState::kWithdrawn:
      return "withdrawn";
    case AlarmState::kBlind:
      return "blind";
    case AlarmState::kStale:
      return "stale";
  }
  return "unknown";
}

std::string AlarmId(std::string_view service, std::string_view name, const Labels& group) {
  std::string id(service);
  id += '/';
  id += name;
  id += group.ToString();
  return id;
}

std::string ScenarioAlarmName(std::string_view scenario) {
  return "scenario:" + std::string(scenario);
}

Sha256 TransitionId(const Transition& transition) {
  const std::string episode = std::to_string(ToMs(transition.episode));
  const std::string step = std::to_string(transition.step);
  const std::array<std::string_view, 3> parts{transition.alarm_id, episode, step};
  return Sha256Of(parts);
}

}  // namespace liveops::engine
