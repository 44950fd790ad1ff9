#pragma once

#include <string>
#include <vector>

#include "services/rule-evaluation/engine/oracle/history.h"
#include "services/rule-evaluation/engine/oracle/history_plan.h"
#include "services/rule-evaluation/engine/oracle/random.h"

namespace liveops::engine::oracle {

// An objective of the events of c0, of which those with code 500 are bad: a list item of a plan.
std::string EventObjective(Random& random);

// Gives some histories' plans an objective of slices of time, which an edit mostly leaves as it is.
// `hours`: a history in which points come seldom.
void AddSlices(History& history, const std::vector<HistoryMetric>& metrics, bool hours);

}  // namespace liveops::engine::oracle
