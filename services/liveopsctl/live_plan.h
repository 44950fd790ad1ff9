#pragma once

#include <string>

#include "common/base/result.h"
#include "liveops/v1/plans.pb.h"
#include "services/liveopsctl/render/plans.h"
#include "services/liveopsctl/session.h"

// Which plan of a service is live.
namespace liveops::ctl {

// As the alarms tell it; empty, and said on the error stream, when they cannot be asked.
PlansInForce AskInForce(Session& session, Backend& backend, const std::string& service);

struct LivePlan {
  v1::PlanRecord record;  // version 0 = the service has no plan
  bool in_force = false;  // known to be; else it is the newest version
};

// The version that judges the service's alarms; the newest one where that cannot be told. Says on
// the error stream when a newer one waits to come into force.
Result<LivePlan> AskLivePlan(Session& session, Backend& backend, const std::string& service);

}  // namespace liveops::ctl
