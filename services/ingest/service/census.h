#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_set>

#include "common/base/hash.h"
#include "common/base/time.h"
#include "services/ingest/admit/admit.h"

// The cardinality guard: which series of a service were sent of late. Beyond a limit a newcomer is
// refused; a series that is known stays so as long as it is sent. An ingest knows what came to it
// since it started.
namespace liveops::ingest {

// Of one service. Thread-safe.
class ServiceCensus final : public admit::SeriesGuard {
 public:
  ServiceCensus(std::size_t series_max, std::size_t in_all_max,
                std::shared_ptr<std::atomic<std::size_t>> in_all)
      : series_max_(series_max), in_all_max_(in_all_max), in_all_(std::move(in_all)) {}
  ~ServiceCensus() override { *in_all_ -= size(); }
  ServiceCensus(const ServiceCensus&) = delete;
  ServiceCensus& operator=(const ServiceCensus&) = delete;

  std::uint64_t generation() const override { return generation_; }
  bool Keep(const Fingerprint& series) override;
  std::string Full() const override;
  std::size_t size() const;

 private:
  friend class Census;
  // What was not sent since the last turn is forgotten at the next one.
  void Turn();

  const std::size_t series_max_;
  const std::size_t in_all_max_;
  const std::shared_ptr<std::atomic<std::size_t>> in_all_;
  std::atomic<std::uint64_t> generation_{1};
  mutable std::mutex mutex_;
  std::unordered_set<std::uint64_t> now_;     // sent since the last turn
  std::unordered_set<std::uint64_t> before_;  // and those only before it
};

// Of all services. Thread-safe.
class Census {
 public:
  static constexpr Duration kTurn{1'800'000};  // so a silent series is remembered for 30 to 60 min

  Census(std::size_t of_service_max, std::size_t in_all_max)
      : of_service_max_(of_service_max), in_all_max_(in_all_max) {}

  // `now`: any clock that goes on; one that goes back turns nothing.
  std::shared_ptr<ServiceCensus> Of(std::string_view service, RealTime now);
  std::size_t size() const { return *in_all_; }  // series of all services

 private:
  const std::size_t of_service_max_;
  const std::size_t in_all_max_;
  const std::shared_ptr<std::atomic<std::size_t>> in_all_ =
      std::make_shared<std::atomic<std::size_t>>(0);
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<ServiceCensus>, std::less<>> services_;
  RealTime turned_{};
};

}  // namespace liveops::ingest
