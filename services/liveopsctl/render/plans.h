#pragma once

#include <string>
#include <string_view>

#include "liveops/v1/plans.pb.h"
#include "services/liveopsctl/render/text.h"

// Plans and what is wrong with them as text. Pure.
namespace liveops::ctl {

// `file:line:column: message` (columns count characters), the source line under it (tabs as one
// blank, cut to what fits around the place) and a caret under the place.
std::string RenderProblem(const v1::PlanProblem& problem, std::string_view source,
                          const Style& style);

std::string RenderPlans(const v1::ListPlansResponse& response, const Style& style);

// The plan's text; with `heading`, a comment line in front that says version and who applied it.
std::string RenderPlan(const v1::PlanRecord& plan, bool heading, const Style& style);

}  // namespace liveops::ctl
