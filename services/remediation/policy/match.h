#pragma once

#include <string>
#include <string_view>

#include "common/base/result.h"
#include "common/plan/model.h"
#include "services/remediation/policy/record.h"

namespace liveops::remediation {

// A scenario's condition that fires, as its transition tells.
struct Firing {
  std::string alarm_id;
  std::string service;
  std::string scenario;
  Instant episode{};
  std::string condition;  // what was seen, for people
};

// "scenario:<name>" -> name; "" when it is no scenario's alarm.
std::string_view ScenarioOf(std::string_view alarm_name);

// Where a plan in force comes from.
struct PlanOrigin {
  std::uint64_t version = 0;
  std::string applied_by;  // certificate name; "" = not known
};

// The plan's remedy of that name, or nullptr.
const plan::Remediation* FindRemedy(const plan::Plan& plan, std::string_view scenario);

// The proposal that the plan makes for a firing, bound to the resolved action. Who applied the plan
// asked for it.
Proposed Propose(const plan::Plan& plan, const PlanOrigin& origin, const plan::Remediation& remedy,
                 const Firing& firing, Action action, Instant now);

}  // namespace liveops::remediation
