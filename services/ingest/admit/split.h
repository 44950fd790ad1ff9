#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "common/base/spread.h"
#include "common/base/time.h"
#include "services/ingest/admit/admit.h"

namespace liveops::admit {

// What of a batch goes to one partition.
struct Part {
  std::int32_t partition = 0;
  Admitted batch;
};

// The batch by partition, in the order of their numbers; none without a point. A point's partition
// follows from its series and its event time alone, whatever else the batch holds: of what is sent
// again each point finds the partition of the first try. `steps` as SpreadSteps gives them. Pure.
std::vector<Part> Split(const Admitted& batch, std::string_view service,
                        std::span<const SpreadStep> steps, const TimeMap& map,
                        std::int32_t partitions);

}  // namespace liveops::admit
