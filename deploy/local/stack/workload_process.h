#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "deploy/local/stack/stack.h"

namespace liveops::stack {

struct WorkloadOptions {
  std::uint64_t seed = 1;
  std::optional<Duration> rollout_at;  // domain time after its start; nothing = quiet
  std::string rollout_image = "backend-api:2.4.0";
  std::string bad_tag = "2.4.0";
};

// Starts liveops-workload against the stack's first ingest (its plain listener), at the stack's
// speed. It logs to services/workload.log.
Result<std::unique_ptr<ChildProcess>> StartWorkload(const Stack& stack,
                                                    const WorkloadOptions& options);

}  // namespace liveops::stack
