#include "services/liveopsctl/log/plan_spreads.h"

#include <algorithm>

#include "common/runtime/topics.h"
#include "services/rule-evaluation/codec/alarm_codec.h"

namespace liveops::ctl {

Result<PlanSpreads> PlanSpreads::Read(kafka::AssignedConsumer& consumer, Duration timeout) {
  PlanSpreads spreads;
  if (Status s =
          runtime::ReadToEnd(consumer, runtime::topic::kPlans, 0, kafka::kOffsetBeginning, timeout,
                             [&](const kafka::Record& record) { spreads.Take(record); });
      !s.ok()) {
    return s.error();
  }
  return spreads;
}

void PlanSpreads::Take(const kafka::Record& record) {
  if (record.value.empty()) return;  // a tombstone
  const Result<evaluation::StoredPlan> plan = evaluation::DecodePlanRecord(record.value);
  if (!plan.ok()) return;
  SpreadStep step{plan->spread_from, plan->spread};
  if (step.from == RealTime{}) step.from = record.append_time + kSpreadLead;
  said_[plan->service].emplace(plan->version, step);
}

std::map<std::string, int, std::less<>> PlanSpreads::Widest(RealTime from, RealTime to) const {
  std::map<std::string, int, std::less<>> widest;
  for (const auto& [service, versions] : said_) {
    std::vector<SpreadStep> said;
    for (const auto& [version, step] : versions) said.push_back(step);
    int most = 1;
    for (const SpreadStep& step : SpreadSteps(said)) {
      if (step.from > to) break;
      most = step.from <= from ? step.spread : std::max(most, step.spread);
    }
    if (most > 1) widest[service] = most;
  }
  return widest;
}

}  // namespace liveops::ctl
