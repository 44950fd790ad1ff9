#pragma once

#include <string>

#include "liveops/v1/remediations.pb.h"
#include "services/liveopsctl/render/text.h"

// Remediations as text. Pure.
namespace liveops::ctl {

// "proposed", "approved", "running", "verifying"; for a closed one its outcome: "verified",
// "expired", "denied", …
std::string PhaseWord(const v1::RemediationStatus& remediation);

std::string RenderRemediations(const v1::ListRemediationsResponse& response, bool open_only,
                               const Style& style);

// All of one remediation, with its history when there is one.
std::string RenderRemediation(const v1::RemediationStatus& remediation, const Style& style);

// What a person reads before saying yes: exactly what will be done, on what, under which
// conditions, asked by whom, until when, and the digest that will be sent.
std::string RenderProposal(const v1::RemediationStatus& remediation, const Style& style);

// argv as a shell line, every argument's ends visible.
std::string CommandLine(const v1::Action& action);

}  // namespace liveops::ctl
