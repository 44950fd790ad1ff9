#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/time.h"
#include "liveops/v1/logs.pb.h"

namespace liveops::notifier {

// The exemplars of each service of the last minutes, kept ready for its pages, as ErrorLines keeps
// lines: of each series and minute the greatest. Bounded; thread-safe.
class Exemplars {
 public:
  static constexpr std::size_t kEach = 3;         // of a series and minute
  static constexpr std::size_t kSeriesMax = 300;  // of a service
  static constexpr std::size_t kAllMax = 60'000;  // of all services; what comes then is left
  static constexpr std::int64_t kMinuteMs = 60'000;
  static constexpr std::int64_t kKeptMs = 15 * kMinuteMs;  // by the newest of the service

  void Read(const v1::LogBatch& batch);
  // Those after `from_ms` up to `until_ms` (domain time), in no order that means something.
  std::vector<v1::Exemplar> Of(std::string_view service, std::int64_t from_ms,
                               std::int64_t until_ms) const;

 private:
  using Minutes = std::map<std::int64_t, std::vector<v1::Exemplar>>;  // greatest first
  struct Service {
    std::map<std::string, Minutes, std::less<>> series;  // by metric and labels
    std::int64_t newest_ms = 0;
  };

  void Keep(Service& service, v1::Exemplar exemplar);
  void Forget(Service& service);

  mutable std::mutex mutex_;
  std::map<std::string, Service, std::less<>> services_;
  std::size_t all_ = 0;
  std::int64_t swept_ms_ = 0;
};

}  // namespace liveops::notifier
