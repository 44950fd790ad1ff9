// The group consumer's side: taking partitions over, letting them go, and reading attempts back.
#include <thread>

#include "common/runtime/topics.h"
#include "common/telemetry/log.h"
#include "services/notifier/service/service.h"
#include "services/notifier/service/with_core.h"

namespace liveops::notifier {
namespace {

constexpr Duration kPoll{250};
constexpr Duration kPause{300};
constexpr Duration kRestoreTimeout{30'000};

}  // namespace

void WriteLog(const LogLine& line) {
  const log::Level level = line.warn ? log::Level::kWarn : log::Level::kInfo;
  if (line.notice.empty()) {
    log::Write(
        level, line.event,
        {{"alarm_id", line.alarm_id}, {"destination", line.destination}, {"detail", line.detail}},
        line.trace_id);
  } else if (line.latency_ms < 0) {
    log::Write(level, line.event,
               {{"alarm_id", line.alarm_id},
                {"destination", line.destination},
                {"notice", line.notice},
                {"attempt", line.attempt},
                {"detail", line.detail}},
               line.trace_id);
  } else {
    log::Write(level, line.event,
               {{"alarm_id", line.alarm_id},
                {"destination", line.destination},
                {"notice", line.notice},
                {"attempt", line.attempt},
                {"latency_ms", line.latency_ms},
                {"detail", line.detail}},
               line.trace_id);
  }
}

void NotifierService::FollowNotifications() {
  while (!stop_) {
    auto record = group_->Poll(kPoll);
    if (!record.ok()) {
      log::Error("notifications_unreadable", {{"why", record.error().message}});
      // Attempts that were lost under us would never be read back: a fresh start reads what is
      // left.
      if (record.error().code == ErrorCode::kNotFound && config_.kafka.on_fatal) {
        config_.kafka.on_fatal(record.error());
      }
      std::this_thread::sleep_for(kPause);
      continue;
    }
    if (*record) {
      WithCore([&](Core& core) {
        positions_[{runtime::topic::kNotifications, (*record)->partition}] = (*record)->offset + 1;
        return core.OnNotification(**record, PresentNow());
      });
    }
    ReclaimPending();
  }
  group_->Close();  // revokes: drains and lets go
}

Result<std::int64_t> NotifierService::Claim(std::int32_t partition) {
  return runtime::ClaimPartition(*group_, partition, 0, *producer_, runtime::topic::kNotifications,
                                 partition, [&] {
                                   v1::NotificationRecord record;
                                   record.mutable_source()->set_emitter(writer_.emitter());
                                   record.mutable_source()->set_session(writer_.session());
                                   record.mutable_source()->set_sequence(writer_.Next());
                                   v1::OwnerClaim& claim = *record.mutable_claim();
                                   claim.set_owner(writer_.emitter());
                                   claim.set_session(writer_.session());
                                   claim.set_claimed_unix_ms(ToMs(WallClockNow()));
                                   return record.SerializeAsString();
                                 });
}

// Reads each partition from its beginning to this process's own claim.
Result<std::map<std::int32_t, Ledger>> NotifierService::ReadLedgers(
    const std::map<std::int32_t, std::int64_t>& epochs) {
  auto consumer = kafka::AssignedConsumer::Create(config_.kafka);
  if (!consumer.ok()) return consumer.error();
  std::vector<kafka::PartitionOffset> from;
  std::map<std::int32_t, Ledger> ledgers;
  for (const auto& [partition, epoch] : epochs) {
    from.push_back({runtime::topic::kNotifications, partition, kafka::kOffsetBeginning});
    ledgers[partition];
  }
  if (Status s = (*consumer)->Assign(from); !s.ok()) return s.error();
  std::set<std::int32_t> left;
  for (const auto& [partition, epoch] : epochs) left.insert(partition);
  const SteadyTime deadline = std::chrono::steady_clock::now() + kRestoreTimeout;
  while (!left.empty()) {
    auto record = (*consumer)->Poll(Duration(100));
    if (!record.ok()) return record.error();
    if (!*record) {
      if (stop_ || std::chrono::steady_clock::now() > deadline) {
        return UnavailableError("reading what was delivered took too long");
      }
      continue;
    }
    const std::int32_t partition = (*record)->partition;
    const std::int64_t epoch = epochs.at(partition);
    if ((*record)->offset > epoch) {
      left.erase(partition);
      continue;
    }
    if (!ledgers[partition].Apply(**record)) {
      // Buried by the owner that met it first; here it is only told.
      log::Warn(
          "record_unreadable",
          {{"topic", (*record)->topic}, {"partition", partition}, {"offset", (*record)->offset}});
    }
    if ((*record)->offset == epoch) left.erase(partition);
  }
  return ledgers;
}

std::map<std::int32_t, std::int64_t> NotifierService::TakeOver(
    const std::vector<std::int32_t>& partitions) {
  std::map<std::int32_t, std::int64_t> epochs;
  for (const std::int32_t partition : partitions) {
    while (!stop_) {
      auto epoch = Claim(partition);
      if (epoch.ok()) {
        epochs[partition] = *epoch;
        break;
      }
      log::Warn("claim_failed", {{"partition", partition}, {"why", epoch.error().message}});
      const ErrorCode code = epoch.error().code;
      if (code != ErrorCode::kUnavailable && code != ErrorCode::kTimeout) break;
      std::this_thread::sleep_for(kPause);
    }
  }
  if (epochs.empty()) return epochs;
  while (!stop_) {
    auto ledgers = ReadLedgers(epochs);
    if (ledgers.ok()) {
      for (const auto& [partition, epoch] : epochs) {
        WithCore([&, p = partition, e = epoch](Core& core) {
          return core.OnOwned(p, e, (*ledgers)[p], PresentNow());
        });
      }
      log::Info("partitions_owned",
                {{"topic", runtime::topic::kNotifications}, {"count", epochs.size()}});
      return epochs;
    }
    log::Warn("waiting", {{"for", "the delivery states"}, {"because", ledgers.error().message}});
    std::this_thread::sleep_for(kPause);
  }
  return {};
}

std::vector<kafka::PartitionOffset> NotifierService::OnAssigned(
    const std::vector<std::int32_t>& partitions) {
  std::vector<kafka::PartitionOffset> starts;
  for (const auto& [partition, epoch] : TakeOver(partitions)) {
    starts.push_back({runtime::topic::kNotifications, partition, epoch + 1});
  }
  joined_ = true;
  return starts;
}

// Finished work is recorded before the partition goes: fenced first, it would be lost, and sent
// twice.
void NotifierService::OnRevoked(const std::vector<std::int32_t>& partitions) {
  for (const std::int32_t partition : partitions) {
    WithCore([&](Core& core) { return core.StartDraining(partition, PresentNow()); });
  }
  std::vector<LogLine> lines;
  {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, kDrained, [&] {
      int under_way = 0;
      for (const std::int32_t partition : partitions) {
        under_way += core_.RequestsUnderWay(partition);
      }
      return under_way == 0;
    });
    for (const std::int32_t partition : partitions) {
      CarryOut(core_.Release(partition), lines);
      core_.OnLost(partition);
    }
  }
  if (!producer_->Flush(Duration(3000))) {
    log::Warn("release_not_written", {{"partitions", partitions.size()}});
  }
}

// Another claim was read after ours, or our attempts do not come back. Kafka's group says whose the
// partition is: only its owner may commit. First what is under way ends, so that its outcome stands
// under the new claim. One try at a time: in between the group is polled, and may take the
// partition away.
void NotifierService::ReclaimPending() {
  std::set<std::int32_t> ready;
  {
    const std::lock_guard lock(mutex_);
    std::erase_if(reclaims_, [&](std::int32_t partition) { return !core_.InDoubt(partition); });
    for (const std::int32_t partition : reclaims_) {
      if (core_.Drained(partition, PresentNow())) ready.insert(partition);
    }
  }
  for (const std::int32_t partition : ready) {
    const auto not_yet = [&](const Error& error) {
      log::Warn("claim_failed", {{"partition", partition}, {"why", error.message}});
    };
    const auto epoch = Claim(partition);
    if (!epoch.ok()) {
      not_yet(epoch.error());
      const ErrorCode code = epoch.error().code;
      if (code == ErrorCode::kUnavailable || code == ErrorCode::kTimeout) continue;
      const std::lock_guard lock(mutex_);
      core_.OnLost(partition);
      continue;
    }
    auto ledgers = ReadLedgers({{partition, *epoch}});
    if (!ledgers.ok()) {
      not_yet(ledgers.error());
      continue;
    }
    WithCore([&](Core& core) {
      return core.OnOwned(partition, *epoch, (*ledgers)[partition], PresentNow());
    });
    log::Warn("partition_claimed_anew", {{"partition", partition}, {"epoch", *epoch}});
  }
}

}  // namespace liveops::notifier
