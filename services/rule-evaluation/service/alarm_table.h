#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "common/redis/redis.h"
#include "services/rule-evaluation/service/snapshot_store.h"

// The alarms of all shards, live, in Redis:
//   liveops:alarm:<alarm id>     AlarmStatus bytes
//   liveops:alarms:<partition>   set of the partition's alarm ids
//   liveops:alarms:owners        hash partition -> epoch of the owner whose table is complete there
//   liveops:alarms:writers       hash partition -> epoch of the owner that may write there: set
//                                before the first row, looked at with every row, so that a former
//                                owner that was paused half-way touches nothing of its successor's
// The hash of owners is the mark of completeness: after Redis lost its data it is gone, and a
// reader that misses a partition in it knows that the table is being rebuilt and answers nothing
// rather than a part.
namespace liveops::evaluation {

// One shard's changes on their way to Redis, the newest of each alarm. Pure; not thread-safe.
class PendingAlarms {
 public:
  using Entry =
      std::pair<std::string, std::optional<std::string>>;  // alarm id, status bytes or removal

  explicit PendingAlarms(std::size_t limit) : limit_(limit) {}

  void Put(std::string alarm, std::string status);
  void Remove(std::string alarm);
  // Up to `count`, which are then no longer pending.
  std::vector<Entry> Take(std::size_t count);
  // Gives back what could not be written, unless something newer came.
  void GiveBack(std::vector<Entry> entries);
  // True once after more than `limit` alarms were pending: some were dropped, and only a full
  // refresh helps.
  bool TakeOverflow();

  bool empty() const { return pending_.empty(); }
  std::size_t size() const { return pending_.size(); }
  void Clear() { pending_.clear(); }

 private:
  void Set(std::string alarm, std::optional<std::string> status);

  std::size_t limit_;
  std::map<std::string, std::optional<std::string>> pending_;
  bool overflow_ = false;
};

// Writes the alarm table and the snapshots on a thread of its own, so that a slow or absent Redis
// delays no page. All calls are cheap and thread-safe.
class AlarmTable {
 public:
  struct Counters {
    std::uint64_t written = 0;
    std::uint64_t failures = 0;
    std::uint64_t refreshes = 0;
    std::uint64_t snapshots = 0;
    std::uint64_t snapshots_failed = 0;
  };

  AlarmTable(redis::Client& client, SnapshotStore& snapshots);
  ~AlarmTable();

  void Start();
  void Stop();  // what is pending is given up: Drain first

  // From here on this process writes the partition's alarms, under `epoch`.
  void Own(std::int32_t partition, std::int64_t epoch);
  void Disown(std::int32_t partition);

  void Put(std::int32_t partition, std::string alarm, std::string status);
  void Remove(std::int32_t partition, std::string alarm);
  // All alarms of the partition: whatever else stands in the table goes.
  void Replace(std::int32_t partition, std::vector<std::pair<std::string, std::string>> alarms);

  // `sections` gives the snapshot's, on the table's thread. The newest of a partition replaces one
  // that still waits.
  using Sections = std::function<std::vector<std::string>()>;
  void Save(std::int32_t partition, const SnapshotPosition& position, Sections sections);

  // True when nothing waits any more within `timeout`.
  bool Drain(Duration timeout);

  // Partitions whose whole table must be given again (Replace): Redis lost it, or too much was
  // pending.
  std::vector<std::int32_t> TakeRefreshWanted();
  // Outcomes of Save since the last call: partition, stored.
  std::vector<std::pair<std::int32_t, bool>> TakeSaved();

  Counters counters() const;
  bool connected() const { return client_.connected(); }

 private:
  struct Shard {
    std::int64_t epoch = -1;
    std::uint64_t generation = 0;  // of Own, so that work in hand for a former ownership is dropped
    PendingAlarms pending{200'000};
    std::optional<std::vector<std::pair<std::string, std::string>>> replacement;
    bool refresh_wanted = false;
    bool lost = false;  // a newer owner's mark was seen
  };

  enum class Outcome { kDone, kLostTable, kNewerOwner, kUnavailable };

  void Run();
  bool Work();  // one round; false when Redis failed
  bool WriteReplacement(std::int32_t partition);
  bool WritePending(std::int32_t partition);
  bool WriteSnapshot();
  bool CheckMarks();
  bool Idle() const;
  Outcome RunReplacement(std::int32_t partition, std::int64_t epoch,
                         const std::vector<std::pair<std::string, std::string>>& alarms);
  Outcome RunBatch(std::int32_t partition, std::int64_t epoch,
                   const std::vector<PendingAlarms::Entry>& entries,
                   const std::vector<std::string>& keys);
  static Outcome OutcomeOf(const Result<redis::Reply>& reply);
  void Note(std::int32_t partition, std::uint64_t generation, Outcome outcome);

  redis::Client& client_;
  SnapshotStore& snapshots_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::condition_variable idle_;
  std::map<std::int32_t, Shard> shards_;
  std::map<std::int32_t, std::pair<SnapshotPosition, Sections>> saves_;
  std::vector<std::pair<std::int32_t, bool>> saved_;
  std::uint64_t generations_ = 0;
  bool busy_ = false;
  bool stop_ = false;
  Counters counters_;
  std::thread thread_;
};

std::string AlarmKey(const std::string& alarm);
std::string AlarmIndexKey(std::int32_t partition);
extern const char* const kAlarmOwnersKey;
extern const char* const kAlarmWritersKey;

}  // namespace liveops::evaluation
