#include "services/ingest/service/census.h"

#include <utility>

namespace liveops::ingest {

bool ServiceCensus::Keep(const Fingerprint& series) {
  const std::uint64_t key = series.hi ^ series.lo;
  const std::lock_guard lock(mutex_);
  if (now_.contains(key)) return true;
  if (before_.erase(key) == 0) {
    if (now_.size() + before_.size() >= series_max_ || *in_all_ >= in_all_max_) return false;
    ++*in_all_;
  }
  now_.insert(key);
  return true;
}

std::string ServiceCensus::Full() const {
  const std::size_t known = size();
  const bool own = known >= series_max_;
  return "it is new, and " + std::string(own ? "the service has " : "all services have ") +
         std::to_string(own ? known : in_all_->load()) +
         " series, as many as are taken; one that is "
         "not sent for an hour makes room";
}

std::size_t ServiceCensus::size() const {
  const std::lock_guard lock(mutex_);
  return now_.size() + before_.size();
}

void ServiceCensus::Turn() {
  const std::lock_guard lock(mutex_);
  *in_all_ -= before_.size();
  before_ = std::exchange(now_, {});
  ++generation_;
}

std::shared_ptr<ServiceCensus> Census::Of(std::string_view service, RealTime now) {
  const std::lock_guard lock(mutex_);
  if (now - turned_ >= kTurn) {
    turned_ = now;
    for (const auto& [name, of_service] : services_) of_service->Turn();
    std::erase_if(services_, [](const auto& entry) { return entry.second->size() == 0; });
  }
  const auto known = services_.find(service);
  if (known != services_.end()) return known->second;
  auto made = std::make_shared<ServiceCensus>(of_service_max_, in_all_max_, in_all_);
  // Beyond the limit nothing of it is kept, and it need not be remembered.
  if (*in_all_ < in_all_max_) services_.emplace(service, made);
  return made;
}

}  // namespace liveops::ingest
