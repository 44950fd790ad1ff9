#pragma once

#include "common/base/result.h"
#include "integration-tests/benchmarks/report.h"

namespace liveops::bench {

// The whole stack under the population of load.h at 20,000 samples a second. Adds rules_cpu_cores
// (rule-evaluation's processor time with the rules less that without, 120 s each),
// evaluator_cpu_cores_loaded, evaluator_rss_mib_loaded, broker_cpu_cores_loaded and
// page_latency_loaded_p50_ms/_p99_ms. kInternal: something was refused, or an alarm fired that is
// not svc-0's. Takes 11 minutes.
Status MeasureLoaded(const std::string& dir, Report& report);

}  // namespace liveops::bench
