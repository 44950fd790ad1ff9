#pragma once

#include <string>

#include "common/base/result.h"
#include "integration-tests/benchmarks/page_latency.h"

namespace liveops::bench {

// What a page's way costs the broker alone: a record written to one partition, read and written to
// the next, read and written to a third, and read there (metric, transition, attempt read back),
// with the clients and settings that the services use and nothing else on the way. From just before
// the first write to the last read; as many records, as often, as MeasurePageLatency writes.
Result<Latency> MeasureBareHops(const std::string& brokers, const LatencyOptions& options);

}  // namespace liveops::bench
