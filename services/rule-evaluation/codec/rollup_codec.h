#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "common/base/result.h"
#include "services/rule-evaluation/engine/record.h"
#include "services/rule-evaluation/engine/rollup.h"

// Bytes of rollups.v1, from and to plain values. Thread-safe: no state.
namespace liveops::evaluation {

std::string EncodeRollup(const engine::Source& source, const engine::Rollup& rollup,
                         std::int32_t source_partition);

// kInvalid: no RollupRecord, or that of another partition.
Result<engine::Rollup> DecodeRollup(std::string_view value, std::int32_t source_partition);

}  // namespace liveops::evaluation
