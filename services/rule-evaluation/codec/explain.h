#pragma once

#include <string>
#include <vector>

#include "liveops/v1/alarms.pb.h"

namespace liveops::evaluation {

// The reasoning behind an alarm's state, a sentence each: the state, the rule, the value against
// the threshold, window and hold, how far it is judged, the last transition. Pure.
std::vector<std::string> ExplainLines(const v1::AlarmStatus& status);

}  // namespace liveops::evaluation
