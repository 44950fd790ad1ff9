#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/time.h"

// How much an emitter may send. A token bucket (as in RFC 2697) for points and one for bytes: each
// fills with the rate up to what the rate brings in `burst`. A request that finds less than it
// takes is refused whole; one that takes more than a full bucket holds is let in when it is full,
// and leaves a debt. So whatever the size of its requests, a sender has its rate and no more.
namespace liveops::admit {

struct Rate {
  double points_per_second = 0;  // 0 = no limit
  double bytes_per_second = 0;   // of requests, decompressed; 0 = no limit
};

struct RateLimits {
  Rate all;                                     // of each emitter by itself
  std::map<std::string, Rate, std::less<>> of;  // instead, by the emitter's identity
  Duration burst{10'000};

  const Rate& Of(std::string_view identity) const;
};

// By identity. One thread at a time.
class RateLimiter {
 public:
  static constexpr std::size_t kMax =
      10'000;  // beyond it the one that was idle longest is forgotten

  struct Refused {
    bool points = true;     // it is the limit of points; else of bytes
    double per_second = 0;  // that limit
    Duration wait{0};       // until the same request would be let in, if nothing else comes
  };

  explicit RateLimiter(RateLimits limits) : limits_(std::move(limits)) {}

  // A request came. Nothing: it is let in, and was taken off.
  std::optional<Refused> Take(std::string_view identity, std::uint64_t points, std::size_t bytes,
                              SteadyTime now);
  // Until that emitter's last request, if it was refused, would be let in; else 0.
  Duration Wait(std::string_view identity, SteadyTime now) const;

  // How many requests of whom were refused, of those that are remembered; the `most` first names.
  std::map<std::string, std::uint64_t> refusals(std::size_t most = kMax) const;

 private:
  struct Bucket {
    double points = 0;
    double bytes = 0;
    SteadyTime at{};
    // What the last request would have needed, if it was refused.
    double points_wanted = 0;
    double bytes_wanted = 0;
    std::uint64_t refused = 0;
  };

  Bucket& Of(std::string_view identity, const Rate& rate, SteadyTime now);
  double Capacity(double rate) const;

  const RateLimits limits_;
  std::map<std::string, Bucket, std::less<>> buckets_;
};

}  // namespace liveops::admit
