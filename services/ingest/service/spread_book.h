#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"
#include "common/base/spread.h"
#include "common/kafka/kafka.h"

namespace liveops::ingest {

// What plans.v1 says of how services are spread. Thread-safe; while no service is spread, asking
// costs one look at a flag.
class SpreadBook {
 public:
  using Steps = std::shared_ptr<const std::vector<SpreadStep>>;  // nullptr: never spread

  // A record of plans.v1, in log order. Of two records of one version the first counts. kInvalid:
  // it is no PlanRecord; the book is as before.
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
  struct Service {
    std::map<std::uint64_t, SpreadStep> versions;
    Steps steps;
  };

  mutable std::mutex mutex_;
  std::map<std::string, Service, std::less<>> services_;
  std::atomic<bool> any_{false};
  std::atomic<SteadyTime> read_{SteadyTime::min()};
};

}  // namespace liveops::ingest
