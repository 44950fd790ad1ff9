#include "services/ingest/service/census.h"

#include <algorithm>
#include <random>
#include <utility>

namespace liveops::ingest {
namespace {

std::uint64_t RandomOdd() {
  std::random_device random;
  return (std::uint64_t{random()} << 32 | random()) | 1;
}

}  // namespace

Census::Census(std::size_t of_service_max, std::size_t in_all_max)
    : of_service_max_(of_service_max), in_all_max_(in_all_max), factor_(RandomOdd()) {}

std::uint64_t Census::HashOf(const Fingerprint& series) const {
  const std::uint64_t product = (series.hi ^ series.lo) * factor_;
  return product ^ product >> 32;  // its low bits say where it is looked for
}

void Census::Sight::Expect(const Fingerprint& series) const {
  if (series_) series_->Prefetch(census_.HashOf(series));
}

bool Census::Sight::Keep(const Fingerprint& series) {
  const std::uint64_t hash = census_.HashOf(series);
  if (series_ && series_->Find(hash, turn_) == RecentSeries::Seen::kNow) return true;
  return census_.Keep(*this, hash);
}

bool Census::Keep(Sight& sight, std::uint64_t hash) {
  using Seen = RecentSeries::Seen;
  const std::lock_guard lock(mutex_);
  const auto found = services_.find(sight.service_);
  const bool fresh = found == services_.end();
  const Seen seen = fresh ? Seen::kNever : found->second.series->Find(hash, turn_);
  if (seen == Seen::kNever) {
    const std::size_t known = fresh ? 0 : found->second.now + found->second.before;
    const bool own = known >= of_service_max_;
    if (own || in_all_ >= in_all_max_) {
      sight.full_ = "it is new, and " +
                    std::string(own ? "the service has " : "all services have ") +
                    std::to_string(own ? known : in_all_) +
                    " series, as many as are taken; one that is not sent for an hour makes room";
      return false;
    }
  }
  Service& service =
      fresh ? services_.emplace(sight.service_, Service{std::make_shared<RecentSeries>(0)})
                  .first->second
            : found->second;
  if (seen != Seen::kNow) {
    ++service.now;
    if (seen == Seen::kBefore) {
      --service.before;
    } else {
      ++in_all_;
      const std::size_t known = service.now + service.before;
      if (known > service.series->room()) service.series = service.series->With(known, turn_, true);
    }
    service.series->Put(hash, turn_);
  }
  sight.series_ = service.series;  // it may have grown since
  return true;
}

void Census::Turn() {
  for (auto at = services_.begin(); at != services_.end();) {
    Service& service = at->second;
    in_all_ -= service.before;
    if (service.now == 0) {
      at = services_.erase(at);
      continue;
    }
    if (service.before > 0) service.series = service.series->With(service.now, turn_, false);
    service.before = std::exchange(service.now, 0);
    ++at;
  }
  ++turn_;
}

Census::Sight Census::Of(std::string_view service, RealTime now) {
  Sight sight(*this, service);
  const std::lock_guard lock(mutex_);
  if (now - turned_ >= kTurn) {
    turned_ = now;
    Turn();
  }
  sight.turn_ = turn_;
  const auto found = services_.find(service);
  if (found != services_.end()) sight.series_ = found->second.series;
  return sight;
}

std::size_t Census::size() const {
  const std::lock_guard lock(mutex_);
  return in_all_;
}

std::size_t Census::services() const {
  const std::lock_guard lock(mutex_);
  return services_.size();
}

std::vector<std::pair<std::string, std::size_t>> Census::Largest(std::size_t count) const {
  std::vector<std::pair<std::string, std::size_t>> out;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [name, service] : services_)
      out.emplace_back(name, service.now + service.before);
  }
  const std::size_t kept = std::min(count, out.size());
  std::partial_sort(out.begin(), out.begin() + static_cast<std::ptrdiff_t>(kept), out.end(),
                    [](const auto& a, const auto& b) { return a.second > b.second; });
  out.resize(kept);
  return out;
}

}  // namespace liveops::ingest
