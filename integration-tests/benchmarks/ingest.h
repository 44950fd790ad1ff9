#pragma once

#include <string>

#include "common/base/result.h"
#include "integration-tests/benchmarks/report.h"

namespace liveops::bench {

// Samples that ingest takes per second of its own CPU time (user and system), by way in: 100,000
// series with 5 labels, 1,000 points a request (remote write: 2,000), two connections, 30 s, each
// answered after the broker acknowledged. On a stack of its own for each.
Status MeasureIngest(const std::string& dir, Report& report);

}  // namespace liveops::bench
