#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "liveops/v1/alarms.pb.h"
#include "liveops/v1/plans.pb.h"
#include "services/liveopsctl/render/text.h"

// Plans and what is wrong with them as text. Pure.
namespace liveops::ctl {

// `file:line:column: message` (columns count characters), the source line under it (tabs as one
// blank, cut to what fits around the place) and a caret under the place.
std::string RenderProblem(const v1::PlanProblem& problem, std::string_view source,
                          const Style& style);

// Service -> version of the plan that judges it. A service is missing when that is not known.
using PlansInForce = std::map<std::string, std::uint64_t>;
// By the versions that the alarms are judged by. A plan that has none tells nothing.
PlansInForce InForceBy(const v1::ListAlarmsResponse& alarms);

// The newest version of each service and the one in force.
std::string RenderPlans(const v1::ListPlansResponse& response, const PlansInForce& in_force,
                        const Style& style);

// The plan's text, with a comment line in front that says version, who applied it and which version
// is in force.
std::string RenderPlan(const v1::PlanRecord& plan, const PlansInForce& in_force,
                       const Style& style);

}  // namespace liveops::ctl
