#pragma once

#include <condition_variable>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/kafka/kafka.h"
#include "services/rule-evaluation/codec/alarm_codec.h"

namespace liveops::evaluation {

// All plans of plans.v1, as read so far. Of two records of one (service, version) the first in log
// order counts. Where one is given out, its `spread_from` is the event time from which on the
// service's spread is as it says; epoch: it always was. Of the services that its rules read it says
// how they are spread by the newest plans of theirs that were read so far. Thread-safe.
class PlanLibrary {
 public:
  // A record of plans.v1, in log order. kInvalid: it is not a PlanRecord; the library is as before,
  // but has seen it.
  Status Read(const kafka::Record& record);

  std::optional<StoredPlan> Newest(const std::string& service) const;
  std::optional<StoredPlan> Get(const std::string& service, std::uint64_t version) const;
  std::vector<StoredPlan> NewestOfAll() const;

  // Grows whenever a plan is added: a cheap "anything new?".
  std::uint64_t revision() const;

  // False until plans.v1 was read to its end once: before that an absent plan means nothing.
  bool complete() const;
  void SetComplete();

  // Waits until the record at `offset` was read. False: not within `timeout`.
  bool WaitFor(std::int64_t offset, Duration timeout) const;

 private:
  using Versions = std::map<std::uint64_t, StoredPlan>;
  static RealTime SpreadSince(const Versions& versions, Versions::const_iterator which);
  StoredPlan Given(const Versions& versions, Versions::const_iterator which) const;  // locked

  mutable std::mutex mutex_;
  mutable std::condition_variable read_;
  std::map<std::string, Versions> plans_;
  std::int64_t seen_ = -1;
  std::uint64_t revision_ = 0;
  bool complete_ = false;
};

// Do the series of a service that a plan reads lie elsewhere by now than when it came into force?
// The owner then may have known more: nothing goes back.
bool MovedSince(const std::vector<engine::ServiceRead>& in_force,
                const std::vector<engine::ServiceRead>& newest);

}  // namespace liveops::evaluation
