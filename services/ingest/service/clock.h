#pragma once

#include <mutex>
#include <optional>
#include <vector>

#include "common/base/time.h"

namespace liveops::ingest {

// Ingest's idea of the real time: the brokers' append times, as told by the delivery reports of its
// ticks, plus steady time since. This host's wall clock plays no part. Each partition votes and the
// (lower) median counts: a single broker whose clock is wrong moves nothing while it leads fewer
// than half of the partitions. Thread-safe.
class IngestClock {
 public:
  explicit IngestClock(std::int32_t partitions);

  void Report(std::int32_t partition, RealTime append_time, SteadyTime seen);
  // Nothing before the first report.
  std::optional<RealTime> Now(SteadyTime now) const;

 private:
  mutable std::mutex mutex_;
  std::vector<std::optional<std::int64_t>> offsets_ms_;  // append time - steady time, by partition
  std::vector<std::int64_t> scratch_;
  std::optional<std::int64_t> offset_ms_;  // their median
};

std::int64_t SteadyMs(SteadyTime t);

}  // namespace liveops::ingest
