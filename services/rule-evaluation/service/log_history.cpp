#include "services/rule-evaluation/service/log_history.h"

#include <algorithm>
#include <utility>

#include "common/runtime/ownership.h"
#include "services/rule-evaluation/service/replay_filter.h"

namespace liveops::evaluation {

LogHistory::LogHistory(std::int64_t own_claim, std::int64_t replay_start, std::int64_t known_epoch)
    : own_claim_(own_claim), replay_start_(replay_start) {
  if (known_epoch != EpochFilter::kNoEpoch) filter_.Claim(known_epoch);
}

void LogHistory::Read(const kafka::Record& record) {
  if (record.offset > own_claim_) return;
  if (record.offset == own_claim_) {
    saw_own_claim_ = true;
    own_claim_key_ = record.key;
    own_claim_time_ = record.append_time;
    return;
  }
  if (record.value.empty()) return;  // a tombstone
  Result<AlarmEvent> event = DecodeAlarmRecord(record.value);
  if (!event.ok()) {
    ++unreadable_;
    return;
  }
  if (std::holds_alternative<ClaimEvent>(*event)) {
    filter_.Claim(record.offset);
    claims_.emplace_back(record.offset, record.append_time);
    return;
  }
  if (std::holds_alternative<ReleasedEvent>(*event)) return;
  if (!filter_.Valid(runtime::EpochOf(record))) {
    voided_.insert(record.key);
    return;
  }
  voided_.erase(record.key);
  if (auto* transition = std::get_if<engine::Transition>(&*event)) Take(std::move(*transition));
  if (auto* plan = std::get_if<PlanInForce>(&*event)) Take(std::move(*plan));
}

bool LogHistory::Owned(std::int64_t epoch, RealTime at) const {
  if (epoch == EpochFilter::kNoEpoch || epoch > own_claim_) return false;
  return std::none_of(claims_.begin(), claims_.end(),
                      [&](const auto& claim) { return claim.first > epoch && claim.second <= at; });
}

void LogHistory::Take(engine::Transition transition) {
  const auto held = last_.find(transition.alarm_id);
  if (held != last_.end() && !Later(transition, held->second)) return;  // a repetition
  last_.insert_or_assign(transition.alarm_id, transition);
  if (transition.source_offset < replay_start_) {
    const std::string alarm = transition.alarm_id;
    before_.insert_or_assign(alarm, std::move(transition));
  } else {
    after_.push_back(std::move(transition));
  }
}

void LogHistory::Take(PlanInForce plan) {
  if (plan.source_offset < replay_start_) plans_before_.insert_or_assign(plan.service, plan);
  const std::string service = plan.service;
  plans_.insert_or_assign(service, std::move(plan));
}

}  // namespace liveops::evaluation
