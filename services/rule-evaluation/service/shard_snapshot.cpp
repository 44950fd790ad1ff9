// The part of ShardOwner that keeps its state: when it may be kept, and how it is cut.
#include <chrono>
#include <limits>
#include <memory>
#include <utility>

#include "services/rule-evaluation/service/owner_state.h"
#include "services/rule-evaluation/service/shard_owner.h"

namespace liveops::evaluation {
namespace {

constexpr double kFetchCostUs = 10;  // of one record, beside applying it
constexpr std::uint64_t kRecordsMax = 50'000;
constexpr auto kSnapshotPause = std::chrono::seconds(5);

}  // namespace

bool ShardOwner::CanSnapshot() const {
  return outbox_.empty() && readings_.empty() && rollups_.empty() &&
         shard_.rollups_awaited() == 0 && !filter_.active() && !superseded_ && !snapshot_waits_ &&
         !cut_ && shard_.position() > snapshot_offset_;
}

bool ShardOwner::SnapshotDue(Duration replay_share, SteadyTime now) const {
  if (!CanSnapshot() || now - snapshot_at_ < kSnapshotPause) return false;
  if (snapshot_wanted_) return live();
  const double cost_ms =
      static_cast<double>(records_since_snapshot_) * (cost_us_ + kFetchCostUs) / 1000;
  return records_since_snapshot_ >= kRecordsMax ||
         cost_ms >= static_cast<double>(replay_share.count());
}

void ShardOwner::BeginSnapshot(SteadyTime now) {
  cut_ = OpenCut{
      {ports_.installation, epoch_, shard_.position(), log_next_}, last_.Freeze(), plans_.Freeze()};
  shard_.BeginCut();
  snapshot_at_ = now;
  records_at_cut_ = records_since_snapshot_;
}

void ShardOwner::CutSlice(std::size_t bytes) {
  if (!cut_) return;
  const engine::Shard::CutState state = shard_.ContinueCut(bytes);
  if (state == engine::Shard::CutState::kGoing) return;
  if (state == engine::Shard::CutState::kWhole) {
    snapshot_offset_ = cut_->position.offset;
    snapshot_waits_ = true;
    snapshot_wanted_ = false;
    records_since_snapshot_ -= records_at_cut_;
    auto sections = std::make_shared<std::vector<std::string>>(shard_.TakeCut());
    ports_.table.Save(partition_, cut_->position,
                      [sections, last = std::move(cut_->last), plans = std::move(cut_->plans),
                       partition = partition_] {
                        return EncodeOwnerState(std::move(*sections), last, plans, partition);
                      });
  }
  cut_.reset();  // or it was given up, and is due again
}

void ShardOwner::DropCut() {
  cut_.reset();
  (void)shard_.TakeCut();
}

void ShardOwner::SnapshotNow(SteadyTime now) {
  DropCut();  // of an earlier record
  if (!CanSnapshot()) return;
  BeginSnapshot(now);
  CutSlice(std::numeric_limits<std::size_t>::max());
}

void ShardOwner::SnapshotAnswered(bool stored) {
  snapshot_waits_ = false;
  if (!stored) snapshot_wanted_ = true;
}

}  // namespace liveops::evaluation
