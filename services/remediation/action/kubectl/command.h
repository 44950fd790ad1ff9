#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/base/result.h"

namespace liveops::remediation {

// The one change that remediation may make with kubectl.
struct RolloutUndo {
  std::string ns;
  std::string name;  // of the Deployment
  std::string target() const { return "deployment/" + name; }
};

// Reads a plan's arguments (after "kubectl"): `rollout undo deployment/NAME` or `rollout undo
// deployment NAME`, with
// `-n NS` or `--namespace=NS` at the end. That is the whole allow-list: any other verb, flag
// (`--kubeconfig`, `--server`,
// `--to-revision`, …) or character is kInvalid with a sentence that says which.
Result<RolloutUndo> ParseRolloutUndo(const std::vector<std::string>& arguments,
                                     const std::string& default_ns);

// The complete argv that goes back to one revision.
std::vector<std::string> UndoArgv(const RolloutUndo& undo, std::int64_t revision);

// Reads a complete argv; only what UndoArgv writes is accepted.
struct ResolvedUndo {
  RolloutUndo undo;
  std::int64_t revision = 0;
};
Result<ResolvedUndo> ParseUndoArgv(const std::vector<std::string>& argv);

// Kubernetes names: DNS-1123 subdomain (253 characters) and label (63).
// https://kubernetes.io/docs/concepts/overview/working-with-objects/names/
bool IsResourceName(std::string_view name);
bool IsNamespaceName(std::string_view name);

}  // namespace liveops::remediation
