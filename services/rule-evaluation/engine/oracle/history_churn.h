#pragma once

#include "services/rule-evaluation/engine/oracle/history.h"

namespace liveops::engine::oracle {

// Hours go by in which pods come and go for good, while others stay. Some pods return when nobody
// waits for them any more. Drawn apart from all else.
void AddChurn(History& history);

}  // namespace liveops::engine::oracle
