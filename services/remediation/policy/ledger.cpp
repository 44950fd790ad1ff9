#include "services/remediation/policy/ledger.h"

#include <algorithm>

#include "services/remediation/policy/identity.h"

namespace liveops::remediation {
namespace {

// Which outcomes may follow from which phase. An outcome that does not is a writer's fault and
// changes nothing.
bool MayEnd(Phase phase, OutcomeKind kind) {
  switch (phase) {
    case Phase::kProposed:
    case Phase::kApproved:
      return kind == OutcomeKind::kExpired || kind == OutcomeKind::kWithdrawn ||
             kind == OutcomeKind::kRefused;
    case Phase::kRunning:
      return kind == OutcomeKind::kUnknown || kind == OutcomeKind::kRefused ||
             kind == OutcomeKind::kFailed;
    case Phase::kVerifying:
      return kind == OutcomeKind::kVerified || kind == OutcomeKind::kIneffective ||
             kind == OutcomeKind::kFailed || kind == OutcomeKind::kUnknown;
    case Phase::kClosed:
      return false;
  }
  return false;
}

}  // namespace

const char* OutcomeName(OutcomeKind kind) {
  switch (kind) {
    case OutcomeKind::kVerified:
      return "verified";
    case OutcomeKind::kIneffective:
      return "ineffective";
    case OutcomeKind::kUnknown:
      return "unknown";
    case OutcomeKind::kFailed:
      return "failed";
    case OutcomeKind::kRefused:
      return "refused";
    case OutcomeKind::kExpired:
      return "expired";
    case OutcomeKind::kWithdrawn:
      return "withdrawn";
  }
  return "?";
}

const char* PhaseName(Phase phase) {
  switch (phase) {
    case Phase::kProposed:
      return "proposed";
    case Phase::kApproved:
      return "approved";
    case Phase::kRunning:
      return "running";
    case Phase::kVerifying:
      return "verifying";
    case Phase::kClosed:
      return "closed";
  }
  return "?";
}

const char* VerdictName(Verdict verdict) {
  switch (verdict) {
    case Verdict::kApplied:
      return "applied";
    case Verdict::kDuplicate:
      return "duplicate";
    case Verdict::kUnknownId:
      return "unknown_id";
    case Verdict::kIdMismatch:
      return "id_mismatch";
    case Verdict::kDigestMismatch:
      return "digest_mismatch";
    case Verdict::kNoEpoch:
      return "no_epoch";
    case Verdict::kNothingToRun:
      return "nothing_to_run";
    case Verdict::kSelfApproval:
      return "self_approval";
    case Verdict::kNoRequester:
      return "no_requester";
    case Verdict::kAlreadyApproved:
      return "already_approved";
    case Verdict::kExpired:
      return "expired";
    case Verdict::kClosed:
      return "closed";
    case Verdict::kNotApproved:
      return "not_approved";
    case Verdict::kNotFirst:
      return "not_first";
    case Verdict::kOutOfOrder:
      return "out_of_order";
  }
  return "?";
}

std::string Remediation::target_key() const {
  return proposed ? TargetKey(proposed->action.ns, proposed->action.target) : std::string();
}

Verdict Ledger::Apply(const Record& record) {
  return std::visit([&](const auto& body) { return On(record, body); }, record.body);
}

const Remediation* Ledger::Find(std::string_view id) const {
  const auto it = all_.find(id);
  return it == all_.end() ? nullptr : &it->second;
}

Remediation* Ledger::FindMutable(std::string_view id) {
  const auto it = all_.find(id);
  return it == all_.end() ? nullptr : &it->second;
}

std::vector<const Remediation*> Ledger::FindPrefix(std::string_view prefix) const {
  std::vector<const Remediation*> found;
  for (auto it = all_.lower_bound(prefix); it != all_.end(); ++it) {
    if (!std::string_view(it->first).starts_with(prefix)) break;
    found.push_back(&it->second);
  }
  return found;
}

void Ledger::Forget(std::string_view id) {
  const auto it = all_.find(id);
  if (it != all_.end() && !it->second.open()) all_.erase(it);
}

void Ledger::Close(Remediation& r, Instant at) {
  r.phase = Phase::kClosed;
  r.closed_at = std::max(at, r.proposed_at);  // the writer's clock; people's records may lag
  open_.erase(r.id);
}

Verdict Ledger::On(const Record& record, const Proposed& body) {
  if (record.epoch == EpochFilter::kNoEpoch) return Verdict::kNoEpoch;
  if (record.id != RemediationId(body.alarm_id, body.episode, body.scenario)) {
    return Verdict::kIdMismatch;
  }
  if (body.digest != ActionDigest(body.action)) return Verdict::kDigestMismatch;
  if (Find(record.id) != nullptr) return Verdict::kDuplicate;
  Remediation& r = all_[record.id];
  r.id = record.id;
  r.partition = record.partition;
  r.proposed = body;
  r.proposed_at = record.clock;
  open_.insert(r.id);
  return Verdict::kApplied;
}

Verdict Ledger::On(const Record& record, const Approved& body) {
  Remediation* r = FindMutable(record.id);
  // An approval in another partition than its proposal would have no order against the intents.
  if (r == nullptr || r->partition != record.partition) return Verdict::kUnknownId;
  if (r->approved) return Verdict::kAlreadyApproved;
  if (!r->open()) return Verdict::kClosed;
  if (r->proposed->action.argv.empty()) return Verdict::kNothingToRun;
  if (body.digest != r->proposed->digest) return Verdict::kDigestMismatch;
  if (r->proposed->requested_by.empty()) return Verdict::kNoRequester;
  if (body.by.empty() || body.by == r->proposed->requested_by) return Verdict::kSelfApproval;
  if (record.clock >= r->proposed->expires) return Verdict::kExpired;
  if (body.expires <= record.clock || body.expires > record.clock + kApprovalGood) {
    return Verdict::kExpired;
  }
  r->approved = body;
  r->approved_offset = record.offset;
  r->phase = Phase::kApproved;
  return Verdict::kApplied;
}

Verdict Ledger::On(const Record& record, const Denied& body) {
  Remediation* r = FindMutable(record.id);
  if (r == nullptr || r->partition != record.partition) return Verdict::kUnknownId;
  if (!r->open()) return Verdict::kClosed;
  // Once an intent stands it is too late: the effect may be under way.
  if (r->phase != Phase::kProposed && r->phase != Phase::kApproved) return Verdict::kOutOfOrder;
  r->denied = body;
  Close(*r, record.clock);
  return Verdict::kApplied;
}

Verdict Ledger::On(const Record& record, const Intent& body) {
  if (record.epoch == EpochFilter::kNoEpoch) return Verdict::kNoEpoch;
  Remediation* r = FindMutable(record.id);
  if (r == nullptr || r->partition != record.partition) return Verdict::kUnknownId;
  if (r->intent) return Verdict::kNotFirst;
  if (!r->open()) return Verdict::kClosed;
  if (!r->approved) return Verdict::kNotApproved;
  if (body.digest != r->approved->digest) return Verdict::kDigestMismatch;
  if (record.clock >= r->approved->expires) return Verdict::kExpired;
  r->intent = body;
  r->intent_at = record.clock;
  r->intent_offset = record.offset;
  r->intent_epoch = record.epoch;
  r->phase = Phase::kRunning;
  return Verdict::kApplied;
}

Verdict Ledger::On(const Record& record, const Effect& body) {
  if (record.epoch == EpochFilter::kNoEpoch) return Verdict::kNoEpoch;
  Remediation* r = FindMutable(record.id);
  if (r == nullptr || r->partition != record.partition) return Verdict::kUnknownId;
  if (!r->open()) return Verdict::kClosed;
  if (r->phase != Phase::kRunning) return Verdict::kOutOfOrder;
  r->effect = body;
  r->effect_at = record.clock;
  r->phase = Phase::kVerifying;
  return Verdict::kApplied;
}

Verdict Ledger::On(const Record& record, const Outcome& body) {
  if (record.epoch == EpochFilter::kNoEpoch) return Verdict::kNoEpoch;
  Remediation* r = FindMutable(record.id);
  if (r == nullptr || r->partition != record.partition) return Verdict::kUnknownId;
  if (!r->open()) return Verdict::kClosed;
  if (!MayEnd(r->phase, body.kind)) return Verdict::kOutOfOrder;
  r->outcome = body;
  Close(*r, record.clock);
  return Verdict::kApplied;
}

bool EffectSeen(const Action& action, const Effect& effect) {
  if (action.effect.empty()) return effect.exit_code == 0;
  const std::string observed = ", " + effect.observed + ",";
  for (const auto& [name, value] : action.effect) {
    if (observed.find(", " + name + " " + value + ",") == std::string::npos) return false;
  }
  return true;
}

}  // namespace liveops::remediation
