#include "services/notifier/service/ledger.h"

#include <algorithm>

#include "common/runtime/ownership.h"

namespace liveops::notifier {

bool Ledger::Apply(const kafka::Record& record) {
  if (record.value.empty()) {  // a tombstone: `state/<group>/<destination>` or its attempt
    for (auto it = entries_.begin(); it != entries_.end(); ++it) {
      const std::string tail = it->first.first + "/" + it->first.second;
      if (record.key == "state/" + tail) {
        entries_.erase(it);
        break;
      }
      if (record.key == "attempt/" + tail) {
        it->second.dangling.reset();
        break;
      }
    }
    return true;
  }
  v1::NotificationRecord notification;
  if (!notification.ParseFromString(record.value)) return false;
  if (notification.has_claim()) {
    filter_.Claim(record.offset);
    // A released claim that compaction reduced to its release comes without its claim.
    claims_.push_back({record.offset, record.key, record.append_time, false});
    return true;
  }
  if (!filter_.Valid(runtime::EpochOf(record))) return true;
  if (notification.has_released()) {
    // Compaction keeps of one key only the release: then it stands for the claim as well.
    if (claims_.empty() || claims_.back().key != record.key) {
      claims_.push_back({record.offset, record.key, record.append_time, false});
    }
    claims_.back().released = true;
  } else if (notification.has_attempt()) {
    const v1::Attempt& attempt = notification.attempt();
    entries_[{attempt.group(), attempt.destination()}].dangling = attempt;
  } else if (notification.has_state()) {
    const v1::DeliveryState& state = notification.state();
    entries_[{state.group(), state.destination()}] = Entry{state, std::nullopt};
  }
  return true;
}

bool Ledger::HadOwner(std::int64_t epoch) const {
  return std::any_of(claims_.begin(), claims_.end(),
                     [&](const Claim& claim) { return claim.offset < epoch; });
}

bool Ledger::ReleasedBefore(std::int64_t epoch) const {
  bool released = false;
  for (const Claim& claim : claims_) {
    if (claim.offset < epoch) released = claim.released;
  }
  return released;
}

std::string Ledger::ClaimKey(std::int64_t epoch) const {
  for (const Claim& claim : claims_) {
    if (claim.offset == epoch) return claim.key;
  }
  return "";
}

RealTime Ledger::ClaimTime(std::int64_t epoch) const {
  for (const Claim& claim : claims_) {
    if (claim.offset == epoch) return claim.append_time;
  }
  return {};
}

}  // namespace liveops::notifier
