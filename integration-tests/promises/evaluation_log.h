#pragma once

#include <map>
#include <string>
#include <vector>

#include "common/base/result.h"
#include "common/base/time.h"
#include "deploy/local/stack/stack.h"
#include "liveops/v1/alarms.pb.h"

namespace liveops::promises {

// A transition as it stands in alarms.v1, or as a replay of the partition's log gives it.
struct Told {
  v1::AlarmTransition transition;
  std::string bytes;  // of the message
};
using ByPartition = std::map<std::int32_t, std::vector<Told>>;

// Those that count, in the order of the log: without what was written under an older claim, and
// without what repeats the one before it of the same alarm.
Result<ByPartition> InLog(stack::Stack& stack);
// What a shard of the engine says that has read nothing but metrics.v1 from its beginning, each
// partition apart, in one run.
Result<ByPartition> Replayed(stack::Stack& stack);

// The latest append time in a service's partition of metrics.v1.
Result<RealTime> LatestAppend(stack::Stack& stack, const std::string& service);

// The instance that claimed a partition last; "" = none did.
Result<std::string> OwnerOf(stack::Stack& stack, std::int32_t partition);

// How many points of a service stand in a partition of metrics.v1.
Result<std::size_t> PointsIn(stack::Stack& stack, std::int32_t partition,
                             const std::string& service);

// The transitions of one alarm, of whichever partition.
std::vector<Told> OfAlarm(const ByPartition& all, const std::string& alarm_id);
// What was told is the beginning of what a replay tells, which may have read on; else the test has
// failed.
void SameToTheByte(const std::vector<Told>& told, const std::vector<Told>& replayed);

// The transitions of one alarm, in short, one a line: "FIRING crossed".
std::string Story(const ByPartition& all, const std::string& alarm_id);

// Writes into alarms.v1 what an owner that has lost the partition might still write: that the alarm
// is resolved, under the claim before the newest one.
Status WriteAsZombie(stack::Stack& stack, const std::string& alarm_id);

}  // namespace liveops::promises
