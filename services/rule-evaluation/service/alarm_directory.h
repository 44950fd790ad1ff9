#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "common/redis/redis.h"

namespace liveops::evaluation {

// Reads the alarm table of all shards (alarm_table.h) for the Alarms service. Thread-safe.
class AlarmDirectory {
 public:
  AlarmDirectory(redis::Client& client, std::int32_t partitions)
      : client_(client), partitions_(partitions) {}

  // Alarm id -> AlarmStatus bytes of every alarm. kUnavailable: Redis is away, or its table is
  // being rebuilt; never a part. An answer of the last `max_age` (steady) may be given again: many
  // watchers cost one reading.
  Result<std::map<std::string, std::string>> All(Duration max_age = Duration(0));

  // kNotFound: no such alarm, and the table is complete.
  Result<std::string> One(const std::string& alarm);

 private:
  Status Complete(const redis::Reply& owners) const;
  Result<std::map<std::string, std::string>> Read();

  redis::Client& client_;
  const std::int32_t partitions_;
  std::mutex mutex_;
  std::map<std::string, std::string> cached_;
  std::optional<SteadyTime> cached_at_;
};

}  // namespace liveops::evaluation
