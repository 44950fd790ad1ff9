#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"
#include "services/rule-evaluation/engine/record.h"
#include "services/rule-evaluation/engine/rollup.h"
#include "services/rule-evaluation/engine/transition.h"

namespace liveops::engine {

struct ShardLimits {
  std::size_t series_max = 1'000'000;  // a newcomer beyond it is not tracked and is counted
  std::size_t groups_max = 100'000;
  // Of one rule; what is beyond it or groups_max is told by one alarm of the rule's own.
  std::size_t groups_of_rule_max = 10'000;
  std::size_t foreign_alerts_max = 1'000;  // of a service; likewise

  // Which of the topic's partitions it is: a service may be spread over several (ADR 9).
  std::int32_t partition = 0;
  std::int32_t partitions = 1;
  // May an alarm fire before the watermark has passed? False: as where the service is spread.
  bool eager = true;
};

struct ShardCounters {
  std::uint64_t records = 0;
  std::uint64_t points = 0;
  std::uint64_t points_late = 0;  // behind the watermark of what they feed
  std::uint64_t points_duplicate = 0;
  std::uint64_t points_future = 0;
  std::uint64_t points_unit_mismatch = 0;
  std::uint64_t series_refused = 0;
  std::uint64_t plans_refused = 0;
  std::uint64_t clock_steps_held =
      0;  // append-time steps not explained by ticks, not adopted (yet)
  std::uint64_t judgements = 0;
  std::uint64_t alerts = 0;          // told by others, each time
  std::uint64_t alerts_refused = 0;  // for want of room, or since they make no sense
};

// The pure engine of one partition of metrics.v1: the same records in the same order give the same
// transitions, byte for byte. It reads no clock; time comes with the records (verdicts.md's rules,
// restated in docs/architecture.md). One thread at a time.
class Shard {
 public:
  Shard(const TimeMap& time_map, ShardLimits limits);
  ~Shard();
  Shard(Shard&&) noexcept;
  Shard& operator=(Shard&&) noexcept;

  // Applies one record and appends the transitions that it led to. Records must come in offset
  // order; one at or before position() is ignored. Never fails: what is wrong with a record is
  // counted.
  void Apply(const RecordView& record, std::vector<Transition>& out);
  // And the readings to be written into the partitions of other shards.
  void Apply(const RecordView& record, std::vector<Transition>& out, std::vector<Readings>& told);

  // What the last Apply rolled up, to be kept for whoever has to start without a snapshot.
  std::vector<Rollup> TakeRolled();

  std::int64_t position() const;  // offset of the last applied record, -1 at first
  Instant clock() const;          // partition clock; epoch while no record was seen
  const ShardCounters& counters() const;
  // How many series it knows at the moment.
  std::size_t series_known() const;

  // The version in force of a service's plan, 0 when none.
  std::uint64_t PlanVersion(std::string_view service) const;
  // Which other services it reads, and where their series lie, as the activation said.
  std::vector<ServiceRead> PlanReads(std::string_view service) const;

  // Every alarm (also kOk and kBlind), by alarm id.
  std::vector<AlarmView> Alarms() const;
  // Those whose view changed since the last call, and forgets that they did; `gone` gets ids that
  // no longer exist.
  std::vector<AlarmView> TakeChanged(std::vector<std::string>& gone);

  // --- crash safety ---
  // The whole state as sections, at once or cut in slices. Equal states give equal sections, and
  // one that did not change has the bytes that it had.
  std::vector<std::string> Sections() const;
  // A slice of a second or a millisecond is the caller's affair; here it counts bytes. BeginCut
  // encodes the head (small) and freezes the state for the cut; ContinueCut encodes at least
  // `bytes` more between two records, and what a record is about to change is encoded before it
  // does. Whatever comes meanwhile, the cut is the state after record CutPosition(). One that was
  // begun before is forgotten.
  void BeginCut();
  enum class CutState {
    kNone,
    kGoing,
    kWhole
  };  // kNone: none begun, or given up since everything
      // changed (a hole in the log): begin anew
  CutState ContinueCut(std::size_t bytes);
  // What a record may wait for: with the section that a slice ends in, well under a millisecond.
  static constexpr std::size_t kSliceBytes = 16 << 10;
  std::int64_t CutPosition() const;    // -1 when there is none
  std::vector<std::string> TakeCut();  // of a whole one; there is none afterwards
  // kInvalid when these are not the sections of a snapshot of this format version, or damaged.
  static Result<Shard> Restore(std::span<const std::string_view> sections, const TimeMap& time_map,
                               ShardLimits limits);
  // The same as one string.
  std::string Snapshot() const;
  static Result<Shard> Restore(std::string_view bytes, const TimeMap& time_map, ShardLimits limits);

  // Starting in mid-log without a snapshot: windows that reach back before the first record are
  // unknown. `plan_text` etc. give the plan that was in force there. Before the first Apply only.
  void StartAt(const std::vector<PlanActivationView>& plans_in_force);
  // The log wins: makes the alarm stand as its last valid transition says. Used before replay for
  // transitions that lie before the replayed part, and after replay where the outcome differs; true
  // = it differed.
  bool Adopt(const Transition& truth);

  // Rollups of an earlier owner, after StartAt and before the first Apply. Each is taken in when
  // the records come that follow it. While some are awaited no snapshot may be taken.
  void Await(std::deque<Rollup> rollups);
  std::size_t rollups_awaited() const;
  std::uint64_t rules_made_whole() const;  // whose windows are as if nothing had been lost

 private:
  struct Impl;
  explicit Shard(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace liveops::engine
