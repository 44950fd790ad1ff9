#include "services/rule-evaluation/service/alarm_table.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "common/telemetry/log.h"

namespace liveops::evaluation {
namespace {

constexpr std::size_t kBatch = 100;
constexpr auto kRetryPause = std::chrono::milliseconds(500);
constexpr auto kMarkPeriod = std::chrono::seconds(2);

// KEYS: owners, writers, index; ARGV: partition, epoch. Takes the partition's rows over and gives
// their ids; -1 = another owner's.
constexpr const char* kBegin = R"(
for i = 1, 2 do
  if tonumber(redis.call('HGET', KEYS[i], ARGV[1]) or '-1') > tonumber(ARGV[2]) then return -1 end
end
redis.call('HSET', KEYS[2], ARGV[1], ARGV[2])
return redis.call('SMEMBERS', KEYS[3])
)";

// KEYS: index, then the hashes whose mark must be ours; ARGV: partition, epoch, then (alarm id,
// key, "1" | "0", status)… Gives 1 = written, 0 = the table was lost, -1 = another owner's.
constexpr const char* kWrite = R"(
local own = tonumber(ARGV[2])
for i = 2, #KEYS do
  local mark = tonumber(redis.call('HGET', KEYS[i], ARGV[1]) or '-1')
  if mark > own then return -1 end
  if mark < own then return 0 end
end
for i = 3, #ARGV, 4 do
  if ARGV[i + 2] == '1' then
    redis.call('SET', ARGV[i + 1], ARGV[i + 3])
    redis.call('SADD', KEYS[1], ARGV[i])
  else
    redis.call('DEL', ARGV[i + 1])
    redis.call('SREM', KEYS[1], ARGV[i])
  end
end
return 1
)";

// KEYS: owners, writers; ARGV: partition, epoch. Marks the partition's table as complete; answers
// as kWrite.
constexpr const char* kMark = R"(
local own = tonumber(ARGV[2])
if tonumber(redis.call('HGET', KEYS[1], ARGV[1]) or '-1') > own then return -1 end
local writer = tonumber(redis.call('HGET', KEYS[2], ARGV[1]) or '-1')
if writer > own then return -1 end
if writer < own then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
return 1
)";

}  // namespace

const char* const kAlarmOwnersKey = "liveops:alarms:owners";
const char* const kAlarmWritersKey = "liveops:alarms:writers";
std::string AlarmKey(const std::string& alarm) { return "liveops:alarm:" + alarm; }
std::string AlarmIndexKey(std::int32_t partition) {
  return "liveops:alarms:" + std::to_string(partition);
}

AlarmTable::AlarmTable(redis::Client& client, SnapshotStore& snapshots)
    : client_(client), snapshots_(snapshots) {}

AlarmTable::~AlarmTable() { Stop(); }

void AlarmTable::Start() {
  thread_ = std::thread([this] { Run(); });
}

void AlarmTable::Stop() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void AlarmTable::Own(std::int32_t partition, std::int64_t epoch) {
  const std::lock_guard lock(mutex_);
  Shard& shard = shards_[partition];
  shard = Shard{};
  shard.epoch = epoch;
  shard.generation = ++generations_;
}

void AlarmTable::Disown(std::int32_t partition) {
  const std::lock_guard lock(mutex_);
  shards_.erase(partition);
}

void AlarmTable::Put(std::int32_t partition, std::string alarm, std::string status) {
  const std::lock_guard lock(mutex_);
  const auto it = shards_.find(partition);
  if (it == shards_.end() || it->second.lost) return;
  it->second.pending.Put(std::move(alarm), std::move(status));
  wake_.notify_one();
}

void AlarmTable::Remove(std::int32_t partition, std::string alarm) {
  const std::lock_guard lock(mutex_);
  const auto it = shards_.find(partition);
  if (it == shards_.end() || it->second.lost) return;
  it->second.pending.Remove(std::move(alarm));
  wake_.notify_one();
}

void AlarmTable::Replace(std::int32_t partition,
                         std::vector<std::pair<std::string, std::string>> alarms) {
  const std::lock_guard lock(mutex_);
  const auto it = shards_.find(partition);
  if (it == shards_.end() || it->second.lost) return;
  it->second.pending.Clear();
  (void)it->second.pending.TakeOverflow();
  it->second.replacement = std::move(alarms);
  it->second.refresh_wanted = false;
  wake_.notify_one();
}

void AlarmTable::Save(std::int32_t partition, const SnapshotPosition& position, Sections sections) {
  const std::lock_guard lock(mutex_);
  saves_.insert_or_assign(partition, std::pair(position, std::move(sections)));
  wake_.notify_one();
}

bool AlarmTable::Idle() const {
  if (busy_ || !saves_.empty()) return false;
  return std::all_of(shards_.begin(), shards_.end(), [](const auto& entry) {
    const Shard& shard = entry.second;
    if (shard.lost || shard.replacement) return shard.lost;
    return shard.pending.empty() || shard.refresh_wanted;  // then only Replace helps
  });
}

