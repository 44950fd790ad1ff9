#pragma once

#include "common/base/result.h"
#include "integration-tests/benchmarks/report.h"

namespace liveops::bench {

// The whole stack under the population of load.h, ten times over: a million series, 10,000 rules,
// 200,000 samples a second for 5 min, the sender and the broker on the same processors. Adds
// scale_1m_lag_max_s (of 15 alarms a second meanwhile, the longest from the write of a sample to
// the page), scale_1m_rss_mib and scale_1m_cpu_cores (both rule-evaluation's). kInternal: something
// was refused, the sender fell behind, a page was missing, or an alarm fired that is not svc-0's.
// Takes 8 minutes.
Status MeasureScale(const std::string& dir, Report& report);

}  // namespace liveops::bench
