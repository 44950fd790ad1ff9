#pragma once

#include <optional>

#include "common/base/result.h"
#include "common/base/time.h"
#include "common/kafka/kafka.h"

namespace liveops::runtime {

inline constexpr const char* kDomainTimeKey = "domain-time";  // in controls.v1

// The first one that stands in controls.v1 counts; nullopt when none does. kUnavailable: not read
// within `timeout`, also where the topic was made a moment ago and has no leader yet.
Result<std::optional<TimeMap>> FindTimeMap(kafka::AssignedConsumer& consumer, Duration timeout);

// The same where it must be there. kNotFound: nobody wrote one yet.
Result<TimeMap> ReadTimeMap(kafka::AssignedConsumer& consumer, Duration timeout);

}  // namespace liveops::runtime
