#include "services/ingest/service/spread_book.h"

#include <algorithm>

#include "liveops/v1/plans.pb.h"

namespace liveops::ingest {

Status SpreadBook::Read(const kafka::Record& record) {
  if (record.value.empty()) return {};
  v1::PlanRecord plan;
  if (!plan.ParseFromString(record.value) || plan.service().empty() || plan.version() == 0 ||
      plan.spread() > static_cast<std::uint32_t>(kSpreadMax)) {
    return InvalidError("not a PlanRecord (" + std::to_string(record.value.size()) + " bytes)");
  }
  SpreadStep said{RealFromMs(plan.spread_from_ms()), std::max(1, static_cast<int>(plan.spread()))};
  if (said.from == RealTime{}) said.from = record.append_time + kSpreadLead;
  const std::lock_guard lock(mutex_);
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

SpreadBook::Steps SpreadBook::StepsOf(std::string_view service) const {
  if (!any_) return nullptr;
  const std::lock_guard lock(mutex_);
  const auto found = services_.find(service);
  return found == services_.end() ? nullptr : found->second.steps;
}

int SpreadBook::WidestOf(std::string_view service) const {
  const Steps steps = StepsOf(service);
  int widest = 1;
  if (steps) {
    for (const SpreadStep& step : *steps) widest = std::max(widest, step.spread);
  }
  return widest;
}

void SpreadBook::ReadToEnd(SteadyTime asked) { read_ = asked; }

bool SpreadBook::Fresh(SteadyTime now) const {
  const SteadyTime read = read_;
  return read != SteadyTime::min() && now - read <= kPlansReadWithin;
}

}  // namespace liveops::ingest
