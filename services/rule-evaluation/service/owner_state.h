#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"
#include "services/rule-evaluation/codec/alarm_codec.h"
#include "services/rule-evaluation/engine/shard.h"
#include "services/rule-evaluation/service/shared_map.h"

namespace liveops::evaluation {

using LastWords = SharedMap<engine::Transition>;  // by alarm id
using PlansInForce = SharedMap<PlanInForce>;      // by service

// What a shard's owner must find again after a crash: the engine's state, and the log's last word
// on each alarm and plan (the engine does not keep them; rewriting a void record and the alarm
// table need them).
struct OwnerState {
  engine::Shard shard;
  LastWords last;
  PlansInForce plans;
};

// The same as sections: a head, the engine's, then words and plans by buckets. What did not change
// has the bytes that it had.
std::vector<std::string> EncodeOwnerState(std::vector<std::string> engine_sections,
                                          const LastWords::Frozen& last,
                                          const PlansInForce::Frozen& plans,
                                          std::int32_t partition);

// kInvalid: damaged, or of another format.
Result<OwnerState> DecodeOwnerState(std::span<const std::string> sections, const TimeMap& time_map,
                                    engine::ShardLimits limits);

}  // namespace liveops::evaluation
