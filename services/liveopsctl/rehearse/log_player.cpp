#include "services/liveopsctl/rehearse/log_player.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <variant>

#include "common/base/hash.h"
#include "common/plan/canonical_plan.h"
#include "common/plan/parse.h"
#include "common/plan/reads.h"

namespace liveops::rehearse {
namespace {

int SpreadOf(const LogPlaces& places, std::string_view service) {
  const auto found = places.spread.find(service);
  return found == places.spread.end() ? 1 : std::max(1, found->second);
}

// The plan as it would be written where its series lie over so many partitions.
Result<std::string> TextOf(const plan::Plan& plan, std::string_view text, int spread) {
  if (spread == plan.spread) return std::string(text);
  plan::Plan wider = plan;
  wider.spread = spread;
  std::string written =
      plan::CanonicalText(plan::PlanFile(std::move(wider), plan::ParseLogCounts(text)));
  const plan::ParseResult read = plan::Parse(written);
  if (read.ok()) return written;
  return InvalidError(
      fmt::format("the series of {} lie over {} partitions, and there the plan cannot be judged: "
                  "{}; a recording can be played by `plan backtest --data`",
                  plan.service, spread, read.problems.front().message));
}

}  // namespace

Result<LogPlayer> LogPlayer::Make(const plan::Plan& plan, std::string_view text,
                                  const LogPlaces& places) {
  const int spread = std::max(plan.spread, SpreadOf(places, plan.service));
  if (spread > places.partitions) {
    return InvalidError(fmt::format("{} is spread over {} partitions, the log of samples has {}",
                                    plan.service, spread, places.partitions));
  }
  Result<std::string> written = TextOf(plan, text, spread);
  if (!written.ok()) return written.error();
  LogPlayer player;
  player.time_map_ = places.time_map;
  player.service_ = plan.service;
  player.text_ = std::move(*written);
  const auto hear = [&](const std::string& service, int of) {
    const std::int32_t first = PartitionOf(service, places.partitions);
    for (std::int32_t i = 0; i < std::min(of, places.partitions); ++i) {
      engine::ShardLimits limits;
      limits.partition = (first + i) % places.partitions;
      limits.partitions = places.partitions;
      if (player.Hears(limits.partition)) continue;
      player.partitions_.push_back(limits.partition);
      player.shards_.emplace(limits.partition, engine::Shard(places.time_map, limits));
    }
  };
  hear(plan.service, spread);
  for (const std::string& service : plan::ServicesRead(plan)) {
    const int of = SpreadOf(places, service);
    player.reads_.push_back({service, of, {}});
    hear(service, of);
  }
  return player;
}

void LogPlayer::Replay(std::int32_t partition, const engine::RecordView& record) {
  if (std::holds_alternative<engine::PlanActivationView>(record.body) ||
      std::holds_alternative<engine::ProbeStartView>(record.body) ||
      std::holds_alternative<engine::ReadingsView>(record.body) ||
      std::holds_alternative<engine::ExternalAlertView>(record.body)) {  // no plan judges those
    return;
  }
  Append(partition, record);
}

void LogPlayer::Append(std::int32_t partition, engine::RecordView record) {
  engine::Shard& shard = shards_.at(partition);
  std::vector<engine::Readings> readings;
  if (shard.position() < 0) {
    engine::RecordView activation;
    activation.offset = 0;
    activation.append_time = record.append_time;
    engine::PlanActivationView plan;
    plan.service = service_;
    plan.version = 1;
    plan.text = text_;
    plan.reads = reads_;
    activation.body = plan;
    shard.Apply(activation, told_, readings);
  }
  record.offset = shard.position() + 1;
  shard.Apply(record, told_, readings);
  for (const engine::Readings& told : readings) {
    engine::RecordView heard;
    heard.append_time = record.append_time;
    heard.body = engine::ViewOf(told);
    Append(told.home_partition, heard);
  }
}

std::vector<engine::Transition> LogPlayer::Take() { return std::exchange(told_, {}); }

std::vector<engine::AlarmView> LogPlayer::Alarms() const {
  std::vector<engine::AlarmView> all;
  for (const auto& [partition, shard] : shards_) {
    std::vector<engine::AlarmView> views = shard.Alarms();
    std::move(views.begin(), views.end(), std::back_inserter(all));
  }
  std::stable_sort(all.begin(), all.end(),
                   [](const auto& a, const auto& b) { return a.alarm_id < b.alarm_id; });
  return all;
}

std::uint64_t LogPlayer::points_unit_mismatch() const {
  std::uint64_t points = 0;
  for (const auto& [partition, shard] : shards_) points += shard.counters().points_unit_mismatch;
  return points;
}

}  // namespace liveops::rehearse
