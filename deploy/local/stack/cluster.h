#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/base/result.h"
#include "deploy/local/stack/process.h"

namespace liveops::stack {

// What `kubectl get deployment -o json` says of a Deployment.
struct DeploymentState {
  std::int64_t revision = 0;  // annotation deployment.kubernetes.io/revision
  std::string image;          // of the first container of the pod template
};

// The cluster that remediation acts on: a real one, or the kubectl stand-in's file. Thread-safe:
// immutable.
class Cluster {
 public:
  Cluster(std::string kubectl, std::string kubeconfig)
      : kubectl_(std::move(kubectl)), kubeconfig_(std::move(kubeconfig)) {}
  // The stand-in (deploy/local/kubectl) with its state in `dir`: a Deployment that went through
  // these images, oldest first. What is there already is kept.
  static Result<Cluster> StandIn(const std::string& kubectl, const std::string& dir,
                                 const std::string& deployment,
                                 const std::vector<std::string>& images);

  const std::string& kubectl() const { return kubectl_; }
  const std::string& kubeconfig() const { return kubeconfig_; }

  // Runs kubectl with these arguments, KUBECONFIG set, for at most 30 s.
  Result<RunOutcome> Run(const std::vector<std::string>& arguments) const;

  Result<DeploymentState> Get(const std::string& deployment) const;
  // `kubectl set image deployment/<name> <name>=<image>`
  Status SetImage(const std::string& deployment, const std::string& image) const;
  // Every change that the stand-in made, as its command line, oldest first. kNotFound: a real
  // cluster.
  Result<std::vector<std::string>> Changes() const;

 private:
  std::string kubectl_;
  std::string kubeconfig_;
  std::string state_file_;  // "" = a real cluster
};

}  // namespace liveops::stack
