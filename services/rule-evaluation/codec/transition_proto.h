#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "common/base/result.h"
#include "liveops/v1/alarms.pb.h"
#include "services/rule-evaluation/engine/transition.h"

// The engine's transition and its message, field by field. Thread-safe: no state.
namespace liveops::evaluation {

void ToProto(const engine::Transition& transition, std::int32_t source_partition,
             v1::AlarmTransition& out);

// kInvalid: an unknown state, purpose, severity or comparison, or no alarm id.
Result<engine::Transition> FromProto(const v1::AlarmTransition& in);

v1::Severity SeverityToProto(plan::Severity severity);
// Of one that is specified.
plan::Severity SeverityFromProto(v1::Severity severity);
std::optional<plan::Comparison> ParseComparison(std::string_view sign);

}  // namespace liveops::evaluation
