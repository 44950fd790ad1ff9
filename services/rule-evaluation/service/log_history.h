#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "common/base/epoch_filter.h"
#include "common/kafka/kafka.h"
#include "services/rule-evaluation/codec/alarm_codec.h"

namespace liveops::evaluation {

// What a partition of alarms.v1 says up to an owner's own claim: its valid transitions, split at
// the source offset where the replay begins, and the plans in force. Feed the partition's records
// in order. Not thread-safe.
class LogHistory {
 public:
  // `own_claim`: records after it are not looked at. `replay_start`: first offset of metrics.v1
  // that will be replayed. `known_epoch`: the claim in force where reading begins;
  // EpochFilter::kNoEpoch at the partition's beginning.
  LogHistory(std::int64_t own_claim, std::int64_t replay_start, std::int64_t known_epoch);

  void Read(const kafka::Record& record);

  // The last word on each alarm, decided before the replay's first record.
  const std::map<std::string, engine::Transition>& before() const { return before_; }
  // Decided from there on, in log order, repetitions left out.
  const std::vector<engine::Transition>& after() const { return after_; }
  // The last word on each alarm, wherever it was decided.
  const std::map<std::string, engine::Transition>& last() const { return last_; }
  // The newest plan in force of each service, and the newest that was activated before the replay's
  // first record.
  const std::map<std::string, PlanInForce>& plans() const { return plans_; }
  const std::map<std::string, PlanInForce>& plans_before() const { return plans_before_; }
  // Keys whose newest record is void: compaction would keep it in place of the valid one.
  const std::set<std::string>& voided() const { return voided_; }

  // Was it the owner of this epoch that wrote something at this time in another log? Not if a newer
  // claim stood already.
  bool Owned(std::int64_t epoch, RealTime at) const;

  bool saw_own_claim() const { return saw_own_claim_; }
  const std::string& own_claim_key() const { return own_claim_key_; }
  RealTime own_claim_time() const { return own_claim_time_; }
  std::uint64_t unreadable() const { return unreadable_; }

 private:
  void Take(engine::Transition transition);
  void Take(PlanInForce plan);

  const std::int64_t own_claim_;
  const std::int64_t replay_start_;
  EpochFilter filter_;
  std::vector<std::pair<std::int64_t, RealTime>> claims_;
  std::map<std::string, engine::Transition> before_;
  std::vector<engine::Transition> after_;
  std::map<std::string, engine::Transition> last_;
  std::map<std::string, PlanInForce> plans_;
  std::map<std::string, PlanInForce> plans_before_;
  std::set<std::string> voided_;
  bool saw_own_claim_ = false;
  std::string own_claim_key_;
  RealTime own_claim_time_{};
  std::uint64_t unreadable_ = 0;
};

}  // namespace liveops::evaluation
