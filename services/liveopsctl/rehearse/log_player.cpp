#include "services/liveopsctl/rehearse/log_player.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>
#include <variant>

#include "common/base/hash.h"
#include "common/plan/canonical_plan.h"
#include "common/plan/parse.h"
#include "common/plan/reads.h"

namespace liveops::rehearse {
namespace {

// What was said of the service's series by then, which may count a little later.
SpreadStep StepAt(const LogPlaces& places, std::string_view service, RealTime since) {
  SpreadStep at;
  const auto found = places.spread.find(service);
  if (found == places.spread.end()) return at;
  for (const SpreadStep& step : found->second) {
    if (step.from - kSpreadLead <= since) at = step;
  }
  return at;
}

int WidestOf(const LogPlaces& places, std::string_view service) {
  int widest = 1;
  const auto found = places.spread.find(service);
  if (found == places.spread.end()) return widest;
  for (const SpreadStep& step : found->second) widest = std::max(widest, step.spread);
  return widest;
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
  const int widest = std::max(plan.spread, WidestOf(places, plan.service));
  if (widest > places.partitions) {
    return InvalidError(fmt::format("{} is spread over {} partitions, the log of samples has {}",
                                    plan.service, widest, places.partitions));
  }
  LogPlayer player;
  player.places_ = places;
  player.service_ = plan.service;
  player.reads_ = plan::ServicesRead(plan);
  player.AddPartitions(plan.service, widest);
  std::set<RealTime> since{RealTime::min()};
  const auto add = [&](const std::string& service) {
    const auto found = places.spread.find(service);
    if (found == places.spread.end()) return;
    for (const SpreadStep& step : found->second) since.insert(step.from - kSpreadLead);
  };
  add(plan.service);
  for (const std::string& service : player.reads_) {
    player.AddPartitions(service, WidestOf(places, service));
    add(service);
  }
  for (const RealTime time : since) {
    Result<Stage> stage = player.StageAt(time, plan, text);
    if (!stage.ok()) return stage.error();
    player.stages_.push_back(std::move(*stage));
  }
  return player;
}

void LogPlayer::AddPartitions(const std::string& service, int spread) {
  const std::int32_t first = PartitionOf(service, places_.partitions);
  for (std::int32_t i = 0; i < std::min(spread, places_.partitions); ++i) {
    engine::ShardLimits limits;
    limits.partition = (first + i) % places_.partitions;
    limits.partitions = places_.partitions;
    if (Hears(limits.partition)) continue;
    partitions_.push_back(limits.partition);
    heard_.emplace(limits.partition, Heard{engine::Shard(places_.time_map, limits), 0});
  }
}

Result<LogPlayer::Stage> LogPlayer::StageAt(RealTime since, const plan::Plan& plan,
                                            std::string_view text) const {
  Stage stage;
  stage.since = since;
  const SpreadStep own = StepAt(places_, service_, since);
  Result<std::string> written = TextOf(plan, text, std::max(plan.spread, own.spread));
  if (!written.ok()) return written.error();
  stage.text = std::move(*written);
  stage.spread_from = own.from;
  for (const std::string& service : reads_) {
    const SpreadStep read = StepAt(places_, service, since);
    stage.reads.push_back({service, read.spread, read.from});
  }
  return stage;
}

void LogPlayer::Replay(std::int32_t partition, const engine::RecordView& record) {
  if (std::holds_alternative<engine::PlanActivationView>(record.body) ||
      std::holds_alternative<engine::ProbeStartView>(record.body) ||
      std::holds_alternative<engine::ReadingsView>(record.body) ||
      std::holds_alternative<engine::ExternalAlertView>(record.body)) {  // no plan judges those
    return;
  }
  first_ = std::min(first_, record.append_time);
  last_ = std::max(last_, record.append_time);
  Append(partition, record);
}

void LogPlayer::Append(std::int32_t partition, engine::RecordView record) {
  Heard& heard = heard_.at(partition);
  engine::Shard& shard = heard.shard;
  std::vector<engine::Readings> readings;
  const std::size_t stages = heard.stages;
  while (heard.stages < stages_.size() && stages_[heard.stages].since <= record.append_time) {
    ++heard.stages;
  }
  if (heard.stages > stages) {
    const Stage& stage = stages_[heard.stages - 1];
    engine::PlanActivationView plan;
    plan.service = service_;
    plan.version = heard.stages;
    plan.text = stage.text;
    plan.spread_from = stage.spread_from;
    plan.reads = stage.reads;
    engine::RecordView activation;
    activation.offset = shard.position() + 1;
    activation.append_time = record.append_time;
    activation.body = plan;
    shard.Apply(activation, told_, readings);
  }
  record.offset = shard.position() + 1;
  shard.Apply(record, told_, readings);
  for (const engine::Readings& told : readings) {
    engine::RecordView said;
    said.append_time = record.append_time;
    said.body = engine::ViewOf(told);
    Append(told.home_partition, said);
  }
}

std::vector<SeriesMove> LogPlayer::Moves() const {
  std::vector<SeriesMove> moves;
  const auto add = [&](const std::string& service) {
    const auto found = places_.spread.find(service);
    if (found == places_.spread.end()) return;
    int before = 1;
    for (const SpreadStep& step : found->second) {
      const RealTime since = step.from - kSpreadLead;
      if (since > first_ && since <= last_) {
        moves.push_back({service, time_map().ToDomain(step.from), before, step.spread});
      }
      before = step.spread;
    }
  };
  add(service_);
  for (const std::string& service : reads_) add(service);
  std::stable_sort(moves.begin(), moves.end(),
                   [](const SeriesMove& a, const SeriesMove& b) { return a.from < b.from; });
  return moves;
}

std::vector<engine::Transition> LogPlayer::Take() { return std::exchange(told_, {}); }

std::vector<engine::AlarmView> LogPlayer::Alarms() const {
  std::vector<engine::AlarmView> all;
  for (const auto& [partition, heard] : heard_) {
    std::vector<engine::AlarmView> views = heard.shard.Alarms();
    std::move(views.begin(), views.end(), std::back_inserter(all));
  }
  std::stable_sort(all.begin(), all.end(),
                   [](const auto& a, const auto& b) { return a.alarm_id < b.alarm_id; });
  return all;
}

std::uint64_t LogPlayer::points_unit_mismatch() const {
  std::uint64_t points = 0;
  for (const auto& [partition, heard] : heard_)
    points += heard.shard.counters().points_unit_mismatch;
  return points;
}

}  // namespace liveops::rehearse
