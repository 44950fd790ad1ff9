#include "deploy/local/stack/workload_process.h"

#include <algorithm>

#include "common/base/text.h"

namespace liveops::stack {

Result<std::unique_ptr<ChildProcess>> StartWorkload(const Stack& stack,
                                                    const WorkloadOptions& options) {
  const StackOptions& of = stack.options();
  // Often enough that a change is seen within the step in which it happened; a real kubectl is
  // dear.
  const double look_ms = std::clamp(5'000 / of.domain_speed, 250.0, 2'000.0);
  ProcessSpec spec;
  spec.name = "workload";
  spec.argv = {stack.Binary("liveops-workload"),
               "--ingest",
               stack.plain_ingest(),
               "--service",
               of.deployment,
               "--deployment",
               of.deployment,
               "--speed",
               FormatNumber(of.domain_speed),
               "--seed",
               std::to_string(options.seed),
               "--kubectl",
               stack.cluster().kubectl(),
               "--kubeconfig",
               stack.cluster().kubeconfig(),
               "--bad-tag",
               options.bad_tag,
               "--look",
               FormatDuration(Duration(static_cast<std::int64_t>(look_ms)))};
  if (options.rollout_at) {
    spec.argv.insert(spec.argv.end(), {"--rollout-at", FormatDuration(*options.rollout_at),
                                       "--rollout-image", options.rollout_image});
  }
  spec.log_file = stack.Path("services/workload.log");
  return ChildProcess::Spawn(spec);
}

}  // namespace liveops::stack
