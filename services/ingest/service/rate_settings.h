#pragma once

#include "common/config/config.h"
#include "services/ingest/admit/rate_limit.h"

namespace liveops::ingest {

// Keys:
//   limits.points_per_second, limits.bytes_per_second   of each emitter by itself; 0 = none
//   limits.points_per_second_of.NAME, limits.bytes_per_second_of.NAME   instead, of the emitter
//   whose
//                             certificate or token has that name; 0 = none
//   limits.burst              10s: a bucket holds what the rate brings in it
admit::RateLimits ReadRateLimits(config::Reader& reader);

}  // namespace liveops::ingest
