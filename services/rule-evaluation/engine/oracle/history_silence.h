#pragma once

#include <cstdint>
#include <vector>

#include "services/rule-evaluation/engine/oracle/history.h"

namespace liveops::engine::oracle {

// Puts the records in the order in which they are written.
void SortByTime(History& history);

// So much time goes by at `from`, with these records; what comes later comes later by it.
void InsertTime(History& history, std::int64_t from, std::int64_t length,
                std::vector<HistoryRecord> between);

}  // namespace liveops::engine::oracle