bool AlarmTable::Drain(Duration timeout) {
  std::unique_lock lock(mutex_);
  return idle_.wait_for(lock, timeout, [this] { return Idle(); });
}

std::vector<std::int32_t> AlarmTable::TakeRefreshWanted() {
  const std::lock_guard lock(mutex_);
  std::vector<std::int32_t> out;
  for (auto& [partition, shard] : shards_) {
    if (shard.pending.TakeOverflow()) shard.refresh_wanted = true;
    if (std::exchange(shard.refresh_wanted, false)) out.push_back(partition);
  }
  return out;
}

std::vector<std::pair<std::int32_t, bool>> AlarmTable::TakeSaved() {
  const std::lock_guard lock(mutex_);
  return std::exchange(saved_, {});
}

AlarmTable::Counters AlarmTable::counters() const {
  const std::lock_guard lock(mutex_);
  return counters_;
}

void AlarmTable::Run() {
  auto next_marks = std::chrono::steady_clock::now() + kMarkPeriod;
  bool told = false;
  std::unique_lock lock(mutex_);
  while (!stop_) {
    if (Idle()) idle_.notify_all();
    wake_.wait_until(lock, next_marks, [this] { return stop_ || !Idle(); });
    if (stop_) break;
    busy_ = true;
    lock.unlock();
    bool good = Work();
    if (good && std::chrono::steady_clock::now() >= next_marks) {
      good = CheckMarks();
      next_marks = std::chrono::steady_clock::now() + kMarkPeriod;
    }
    if (!good && !std::exchange(told, true))
      log::Warn("redis_unavailable", {{"effect", "the alarm table and snapshots wait"}});
    if (good && std::exchange(told, false)) log::Info("redis_back");
    lock.lock();
    busy_ = false;
    if (!good) {
      ++counters_.failures;
      next_marks = std::chrono::steady_clock::now();
      wake_.wait_for(lock, kRetryPause, [this] { return stop_; });
    }
  }
}

bool AlarmTable::Work() {
  std::vector<std::int32_t> partitions;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [partition, shard] : shards_) {
      if (!shard.lost && (shard.replacement || !shard.pending.empty()))
        partitions.push_back(partition);
    }
  }
  for (const std::int32_t partition : partitions) {
    if (!WriteReplacement(partition) || !WritePending(partition)) return false;
  }
  return WriteSnapshot();
}

void AlarmTable::Note(std::int32_t partition, std::uint64_t generation, Outcome outcome) {
  const auto it = shards_.find(partition);
  if (it == shards_.end() || it->second.generation != generation) return;
  if (outcome == Outcome::kLostTable && !it->second.replacement) it->second.refresh_wanted = true;
  if (outcome == Outcome::kNewerOwner) {
    it->second.lost = true;
    it->second.pending.Clear();
    it->second.replacement.reset();
  }
}

bool AlarmTable::WriteReplacement(std::int32_t partition) {
  std::vector<std::pair<std::string, std::string>> alarms;
  std::int64_t epoch = -1;
  std::uint64_t generation = 0;
  {
    const std::lock_guard lock(mutex_);
    const auto it = shards_.find(partition);
    if (it == shards_.end() || !it->second.replacement) return true;
    alarms = std::move(*it->second.replacement);
    it->second.replacement.reset();
    epoch = it->second.epoch;
    generation = it->second.generation;
  }
  const Outcome outcome = RunReplacement(partition, epoch, alarms);
  const std::lock_guard lock(mutex_);
  Note(partition, generation, outcome);
  if (outcome == Outcome::kDone) ++counters_.refreshes;
  const auto it = shards_.find(partition);
  if (outcome == Outcome::kUnavailable && it != shards_.end() &&
      it->second.generation == generation && !it->second.replacement) {
    // The views have aged meanwhile: ask for fresh ones.
    it->second.refresh_wanted = true;
  }
  return outcome != Outcome::kUnavailable;
}

