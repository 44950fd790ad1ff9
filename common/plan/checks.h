#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/plan/model.h"

// Checks of single values; each says what is wrong in a sentence part, "" when nothing is.
namespace liveops::plan {

// Services: letters, digits and - _ . ; they stand in front of "/" in alarm ids.
std::string ServiceNameFault(std::string_view name);

// Alarms, owners and remediations: the same in lower case, so that two never differ by case alone.
std::string NameFault(std::string_view name);

// "#oncall".
std::string SlackChannelFault(std::string_view channel);

struct KubectlFault {
  std::size_t index = 0;  // of the argument
  std::string message;
};

// The allow-list of actions: `rollout undo deployment/NAME` with at most one `-n NAMESPACE`. On
// success `arguments` is in the form that Remediation::kubectl promises; empty message then.
KubectlFault NormalizeKubectl(std::vector<std::string>& arguments);

}  // namespace liveops::plan
