#include <algorithm>

#include "common/base/text.h"
#include "services/ingest/admit/admit.h"

namespace liveops::admit {
namespace {

constexpr std::size_t kSampled = 101;  // enough for a median of what may be a million times

}  // namespace

std::optional<RealTime> MedianTime(const BatchInput& batch) {
  const std::size_t scalars = batch.point_time_delta_ms.size();
  const std::size_t all = scalars + batch.histograms.size();
  std::vector<std::int64_t> times;
  for (std::size_t i = 0; i < all; i += all / kSampled + 1) {
    const std::int64_t delta_ms =
        i < scalars ? batch.point_time_delta_ms[i] : batch.histograms[i - scalars].time_delta_ms;
    std::int64_t time_ms = 0;
    if (!__builtin_add_overflow(batch.base_time_ms, delta_ms, &time_ms)) times.push_back(time_ms);
  }
  if (times.empty()) return std::nullopt;
  const auto middle = times.begin() + static_cast<std::ptrdiff_t>((times.size() - 1) / 2);
  std::nth_element(times.begin(), middle, times.end());
  return RealFromMs(*middle);
}

bool Admission::refused_for_time() const {
  return std::any_of(rejections.begin(), rejections.end(), [](const Rejection& r) {
    return r.reason == Refusal::kFuture || r.reason == Refusal::kTooOld;
  });
}

std::string TimeFault(std::int64_t time_ms, RealTime clock, const Limits& limits) {
  std::int64_t ahead_ms = 0;
  if (__builtin_sub_overflow(time_ms, ToMs(clock), &ahead_ms)) return "its time is not a time";
  return TimeFault(ahead_ms, limits);
}

std::string TimeFault(std::int64_t ahead_ms, const Limits& limits) {
  const bool ahead = ahead_ms > 0;
  const Duration away(ahead ? ahead_ms : -std::max(ahead_ms, -INT64_MAX));
  return "its time is " + FormatElapsed(away) + (ahead ? " ahead, at most " : " behind, at most ") +
         FormatElapsed(ahead ? limits.future : limits.past) + " are allowed";
}

}  // namespace liveops::admit
