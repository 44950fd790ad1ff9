#include "services/notifier/service/ledger.h"

#include <algorithm>

#include "common/runtime/ownership.h"
#include "services/notifier/service/codec.h"

namespace liveops::notifier {
bool Ledger::Counts(const kafka::Record& record) {
  if (filter_.Valid(runtime::EpochOf(record))) {
    voided_.erase(record.key);
    return true;
  }
  if (IsAttemptOrStateKey(record.key)) voided_.insert(record.key);
  return false;
}

bool Ledger::Apply(const kafka::Record& record) {
  if (record.value.empty()) {  // a tombstone: `state/<group>/<destination>` or its attempt
    if (!Counts(record)) return true;
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
    claims_.push_back(
        {record.offset, record.key, record.append_time, notification.claim().session(), false});
    return true;
  }
  if (!Counts(record)) return true;
  if (notification.has_released()) {
    Release(record, notification.released().session());
  } else if (notification.has_attempt()) {
    const v1::Attempt& attempt = notification.attempt();
    Entry& entry = entries_[{attempt.group(), attempt.destination()}];
    entry.dangling = attempt;
    entry.dangling_session = notification.source().session();
  } else if (notification.has_state()) {
    const v1::DeliveryState& state = notification.state();
    entries_[{state.group(), state.destination()}] = Entry{state, std::nullopt, 0};
  }
  return true;
}

void Ledger::Release(const kafka::Record& record, std::uint64_t session) {
  const std::int64_t epoch = runtime::EpochOf(record);
  const auto claim = std::find_if(claims_.rbegin(), claims_.rend(),
                                  [&](const Claim& known) { return known.offset == epoch; });
  if (claim != claims_.rend()) {
    claim->released = true;
    return;
  }
  // Earlier versions wrote the release under the claim's own key: compaction left it alone, and it
  // stands for the claim as well.
  if (epoch < 0) return;
  filter_.Claim(epoch);
  claims_.push_back({epoch, record.key, record.append_time, session, true});
}

bool Ledger::LeaseMayRun(std::int64_t epoch, std::uint64_t session) const {
  for (auto claim = claims_.rbegin(); claim != claims_.rend(); ++claim) {
    if (claim->offset >= epoch) continue;
    if (claim->released) return false;
    // Ours, of which we did not hear that it was written: the one before it is still to be waited
    // for.
    if (claim->session != session) return true;
  }
  return false;
}

bool Ledger::OthersBetween(std::int64_t after, std::int64_t epoch, std::uint64_t session) const {
  return std::any_of(claims_.begin(), claims_.end(), [&](const Claim& claim) {
    return claim.offset > after && claim.offset < epoch && claim.session != session;
  });
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
