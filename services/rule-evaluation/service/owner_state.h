#pragma once

#include <map>
#include <string>
#include <string_view>

#include "common/base/result.h"
#include "services/rule-evaluation/codec/alarm_codec.h"
#include "services/rule-evaluation/engine/shard.h"

namespace liveops::evaluation {

// What a shard's owner must find again after a crash: the engine's state, and the log's last word
// on each alarm and plan (the engine does not keep them; rewriting a void record and the alarm
// table need them).
struct OwnerState {
  engine::Shard shard;
  std::map<std::string, engine::Transition> last;  // by alarm id
  std::map<std::string, PlanInForce> plans;        // by service
};

std::string EncodeOwnerState(const engine::Shard& shard,
                             const std::map<std::string, engine::Transition>& last,
                             const std::map<std::string, PlanInForce>& plans,
                             std::int32_t partition);

// kInvalid: damaged, or of another format.
Result<OwnerState> DecodeOwnerState(std::string_view bytes, const TimeMap& time_map,
                                    engine::ShardLimits limits);

}  // namespace liveops::evaluation
