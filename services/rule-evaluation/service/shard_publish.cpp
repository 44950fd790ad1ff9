// The part of ShardOwner that keeps the alarm table: what changed since the last time, a bounded
// piece a call, so that ten thousand groups never hold a page up.
#include <algorithm>
#include <chrono>

#include "common/base/hash.h"
#include "services/rule-evaluation/service/shard_owner.h"

namespace liveops::evaluation {
namespace {

constexpr std::size_t kPiece = 256;
constexpr auto kPeriod = std::chrono::milliseconds(500);
// An alarm of which only clock and watermark moved.
constexpr auto kQuietPeriod = std::chrono::seconds(5);

// What people look at; a moving clock alone is no change.
std::uint64_t HashOf(engine::AlarmView view, const engine::Transition* last,
                     std::int32_t partition) {
  view.clock = Instant{};
  view.watermark = Instant{};
  return Xxh64(EncodeStatus(view, last, partition));
}

}  // namespace

void ShardOwner::PublishOne(const engine::AlarmView& view, SteadyTime now) {
  const engine::Transition* last = last_.Find(view.alarm_id);
  const std::uint64_t hash = HashOf(view, last, partition_);
  Published& published = published_[view.alarm_id];
  if (published.hash == hash && now - published.at < kQuietPeriod) {
    return;
  }
  published = {hash, now};
  ports_.table.Put(partition_, view.alarm_id, EncodeStatus(view, last, partition_));
}

void ShardOwner::Forget(const std::string& alarm) {
  ports_.table.Remove(partition_, alarm);
  published_.erase(alarm);
  std::erase_if(changed_, [&](const engine::AlarmView& view) { return view.alarm_id == alarm; });
  const engine::Transition* last = last_.Find(alarm);
  if (last != nullptr && !IsOpen(last->state)) last_.Erase(alarm);
}

void ShardOwner::ReplaceTable(SteadyTime now) {
  std::vector<std::string> gone;
  (void)shard_.TakeChanged(gone);
  for (const std::string& alarm : gone) Forget(alarm);
  changed_.clear();
  published_.clear();
  std::vector<std::pair<std::string, std::string>> all;
  for (const engine::AlarmView& view : shard_.Alarms()) {
    const engine::Transition* last = last_.Find(view.alarm_id);
    published_[view.alarm_id] = {HashOf(view, last, partition_), now};
    all.emplace_back(view.alarm_id, EncodeStatus(view, last, partition_));
  }
  ports_.table.Replace(partition_, std::move(all));
}

void ShardOwner::Publish(SteadyTime now) {
  if (!live() || filter_.active()) return;
  if (refresh_wanted_) {
    refresh_wanted_ = false;
    if (told_live_) snapshot_wanted_ = true;  // Redis lost its data, and with it the snapshot
    told_live_ = true;
    ReplaceTable(now);
    publish_at_ = now + kPeriod;
    return;
  }
  if (changed_.empty() && now >= publish_at_) {
    const SteadyTime begin = std::chrono::steady_clock::now();
    std::vector<std::string> gone;
    std::vector<engine::AlarmView> changed = shard_.TakeChanged(gone);
    for (const std::string& alarm : gone) Forget(alarm);
    changed_.insert(changed_.end(), std::make_move_iterator(changed.begin()),
                    std::make_move_iterator(changed.end()));
    // However many alarms there are: at most a twentieth of the thread.
    const auto took = std::chrono::steady_clock::now() - begin;
    publish_at_ = now + std::max<SteadyTime::duration>(kPeriod, 20 * took);
  }
  if (changed_.empty() && now >= clocks_at_) {
    // Nothing else changed, but "judged up to" has moved on.
    const SteadyTime begin = std::chrono::steady_clock::now();
    for (engine::AlarmView& view : shard_.Alarms()) changed_.push_back(std::move(view));
    const auto took = std::chrono::steady_clock::now() - begin;
    clocks_at_ = now + std::max<SteadyTime::duration>(kQuietPeriod, 200 * took);
  }
  for (std::size_t i = 0; i < kPiece && !changed_.empty(); ++i) {
    PublishOne(changed_.front(), now);
    changed_.pop_front();
  }
}

}  // namespace liveops::evaluation
