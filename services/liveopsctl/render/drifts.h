#pragma once

#include <string>
#include <vector>

#include "common/plan/canonical_plan.h"
#include "liveops/v1/plans.pb.h"
#include "services/liveopsctl/render/text.h"

// How a plan file differs in meaning from what is live, as text. Pure.
namespace liveops::ctl {

struct Drift {
  std::string file;
  std::string service;
  std::string error;      // why it cannot be told; "" = it was
  v1::PlanRecord live;    // version 0 = the service has no plan
  bool in_force = false;  // `live` is known to be in force; else it is the newest version
  std::vector<plan::PlanChange> changes;  // from what is live to the file

  bool equal() const { return error.empty() && live.version() != 0 && changes.empty(); }
};

// Nothing when both say the same.
std::string RenderDrift(const Drift& drift, const Style& style);
std::string DriftJson(const std::vector<Drift>& drifts);

// A plan in canonical form as a file, with comments in front that say whose and which it is.
std::string RenderExport(const v1::PlanRecord& plan, const std::string& text,
                         const std::string& digest);
std::string ExportJson(const v1::PlanRecord& plan, const std::string& text,
                       const std::string& digest);

}  // namespace liveops::ctl
