#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "common/base/epoch_filter.h"
#include "common/base/result.h"
#include "common/base/time.h"
#include "common/kafka/kafka.h"
#include "common/plan/model.h"
#include "services/rule-evaluation/codec/alarm_codec.h"
#include "services/rule-evaluation/engine/shard.h"

// What an alarm was at a moment that has passed: the log of its shard, replayed up to then by the
// engine that judged it at the time, and the transitions around it.
namespace liveops::evaluation {

struct PastAlarm {
  std::string alarm_id;
  Instant at{};
  std::int32_t partition = 0;
  // The plan that was in force then; version 0 = none.
  std::uint64_t plan_version = 0;
  std::string plan_applied_by;
  // What the log says: the newest word at or before `at`, and the first one after it.
  std::optional<engine::Transition> before;
  std::optional<engine::Transition> after;
  // As the replay left it; nullopt: not replayed, or there was no such alarm then.
  std::optional<engine::AlarmView> view;
  bool corrected =
      false;  // the replay left it elsewhere than the log does; `view` is the log's word

  // Why nothing was replayed, or why it says nothing of the alarm; "" = the view stands.
  std::string why_not;
  std::vector<std::string> groups;  // the alarm's that there were then, when the id names another

  // What was replayed; records 0 = nothing.
  std::uint64_t records = 0;
  std::int64_t first_offset = 0;
  std::int64_t last_offset = 0;
  Instant from{};            // of the first record
  Instant to{};              // of the last one
  Instant wanted{};          // from where on the replay would have had to see all
  bool begins_late = false;  // the log no longer reaches back to `wanted`
  bool ends_early = false;   // the log ends before `at`
};

struct HindsightConfig {
  std::int32_t partitions = 16;
  engine::ShardLimits limits;
  Duration lookback_min{30 * 60'000};  // domain time replayed before the moment, at least
  Duration read_timeout{15'000};       // steady, of one question to Kafka
  Duration replay_time_max{60'000};    // steady, of one replay
};

// The words of the log on one alarm, and the plans of its service. Feed the partition of alarms.v1
// from its beginning. Void records are left out.
class AlarmWords {
 public:
  explicit AlarmWords(std::string alarm_id);
  void Read(const kafka::Record& record);

  const std::vector<engine::Transition>& transitions() const { return transitions_; }
  const std::vector<PlanInForce>& plans() const { return plans_; }

 private:
  std::string alarm_id_;
  std::string plan_key_;
  EpochFilter filter_;
  std::vector<engine::Transition> transitions_;
  std::vector<PlanInForce> plans_;
};

// Thread-safe: one replay at a time, so that explaining the past does not cost the present.
class Hindsight {
 public:
  using MakeConsumer = std::function<Result<std::unique_ptr<kafka::AssignedConsumer>>()>;
  // Of `all` records `done` were replayed; false = give up.
  using Progress = std::function<bool(std::uint64_t done, std::uint64_t all)>;

  Hindsight(HindsightConfig config, MakeConsumer make_consumer)
      : config_(std::move(config)), make_consumer_(std::move(make_consumer)) {}

  // From here on it can be asked.
  void Open(const TimeMap& time_map);

  // kInvalid: not an alarm id. kUnavailable: not open yet, Kafka is away, or another replay runs.
  // kTimeout: given up by `progress`.
  Result<PastAlarm> Look(const std::string& alarm_id, Instant at, const Progress& progress);

 private:
  struct Case;

  Status Replay(kafka::AssignedConsumer& consumer, Case& c, const Progress& progress);
  Status FindStart(kafka::AssignedConsumer& consumer, Case& c);
  Status Feed(kafka::AssignedConsumer& consumer, Case& c, const Progress& progress);

  const HindsightConfig config_;
  const MakeConsumer make_consumer_;
  std::atomic<bool> taken_{false};  // a replay runs
  std::mutex mutex_;
  std::optional<TimeMap> time_map_;  // guarded by mutex_
};

}  // namespace liveops::evaluation
