#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/hash.h"
#include "common/base/time.h"
#include "services/ingest/admit/admit.h"
#include "services/ingest/service/recent_series.h"

// The cardinality guard: which series of a service were sent of late. Beyond a limit a newcomer is
// refused; a series that is known stays so as long as it is sent. An ingest knows what came to it
// since it started.
namespace liveops::ingest {

// Of all services; a service is remembered from its first series on. Thread-safe.
class Census {
 public:
  static constexpr Duration kTurn{1'800'000};  // so a silent series is remembered for 30 to 60 min

  // As one batch of a service sees it: what was sent since the last turn is found without a lock.
  // One thread at a time; the census and the service's name must outlive it.
  class Sight final : public admit::SeriesGuard {
   public:
    std::uint64_t generation() const override { return turn_; }
    void Expect(const Fingerprint& series) const override;
    bool Keep(const Fingerprint& series) override;
    std::string Full() const override { return full_; }

   private:
    friend class Census;
    Sight(Census& census, std::string_view service) : census_(census), service_(service) {}

    Census& census_;
    const std::string_view service_;
    std::uint64_t turn_ = 0;
    std::shared_ptr<const RecentSeries> series_;  // nullptr: none of it is known
    std::string full_;                            // why the last one had no room
  };

  Census(std::size_t of_service_max, std::size_t in_all_max);

  // `now`: any clock that goes on; one that goes back turns nothing.
  Sight Of(std::string_view service, RealTime now);
  std::size_t size() const;  // series of all services
  std::size_t services() const;
  // The at most `count` services with most series, and how many they have; most first.
  std::vector<std::pair<std::string, std::size_t>> Largest(std::size_t count) const;

 private:
  struct Service {
    std::shared_ptr<RecentSeries> series;
    std::size_t now = 0;     // of them, sent since the last turn,
    std::size_t before = 0;  // and only before it
  };

  std::uint64_t HashOf(const Fingerprint& series) const;
  bool Keep(Sight& sight, std::uint64_t hash);
  // What was not sent since the last turn is forgotten.
  void Turn();

  const std::size_t of_service_max_;
  const std::size_t in_all_max_;
  const std::uint64_t factor_;  // of hashes: nobody outside can make many that lie together
  mutable std::mutex mutex_;
  std::map<std::string, Service, std::less<>> services_;
  std::size_t in_all_ = 0;
  std::uint64_t turn_ = 1;
  RealTime turned_{};
};

}  // namespace liveops::ingest
