#include "services/ingest/service/log_rules.h"

#include "liveops/v1/plans.pb.h"

namespace liveops::ingest {

void LogRules::Read(const kafka::Record& record) {
  v1::PlanRecord said;
  if (record.value.empty() || !said.ParseFromString(record.value) || said.service().empty()) return;
  Counts counts;
  if (said.text().find("logs") != std::string::npos) {  // most plans need not be read for it
    auto named = plan::ParseLogCounts(said.text());
    if (!named.empty())
      counts = std::make_shared<const std::vector<plan::LogCount>>(std::move(named));
  }
  const std::lock_guard lock(mutex_);
  Service& service = services_[said.service()];
  if (said.version() <= service.version) return;
  service = {said.version(), std::move(counts)};
}

LogRules::Counts LogRules::Of(std::string_view service) const {
  const std::lock_guard lock(mutex_);
  const auto found = services_.find(service);
  return found == services_.end() ? nullptr : found->second.counts;
}

std::vector<std::string> LogRules::Services() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> names;
  for (const auto& [name, service] : services_) {
    if (service.counts) names.push_back(name);
  }
  return names;
}

}  // namespace liveops::ingest
