#pragma once

#include <memory>
#include <string>
#include <vector>

#include "common/base/result.h"
#include "integration-tests/benchmarks/load.h"

// The two ways on which a load comes to the evaluator.
namespace liveops::bench {

// One native stream to ingest at `address`.
Result<std::unique_ptr<LoadCarrier>> CarryThroughIngest(const std::string& address);

// Straight to the partitions of metrics.v1, as ingest's records: the fingerprints of the requests'
// series are filled in here, once. Records are gathered for 20 ms, since nobody waits for one.
// kUnavailable: no producer.
Result<std::unique_ptr<LoadCarrier>> CarryIntoTheLog(stack::Stack& stack,
                                                     std::vector<v1::WriteRequest>& requests);

}  // namespace liveops::bench
