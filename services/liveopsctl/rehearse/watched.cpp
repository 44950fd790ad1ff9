#include "services/liveopsctl/rehearse/watched.h"

#include <algorithm>
#include <set>

#include "common/plan/burn.h"
#include "common/plan/reads.h"

namespace liveops::rehearse {

namespace {

void TakeMetrics(const plan::Condition& condition, Watched& watched) {
  std::set<std::string> metrics;
  std::set<std::string> seen_as;
  for (std::size_t i = 0; i < plan::TestCount(condition); ++i) {
    for (const plan::Operand& operand : plan::TestOf(condition, i).measure.operands) {
      if (operand.metric.empty()) continue;
      metrics.insert(operand.metric);
      seen_as.insert(operand.service.empty() ? operand.metric
                                             : SeenAs(operand.service, operand.metric));
    }
  }
  watched.metrics.assign(metrics.begin(), metrics.end());
  watched.seen_as.assign(seen_as.begin(), seen_as.end());
}

}  // namespace

std::string SeenAs(std::string_view service, std::string_view metric) {
  Labels labels;
  labels.Set("service", service);
  return std::string(metric) + labels.ToString();
}

Watchlist::Watchlist(const plan::Plan& plan) {
  for (const plan::Alarm& alarm : plan.alarms) {
    Add(alarm.name, alarm.page ? engine::Purpose::kPage : engine::Purpose::kRecord, alarm.when,
        !plan::IsBudget(alarm));
    // What its slices are judged by.
    const plan::Slo* slo = plan.FindSlo(alarm.slo);
    if (slo != nullptr && slo->slices) TakeMetrics(slo->slices->good, all_.back());
  }
  for (const plan::Remediation& remediation : plan.remediations) {
    Add(engine::ScenarioAlarmName(remediation.name), engine::Purpose::kScenario, remediation.when,
        true);
  }
  std::set<std::string> metrics;
  for (const Watched& watched : all_)
    metrics.insert(watched.metrics.begin(), watched.metrics.end());
  metrics_.assign(metrics.begin(), metrics.end());
  services_ = plan::ServicesRead(plan);
  services_.push_back(plan.service);
  std::sort(services_.begin(), services_.end());
  for (const plan::Owner& owner : plan.owners) owners_.push_back(owner.name);
  for (const auto& [metric, lateness] : plan.lateness) lateness_ = std::max(lateness_, lateness);
}

void Watchlist::Add(std::string name, engine::Purpose purpose, const plan::Condition& condition,
                    bool awaited) {
  Watched watched{std::move(name), purpose, {}, {}, {}, Duration(0)};
  for (std::size_t i = 0; i < plan::TestCount(condition); ++i) {
    const plan::Test& test = plan::TestOf(condition, i);
    watched.units.push_back(plan::ThresholdUnit(test));
    watched.window = std::max(watched.window, test.window + test.ago);
  }
  TakeMetrics(condition, watched);
  if (awaited) {
    longest_window_ = std::max(longest_window_, watched.window);
    settled_ = std::max(settled_, watched.window + condition.quorum.slot * condition.quorum.of);
  }
  all_.push_back(std::move(watched));
}

const Watched* Watchlist::Find(std::string_view name) const {
  const auto found =
      std::find_if(all_.begin(), all_.end(), [&](const Watched& w) { return w.name == name; });
  return found == all_.end() ? nullptr : &*found;
}

bool Watchlist::Reads(std::string_view seen_as) const {
  return std::any_of(all_.begin(), all_.end(), [&](const Watched& watched) {
    return std::binary_search(watched.seen_as.begin(), watched.seen_as.end(), seen_as);
  });
}

std::vector<std::string> Watchlist::names() const {
  std::vector<std::string> names;
  for (const Watched& watched : all_) names.push_back(watched.name);
  return names;
}

}  // namespace liveops::rehearse
