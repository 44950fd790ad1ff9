#pragma once

#include "services/rule-evaluation/engine/oracle/history.h"

namespace liveops::engine::oracle {

// Puts the records in the order in which they are written.
void SortByTime(History& history);

}  // namespace liveops::engine::oracle
