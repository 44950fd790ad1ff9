#pragma once

#include <string>

#include "common/base/result.h"
#include "integration-tests/benchmarks/report.h"

namespace liveops::bench {

// Runs liveops-engine-bench, a process of its own so that it can count its own memory, and takes
// over its figures. kInternal: a run of it was void.
Status MeasureEngine(const std::string& dir, Report& report);

}  // namespace liveops::bench
