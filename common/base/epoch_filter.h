#pragma once

#include <cstdint>

namespace liveops {

// Decides which records of one partition count. An owner's claim has its own offset as its epoch,
// and all that the owner writes later carries that epoch. A record below the newest claim before it
// comes from an owner that had already lost the partition (a zombie): it is void, for every reader
// alike.
//
// Feed every record of the partition in log order. Not thread-safe.
class EpochFilter {
 public:
  static constexpr std::int64_t kNoEpoch = -1;

  // A claim at `offset`; it becomes the current epoch.
  void Claim(std::int64_t offset) { current_ = offset; }

  // Does a record that carries `epoch` (kNoEpoch when it has no such header) count here and now?
  // Records without an epoch are never an owner's: they count (approvals, for example, may come
  // from any replica).
  bool Valid(std::int64_t epoch) const { return epoch == kNoEpoch || epoch >= current_; }

  std::int64_t current() const { return current_; }

 private:
  std::int64_t current_ = kNoEpoch;
};

}  // namespace liveops