AlarmTable::Outcome AlarmTable::RunReplacement(
    std::int32_t partition, std::int64_t epoch,
    const std::vector<std::pair<std::string, std::string>>& alarms) {
  const std::string index = AlarmIndexKey(partition);
  const std::vector<std::string> own{std::to_string(partition), std::to_string(epoch)};
  auto begun = client_.Script(kBegin, {kAlarmOwnersKey, kAlarmWritersKey, index}, own);
  if (!begun.ok()) return Outcome::kUnavailable;
  if (begun->kind != redis::Reply::Kind::kArray) return Outcome::kNewerOwner;
  std::set<std::string> stale;
  for (redis::Reply& member : begun->array) stale.insert(std::move(member.text));
  std::vector<PendingAlarms::Entry> rows;
  Outcome outcome = Outcome::kDone;
  const auto put = [&](const std::string& alarm, std::optional<std::string> status) {
    rows.emplace_back(alarm, std::move(status));
    if (rows.size() < kBatch) return true;
    outcome = RunBatch(partition, epoch, std::exchange(rows, {}), {index, kAlarmWritersKey});
    return outcome == Outcome::kDone;
  };
  for (const auto& [alarm, status] : alarms) {
    stale.erase(alarm);
    if (!put(alarm, status)) return outcome;
  }
  for (const std::string& alarm : stale) {
    if (!put(alarm, std::nullopt)) return outcome;
  }
  if (!rows.empty()) outcome = RunBatch(partition, epoch, rows, {index, kAlarmWritersKey});
  if (outcome != Outcome::kDone) return outcome;
  return OutcomeOf(client_.Script(kMark, {kAlarmOwnersKey, kAlarmWritersKey}, own));
}

bool AlarmTable::WritePending(std::int32_t partition) {
  while (true) {
    std::vector<PendingAlarms::Entry> entries;
    std::int64_t epoch = -1;
    std::uint64_t generation = 0;
    {
      const std::lock_guard lock(mutex_);
      const auto it = shards_.find(partition);
      if (it == shards_.end() || it->second.pending.empty() || it->second.refresh_wanted)
        return true;
      entries = it->second.pending.Take(kBatch);
      epoch = it->second.epoch;
      generation = it->second.generation;
    }
    const Outcome outcome = RunBatch(partition, epoch, entries,
                                     {AlarmIndexKey(partition), kAlarmWritersKey, kAlarmOwnersKey});
    const std::lock_guard lock(mutex_);
    Note(partition, generation, outcome);
    if (outcome == Outcome::kDone) counters_.written += entries.size();
    if (outcome == Outcome::kUnavailable) {
      const auto it = shards_.find(partition);
      if (it != shards_.end() && it->second.generation == generation && !it->second.replacement) {
        it->second.pending.GiveBack(std::move(entries));
      }
      return false;
    }
    if (outcome != Outcome::kDone) return true;
  }
}

AlarmTable::Outcome AlarmTable::RunBatch(std::int32_t partition, std::int64_t epoch,
                                         const std::vector<PendingAlarms::Entry>& entries,
                                         const std::vector<std::string>& keys) {
  std::vector<std::string> args{std::to_string(partition), std::to_string(epoch)};
  for (const auto& [alarm, status] : entries) {
    args.push_back(alarm);
    args.push_back(AlarmKey(alarm));
    args.push_back(status ? "1" : "0");
    args.push_back(status.value_or(""));
  }
  return OutcomeOf(client_.Script(kWrite, keys, args));
}

AlarmTable::Outcome AlarmTable::OutcomeOf(const Result<redis::Reply>& reply) {
  if (!reply.ok()) return Outcome::kUnavailable;
  if (reply->integer == 1) return Outcome::kDone;
  return reply->integer == 0 ? Outcome::kLostTable : Outcome::kNewerOwner;
}

bool AlarmTable::CheckMarks() {
  const auto marks = client_.Run({"HGETALL", kAlarmOwnersKey});
  if (!marks.ok()) return false;
  std::map<std::int32_t, std::int64_t> seen;
  for (std::size_t i = 0; i + 1 < marks->array.size(); i += 2) {
    seen[static_cast<std::int32_t>(std::strtol(marks->array[i].text.c_str(), nullptr, 10))] =
        std::strtoll(marks->array[i + 1].text.c_str(), nullptr, 10);
  }
  const std::lock_guard lock(mutex_);
  for (auto& [partition, shard] : shards_) {
    const auto it = seen.find(partition);
    const std::int64_t mark = it == seen.end() ? -1 : it->second;
    if (mark > shard.epoch) Note(partition, shard.generation, Outcome::kNewerOwner);
    if (mark < shard.epoch) Note(partition, shard.generation, Outcome::kLostTable);
  }
  return true;
}

bool AlarmTable::WriteSnapshot() {
  decltype(saves_) saves;
  {
    const std::lock_guard lock(mutex_);
    saves = std::exchange(saves_, {});
  }
  bool reachable = true;
  for (const auto& [partition, save] : saves) {
    const auto& [position, sections] = save;
    const Status saved = snapshots_.Save(partition, position, sections());
    const bool away = !saved.ok() && saved.error().code == ErrorCode::kUnavailable;
    if (!saved.ok()) {
      log::Warn("snapshot_not_stored", {{"partition", static_cast<std::int64_t>(partition)},
                                        {"offset", position.offset},
                                        {"error", saved.error().message}});
    }
    if (away) reachable = false;
    const std::lock_guard lock(mutex_);
    saved_.emplace_back(partition, saved.ok());
    ++(saved.ok() ? counters_.snapshots : counters_.snapshots_failed);
  }
  return reachable;
}

}  // namespace liveops::evaluation
