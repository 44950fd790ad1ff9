#pragma once

#include <google/protobuf/repeated_field.h>

#include <string>
#include <string_view>

#include "common/base/result.h"
#include "common/plan/parse.h"
#include "liveops/v1/plans.pb.h"
#include "services/liveopsctl/render/text.h"

// Files that a person wrote, and what is wrong with them.
namespace liveops::ctl {

// The whole of a text file of at most 1 MiB, or why not, for that person.
Result<std::string> ReadTextFile(const std::string& path);

void AddProblem(v1::PlanProblem* out, const std::string& file, const plan::Problem& problem);

// Each with its line of `source`, and their number.
std::string RenderProblems(const google::protobuf::RepeatedPtrField<v1::PlanProblem>& problems,
                           std::string_view source, const Style& style);

}  // namespace liveops::ctl
