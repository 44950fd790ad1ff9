#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "services/notifier/policy/facts.h"

namespace liveops::notifier {

enum class RouteReason {
  kRouted,
  kNoPlan,                   // no plan of the service is known
  kUnknownOwner,             // the plan in force has no owner of that name
  kOwnerWithoutDestination,  // the owner names neither Slack nor (where it would page) PagerDuty
};
const char* RouteReasonName(RouteReason reason);

struct Route {
  RouteReason reason = RouteReason::kNoPlan;
  std::vector<Destination> destinations;
};

// Stage 1. Critical and High go to the owner's PagerDuty and Slack, Medium and Low to Slack only.
// Pure.
Route RouteOf(const plan::Plan* plan, std::string_view owner, plan::Severity severity);

// A remediation that no page carries: to the approving owner's Slack.
Route RouteOfRemedy(const plan::Plan* plan, std::string_view approver_owner);

}  // namespace liveops::notifier
