#include "services/ingest/codec/exponential_ladder.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace liveops::ingest {
namespace {

constexpr int kLowestPower = -17;
constexpr int kHighestPower = 33;
constexpr std::size_t kLadders = LaidHistogram::kUsual - LaidHistogram::kCoarsest + 1;

struct Ladder {
  std::int64_t lowest = 0;  // index of the first bound
  std::vector<double> bounds;
};

Ladder MakeLadder(int scale) {
  Ladder ladder;
  const double steps = std::exp2(scale);  // to the next power of 2
  ladder.lowest = static_cast<std::int64_t>(std::ceil(kLowestPower * steps));
  const auto highest = static_cast<std::int64_t>(std::floor(kHighestPower * steps));
  for (std::int64_t i = ladder.lowest; i <= highest; ++i)
    ladder.bounds.push_back(std::exp2(static_cast<double>(i) / steps));
  return ladder;
}

const Ladder& LadderOf(int scale) {
  static const std::array<Ladder, kLadders> ladders = [] {
    std::array<Ladder, kLadders> all;
    for (std::size_t i = 0; i < kLadders; ++i)
      all[i] = MakeLadder(LaidHistogram::kCoarsest + static_cast<int>(i));
    return all;
  }();
  return ladders[static_cast<std::size_t>(scale - LaidHistogram::kCoarsest)];
}

constexpr std::array<std::string_view, kLadders> kNames = {
    "-10", "-9", "-8", "-7", "-6", "-5", "-4", "-3", "-2", "-1", "0", "1", "2", ""};

}  // namespace

void LaidHistogram::Begin(std::int64_t scale) {
  const auto used = static_cast<int>(std::clamp<std::int64_t>(scale, kCoarsest, kUsual));
  // Beyond that the index says no more than on which side of 1 a bucket lies.
  merged_ = static_cast<int>(std::clamp<std::int64_t>(scale - used, 0, 63));
  ladder_ = kNames[static_cast<std::size_t>(used - kCoarsest)];
  lowest_ = LadderOf(used).lowest;
  bounds_ = LadderOf(used).bounds;
  counts_.assign(bounds_.size() + 1, 0);
  total_ = 0;
}

void LaidHistogram::BeginCustom(std::span<const double> bounds) {
  merged_ = 0;
  ladder_ = {};
  lowest_ = 0;
  bounds_ = bounds;
  counts_.assign(bounds_.size() + 1, 0);
  total_ = 0;
}

bool LaidHistogram::AddAt(std::size_t place, std::uint64_t count) {
  counts_[place] += count;
  return !__builtin_add_overflow(total_, count, &total_);
}

bool LaidHistogram::Add(std::int64_t index, std::uint64_t count) {
  // Merging 2^n buckets: a bucket's index is that of its upper bound, so it is rounded up.
  const std::int64_t merged = -((-index) >> merged_);
  const std::int64_t place = merged - lowest_;
  return AddAt(static_cast<std::size_t>(
                   std::clamp<std::int64_t>(place, 0, static_cast<std::int64_t>(bounds_.size()))),
               count);
}

bool LaidHistogram::AddNegative(std::uint64_t count) { return AddAt(0, count); }

bool LaidHistogram::AddZeros(double threshold, std::uint64_t count) {
  if (count == 0) return true;
  const auto place = std::lower_bound(bounds_.begin(), bounds_.end(), threshold);
  return AddAt(static_cast<std::size_t>(place - bounds_.begin()), count);
}

LaidHistogram::Part LaidHistogram::Occupied() const {
  std::size_t first = 0;
  std::size_t last = 0;
  for (std::size_t i = 0; i < counts_.size() && total_ > 0; ++i) {
    if (counts_[i] == 0) continue;
    if (counts_[last] == 0) first = i;
    last = i;
  }
  // From the bound below the first bucket to the bound above the last.
  const std::size_t low = std::max<std::size_t>(first, 1) - 1;
  const std::size_t bounds = std::min(last, bounds_.size() - 1) - low + 1;
  return {bounds_.subspan(low, bounds), std::span(counts_).subspan(low, bounds + 1)};
}

}  // namespace liveops::ingest
