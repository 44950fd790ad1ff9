#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
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
    std::uint64_t dangling_session = 0;  // of the process that made it
  };

  // False: not a NotificationRecord.
  bool Apply(const kafka::Record& record);

  // By (group, destination id).
  const std::map<std::pair<std::string, std::string>, Entry>& entries() const { return entries_; }
  // Keys of states and attempts whose last record is void: compaction would keep that one alone.
  const std::set<std::string>& voided() const { return voided_; }
  // May an owner before the claim at `epoch`, other than the process of `session`, still act on an
  // attempt of its own? Not when it let go in order.
  bool LeaseMayRun(std::int64_t epoch, std::uint64_t session) const;
  // Did another process claim the partition after the claim at `after`, up to the one at `epoch`?
  bool OthersBetween(std::int64_t after, std::int64_t epoch, std::uint64_t session) const;
  // The key of the claim at `epoch`, "" when it was not read.
  std::string ClaimKey(std::int64_t epoch) const;
  // Its broker time.
  RealTime ClaimTime(std::int64_t epoch) const;

 private:
  struct Claim {
    std::int64_t offset = 0;
    std::string key;
    RealTime append_time{};
    std::uint64_t session = 0;
    bool released = false;
  };
  // False: the record is void.
  bool Counts(const kafka::Record& record);
  void Release(const kafka::Record& record, std::uint64_t session);

  EpochFilter filter_;
  std::vector<Claim> claims_;
  std::map<std::pair<std::string, std::string>, Entry> entries_;
  std::set<std::string> voided_;
};

}  // namespace liveops::notifier
