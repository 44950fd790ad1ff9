#include "services/notifier/service/exemplars.h"

#include <algorithm>
#include <utility>

#include "common/runtime/exemplars.h"

namespace liveops::notifier {
void Exemplars::Read(const v1::LogBatch& batch) {
  if (batch.exemplars_size() == 0) return;
  const std::lock_guard lock(mutex_);
  Service& service = services_[batch.service()];
  for (const v1::Exemplar& exemplar : batch.exemplars()) {
    service.newest_ms = std::max(service.newest_ms, exemplar.time_ms());
    Keep(service, exemplar);
  }
  Forget(service);
  // Those that say nothing any more make room; once a minute, since all are looked at.
  if (all_ < kAllMax || service.newest_ms < swept_ms_ + kMinuteMs) return;
  const std::int64_t newest_ms = swept_ms_ = service.newest_ms;
  for (auto& [name, one] : services_) {
    one.newest_ms = std::max(one.newest_ms, newest_ms);
    Forget(one);
  }
  std::erase_if(services_, [](const auto& entry) { return entry.second.series.empty(); });
}

void Exemplars::Keep(Service& service, v1::Exemplar exemplar) {
  if (all_ >= kAllMax || exemplar.time_ms() <= service.newest_ms - kKeptMs) return;
  const std::string key = exemplar.metric() + runtime::LabelsOf(exemplar).ToString();
  auto found = service.series.find(key);
  if (found == service.series.end()) {
    if (service.series.size() >= kSeriesMax) return;
    found = service.series.emplace(key, Minutes()).first;
  }
  std::vector<v1::Exemplar>& kept = found->second[exemplar.time_ms() / kMinuteMs];
  const auto place = std::upper_bound(
      kept.begin(), kept.end(), exemplar.value(),
      [](double value, const v1::Exemplar& other) { return value > other.value(); });
  kept.insert(place, std::move(exemplar));
  ++all_;
  if (kept.size() <= kEach) return;
  kept.pop_back();
  --all_;
}

void Exemplars::Forget(Service& service) {
  const std::int64_t first = (service.newest_ms - kKeptMs) / kMinuteMs;
  for (auto& [key, minutes] : service.series) {
    while (!minutes.empty() && minutes.begin()->first < first) {
      all_ -= minutes.begin()->second.size();
      minutes.erase(minutes.begin());
    }
  }
  std::erase_if(service.series, [](const auto& entry) { return entry.second.empty(); });
}

std::vector<v1::Exemplar> Exemplars::Of(std::string_view service, std::int64_t from_ms,
                                        std::int64_t until_ms) const {
  std::vector<v1::Exemplar> out;
  const std::lock_guard lock(mutex_);
  const auto found = services_.find(service);
  if (found == services_.end()) return out;
  for (const auto& [key, minutes] : found->second.series) {
    for (auto it = minutes.lower_bound(from_ms / kMinuteMs);
         it != minutes.end() && it->first <= until_ms / kMinuteMs; ++it) {
      for (const v1::Exemplar& exemplar : it->second) {
        if (exemplar.time_ms() > from_ms && exemplar.time_ms() <= until_ms) out.push_back(exemplar);
      }
    }
  }
  return out;
}

}  // namespace liveops::notifier
