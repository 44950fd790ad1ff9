#include "services/rule-evaluation/service/takeover.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "common/runtime/topics.h"
#include "common/telemetry/log.h"

namespace liveops::evaluation {
namespace {

namespace topic = runtime::topic;

// A home waits for 10 min, and the append times of two partitions are not quite the same.
constexpr Duration kReadingsReach{12 * 60'000};

std::int64_t Wide(std::int32_t partition) { return partition; }

}  // namespace

engine::ShardLimits Takeovers::LimitsOf(std::int32_t partition) const {
  engine::ShardLimits limits = config_.limits;
  limits.partition = partition;
  limits.partitions = config_.partitions;
  return limits;
}

Result<std::int64_t> Takeovers::Claim(kafka::GroupConsumer& group, std::int32_t partition,
                                      std::int64_t next_offset) {
  return runtime::ClaimPartition(
      group, partition, next_offset, producer_, topic::kAlarms, partition, [this] {
        return EncodeClaim({writer_.emitter(), writer_.session(), writer_.Next()}, config_.instance,
                           ToMs(WallClockNow()));
      });
}

std::optional<Snapshot> Takeovers::LoadSnapshot(std::int32_t partition, SteadyTime redis_until,
                                                const std::atomic<bool>& stop) {
  Result<std::optional<Snapshot>> loaded = snapshots_.Load(partition, installation());
  while (!loaded.ok() && loaded.error().code == ErrorCode::kUnavailable && !stop &&
         std::chrono::steady_clock::now() < redis_until) {
    std::this_thread::sleep_for(std::chrono::milliseconds(250));
    loaded = snapshots_.Load(partition, installation());
  }
  if (loaded.ok()) return std::move(*loaded);
  log::Warn("snapshot_not_loaded", {{"partition", Wide(partition)},
                                    {"error", loaded.error().message},
                                    {"effect", "the shard is rebuilt from the log"}});
  return std::nullopt;
}

void Takeovers::UseSnapshot(Case& c, Snapshot snapshot) {
  const SnapshotPosition& at = snapshot.position;
  std::string problem;
  if (at.offset + 1 < c.low || at.offset >= c.high) {
    problem = "its offset is not in the log";
  } else {
    Result<OwnerState> state =
        DecodeOwnerState(snapshot.sections, config_.time_map, LimitsOf(c.partition));
    if (!state.ok()) {
      problem = state.error().message;
    } else if (state->shard.position() != at.offset) {
      problem = "its position differs from its manifest's";
    } else {
      c.state.emplace(std::move(*state));
      c.position = at;
      c.manifest = std::move(snapshot.manifest);
      return;
    }
  }
  log::Warn("snapshot_unusable",
            {{"partition", Wide(c.partition)}, {"offset", at.offset}, {"problem", problem}});
  // It would stand in the way of ours.
  (void)snapshots_.Drop(c.partition, snapshot.manifest);
}

Result<Takeovers::Case> Takeovers::Begin(kafka::GroupConsumer& group,
                                         kafka::AssignedConsumer& reader, std::int32_t partition,
                                         SteadyTime redis_until, const std::atomic<bool>& stop) {
  Case c;
  c.partition = partition;
  // Before the claim, so that the committed offset says something; one that an earlier owner stores
  // meanwhile would only have made the replay shorter. And before the ends are asked for: while
  // Redis is waited for, the log and the snapshot grow.
  std::optional<Snapshot> snapshot = LoadSnapshot(partition, redis_until, stop);
  const auto ends = reader.Watermarks(topic::kMetrics, partition, config_.read_timeout);
  if (!ends.ok()) return ends.error();
  c.low = ends->first;
  c.high = ends->second;
  if (snapshot) UseSnapshot(c, std::move(*snapshot));
  c.start = c.state ? c.position.offset + 1 : c.low;
  const Result<std::int64_t> epoch = Claim(group, partition, c.start);
  if (!epoch.ok()) return epoch.error();
  c.epoch = *epoch;
  if (c.state && (c.position.epoch >= c.epoch || c.position.alarms_offset > c.epoch)) {
    c.state.reset();  // it speaks of another alarm log
    (void)snapshots_.Drop(partition, c.manifest);
  }
  return c;
}

Status Takeovers::ReadLogs(kafka::AssignedConsumer& reader,
                           const std::map<std::int32_t, std::int64_t>& from, Histories& histories) {
  if (from.empty()) return {};
  std::vector<kafka::PartitionOffset> starts;
  for (const auto& [partition, offset] : from)
    starts.push_back({topic::kAlarms, partition, offset});
  if (Status s = reader.Assign(starts); !s.ok()) return s;
  const SteadyTime until = std::chrono::steady_clock::now() + config_.read_timeout;
  std::size_t open = from.size();
  while (open > 0) {
    auto record = reader.Poll(Duration(50));
    if (!record.ok()) return record.error();
    if (!*record) {
      if (std::chrono::steady_clock::now() < until) continue;
      return UnavailableError("our own claims in " + std::string(topic::kAlarms) +
                              " were not read back in time");
    }
    LogHistory& history = histories.at((*record)->partition);
    const bool before = history.saw_own_claim();
    history.Read(**record);
    if (!before && history.saw_own_claim()) --open;
  }
  for (const auto& [partition, history] : histories) {
    if (history.unreadable() == 0) continue;
    log::Warn("alarm_records_unreadable",
              {{"partition", Wide(partition)},
               {"records", static_cast<std::int64_t>(history.unreadable())}});
  }
  return reader.Assign({});
}

// Where the replay begins without a snapshot: the claim's append time is the present, and two hours
// before it the earliest that is read again.
Status Takeovers::FindStarts(kafka::AssignedConsumer& reader, std::vector<Case>& cases) {
  Histories histories;
  std::map<std::int32_t, std::int64_t> from;
  for (const Case& c : cases) {
    if (c.state) continue;
    histories.try_emplace(c.partition, c.epoch, 0, EpochFilter::kNoEpoch);
    from[c.partition] = c.epoch;
  }
  if (Status s = ReadLogs(reader, from, histories); !s.ok()) return s;
  for (Case& c : cases) {
    if (c.state) continue;
    c.claimed_at = histories.at(c.partition).own_claim_time();
    const RealTime earliest = c.claimed_at - config_.time_map.ToReal(config_.replay_max);
    const Result<std::int64_t> at =
        reader.OffsetAt(topic::kMetrics, c.partition, earliest, config_.read_timeout);
    if (!at.ok()) return at.error();
    c.start = std::clamp(*at, c.low, std::max(c.low, c.high));
  }
  return {};
}

std::map<std::int32_t, Result<Takeover>> Takeovers::Take(
    kafka::GroupConsumer& group, kafka::AssignedConsumer& reader,
    const std::vector<std::int32_t>& partitions, SteadyTime redis_until,
    const std::atomic<bool>& stop) {
  const SteadyTime begin = std::chrono::steady_clock::now();
  const auto elapsed = [begin] {
    return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin)
        .count();
  };
  std::map<std::int32_t, Result<Takeover>> results;
  std::vector<Case> cases;
  // A broker answers the requests of one connection in turn: each question would wait out a fetch.
  if (Status s = reader.Assign({}); !s.ok())
    log::Warn("unassign_failed", {{"error", s.error().message}});
  for (const std::int32_t partition : partitions) {
    Result<Case> c = Begin(group, reader, partition, redis_until, stop);
    if (c.ok()) {
      cases.push_back(std::move(*c));
    } else {
      results.emplace(partition, c.error());
    }
  }
  const double claimed_ms = elapsed();
  Histories histories;
  std::map<std::int32_t, std::int64_t> from;
  Status read = FindStarts(reader, cases);
  const double starts_ms = elapsed();
  if (read.ok()) {
    for (const Case& c : cases) {
      histories.try_emplace(c.partition, c.epoch, c.start,
                            c.state ? c.position.epoch : EpochFilter::kNoEpoch);
      from[c.partition] = c.state ? c.position.alarms_offset : kafka::kOffsetBeginning;
    }
    read = ReadLogs(reader, from, histories);
  }
  if (read.ok()) read = FindRollups(reader, cases, histories);
  log::Debug("takeover",
             {{"claimed_ms", claimed_ms}, {"starts_ms", starts_ms}, {"read_ms", elapsed()}});
  for (Case& c : cases) {
    const std::int32_t partition = c.partition;
    if (!read.ok()) {
      results.emplace(partition, UnavailableError(read.error().message));
      continue;
    }
    const LogHistory& history = histories.at(partition);
    results.emplace(partition, c.state ? FromSnapshot(std::move(c), history) : FromLog(c, history));
  }
  return results;
}

namespace {

void TakeWords(const LogHistory& history, OwnerState& state) {
  for (const auto& [alarm, truth] : history.last()) state.last.Set(alarm, truth);
  for (const auto& [service, plan] : history.plans()) state.plans.Set(service, plan);
}

}  // namespace

Takeover Takeovers::FromSnapshot(Case c, const LogHistory& history) {
  Takeover out{std::move(*c.state),
               ReplayFilter(history.after()),
               history.voided(),
               c.epoch,
               history.own_claim_key(),
               c.start,
               c.high,
               true,
               0,
               {}};
  for (const auto& [alarm, truth] : history.before()) {
    const engine::Transition* held = out.state.last.Find(alarm);
    if (held != nullptr && !Later(truth, *held)) continue;
    if (out.state.shard.Adopt(truth)) ++out.adopted;
  }
  TakeWords(history, out.state);
  return out;
}

Takeover Takeovers::FromLog(Case& c, const LogHistory& history) {
  Takeover out{OwnerState{engine::Shard(config_.time_map, LimitsOf(c.partition)), {}, {}},
               ReplayFilter(history.after()),
               history.voided(),
               c.epoch,
               history.own_claim_key(),
               c.start,
               c.high,
               false,
               0,
               c.claimed_at - kReadingsReach};
  TakeWords(history, out.state);
  if (c.start > 0) {
    std::vector<engine::PlanActivationView> plans;
    for (const auto& [service, plan] : history.plans_before()) {
      plans.push_back({plan.service, plan.version, plan.text, {}, plan.spread_from, plan.reads});
    }
    out.state.shard.StartAt(plans);
    out.state.shard.Await(c.rollups.Take());
  }
  for (const auto& [alarm, truth] : history.before()) {
    if (out.state.shard.Adopt(truth)) ++out.adopted;
  }
  return out;
}

}  // namespace liveops::evaluation
