#include "integration-tests/benchmarks/engine/engine_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <ctime>

namespace liveops::bench {

double ThreadCpuSeconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

EngineRun::EngineRun(const PopulationOptions& options)
    : population_(options), shard_(TimeMap{}, kLimits) {}

void EngineRun::Warm(Duration length) {
  records_ = population_.Opening();
  Feed();
  for (std::int64_t fed = 0; fed < length.count(); fed += Population::kStepMs) {
    Prepare();
    Feed();
  }
}

double EngineRun::Feed() {
  const double begin = ThreadCpuSeconds();
  for (const LogRecord& record : records_) {
    const auto view = decoder_.Decode(offset_++, record.append, record.value);
    if (!view.ok()) {
      fault_ = view.error().message;
      return 0;
    }
    shard_.Apply(**view, transitions_);
  }
  const double took = ThreadCpuSeconds() - begin;
  Check();
  return took;
}

double EngineRun::DecodeOnly() {
  const double begin = ThreadCpuSeconds();
  for (const LogRecord& record : records_) {
    const auto view = decoder_.Decode(offset_, record.append, record.value);
    if (!view.ok()) fault_ = view.error().message;
  }
  return ThreadCpuSeconds() - begin;
}

EngineRun::Rolled EngineRun::FeedUntilRolledUp() {
  Rolled rolled;
  for (bool whole = false; !whole && fault_.empty();) {
    Prepare();
    for (const LogRecord& record : records_) {
      const auto view = decoder_.Decode(offset_++, record.append, record.value);
      if (!view.ok()) fault_ = view.error().message;
      if (!view.ok()) break;
      const double begin = ThreadCpuSeconds();
      shard_.Apply(**view, transitions_);
      const double took = ThreadCpuSeconds() - begin;
      const std::vector<engine::Rollup> parts = shard_.TakeRolled();
      whole = rolled.parts > 0 && parts.empty();
      for (const engine::Rollup& part : parts) {
        ++rolled.parts;
        rolled.bytes += static_cast<double>(part.content.size());
        // What the record itself costs is in it.
        rolled.longest_s = std::max(rolled.longest_s, took);
      }
    }
    Check();
  }
  return rolled;
}

void EngineRun::Check() {
  for (const engine::Transition& t : transitions_) {
    const bool expected =
        t.service == Population::ServiceName(0) && t.state == engine::AlarmState::kFiring;
    fired_ += expected ? 1 : 0;
    if (!expected) {
      fault_ = fmt::format("{} of {} became {}", t.name, t.service, AlarmStateName(t.state));
    }
  }
  transitions_.clear();
  const engine::ShardCounters& c = shard_.counters();
  points_ = static_cast<std::int64_t>(c.points);
  const std::uint64_t unused = c.points_late + c.points_duplicate + c.points_future +
                               c.points_unit_mismatch + c.series_refused + c.plans_refused +
                               c.clock_steps_held;
  if (unused > 0) {
    fault_ = fmt::format(
        "late {}, duplicate {}, future {}, of another unit {}; refused series {}, plans {}; clock "
        "steps {}",
        c.points_late, c.points_duplicate, c.points_future, c.points_unit_mismatch,
        c.series_refused, c.plans_refused, c.clock_steps_held);
  }
}

}  // namespace liveops::bench
