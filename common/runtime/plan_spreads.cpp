#include "common/runtime/plan_spreads.h"

#include <algorithm>

#include "common/runtime/topics.h"
#include "liveops/v1/plans.pb.h"

namespace liveops::runtime {

Result<PlanSpreads> PlanSpreads::Read(kafka::AssignedConsumer& consumer, Duration timeout) {
  PlanSpreads spreads;
  if (Status s = ReadToEnd(consumer, topic::kPlans, 0, kafka::kOffsetBeginning, timeout,
                           [&](const kafka::Record& record) { (void)spreads.Take(record); });
      !s.ok()) {
    return s.error();
  }
  return spreads;
}

Status PlanSpreads::Take(const kafka::Record& record) {
  if (record.value.empty()) return {};  // a tombstone
  v1::PlanRecord plan;
  if (!plan.ParseFromString(record.value) || plan.service().empty() || plan.version() == 0 ||
      plan.spread() > static_cast<std::uint32_t>(kSpreadMax)) {
    return InvalidError("not a PlanRecord (" + std::to_string(record.value.size()) + " bytes)");
  }
  SpreadStep said{RealFromMs(plan.spread_from_ms()), std::max(1, static_cast<int>(plan.spread()))};
  if (said.from == RealTime{}) said.from = record.append_time + kSpreadLead;
  Service& service = services_[plan.service()];
  if (!service.versions.emplace(plan.version(), said).second) return {};
  std::vector<SpreadStep> all;
  for (const auto& [version, step] : service.versions) all.push_back(step);
  std::vector<SpreadStep> steps = SpreadSteps(all);
  if (steps.empty()) return {};
  service.steps = std::make_shared<const std::vector<SpreadStep>>(std::move(steps));
  any_ = true;
  return {};
}

PlanSpreads::Steps PlanSpreads::StepsOf(std::string_view service) const {
  const auto found = services_.find(service);
  return found == services_.end() ? nullptr : found->second.steps;
}

std::map<std::string, std::vector<SpreadStep>, std::less<>> PlanSpreads::Within(RealTime from,
                                                                                RealTime to) const {
  std::map<std::string, std::vector<SpreadStep>, std::less<>> within;
  for (const auto& [name, service] : services_) {
    if (!service.steps) continue;
    std::vector<SpreadStep> steps;
    for (const SpreadStep& step : *service.steps) {
      if (step.from - kSpreadLead > to) break;
      if (step.from <= from) steps.clear();
      steps.push_back(step);
    }
    const bool spread = std::any_of(steps.begin(), steps.end(),
                                    [](const SpreadStep& step) { return step.spread > 1; });
    if (spread) within.emplace(name, std::move(steps));
  }
  return within;
}

}  // namespace liveops::runtime
