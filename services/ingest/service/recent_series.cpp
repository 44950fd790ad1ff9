#include "services/ingest/service/recent_series.h"

#include <algorithm>
#include <bit>

namespace liveops::ingest {
namespace {

constexpr std::size_t kRoomLeast = 8;

}  // namespace

RecentSeries::RecentSeries(std::size_t series)
    : mask_(2 * std::bit_ceil(std::max(series, kRoomLeast)) - 1),
      places_(std::make_unique<std::atomic<std::uint64_t>[]>(mask_ + 1)) {}

std::shared_ptr<RecentSeries> RecentSeries::With(std::size_t series, std::uint64_t turn,
                                                 bool and_before) const {
  auto out = std::make_shared<RecentSeries>(series);
  for (std::size_t i = 0; i <= mask_; ++i) {
    const std::uint64_t found = places_[i].load(std::memory_order_relaxed);
    if (found == 0 || (!and_before && (found & kMark) != MarkOf(turn))) continue;
    out->places_[out->PlaceOf(found)].store(found, std::memory_order_relaxed);
  }
  return out;
}

}  // namespace liveops::ingest
