#include "services/ingest/service/clock.h"

#include <algorithm>
#include <cstdlib>

namespace liveops::ingest {
namespace {

// Emitters send late, hardly early; what is further ahead says nothing about the time.
constexpr std::int64_t kAheadMs = 10'000;
// Beyond it a number of milliseconds is no time (the year 33658), and sums of two still fit.
constexpr std::int64_t kTimeMax = 1'000'000'000'000'000;

bool Near(std::int64_t a, std::int64_t b) {
  return std::abs(a - b) <= IngestClock::kTolerance.count();
}

}  // namespace

std::int64_t SteadyMs(SteadyTime t) {
  return std::chrono::duration_cast<Duration>(t.time_since_epoch()).count();
}

IngestClock::IngestClock(std::int32_t partitions)
    : offsets_ms_(static_cast<std::size_t>(partitions)) {
  scratch_.reserve(offsets_ms_.size());
}

std::int64_t IngestClock::Median() {
  scratch_.clear();
  for (const auto& offset : offsets_ms_) {
    if (offset) scratch_.push_back(*offset);
  }
  const auto middle = scratch_.begin() + static_cast<std::ptrdiff_t>((scratch_.size() - 1) / 2);
  std::nth_element(scratch_.begin(), middle, scratch_.end());
  return *middle;
}

void IngestClock::Report(std::int32_t partition, RealTime append_time, SteadyTime seen) {
  const std::lock_guard lock(mutex_);
  if (partition < 0 || static_cast<std::size_t>(partition) >= offsets_ms_.size()) return;
  offsets_ms_[static_cast<std::size_t>(partition)] = ToMs(append_time) - SteadyMs(seen);
  const std::int64_t median = Median();
  if (!settled_) {
    // The first to report may be the broker whose clock is wrong.
    if (!offset_ms_) first_report_ = seen;
    settled_ = scratch_.size() == offsets_ms_.size() || seen - first_report_ >= kSettles;
    offset_ms_ = median;
    return;
  }
  if (Near(median, *offset_ms_)) {
    offset_ms_ = median;
    step_.reset();
    return;
  }
  if (!step_) {
    step_ = Step{median, seen, seen, seen};
    ++steps_held_;
  }
  if (!Near(median, step_->offset_ms)) step_->since = seen;
  step_->offset_ms = median;
  step_->seen = seen;
  AdoptIfBorneOut(seen);
}

std::optional<RealTime> IngestClock::Now(SteadyTime now) const {
  const std::lock_guard lock(mutex_);
  if (!offset_ms_) return std::nullopt;
  return RealFromMs(*offset_ms_ + SteadyMs(now));
}

std::optional<ClockReading> IngestClock::NowFor(std::string_view emitter,
                                                std::optional<RealTime> events, SteadyTime now) {
  const std::lock_guard lock(mutex_);
  bool doubted = false;
  if (events && std::abs(ToMs(*events)) < kTimeMax) {
    const std::int64_t offset_ms = ToMs(*events) - SteadyMs(now);
    Hear(emitter, offset_ms, now);
    AdoptIfBorneOut(now);
    // By then everybody has been heard since the step, or is heard no more: it is decided.
    doubted =
        step_ && now - step_->held < kHeardFor && Fits(offset_ms, step_->offset_ms, *offset_ms_);
  }
  if (!offset_ms_) return std::nullopt;
  return ClockReading{RealFromMs(*offset_ms_ + SteadyMs(now)), doubted};
}

std::uint64_t IngestClock::steps_held() const {
  const std::lock_guard lock(mutex_);
  return steps_held_;
}

void IngestClock::Hear(std::string_view emitter, std::int64_t offset_ms, SteadyTime now) {
  const auto known = heard_.find(emitter);
  if (known != heard_.end()) {
    known->second = {offset_ms, now};
    return;
  }
  if (heard_.size() >= kEmittersMax) {
    std::erase_if(heard_, [&](const auto& entry) { return now - entry.second.at > kHeardFor; });
    if (heard_.size() >= kEmittersMax) return;
  }
  heard_.emplace(std::string(emitter), Heard{offset_ms, now});
}

bool IngestClock::Fits(std::int64_t offset_ms, std::int64_t clock_ms, std::int64_t other_ms) {
  return offset_ms - clock_ms <= kAheadMs &&
         std::abs(offset_ms - clock_ms) < std::abs(offset_ms - other_ms);
}

void IngestClock::AdoptIfBorneOut(SteadyTime now) {
  if (!step_ || step_->seen - step_->since < kStands) return;
  std::size_t before = 0;
  std::size_t after = 0;
  for (const auto& [emitter, heard] : heard_) {
    if (now - heard.at > kHeardFor) continue;
    if (Fits(heard.offset_ms, *offset_ms_, step_->offset_ms)) ++before;
    if (Fits(heard.offset_ms, step_->offset_ms, *offset_ms_)) ++after;
  }
  if (after <= before) return;
  offset_ms_ = step_->offset_ms;
  step_.reset();
}

}  // namespace liveops::ingest
