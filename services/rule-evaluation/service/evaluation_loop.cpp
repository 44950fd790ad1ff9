#include "services/rule-evaluation/service/evaluation_loop.h"

#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>

#include "common/runtime/topics.h"
#include "common/telemetry/log.h"

namespace liveops::evaluation {
namespace {

namespace topic = runtime::topic;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Duration kPollTime{100};
constexpr auto kHousekeeping = milliseconds(50);
// A transition that has just left shares the machine with whatever is done next here: first let it
// travel.
constexpr auto kAfterWrite = milliseconds(10);
constexpr auto kHousekeepingMax = milliseconds(100);
constexpr Duration kSlicePeriod{5};  // while a snapshot is cut: so often, at least, a slice
constexpr auto kCommitPeriod = seconds(10);
constexpr auto kCommitOverdue = seconds(30);
constexpr auto kNoAssignment = seconds(10);  // more replicas than partitions: ready all the same

SteadyTime Now() { return std::chrono::steady_clock::now(); }

}  // namespace

EvaluationLoop::EvaluationLoop(LoopConfig config, Takeovers& takeovers, OwnerPorts ports,
                               LogFollower& follower, const PlanLibrary& plans, StatusBoard& board)
    : config_(std::move(config)),
      takeovers_(takeovers),
      ports_(std::move(ports)),
      follower_(follower),
      plans_(plans),
      board_(board) {}

EvaluationLoop::~EvaluationLoop() = default;

ShardOwner* EvaluationLoop::Find(std::int32_t partition) {
  const auto it = owners_.find(partition);
  return it == owners_.end() ? nullptr : it->second.get();
}

std::size_t EvaluationLoop::Unconfirmed() const {
  std::size_t count = 0;
  for (const auto& [partition, owner] : owners_) count += owner->unconfirmed();
  return count;
}

Status EvaluationLoop::Run(const std::atomic<bool>& stop) {
  stop_ = &stop;
  started_ = Now();
  kafka::GroupConsumer::Options options;
  options.topic = topic::kMetrics;
  options.group = "liveops-rule-evaluation";
  options.instance = config_.instance;
  options.on_assigned = [this](const std::vector<std::int32_t>& p) { return Assigned(p); };
  options.on_revoked = [this](const std::vector<std::int32_t>& p) { Revoked(p); };
  auto group = kafka::GroupConsumer::Create(config_.kafka, std::move(options));
  if (!group.ok()) return group.error();
  group_ = std::move(*group);
  Status outcome;
  SteadyTime housekept = Now();
  SteadyTime housekeep_at = housekept;
  while (!stop && outcome.ok()) {
    bool idle = true;
    if (Unconfirmed() < config_.unconfirmed_max) {
      const Duration quiet = cutting_ ? kSlicePeriod : kPollTime;
      const auto left = std::chrono::ceil<Duration>(housekeep_at - Now());
      const auto polled = group_->Poll(wrote_ ? std::clamp(left, Duration(1), kPollTime) : quiet);
      idle = polled.ok() && !*polled;
      outcome = HandleRecord(polled);
      if (wrote_) {
        housekeep_at =
            std::min(std::max(housekeep_at, Now() + kAfterWrite), housekept + kHousekeepingMax);
      }
    } else {
      std::this_thread::sleep_for(milliseconds(20));  // Kafka takes nothing: nothing more is read
    }
    ReadMail();
    if (!wrote_) CutSlice();
    const SteadyTime now = Now();
    if (now >= housekeep_at) {
      Housekeep(now, idle);
      wrote_ = false;
      housekept = now;
      housekeep_at = now + kHousekeeping;
    }
  }
  group_->Close();
  owners_.clear();
  StatusBoard::View view = board_.Get();
  view.failed = !outcome.ok();
  view.detail = outcome.ok() ? "" : outcome.error().message;
  view.partitions.clear();
  board_.Set(std::move(view));
  return outcome;
}

void EvaluationLoop::CutSlice() {
  if (!cutting_) return;
  ShardOwner* owner = Find(*cutting_);
  if (owner != nullptr) owner->CutSlice(engine::Shard::kSliceBytes);
  if (owner == nullptr || !owner->cutting()) cutting_.reset();
}

Status EvaluationLoop::HandleRecord(const Result<std::optional<kafka::Record>>& polled) {
  connected_ = group_->connected();
  if (polled.ok()) {
    if (!*polled) return {};
    if (ShardOwner* owner = Find((*polled)->partition)) {
      wrote_ = owner->Apply(**polled, decoder_) || wrote_;
    }
    return {};
  }
  const Error& error = polled.error();
  log::Error("poll_failed", {{"code", ErrorCodeName(error.code)}, {"error", error.message}});
  // Fenced by a process of the same name, refused by the broker, or the log was cut under us: only
  // a fresh start, with a fresh takeover, puts that right.
  return error;
}

std::vector<kafka::PartitionOffset> EvaluationLoop::Assigned(
    const std::vector<std::int32_t>& partitions) {
  const SteadyTime begin = Now();
  const LogFollower::Borrowed reader(follower_);
  std::vector<std::int32_t> pending = partitions;
  std::vector<kafka::PartitionOffset> starts;
  auto pause = milliseconds(100);
  while (!pending.empty() && !*stop_) {
    auto taken = takeovers_.Take(*group_, *reader, pending, begin + config_.redis_patience, *stop_);
    pending.clear();
    for (auto& [partition, result] : taken) {
      if (result.ok()) {
        starts.push_back({topic::kMetrics, partition, result->start});
        Own(partition, std::move(*result));
        continue;
      }
      const Error& error = result.error();
      log::Warn("takeover_failed", {{"partition", static_cast<std::int64_t>(partition)},
                                    {"code", ErrorCodeName(error.code)},
                                    {"error", error.message}});
      // A log that was cut shows as an offset that is not there; the next attempt looks anew.
      if (error.code == ErrorCode::kUnavailable || error.code == ErrorCode::kTimeout) {
        pending.push_back(partition);
      }
    }
    if (pending.empty()) break;
    std::this_thread::sleep_for(pause);
    pause = std::min(pause * 2, milliseconds(2'000));
  }
  joined_ = true;
  log::Info("partitions_taken",
            {{"given", partitions.size()},
             {"taken", starts.size()},
             {"took_ms", std::chrono::duration<double, std::milli>(Now() - begin).count()}});
  return starts;
}

void EvaluationLoop::Own(std::int32_t partition, Takeover takeover) {
  log::Info("partition_taken", {{"partition", static_cast<std::int64_t>(partition)},
                                {"epoch", takeover.epoch},
                                {"start", takeover.start},
                                {"end", takeover.end},
                                {"snapshot", takeover.from_snapshot}});
  const std::int64_t tail = takeover.epoch + 1;
  owners_[partition] =
      std::make_unique<ShardOwner>(partition, ++ownerships_, std::move(takeover), ports_);
  follower_.Follow(
      topic::kAlarms, partition, tail,
      [mailbox = ports_.mailbox](kafka::Record&& record) { mailbox->Put(std::move(record)); });
}

void EvaluationLoop::LetGo(std::int32_t partition) {
  const auto it = owners_.find(partition);
  if (it == owners_.end()) return;
  past_ += it->second->counters();
  follower_.Unfollow(topic::kAlarms, partition);
  ports_.table.Disown(partition);
  owners_.erase(it);
}

void EvaluationLoop::Revoked(const std::vector<std::int32_t>& partitions) {
  // In order and within bounds: what was decided is acknowledged and read back, the state kept, and
  // the log told that nobody need wait for us. What does not succeed is what a crash would have
  // left.
  const SteadyTime until = Now() + seconds(3);
  const auto pending = [&] {
    return std::any_of(partitions.begin(), partitions.end(), [&](std::int32_t p) {
      const ShardOwner* owner = Find(p);
      return owner != nullptr && owner->unconfirmed() > 0;
    });
  };
  ReadMail();
  while (pending() && Now() < until) {
    std::this_thread::sleep_for(milliseconds(5));
    ReadMail();
    for (const std::int32_t p : partitions) {
      if (ShardOwner* owner = Find(p)) owner->RetryFailed(Now());
    }
  }
  for (const std::int32_t p : partitions) {
    ShardOwner* owner = Find(p);
    if (owner == nullptr) continue;
    owner->Publish(Now());
    owner->SnapshotNow(Now());
  }
  const bool drained = ports_.table.Drain(Duration(3'000));
  for (const std::int32_t p : partitions) {
    ShardOwner* owner = Find(p);
    if (owner != nullptr && owner->unconfirmed() == 0 && !owner->superseded()) owner->Release();
  }
  const bool flushed = ports_.producer.Flush(Duration(2'000));
  for (const std::int32_t p : partitions) LetGo(p);
  log::Info("partitions_let_go",
            {{"count", partitions.size()}, {"redis_drained", drained}, {"flushed", flushed}});
}

void EvaluationLoop::ReadMail() {
  for (const DeliveryNote& note : ports_.mailbox->TakeNotes()) {
    ShardOwner* owner = Find(note.partition);
    if (owner != nullptr && owner->ownership() == note.ownership) owner->Answered(note);
  }
  for (const kafka::Record& record : ports_.mailbox->TakeRecords()) {
    if (ShardOwner* owner = Find(record.partition)) owner->ReadBack(record);
  }
}

void EvaluationLoop::Reclaim(ShardOwner& owner, SteadyTime now) {
  const std::int32_t partition = owner.partition();
  log::Warn("newer_claim_seen",
            {{"partition", static_cast<std::int64_t>(partition)}, {"epoch", owner.epoch()}});
  const Result<std::int64_t> epoch = takeovers_.Claim(*group_, partition, owner.next_offset());
  if (epoch.ok()) {
    owner.Reclaimed(*epoch, now);
    log::Info("partition_claimed_anew",
              {{"partition", static_cast<std::int64_t>(partition)}, {"epoch", *epoch}});
  } else if (epoch.error().code == ErrorCode::kConflict) {
    log::Warn("partition_lost", {{"partition", static_cast<std::int64_t>(partition)},
                                 {"error", epoch.error().message}});
    LetGo(partition);
  } else {
    reclaim_at_ = now + seconds(1);
  }
}

// Commits say how far we are, to people; restarts go by the snapshot. So they may wait for a quiet
// moment.
void EvaluationLoop::CommitOne(SteadyTime now, bool idle) {
  if (!group_->connected()) return;
  ShardOwner* due = nullptr;
  for (const auto& [partition, owner] : owners_) {
    if (owner->next_offset() == owner->committed || owner->unconfirmed() > 0) continue;
    if (due == nullptr || owner->committed_at < due->committed_at) due = owner.get();
  }
  if (due == nullptr || now - due->committed_at < (idle ? kCommitPeriod : kCommitOverdue)) return;
  due->committed_at = now;
  due->committed = due->next_offset();
  group_->CommitLater(due->partition(), due->committed);
}

namespace {

// Do series lie there that the plan's rules read?
bool Concerns(const StoredPlan& plan, std::int32_t partition, std::int32_t partitions) {
  const auto lies = [&](const std::string& service, int spread) {
    return (partition - PartitionOf(service, partitions) + partitions) % partitions < spread;
  };
  return lies(plan.service, plan.spread) ||
         std::any_of(plan.reads.begin(), plan.reads.end(),
                     [&](const auto& read) { return lies(read.service, read.spread); });
}

}  // namespace

void EvaluationLoop::LookAtPlans(SteadyTime now) {
  const std::uint64_t revision = plans_.revision();
  if (revision == plans_seen_ && now < plans_at_) return;
  plans_seen_ = revision;
  plans_at_ = now + seconds(1);
  for (const StoredPlan& newest : plans_.NewestOfAll()) {
    // How the services that it reads are spread stands behind it, perhaps.
    if (!newest.reads.empty() && !plans_.complete()) continue;
    // The owner of each partition that holds series of a service that it reads, or did.
    for (const auto& [partition, owner] : owners_) {
      if (Concerns(newest, partition, config_.partitions) ||
          owner->shard().PlanVersion(newest.service) > 0) {
        owner->ConsiderPlan(newest, now);
      }
    }
  }
}

void EvaluationLoop::Housekeep(SteadyTime now, bool idle) {
  for (const auto& [partition, stored] : ports_.table.TakeSaved()) {
    if (ShardOwner* owner = Find(partition)) owner->SnapshotAnswered(stored);
  }
  for (const std::int32_t partition : ports_.table.TakeRefreshWanted()) {
    if (ShardOwner* owner = Find(partition)) owner->RefreshTable();
  }
  const auto share =
      config_.replay_budget / std::max<std::int64_t>(1, static_cast<std::int64_t>(owners_.size()));
  bool cutting = cutting_.has_value();
  std::vector<ShardOwner*> superseded;
  for (const auto& [partition, owner] : owners_) {
    owner->RetryFailed(now);
    owner->Publish(now);
    // One at a time: no record waits for two.
    if (!cutting && owner->SnapshotDue(share, now)) {
      owner->BeginSnapshot(now);
      cutting_ = partition;
      cutting = true;
    }
    if (owner->superseded() && now >= reclaim_at_) superseded.push_back(owner.get());
  }
  for (ShardOwner* owner : superseded) Reclaim(*owner, now);
  CommitOne(now, idle);
  LookAtPlans(now);
  if (now >= show_at_) {
    Show(now);
    show_at_ = now + milliseconds(250);
  }
}

void EvaluationLoop::Show(SteadyTime now) {
  StatusBoard::View view;
  view.joined = joined_ || now - started_ > kNoAssignment;
  view.owners = past_;
  for (const auto& [partition, owner] : owners_) {
    view.partitions.push_back({partition, owner->epoch(), owner->next_offset(),
                               group_->KnownEnd(partition), owner->shard().clock(), owner->live(),
                               owner->shard().counters()});
    view.owners += owner->counters();
  }
  view.table = ports_.table.counters();
  view.unconfirmed = Unconfirmed();
  board_.Set(std::move(view));
}

}  // namespace liveops::evaluation
