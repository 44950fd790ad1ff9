// What an odd plan says: windows that are not thirty panes of whole seconds, of which some have few
// panes or one; and aggregates that few ask for.
#include <fmt/format.h>

#include "services/rule-evaluation/engine/oracle/history_plan.h"

namespace liveops::engine::oracle {

std::string PlanMaker::PickOddWindow() {
  return random_.Of({"7s", "13s", "31s", "37s", "40s", "47s", "61s", "100s", "4min", "7min",
                     "1500ms", "2750ms", "9990ms", "10007ms", "31415ms"});
}

std::string PlanMaker::PickOddComparedWindow() {
  return random_.Of({"7s", "13s", "31s", "37s", "40s", "9990ms", "10007ms"});
}

// False where another is to be picked.
bool PlanMaker::PickOdd(const HistoryMetric& metric, Alarm& alarm) {
  if (!grammar_.odd || !random_.Chance(45)) return false;
  const char* aggregate = nullptr;
  switch (metric.family) {
    case Family::kCounter:
      aggregate = random_.Of({"last", "avg", "min", "max", "stddev"});
      alarm.threshold = Between(2, 120, "");
      break;
    case Family::kGauge:
      aggregate = random_.Of({"p50", "p90", "p99.9"});
      alarm.threshold = Between(5, 95, "");
      break;
    case Family::kDistribution:
      aggregate = random_.Of({"last", "stddev", "rate", "increase"});
      alarm.threshold = Between(20, 800, "ms");
      if (aggregate[0] == 'r') alarm.threshold = Between(0.1, 8, "");
      if (aggregate[0] == 'i') alarm.threshold = Between(2, 300, "");
      break;
  }
  alarm.measure = fmt::format("{}({})", aggregate, metric.name + Filter(metric));
  return true;
}

}  // namespace liveops::engine::oracle
