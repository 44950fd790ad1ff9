#pragma once

#include <string>
#include <vector>

#include "services/rule-evaluation/engine/oracle/spread_run.h"
#include "services/rule-evaluation/engine/transition.h"

// What several shards told against what was expected, word by word.
namespace liveops::engine::oracle {

std::string Line(const Transition& t);
bool Same(const Transition& a, const Transition& b, const SpreadConditions& conditions);
// One record may move several alarms, and one reading several steps.
void InOrder(std::vector<Transition>& told);

}  // namespace liveops::engine::oracle
