#pragma once

#include <atomic>
#include <mutex>
#include <string_view>

#include "common/base/result.h"
#include "common/runtime/plan_spreads.h"

namespace liveops::ingest {

// How services are spread, and whether that is known well enough to hand points out by it.
// Thread-safe; while no service is spread, asking costs one look at a flag.
class SpreadBook {
 public:
  using Steps = runtime::PlanSpreads::Steps;

  // As PlanSpreads::Take.
  Status Read(const kafka::Record& record);
  Steps StepsOf(std::string_view service) const;
  // The most partitions that the service's points lie on, lay on, or will.
  int WidestOf(std::string_view service) const;

  // All that stood in plans.v1 at `asked` was read.
  void ReadToEnd(SteadyTime asked);
  // Whether that was so a moment ago: else a change of a spread may have been missed, and nobody
  // knows where a point belongs.
  bool Fresh(SteadyTime now) const;

 private:
  mutable std::mutex mutex_;
  runtime::PlanSpreads spreads_;
  std::atomic<bool> any_{false};
  std::atomic<SteadyTime> read_{SteadyTime::min()};
};

}  // namespace liveops::ingest
