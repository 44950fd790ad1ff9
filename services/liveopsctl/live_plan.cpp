#include "services/liveopsctl/live_plan.h"

#include <fmt/format.h>

namespace liveops::ctl {

PlansInForce AskInForce(Session& session, Backend& backend, const std::string& service) {
  v1::ListAlarmsRequest request;
  request.set_service(service);
  const Result<v1::ListAlarmsResponse> response = backend.ListAlarms(request);
  if (response.ok()) return InForceBy(*response);
  session.Warn("which version is in force cannot be told: " + response.error().message);
  return {};
}

Result<LivePlan> AskLivePlan(Session& session, Backend& backend, const std::string& service) {
  v1::GetPlanRequest request;
  request.set_service(service);
  Result<v1::GetPlanResponse> newest = backend.GetPlan(request);
  if (!newest.ok() && newest.error().code == ErrorCode::kNotFound) return LivePlan{};
  if (!newest.ok()) return newest.error();
  const PlansInForce in_force = AskInForce(session, backend, service);
  const auto running = in_force.find(service);
  if (running == in_force.end()) return LivePlan{newest->plan(), false};
  if (running->second == newest->plan().version()) return LivePlan{newest->plan(), true};
  session.Warn(
      fmt::format("{}: version {}, applied by {} at {}, is not in force yet; version {} is",
                  service, newest->plan().version(), newest->plan().applied_by(),
                  Moment(newest->plan().applied_unix_ms()), running->second));
  request.set_version(running->second);
  const Result<v1::GetPlanResponse> live = backend.GetPlan(request);
  if (!live.ok()) return live.error();
  return LivePlan{live->plan(), true};
}

}  // namespace liveops::ctl
