#include "services/remediation/service/membership.h"

#include <atomic>
#include <memory>

#include "common/runtime/ownership.h"
#include "common/runtime/topics.h"
#include "common/telemetry/log.h"

namespace liveops::remediation {
namespace {

constexpr Duration kPoll{200};
constexpr Duration kReleasePatience{1'000};
constexpr const char* kGroup = "liveops-remediation";

}  // namespace

Result<std::unique_ptr<Membership>> Membership::Start(const kafka::ClientConfig& config,
                                                      const std::string& instance,
                                                      kafka::Producer& producer, Keeper& keeper) {
  std::unique_ptr<Membership> self(new Membership(producer, keeper));
  kafka::GroupConsumer::Options options;
  options.topic = runtime::topic::kRemediations;
  options.group = kGroup;
  options.instance = instance;
  options.on_assigned = [m = self.get()](const std::vector<std::int32_t>& partitions) {
    m->Assigned(partitions);
    return std::vector<kafka::PartitionOffset>();  // owned, but read by LogReader
  };
  options.on_revoked = [m = self.get()](const std::vector<std::int32_t>& partitions) {
    m->Revoked(partitions);
  };
  Result<std::unique_ptr<kafka::GroupConsumer>> group =
      kafka::GroupConsumer::Create(config, std::move(options));
  if (!group.ok()) return group.error();
  self->group_ = std::move(group).value();
  self->thread_ = std::thread([m = self.get()] { m->Loop(); });
  return self;
}

Membership::~Membership() { Stop(); }

void Membership::Stop() {
  stop_ = true;
  if (thread_.joinable()) thread_.join();
}

void Membership::Loop() {
  while (!stop_) {
    if (const auto record = group_->Poll(kPoll); !record.ok()) {
      log::Warn("group_poll_failed", {{"problem", record.error().message}});
      std::this_thread::sleep_for(kPoll);
    }
    for (const std::int32_t partition : keeper_.NeedClaim()) unclaimed_.insert(partition);
    for (const std::int32_t partition : std::set<std::int32_t>(unclaimed_)) ClaimOne(partition);
  }
  group_->Close();
}

void Membership::Assigned(const std::vector<std::int32_t>& partitions) {
  unclaimed_.clear();
  unclaimed_.insert(partitions.begin(), partitions.end());
  for (const std::int32_t partition : partitions) ClaimOne(partition);
  joined_ = true;
  log::Info("partitions_assigned", {{"partitions", partitions.size()}});
}

void Membership::ClaimOne(std::int32_t partition) {
  const SteadyTime before = LeaseClockNow();
  const Result<std::int64_t> epoch = runtime::ClaimPartition(
      *group_, partition, keeper_.Position(partition), producer_, runtime::topic::kRemediations,
      partition, [this] { return keeper_.EncodeClaim(); });
  if (epoch.ok()) {
    unclaimed_.erase(partition);
    keeper_.Claimed(partition, *epoch, before);
    return;
  }
  log::Warn("claim_failed", {{"partition", partition}, {"because", epoch.error().message}});
  if (epoch.error().code == ErrorCode::kConflict) {
    unclaimed_.erase(partition);  // another member has it: let go
    keeper_.Revoked(partition);
  }
}

void Membership::Revoked(const std::vector<std::int32_t>& partitions) {
  // All at once and with little patience: when Kafka is away, a successor waits out the lease, and
  // neither this thread nor the process' end should wait for every partition.
  const auto failed = std::make_shared<std::atomic<int>>(0);
  for (const std::int32_t partition : partitions) {
    unclaimed_.erase(partition);
    const std::optional<Keeper::Release> release = keeper_.Revoked(partition);
    if (!release) continue;
    producer_.Produce(runtime::topic::kRemediations, partition, release->key, release->value,
                      runtime::OwnerHeaders(release->epoch),
                      [failed](const Result<kafka::Delivery>& written) {
                        if (!written.ok()) ++*failed;
                      });
  }
  if (!producer_.Flush(kReleasePatience) || *failed > 0) {
    log::Warn("release_not_written", {{"partitions", partitions.size()}});
  }
  log::Info("partitions_revoked", {{"partitions", partitions.size()}});
}

}  // namespace liveops::remediation
