#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "common/base/epoch_filter.h"
#include "common/kafka/kafka.h"
#include "common/runtime/ownership.h"
#include "services/rule-evaluation/codec/decoder.h"
#include "services/rule-evaluation/codec/rollup_codec.h"
#include "services/rule-evaluation/service/alarm_table.h"
#include "services/rule-evaluation/service/mailbox.h"
#include "services/rule-evaluation/service/outbox.h"
#include "services/rule-evaluation/service/takeover.h"

namespace liveops::evaluation {

// Shared by the owners of one process. References outlive every owner.
struct OwnerPorts {
  kafka::Producer& producer;
  runtime::Writer& writer;
  AlarmTable& table;
  std::shared_ptr<Mailbox> mailbox;
  std::string instance;
  std::int64_t installation = 0;
};

struct OwnerCounters {
  std::uint64_t transitions = 0;        // written
  std::uint64_t readings = 0;           // written for the homes of rules on several partitions
  std::uint64_t rollups = 0;            // written, against the loss of the snapshot
  std::uint64_t known = 0;              // decided again in a replay, already in the log
  std::uint64_t contradictions = 0;     // decided in a replay, but the log says otherwise
  std::uint64_t adopted = 0;            // alarms set to what the log says
  std::uint64_t poison = 0;             // undecodable records, dead-lettered
  std::uint64_t delivery_failures = 0;  // attempts to write that were repeated
  std::uint64_t plans_refused = 0;
  std::uint64_t rewritten = 0;  // void records that stood last under their key
  std::uint64_t reclaims = 0;

  OwnerCounters& operator+=(const OwnerCounters& other);
};

// One partition that this process owns: applies its records, writes what they decide, and knows
// when its state may be kept. Only the evaluation loop's thread calls it.
class ShardOwner {
 public:
  ShardOwner(std::int32_t partition, std::uint64_t ownership, Takeover takeover, OwnerPorts ports);
  ShardOwner(const ShardOwner&) = delete;
  ShardOwner& operator=(const ShardOwner&) = delete;

  // The path of a page: decode, apply, produce; nothing else waits here. True when a transition
  // left.
  bool Apply(const kafka::Record& record, Decoder& decoder);

  // --- the log of this shard ---
  void Answered(const DeliveryNote& note);
  void ReadBack(const kafka::Record& record);
  void RetryFailed(SteadyTime now);
  // Another owner claimed the partition after us: claim anew or let go.
  bool superseded() const { return superseded_; }
  void Reclaimed(std::int64_t epoch, SteadyTime now);
  // In transitions: one rollup takes the room of a hundred.
  std::size_t unconfirmed() const {
    return outbox_.size() + readings_.size() + 100 * rollups_.size();
  }

  // --- plans ---
  // Appends an activation when `newest` is newer than the plan in force, it is readable, and the
  // shard is live.
  void ConsiderPlan(const StoredPlan& newest, SteadyTime now);

  // --- alarm table ---
  // Hands over what changed since the last time, a bounded piece a call.
  void Publish(SteadyTime now);
  void RefreshTable() { refresh_wanted_ = true; }

  // --- snapshots ---
  // `replay_share`: how long replaying this shard alone may take.
  bool SnapshotDue(Duration replay_share, SteadyTime now) const;
  bool CanSnapshot() const;
  // Begins one, at the present record. It is cut in slices: Apply encodes what the next records are
  // about to change, and CutSlice a bit of the rest, until all is handed over.
  void BeginSnapshot(SteadyTime now);
  bool cutting() const { return cut_.has_value(); }
  void CutSlice(std::size_t bytes);
  void DropCut();
  // At once, as the last thing that this owner does.
  void SnapshotNow(SteadyTime now);
  void SnapshotAnswered(bool stored);

  // The owner's last record. Nothing may be written afterwards.
  void Release();

  bool live() const { return next_offset_ >= live_at_; }
  std::int32_t partition() const { return partition_; }
  std::uint64_t ownership() const { return ownership_; }
  std::int64_t epoch() const { return epoch_; }
  std::int64_t next_offset() const { return next_offset_; }
  const engine::Shard& shard() const { return shard_; }
  const OwnerCounters& counters() const { return counters_; }

  // For the loop's commits.
  std::int64_t committed = -1;
  SteadyTime committed_at{};

 private:
  struct Published {
    std::uint64_t hash = 0;
    SteadyTime at{};
  };
  // A snapshot that is being cut: what belongs to the engine's state at its position.
  struct OpenCut {
    SnapshotPosition position;
    LastWords::Frozen last;
    PlansInForce::Frozen plans;
  };
  struct Activation {
    std::uint64_t version = 0;
    SteadyTime at{};
  };

  // Of a service's plan.
  struct InForce {
    std::uint64_t version = 0;
    std::vector<engine::ServiceRead> reads;
    friend bool operator==(const InForce&, const InForce&) = default;
  };
  InForce NowInForce(std::string_view service) const;

  Outbox::Send SendTo(const char* log, DeliveryNote::Of of);
  engine::Source NextSource();
  bool Emit(const engine::Transition& transition, const std::string& traceparent);
  // Into the partition of the service's home.
  void Tell(const engine::Readings& readings);
  void Tell(const engine::Rollup& rollup);
  void TellOfRebuilt();
  void AfterWrite(const engine::Transition& transition, const std::string& trace_id);
  void AfterActivation(const engine::PlanActivationView& plan, std::int64_t offset,
                       const InForce& before, const std::string& traceparent);
  // The plan in force was told by a build that did not keep who applied it; the library knows.
  void TellWhoApplied(const StoredPlan& newest);
  void AdoptAll(const std::vector<engine::Transition>& truths);
  void Foreign(const engine::Transition& transition);
  void Rewrite(const std::string& key);
  void PublishOne(const engine::AlarmView& view, SteadyTime now);
  void ReplaceTable(SteadyTime now);
  void Forget(const std::string& alarm);

  const std::int32_t partition_;
  const std::uint64_t ownership_;
  OwnerPorts ports_;
  engine::Shard shard_;
  ReplayFilter filter_;
  Outbox outbox_;
  Outbox readings_;
  Outbox rollups_;
  std::size_t rollups_awaited_ = 0;  // at the takeover, until the replay has taken them in
  RealTime readings_from_{};
  LastWords last_;
  PlansInForce plans_;
  std::optional<OpenCut> cut_;
  std::int64_t epoch_;
  std::string claim_key_;
  std::int64_t next_offset_;
  std::int64_t live_at_;
  bool told_live_ = false;
  EpochFilter log_filter_;
  std::int64_t log_next_;
  bool superseded_ = false;
  SteadyTime retry_at_{};
  std::vector<engine::Transition> transitions_;  // reused
  std::vector<engine::Readings> told_;           // likewise
  std::map<std::string, Activation, std::less<>> activations_;
  std::map<std::string, std::uint64_t, std::less<>> refused_plans_;

  std::deque<engine::AlarmView> changed_;
  std::unordered_map<std::string, Published> published_;
  SteadyTime publish_at_{};
  SteadyTime clocks_at_{};  // next time that all alarms are given for their clocks' sake
  bool refresh_wanted_ = true;

  std::uint64_t records_since_snapshot_ = 0;
  std::uint64_t records_at_cut_ = 0;
  std::int64_t snapshot_offset_ = -1;
  SteadyTime snapshot_at_{};
  bool snapshot_waits_ = false;
  bool snapshot_wanted_ = false;
  double cost_us_ = 5;  // of one record, moving average
  OwnerCounters counters_;
};

}  // namespace liveops::evaluation
