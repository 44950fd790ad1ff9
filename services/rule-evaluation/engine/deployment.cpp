#include "services/rule-evaluation/engine/activate.h"

namespace liveops::engine {

void ApplyDeployment(State& s, const DeploymentView& view) {
  Service& service = ServiceOf(s, view.service);
  BeforeService(s, s.service_index.find(service.name)->second);
  constexpr std::size_t kDeploymentsMax = 50;
  if (service.deployments.size() >= kDeploymentsMax) {
    service.deployments.erase(service.deployments.begin());
  }
  service.deployments.push_back({std::string(view.revision), std::string(view.description),
                                 std::string(view.actor), view.time});
}

}  // namespace liveops::engine
