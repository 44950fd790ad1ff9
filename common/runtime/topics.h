#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "common/base/result.h"
#include "common/base/time.h"
#include "common/kafka/kafka.h"

namespace liveops::runtime {

namespace topic {
inline constexpr const char* kMetrics = "liveops.metrics.v1";
inline constexpr const char* kLogs = "liveops.logs.v1";
inline constexpr const char* kPlans = "liveops.plans.v1";
inline constexpr const char* kAlarms = "liveops.alarms.v1";
inline constexpr const char* kControls = "liveops.controls.v1";
inline constexpr const char* kOperations = "liveops.operations.v1";
inline constexpr const char* kNotifications = "liveops.notifications.v1";
inline constexpr const char* kRemediations = "liveops.remediations.v1";
inline constexpr const char* kRollups = "liveops.rollups.v1";
inline constexpr const char* kDeadLetter = "liveops.dead-letter.v1";
}  // namespace topic

// Headers of our records.
inline constexpr const char* kEpochHeader = "epoch";  // decimal offset of the owner's claim
inline constexpr const char* kTraceHeader = "traceparent";

struct TopicsConfig {
  std::int32_t partitions = 16;  // of all but plans and controls
  std::int32_t replication = 1;
  // Written into controls.v1 by whoever creates the topics; 0 = take what is there, or 1 when
  // nothing is.
  double domain_speed = 0;
};

// Creates what is missing, checks partition counts, and returns the installation's time map
// (writing DomainTime when there is none yet). kConflict: another partition count, or another
// domain speed than the configured one. kUnavailable: no broker within `timeout`.
Result<TimeMap> EstablishTopics(const kafka::ClientConfig& kafka, const TopicsConfig& config,
                                Duration timeout);

// Reads a partition from `from` up to its present end, in order.
// kUnavailable when it was not finished within `timeout`.
Status ReadToEnd(kafka::AssignedConsumer& consumer, const std::string& topic,
                 std::int32_t partition, std::int64_t from, Duration timeout,
                 const std::function<void(const kafka::Record&)>& each);

// Raw bytes that could not be read, with why, to dead-letter.v1. Does not wait.
void DeadLetter(kafka::Producer& producer, const kafka::Record& record, std::string_view why);

}  // namespace liveops::runtime
