#include "integration-tests/crash/log_watch.h"

#include <map>
#include <set>
#include <tuple>

#include "common/base/hash.h"
#include "common/runtime/topics.h"
#include "liveops/v1/alarms.pb.h"
#include "liveops/v1/metrics.pb.h"
#include "liveops/v1/notifications.pb.h"
#include "liveops/v1/remediations.pb.h"

namespace liveops::integration {
namespace {

template <typename Message>
Message Parsed(const kafka::Record& record) {
  Message message;
  if (!message.ParseFromString(record.value)) message.Clear();
  return message;
}

bool IsPageFiring(const kafka::Record& record) {
  const auto alarm = Parsed<v1::AlarmRecord>(record);
  return alarm.has_transition() && alarm.transition().purpose() == v1::PURPOSE_PAGE &&
         alarm.transition().state() == v1::ALARM_STATE_FIRING;
}

bool IsSlackAttempt(const kafka::Record& record) {
  const auto notification = Parsed<v1::NotificationRecord>(record);
  return notification.has_attempt() && notification.attempt().notice() == v1::NOTICE_FIRING &&
         notification.attempt().destination().starts_with("slack:");
}

bool IsProposed(const kafka::Record& record) {
  return Parsed<v1::RemediationRecord>(record).has_proposed();
}
bool IsApproved(const kafka::Record& record) {
  return Parsed<v1::RemediationRecord>(record).has_approved();
}
bool IsIntent(const kafka::Record& record) {
  return Parsed<v1::RemediationRecord>(record).has_intent();
}
bool IsProbe(const kafka::Record& record) { return Parsed<v1::ShardRecord>(record).has_probe(); }

}  // namespace

const HandOver kTransition{"transition", runtime::topic::kAlarms, IsPageFiring};
const HandOver kAttempt{"attempt", runtime::topic::kNotifications, IsSlackAttempt};
const HandOver kProposal{"proposal", runtime::topic::kRemediations, IsProposed};
const HandOver kApproval{"approval", runtime::topic::kRemediations, IsApproved};
const HandOver kIntent{"intent", runtime::topic::kRemediations, IsIntent};
const HandOver kProbe{"probe", runtime::topic::kMetrics, IsProbe};

Result<std::unique_ptr<LogWatch>> LogWatch::Open(stack::Stack& stack, const HandOver& hand_over) {
  auto consumer = kafka::AssignedConsumer::Create({stack.kafka().address(), "log-watch", {}});
  if (!consumer.ok()) return consumer.error();
  // From the beginning: an end is only found out with the first fetch, and what came before that
  // would be missed.
  std::vector<kafka::PartitionOffset> all;
  for (std::int32_t p = 0; p < stack.options().partitions; ++p) {
    all.push_back({hand_over.topic, p, kafka::kOffsetBeginning});
  }
  if (Status s = (*consumer)->Assign(all); !s.ok()) return s.error();
  return std::unique_ptr<LogWatch>(new LogWatch(std::move(*consumer), hand_over));
}

Result<bool> LogWatch::Seen(Duration timeout) {
  const SteadyTime deadline = std::chrono::steady_clock::now() + timeout;
  while (!seen_) {
    const auto left =
        std::chrono::duration_cast<Duration>(deadline - std::chrono::steady_clock::now());
    auto record = consumer_->Poll(std::max(left, Duration(0)));
    if (!record.ok()) return record.error();
    if (*record) {
      seen_ = hand_over_.is(**record);
    } else if (left <= Duration(0)) {
      return false;
    }
  }
  return true;
}

Result<BatchCount> CountBatches(stack::Stack& stack, const std::string& service) {
  auto consumer = kafka::AssignedConsumer::Create({stack.kafka().address(), "batches", {}});
  if (!consumer.ok()) return consumer.error();
  BatchCount count;
  std::map<std::tuple<std::string, std::uint64_t>, std::set<std::uint64_t>> sequences;
  const Status read = runtime::ReadToEnd(
      **consumer, runtime::topic::kMetrics, PartitionOf(service, stack.options().partitions),
      kafka::kOffsetBeginning, Duration(30'000), [&](const kafka::Record& record) {
        const auto shard = Parsed<v1::ShardRecord>(record);
        if (!shard.has_batch() || shard.batch().service() != service) return;
        ++count.batches;
        auto& seen = sequences[{shard.source().emitter(), shard.source().session()}];
        if (!seen.insert(shard.source().sequence()).second) ++count.again;
      });
  if (!read.ok()) return read.error();
  for (const auto& [session, seen] : sequences) {
    count.missing += static_cast<int>(*seen.rbegin() - seen.size());
  }
  return count;
}

}  // namespace liveops::integration
