#pragma once

#include <map>
#include <string>
#include <vector>

#include "common/base/result.h"
#include "common/base/spread.h"
#include "common/kafka/kafka.h"

namespace liveops::ctl {

// What plans.v1 says of how services are spread. One thread at a time.
class PlanSpreads {
 public:
  // All that stands there now. kUnavailable: not within `timeout`.
  static Result<PlanSpreads> Read(kafka::AssignedConsumer& consumer, Duration timeout);

  // A record of plans.v1, in log order. Of two records of one version the first counts; what is no
  // plan says nothing.
  void Take(const kafka::Record& record);

  // The most partitions over which points of that event time lie, by service. Those that lay on one
  // alone are not named.
  std::map<std::string, int, std::less<>> Widest(RealTime from, RealTime to) const;

 private:
  std::map<std::string, std::map<std::uint64_t, SpreadStep>> said_;  // by service and version
};

}  // namespace liveops::ctl
