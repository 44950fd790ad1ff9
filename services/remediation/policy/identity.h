#pragma once

#include <string>
#include <string_view>

#include "common/base/time.h"
#include "services/remediation/policy/record.h"

namespace liveops::remediation {

// First 16 bytes, as hex, of SHA-256(alarm id, episode in ms, scenario): every owner that sees the
// same firing gives it the same id, so a proposal made twice is one proposal.
std::string RemediationId(std::string_view alarm_id, Instant episode, std::string_view scenario);

// SHA-256 (32 bytes) of the canonical action: kind, target, namespace, argv, preconditions and
// effect, each string with its length in front and maps in key order, so that no two different
// actions have the same bytes.
std::string ActionDigest(const Action& action);

// What remediations.v1 is partitioned by and guardrails count by: "<namespace>/<target>".
std::string TargetKey(std::string_view ns, std::string_view target);

// The probe that verifies a remediation.
std::string ProbeId(std::string_view remediation_id);

}  // namespace liveops::remediation
