#include "services/notifier/policy/route.h"

namespace liveops::notifier {
namespace {

Route RouteTo(const plan::Plan* plan, std::string_view owner_name, bool page) {
  if (!plan) return {RouteReason::kNoPlan, {}};
  const plan::Owner* owner = plan->FindOwner(owner_name);
  if (!owner) return {RouteReason::kUnknownOwner, {}};
  Route route{RouteReason::kRouted, {}};
  if (page && !owner->pagerduty.empty()) {
    route.destinations.push_back({Channel::kPagerDuty, owner->pagerduty});
  }
  if (!owner->slack.empty()) route.destinations.push_back({Channel::kSlack, owner->slack});
  if (route.destinations.empty()) route.reason = RouteReason::kOwnerWithoutDestination;
  return route;
}

}  // namespace

const char* RouteReasonName(RouteReason reason) {
  switch (reason) {
    case RouteReason::kRouted:
      return "routed";
    case RouteReason::kNoPlan:
      return "no plan of the service is known";
    case RouteReason::kUnknownOwner:
      return "the plan in force has no such owner";
    case RouteReason::kOwnerWithoutDestination:
      return "the owner has no destination for it";
  }
  return "unknown";
}

Route RouteOf(const plan::Plan* plan, std::string_view owner, plan::Severity severity) {
  const bool page = severity == plan::Severity::kCritical || severity == plan::Severity::kHigh;
  return RouteTo(plan, owner, page);
}

Route RouteOfRemedy(const plan::Plan* plan, std::string_view approver_owner) {
  return RouteTo(plan, approver_owner, false);
}

}  // namespace liveops::notifier
