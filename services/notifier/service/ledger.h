#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/base/epoch_filter.h"
#include "common/kafka/kafka.h"
#include "liveops/v1/notifications.pb.h"

namespace liveops::notifier {

// What one partition of notifications.v1 says up to a new owner's claim. Feed every record in log
// order; records of owners that had lost the partition are void. Not thread-safe.
class Ledger {
 public:
  struct Entry {
    std::optional<v1::DeliveryState> state;
    // The newest attempt without a later state: nobody knows what became of it.
    std::optional<v1::Attempt> dangling;
  };

  // False: not a NotificationRecord.
  bool Apply(const kafka::Record& record);

  // By (group, destination id).
  const std::map<std::pair<std::string, std::string>, Entry>& entries() const { return entries_; }
  // Was there an owner before the claim at `epoch`, and did the last one let go in order?
  bool HadOwner(std::int64_t epoch) const;
  bool ReleasedBefore(std::int64_t epoch) const;
  // The key of the claim at `epoch`, "" when it was not read.
  std::string ClaimKey(std::int64_t epoch) const;
  // Its broker time.
  RealTime ClaimTime(std::int64_t epoch) const;

 private:
  struct Claim {
    std::int64_t offset = 0;
    std::string key;
    RealTime append_time{};
    bool released = false;
  };
  EpochFilter filter_;
  std::vector<Claim> claims_;
  std::map<std::pair<std::string, std::string>, Entry> entries_;
};

}  // namespace liveops::notifier
