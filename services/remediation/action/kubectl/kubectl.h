#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "common/base/time.h"
#include "services/remediation/action/tool.h"

namespace liveops::remediation {

struct KubectlConfig {
  std::string path;  // of the program, absolute
  std::string
      kubeconfig;  // absolute; "" = the program's own way (in a cluster: the service account)
  std::string ns = "default";
  Duration timeout{30'000};  // of one run, steady
};

// `kubectl rollout undo` of a Deployment, by argv, with an empty environment. `cancel` (may be
// null, must outlive the tool) ends a running child.
std::unique_ptr<Tool> NewKubectl(KubectlConfig config, const std::atomic<bool>* cancel);

}  // namespace liveops::remediation
