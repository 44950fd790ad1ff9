#pragma once

#include <cstdint>
#include <string>

#include "common/base/result.h"
#include "common/base/time.h"
#include "common/kafka/kafka.h"

namespace liveops::kafka {

// Of a topic that is there. kNotFound: it is not; asking makes none.
Result<std::int32_t> PartitionCount(const ClientConfig& config, const std::string& topic,
                                    Duration timeout);

}  // namespace liveops::kafka
