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
  // By service, what is to be known of a log from and to these append times: first what counted at
  // its beginning, then what came to count, or was said, by its end. Those that lay on one
  // partition all the time are not named.
  std::map<std::string, std::vector<SpreadStep>, std::less<>> Within(RealTime from,
                                                                     RealTime to) const;

 private:
  struct Service {
    std::map<std::uint64_t, SpreadStep> versions;
    Steps steps;
  };

  std::map<std::string, Service, std::less<>> services_;
  bool any_ = false;
};

}  // namespace liveops::runtime
