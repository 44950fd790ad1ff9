#include "services/ingest/service/clock.h"

#include <algorithm>

namespace liveops::ingest {

std::int64_t SteadyMs(SteadyTime t) {
  return std::chrono::duration_cast<Duration>(t.time_since_epoch()).count();
}

IngestClock::IngestClock(std::int32_t partitions)
    : offsets_ms_(static_cast<std::size_t>(partitions)) {
  scratch_.reserve(offsets_ms_.size());
}

void IngestClock::Report(std::int32_t partition, RealTime append_time, SteadyTime seen) {
  const std::lock_guard lock(mutex_);
  if (partition < 0 || static_cast<std::size_t>(partition) >= offsets_ms_.size()) return;
  offsets_ms_[static_cast<std::size_t>(partition)] = ToMs(append_time) - SteadyMs(seen);
  scratch_.clear();
  for (const auto& offset : offsets_ms_) {
    if (offset) scratch_.push_back(*offset);
  }
  const auto middle = scratch_.begin() + static_cast<std::ptrdiff_t>((scratch_.size() - 1) / 2);
  std::nth_element(scratch_.begin(), middle, scratch_.end());
  offset_ms_ = *middle;
}

std::optional<RealTime> IngestClock::Now(SteadyTime now) const {
  const std::lock_guard lock(mutex_);
  if (!offset_ms_) return std::nullopt;
  return RealFromMs(*offset_ms_ + SteadyMs(now));
}

}  // namespace liveops::ingest
