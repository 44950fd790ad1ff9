#pragma once

#include <iosfwd>
#include <string>
#include <vector>

namespace liveops::standin {

// A kubectl for a cluster that is a JSON file. It has Deployments and their ReplicaSets, keeps
// revisions as the deployment controller does (a rollback gives the old ReplicaSet a new number),
// and answers in kubectl's words and shapes:
//
//   create deployment NAME --image=IMAGE [--replicas=N]      set image deployment/NAME
//   CONTAINER=IMAGE get deployment|replicasets [NAME] [-l k=v,…] [-o json|name] annotate
//   deployment/NAME KEY=VALUE|KEY- [--overwrite] rollout history deployment/NAME [--revision=N]
//   rollout status deployment/NAME rollout undo deployment/NAME [--to-revision=N]           version
//
// each with -n NAMESPACE and --kubeconfig FILE. The configuration file (else the environment's
// KUBECONFIG) holds `standin-state: PATH`, relative to itself; the state file is made at the first
// `create`. Concurrent calls are serialised by a lock beside it, and it is replaced atomically.
// Keys of the state that tests set:
//   "delay_ms", "delay_after_ms": `rollout undo` waits so long before, and after, its change.
// "changes" there lists every change: {"time", "argv"}.
//
// Returns the exit code: 0, or 1 with a message on `err`.
int Run(const std::vector<std::string>& args, const std::string& kubeconfig, std::ostream& out,
        std::ostream& err);

}  // namespace liveops::standin
