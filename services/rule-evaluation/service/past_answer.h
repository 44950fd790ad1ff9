#pragma once

#include "liveops/v1/alarms.pb.h"
#include "services/rule-evaluation/service/hindsight.h"

namespace liveops::evaluation {

// The answer with its lines for people.
void FillPast(const PastAlarm& past, v1::PastAlarm& out);

}  // namespace liveops::evaluation
