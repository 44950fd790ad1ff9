#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/kafka/kafka.h"
#include "services/rule-evaluation/codec/decoder.h"
#include "services/rule-evaluation/service/alarm_table.h"
#include "services/rule-evaluation/service/log_follower.h"
#include "services/rule-evaluation/service/mailbox.h"
#include "services/rule-evaluation/service/plan_library.h"
#include "services/rule-evaluation/service/shard_owner.h"
#include "services/rule-evaluation/service/status_board.h"
#include "services/rule-evaluation/service/takeover.h"

namespace liveops::evaluation {

struct LoopConfig {
  kafka::ClientConfig kafka;
  std::string instance;
  std::int32_t partitions = 16;
  Duration replay_budget{3'000};   // steady: how long a restart may replay, all partitions together
  Duration redis_patience{4'000};  // steady: wait for Redis at an assignment, then go on without
  std::size_t unconfirmed_max = 20'000;  // transitions; beyond it nothing more is read
};

// The one thread that evaluates: takes the partitions over that the group gives it, applies their
// records, and does everything else (alarm table, snapshots, commits, plans) between records.
// References outlive it.
class EvaluationLoop {
 public:
  EvaluationLoop(LoopConfig config, Takeovers& takeovers, OwnerPorts ports, LogFollower& follower,
                 const PlanLibrary& plans, StatusBoard& board);
  ~EvaluationLoop();

  // Until `stop`; then lets all partitions go in order. An error only when the process cannot go on
  // (fenced by another one of the same name, refused by the broker).
  Status Run(const std::atomic<bool>& stop);

  bool connected() const { return connected_; }

 private:
  std::vector<kafka::PartitionOffset> Assigned(const std::vector<std::int32_t>& partitions);
  void Revoked(const std::vector<std::int32_t>& partitions);
  void Own(std::int32_t partition, Takeover takeover);
  void LetGo(std::int32_t partition);
  Status HandleRecord(const Result<std::optional<kafka::Record>>& polled);
  void CutSlice();
  void ReadMail();
  void Housekeep(SteadyTime now, bool idle);
  void Reclaim(ShardOwner& owner, SteadyTime now);
  void CommitOne(SteadyTime now, bool idle);
  void LookAtPlans(SteadyTime now);
  void Show(SteadyTime now);
  std::size_t Unconfirmed() const;
  ShardOwner* Find(std::int32_t partition);

  LoopConfig config_;
  Takeovers& takeovers_;
  OwnerPorts ports_;
  LogFollower& follower_;
  const PlanLibrary& plans_;
  StatusBoard& board_;
  std::unique_ptr<kafka::GroupConsumer> group_;
  const std::atomic<bool>* stop_ = nullptr;
  std::atomic<bool> connected_{false};
  std::map<std::int32_t, std::unique_ptr<ShardOwner>> owners_;
  std::optional<std::int32_t> cutting_;  // the partition whose snapshot is being cut
  std::uint64_t ownerships_ = 0;
  OwnerCounters past_;  // of owners that are gone
  Decoder decoder_;
  SteadyTime started_{};
  SteadyTime show_at_{};
  SteadyTime plans_at_{};
  SteadyTime reclaim_at_{};
  std::uint64_t plans_seen_ = 0;
  bool joined_ = false;
  bool wrote_ = false;  // a transition, since the last housekeeping
};

}  // namespace liveops::evaluation
