#include "services/ingest/admit/rate_limit.h"

#include <algorithm>
#include <cmath>

namespace liveops::admit {
namespace {

double SecondsBetween(SteadyTime from, SteadyTime to) {
  return std::max(0.0, std::chrono::duration<double>(to - from).count());
}

// Until `level` reaches `wanted`, rounded up.
Duration Until(double level, double wanted, double rate) {
  if (rate <= 0 || level >= wanted) return Duration(0);
  return Duration(static_cast<std::int64_t>(std::ceil((wanted - level) / rate * 1000)));
}

}  // namespace

const Rate& RateLimits::Of(std::string_view identity) const {
  const auto own = of.find(identity);
  return own == of.end() ? all : own->second;
}

double RateLimiter::Capacity(double rate) const {
  return rate * std::chrono::duration<double>(limits_.burst).count();
}

RateLimiter::Bucket& RateLimiter::Of(std::string_view identity, const Rate& rate, SteadyTime now) {
  auto found = buckets_.find(identity);
  if (found == buckets_.end()) {
    if (buckets_.size() >= kMax) {
      buckets_.erase(
          std::min_element(buckets_.begin(), buckets_.end(),
                           [](const auto& a, const auto& b) { return a.second.at < b.second.at; }));
    }
    found = buckets_.try_emplace(std::string(identity)).first;
    found->second.points = Capacity(rate.points_per_second);
    found->second.bytes = Capacity(rate.bytes_per_second);
    found->second.at = now;
  }
  Bucket& bucket = found->second;
  const double passed = SecondsBetween(bucket.at, now);
  const auto fill = [&](double& level, double per_second) {
    level = std::min(Capacity(per_second), level + per_second * passed);
  };
  fill(bucket.points, rate.points_per_second);
  fill(bucket.bytes, rate.bytes_per_second);
  bucket.at = std::max(bucket.at, now);
  return bucket;
}

std::optional<RateLimiter::Refused> RateLimiter::Take(std::string_view identity,
                                                      std::uint64_t points, std::size_t bytes,
                                                      SteadyTime now) {
  const Rate& rate = limits_.Of(identity);
  if (rate.points_per_second <= 0 && rate.bytes_per_second <= 0) return std::nullopt;
  Bucket& bucket = Of(identity, rate, now);
  const double of_points = static_cast<double>(points);
  const double of_bytes = static_cast<double>(bytes);
  const double need_points = std::min(of_points, Capacity(rate.points_per_second));
  const double need_bytes = std::min(of_bytes, Capacity(rate.bytes_per_second));
  const Duration for_points = Until(bucket.points, need_points, rate.points_per_second);
  const Duration for_bytes = Until(bucket.bytes, need_bytes, rate.bytes_per_second);
  if (for_points > Duration(0) || for_bytes > Duration(0)) {
    bucket.points_wanted = need_points;
    bucket.bytes_wanted = need_bytes;
    ++bucket.refused;
    const bool by_points = for_points >= for_bytes;
    return Refused{by_points, by_points ? rate.points_per_second : rate.bytes_per_second,
                   std::max(for_points, for_bytes)};
  }
  if (rate.points_per_second > 0) bucket.points -= of_points;
  if (rate.bytes_per_second > 0) bucket.bytes -= of_bytes;
  bucket.points_wanted = bucket.bytes_wanted = 0;
  return std::nullopt;
}

Duration RateLimiter::Wait(std::string_view identity, SteadyTime now) const {
  const auto found = buckets_.find(identity);
  if (found == buckets_.end()) return Duration(0);
  const Bucket& bucket = found->second;
  if (bucket.points_wanted <= 0 && bucket.bytes_wanted <= 0) return Duration(0);
  const Rate& rate = limits_.Of(identity);
  const double passed = SecondsBetween(bucket.at, now);
  return std::max(Until(bucket.points + rate.points_per_second * passed, bucket.points_wanted,
                        rate.points_per_second),
                  Until(bucket.bytes + rate.bytes_per_second * passed, bucket.bytes_wanted,
                        rate.bytes_per_second));
}

std::map<std::string, std::uint64_t> RateLimiter::refusals(std::size_t most) const {
  std::map<std::string, std::uint64_t> out;
  for (const auto& [identity, bucket] : buckets_) {
    if (out.size() >= most) break;
    if (bucket.refused > 0) out[identity] = bucket.refused;
  }
  return out;
}

}  // namespace liveops::admit
