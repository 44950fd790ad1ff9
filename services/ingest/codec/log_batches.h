#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/base/time.h"
#include "common/wire/metric_batch.h"
#include "services/ingest/admit/log_line.h"

namespace liveops::ingest {

// Lines as liveops.v1.LogBatch records of about `bytes_max` at most (a single line is never cut
// further); their sources count on from `source`, which is left as that of the next record. `map`
// gives the domain times.
std::vector<std::string> EncodeLogs(const admit::LogGroup& group, const TimeMap& map,
                                    std::size_t bytes_max, wire::Source& source);

}  // namespace liveops::ingest
