#pragma once

#include <string>
#include <vector>

#include "liveops/v1/alarms.pb.h"

namespace liveops::evaluation {

// The reasoning behind an alarm's state, a sentence each: the state, the rule, the value against
// the threshold, window and hold, how far it is judged, the last transition. Pure.
std::vector<std::string> ExplainLines(const v1::AlarmStatus& status);

// The same of an alarm at a moment that has passed: what it was, what was missing for it to fire,
// what the log says before and after, and what the answer rests on. `past.lines` is not looked at.
std::vector<std::string> PastLines(const v1::PastAlarm& past);

}  // namespace liveops::evaluation
