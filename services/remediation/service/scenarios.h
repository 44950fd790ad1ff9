#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/epoch_filter.h"
#include "common/base/result.h"
#include "common/base/time.h"
#include "common/kafka/kafka.h"
#include "common/plan/model.h"
#include "services/remediation/policy/match.h"

namespace liveops::remediation {

// What alarms.v1 says that concerns remediation: scenarios' conditions, probes' outcomes, plans in
// force. One thread at a time.
class Scenarios {
 public:
  struct Scenario {
    Firing firing;
    bool open = false;  // firing, or its data is gone while it was
    bool firing_now = false;
    std::uint32_t step = 0;
    std::string traceparent;
  };
  struct Probe {
    bool became_true = false;
    std::string seen;  // its value, for people
  };
  struct InForce {
    PlanOrigin origin;
    plan::Plan plan;
  };

  explicit Scenarios(std::int32_t partitions) : filters_(static_cast<std::size_t>(partitions)) {}

  // Takes the next record of its partition. Returns the clock that its writer went by, when it
  // counts and says one. kInvalid: undecodable (tell it, and go on).
  Result<std::optional<Instant>> Apply(const kafka::Record& record);

  const std::map<std::string, Scenario, std::less<>>& all() const { return scenarios_; }
  const Scenario* Find(std::string_view alarm_id) const;
  // Has the episode ended (or another begun)? False while nothing is known of the alarm.
  bool Over(std::string_view alarm_id, Instant episode) const;
  const InForce* PlanOf(std::string_view service) const;
  const Probe* FindProbe(std::string_view probe_id) const;
  void ForgetProbe(std::string_view probe_id);

 private:
  std::vector<EpochFilter> filters_;
  std::map<std::string, Scenario, std::less<>> scenarios_;
  std::map<std::string, InForce, std::less<>> plans_;
  std::map<std::string, Probe, std::less<>> probes_;
};

}  // namespace liveops::remediation
