#pragma once

#include "services/rule-evaluation/engine/oracle/history.h"

namespace liveops::engine::oracle {

// The history with probes in some of them, drawn apart from all else: one of a condition of the
// plan, with its first version or later. The naive evaluator knows none.
History WithProbes(History history);

}  // namespace liveops::engine::oracle
