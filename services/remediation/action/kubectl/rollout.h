#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"

namespace liveops::remediation {

// One remembered pod template of a Deployment: a ReplicaSet that it owns.
struct Revision {
  std::int64_t number = 0;  // deployment.kubernetes.io/revision; the newest time it was rolled out
  std::int64_t first_number = 0;  // the first time (deployment.kubernetes.io/revision-history)
  std::string template_hash;
  std::string image;  // of the first container, for people
};

// A Deployment as `kubectl get deployment NAME -o json` shows it.
struct Deployment {
  std::string uid;
  std::string selector;  // "app=backend-api,…" of spec.selector.matchLabels, for -l; may be empty
  std::string template_hash;
  std::string image;
  std::int64_t revision = 0;  // annotation; behind the template while `settled` is false
  bool settled = false;       // the controller has seen the newest generation
};

struct Rollout {
  Deployment deployment;
  Revision current;
  std::vector<Revision> others;  // ascending by number
};

// A pod template's identity: first 16 bytes, hex, of SHA-256 over its JSON with sorted keys,
// without nulls and without the label pod-template-hash (which the controller adds to a
// ReplicaSet's copy). kInvalid: not such JSON.
Result<Deployment> ReadDeployment(std::string_view json);
// The ReplicaSets of `kubectl get replicasets -o json` that the Deployment owns.
// kInvalid: not such JSON. kUnavailable: none has the current template yet (the controller is
// behind).
Result<Rollout> ReadRollout(const Deployment& deployment, std::string_view replica_sets_json);

// Where a rollback should lead: of the revisions whose template first ran before the current one's,
// the one that ran last, and none whose template is in `avoid`. Plain "undo" takes the newest other
// revision, which after a rollback is the bad one again (kubernetes/website#6921). kConflict: there
// is none.
Result<Revision> ChooseTarget(const Rollout& rollout, const std::vector<std::string>& avoid);

}  // namespace liveops::remediation
