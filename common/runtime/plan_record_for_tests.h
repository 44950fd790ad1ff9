#pragma once

#include <cstdint>
#include <string>

#include "common/base/time.h"
#include "common/kafka/kafka.h"
#include "liveops/v1/plans.pb.h"

namespace liveops::runtime {

// For tests: a record of plans.v1, of which only the spread is looked at. `from_ms` 0: it does not
// say since when.
inline kafka::Record SpreadRecord(const std::string& service, std::uint64_t version, int spread,
                                  std::int64_t from_ms, std::int64_t appended_ms) {
  v1::PlanRecord plan;
  plan.set_service(service);
  plan.set_version(version);
  plan.set_text("not read here");
  plan.set_spread(static_cast<std::uint32_t>(spread));
  plan.set_spread_from_ms(from_ms);
  kafka::Record record;
  record.append_time = RealFromMs(appended_ms);
  record.value = plan.SerializeAsString();
  return record;
}

}  // namespace liveops::runtime
