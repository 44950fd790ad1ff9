#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

namespace liveops::ingest {

// The series of a service by a 64-bit hash, each with the turn that it came in last: this one or
// the one before. A flat table of open addressing (linear probing), eight bytes a place, of which
// at most half are taken. One thread at a time adds; looking needs no lock.
class RecentSeries {
 public:
  enum class Seen { kNever, kBefore, kNow };

  explicit RecentSeries(std::size_t series);  // room for so many

  // `turn`: the present one, a number that goes up by one.
  Seen Find(std::uint64_t hash, std::uint64_t turn) const {
    const std::uint64_t found = places_[PlaceOf(hash)].load(std::memory_order_relaxed);
    if (found == 0) return Seen::kNever;
    return (found & kMark) == MarkOf(turn) ? Seen::kNow : Seen::kBefore;
  }
  void Prefetch(std::uint64_t hash) const { __builtin_prefetch(&places_[FirstPlaceOf(hash)]); }
  // It came in that turn. There must be room for it.
  void Put(std::uint64_t hash, std::uint64_t turn) {
    places_[PlaceOf(hash)].store((hash & ~kMark) | MarkOf(turn), std::memory_order_relaxed);
  }
  std::size_t room() const { return (mask_ + 1) / 2; }

  // A table with room for so many and what came in `turn`, or in it and the one before.
  std::shared_ptr<RecentSeries> With(std::size_t series, std::uint64_t turn, bool and_before) const;

 private:
  // The lowest bits of a place: 0 = it is empty, else whether the turn's number is even or odd.
  static constexpr std::uint64_t kMark = 3;
  static std::uint64_t MarkOf(std::uint64_t turn) { return 1 + (turn & 1); }

  std::size_t FirstPlaceOf(std::uint64_t hash) const { return (hash >> 2) & mask_; }
  // Where it is, or the empty place where it would be.
  std::size_t PlaceOf(std::uint64_t hash) const {
    for (std::size_t at = FirstPlaceOf(hash);; at = (at + 1) & mask_) {
      const std::uint64_t found = places_[at].load(std::memory_order_relaxed);
      if (found == 0 || (found ^ hash) <= kMark) return at;
    }
  }

  const std::size_t mask_;
  const std::unique_ptr<std::atomic<std::uint64_t>[]> places_;
};

}  // namespace liveops::ingest
