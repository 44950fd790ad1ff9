#pragma once

#include "common/base/result.h"
#include "integration-tests/benchmarks/report.h"

namespace liveops::bench {

// What `liveopsctl plan backtest` takes for a service of 100,000 series that is spread over all 16
// partitions: a minute of 100,000 samples a second is written into the log of a sandbox, and
// played. Adds backtest_16_samples_per_core_s, backtest_16_log_s_per_s (how many seconds of such a
// log are played in one), backtest_16_rss_mib (the most that it held) and backtest_16_rss_half_mib
// (the same for the older half of the log). kInternal: it failed, or did not see every sample.
// Takes 2 min.
Status MeasureBacktest(const std::string& dir, Report& report);

}  // namespace liveops::bench
