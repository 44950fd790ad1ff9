#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "common/base/result.h"
#include "common/kafka/kafka.h"
#include "common/runtime/ownership.h"
#include "services/rule-evaluation/service/log_history.h"
#include "services/rule-evaluation/service/owner_state.h"
#include "services/rule-evaluation/service/replay_filter.h"
#include "services/rule-evaluation/service/snapshot_store.h"

namespace liveops::evaluation {

// A partition taken over, ready to be replayed from `start`.
struct Takeover {
  OwnerState state;
  ReplayFilter filter;           // what the log says of the records to be replayed
  std::set<std::string> voided;  // keys of alarms.v1 whose newest record is void
  std::int64_t epoch = -1;       // offset of our claim in alarms.v1
  std::string claim_key;
  std::int64_t start = 0;  // first offset of metrics.v1 to read
  std::int64_t end = 0;    // its end at the takeover: from there on the shard is live
  bool from_snapshot = false;
  std::uint64_t adopted = 0;  // alarms that the log corrected at once
  // What a replay says to other shards of records appended before it is of no use any more.
  RealTime readings_from{};
};

struct TakeoverConfig {
  std::string instance;
  TimeMap time_map;
  engine::ShardLimits limits;          // of each; which partition it is, the takeover says
  std::int32_t partitions = 16;        // of metrics.v1
  Duration replay_max{2 * 3'600'000};  // domain time, without a snapshot
  Duration read_timeout{15'000};       // steady, of one log
};

// Takes partitions of metrics.v1 over: claim, truth from alarms.v1, state from the newest snapshot
// or, without one, from the log of the last two hours. One thread at a time.
class Takeovers {
 public:
  Takeovers(TakeoverConfig config, kafka::Producer& producer, runtime::Writer& writer,
            SnapshotStore& snapshots)
      : config_(std::move(config)), producer_(producer), writer_(writer), snapshots_(snapshots) {}

  // All in one go: their logs are read together, since each new assignment of the reader may wait
  // out a fetch. `redis_until`: how long to wait for Redis before going on without snapshots;
  // `stop` cuts that short. Of each: kConflict = the partition is not ours, kUnavailable = try
  // again.
  std::map<std::int32_t, Result<Takeover>> Take(kafka::GroupConsumer& group,
                                                kafka::AssignedConsumer& reader,
                                                const std::vector<std::int32_t>& partitions,
                                                SteadyTime redis_until,
                                                const std::atomic<bool>& stop);

  // The claim alone. Gives the epoch.
  Result<std::int64_t> Claim(kafka::GroupConsumer& group, std::int32_t partition,
                             std::int64_t next_offset);

  std::int64_t installation() const { return ToMs(config_.time_map.real_origin); }

 private:
  // One partition on its way.
  struct Case {
    std::int32_t partition = 0;
    std::int64_t low = 0;  // of metrics.v1
    std::int64_t high = 0;
    std::int64_t epoch = -1;
    std::int64_t start = 0;
    RealTime claimed_at{};            // where there is no state
    SnapshotPosition position;        // meaningful with a state
    std::optional<OwnerState> state;  // from the snapshot
    std::string manifest;             // of that snapshot
    engine::RollupShelf rollups;      // where there is no state
  };
  using Histories = std::map<std::int32_t, LogHistory>;

  Result<Case> Begin(kafka::GroupConsumer& group, kafka::AssignedConsumer& reader,
                     std::int32_t partition, SteadyTime redis_until, const std::atomic<bool>& stop);
  std::optional<Snapshot> LoadSnapshot(std::int32_t partition, SteadyTime redis_until,
                                       const std::atomic<bool>& stop);
  void UseSnapshot(Case& c, Snapshot snapshot);
  Status FindStarts(kafka::AssignedConsumer& reader, std::vector<Case>& cases);
  Status ReadLogs(kafka::AssignedConsumer& reader, const std::map<std::int32_t, std::int64_t>& from,
                  Histories& histories);
  Status FindRollups(kafka::AssignedConsumer& reader, std::vector<Case>& cases,
                     const Histories& histories);
  Takeover FromSnapshot(Case c, const LogHistory& history);
  Takeover FromLog(Case& c, const LogHistory& history);
  engine::ShardLimits LimitsOf(std::int32_t partition) const;

  TakeoverConfig config_;
  kafka::Producer& producer_;
  runtime::Writer& writer_;
  SnapshotStore& snapshots_;
};

}  // namespace liveops::evaluation
