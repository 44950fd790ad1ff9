#pragma once

#include "common/telemetry/metrics.h"
#include "services/rule-evaluation/service/status_board.h"

namespace liveops::evaluation {

// What the board shows, in numbers. Those of shards are told by partition: a partition that goes to
// another owner takes its own along.
void AddMetrics(const StatusBoard::View& view, metrics::List& list);

}  // namespace liveops::evaluation
