#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "common/base/result.h"
#include "common/base/time.h"
#include "services/rule-evaluation/engine/record.h"
#include "services/rule-evaluation/engine/transition.h"

// Bytes of alarms.v1 (AlarmRecord), plans.v1 (PlanRecord), of the plan activations in metrics.v1
// (ShardRecord) and of the alarm table (AlarmStatus), from and to plain values. Thread-safe: no
// state. Nothing here throws.
namespace liveops::evaluation {

struct ClaimEvent {
  std::string owner;
  std::uint64_t session = 0;
};
struct ReleasedEvent {
  std::string owner;
  std::uint64_t session = 0;
};

// The plan that a shard has in force, as told in alarms.v1.
struct PlanInForce {
  std::string service;
  std::uint64_t version = 0;
  std::string text;
  std::int32_t source_partition = 0;
  std::int64_t source_offset = 0;  // of the activation in metrics.v1
  Instant clock{};
  std::string applied_by = {};  // certificate name; "" in a record from before it was kept
  RealTime spread_from{};       // event time; as in PlanActivationView
  std::vector<engine::ServiceRead> reads = {};  // likewise
};

// What one record of alarms.v1 says.
using AlarmEvent = std::variant<ClaimEvent, ReleasedEvent, engine::Transition, PlanInForce>;

// One entry of the library of plans.
struct StoredPlan {
  std::string service;
  std::uint64_t version = 0;
  std::string text;
  std::string applied_by;            // certificate name
  std::int64_t applied_unix_ms = 0;  // real, for people
  std::int64_t offset = -1;          // in plans.v1; not part of the bytes
  int spread = 1;
  RealTime spread_from{};  // event time; epoch in bytes: kSpreadLead after they were appended
  // The other services that its rules read, and where their series lie by their newest plans; no
  // part of the bytes.
  std::vector<engine::ServiceRead> reads = {};
};

std::string EncodeClaim(const engine::Source& source, std::string_view owner,
                        std::int64_t claimed_unix_ms);
std::string EncodeReleased(const engine::Source& source, std::string_view owner);
std::string EncodeTransition(const engine::Source& source, const engine::Transition& transition,
                             std::int32_t source_partition);
std::string EncodePlanInForce(const engine::Source& source, const PlanInForce& plan);

// kInvalid: not an AlarmRecord, or one whose values make no sense (an unknown state, a severity out
// of range).
Result<AlarmEvent> DecodeAlarmRecord(std::string_view value);

// A ShardRecord with a PlanActivation.
std::string EncodePlanActivation(const engine::Source& source, const StoredPlan& plan);
// A ShardRecord with Readings.
std::string EncodeReadings(const engine::Source& source, const engine::Readings& readings);

std::string EncodePlanRecord(const engine::Source& source, const StoredPlan& plan);
Result<StoredPlan> DecodePlanRecord(std::string_view value);

// AlarmStatus bytes; `last` may be nullptr.
std::string EncodeStatus(const engine::AlarmView& view, const engine::Transition* last,
                         std::int32_t source_partition);

}  // namespace liveops::evaluation
