#pragma once

#include <string>
#include <string_view>

#include "common/wire/metric_batch.h"
#include "services/ingest/admit/admit.h"

namespace liveops::ingest {

enum class Protocol {
  kNative = 1,
  kOtlp = 2,
  kRemoteWrite = 3,
  kCloudWatch = 4,
  kCost = 5
};  // as v1::Protocol

// The liveops.v1.ShardRecord with these points: byte for byte what libprotobuf would write.
std::string EncodeBatch(const wire::Source& source, std::string_view service, Protocol protocol,
                        const admit::Admitted& batch);

}  // namespace liveops::ingest
