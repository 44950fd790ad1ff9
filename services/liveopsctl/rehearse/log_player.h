#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"
#include "common/base/spread.h"
#include "common/base/time.h"
#include "common/plan/model.h"
#include "services/rule-evaluation/engine/shard.h"

// A plan under records as they stand in a log, without a server: the shards that rule-evaluation
// runs, one for each partition that holds series which the plan reads. What they tell the home of a
// rule (ADR 9, ADR 11) reaches it at once. Time is the log's own. Pure.
namespace liveops::rehearse {

// Where the log of samples has the series of each service.
struct LogPlaces {
  TimeMap time_map;
  std::int32_t partitions = 1;  // of the log
  // Over how many of them the series of a service lay, by event time; before the first step, and of
  // a service that is not named, on its own alone.
  std::map<std::string, std::vector<SpreadStep>, std::less<>> spread;
};

// A change of that, within what was played: the rules that read the service began anew.
struct SeriesMove {
  std::string service;
  Instant from{};  // event time
  int before = 1;
  int after = 1;
};

class LogPlayer {
 public:
  // The plan comes into force in each partition with the first record that is given of it, and
  // anew where the log's spread is to change, as live: kSpreadLead before the change counts. `text`
  // is what `plan` was parsed from. Its own spread counts where it is wider than that of the log.
  // kInvalid: it cannot be judged as the series lie.
  static Result<LogPlayer> Make(const plan::Plan& plan, std::string_view text,
                                const LogPlaces& places);

  // Those that it must hear, the home first.
  const std::vector<std::int32_t>& partitions() const { return partitions_; }
  bool Hears(std::int32_t partition) const { return heard_.contains(partition); }

  // A record of one of them, in its order; those of all, as nearly as is known in the order of
  // time. Plans and probes in it are passed over, since the player's plan is in force, and so is
  // what live shards told of it.
  void Replay(std::int32_t partition, const engine::RecordView& record);

  // What was told since the last call, in order.
  std::vector<engine::Transition> Take();
  std::vector<engine::AlarmView> Alarms() const;
  std::uint64_t points_unit_mismatch() const;
  const TimeMap& time_map() const { return places_.time_map; }
  // So far, in the order of time.
  std::vector<SeriesMove> Moves() const;

 private:
  // The plan as it is in force from a time of the log on.
  struct Stage {
    RealTime since{};
    std::string text;
    RealTime spread_from{};
    std::vector<engine::ServiceRead> reads;
  };
  struct Heard {
    engine::Shard shard;
    std::size_t stages = 0;  // that came into force there, or were passed over
  };

  LogPlayer() = default;
  void AddPartitions(const std::string& service, int spread);
  Result<Stage> StageAt(RealTime since, const plan::Plan& plan, std::string_view text) const;
  void Append(std::int32_t partition, engine::RecordView record);

  LogPlaces places_;
  std::string service_;
  std::vector<std::string> reads_;
  std::vector<Stage> stages_;
  std::vector<std::int32_t> partitions_;
  std::map<std::int32_t, Heard> heard_;
  std::vector<engine::Transition> told_;
  RealTime first_ = RealTime::max();
  RealTime last_ = RealTime::min();
};

}  // namespace liveops::rehearse
