#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"
#include "common/base/spread.h"
#include "common/kafka/kafka.h"

namespace liveops::runtime {

// What plans.v1 says of how services are spread (docs/adr/0009). One thread at a time; what StepsOf
// gave is anybody's.
class PlanSpreads {
 public:
  using Steps = std::shared_ptr<const std::vector<SpreadStep>>;  // nullptr: never spread

  // All that stands there now; what is no plan is passed over. kUnavailable: not within `timeout`.
  static Result<PlanSpreads> Read(kafka::AssignedConsumer& consumer, Duration timeout);

  // A record of plans.v1, in log order. Of two records of one version the first counts. kInvalid:
  // it is no PlanRecord, and says nothing.
  Status Take(const kafka::Record& record);

  Steps StepsOf(std::string_view service) const;
  // Was there ever a service that is spread?
  bool any() const { return any_; }
  // The most partitions over which points of that event time lie, both ends of it included, by
  // service. Those that lay on one alone are not named.
  std::map<std::string, int, std::less<>> Widest(RealTime from, RealTime to) const;

 private:
  struct Service {
    std::map<std::uint64_t, SpreadStep> versions;
    Steps steps;
  };

  std::map<std::string, Service, std::less<>> services_;
  bool any_ = false;
};

}  // namespace liveops::runtime
