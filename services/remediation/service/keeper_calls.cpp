#include <algorithm>

#include "common/base/text.h"
#include "common/runtime/topics.h"
#include "common/telemetry/log.h"
#include "liveops/v1/remediations.pb.h"
#include "services/remediation/policy/approval.h"
#include "services/remediation/service/keeper.h"

// What people ask and say.
namespace liveops::remediation {
namespace {

constexpr Duration kFoldTimeout{10'000};
constexpr std::size_t kPrefixMin = 4;

CallError Refuse(Error error, bool precondition = false) {
  return {std::move(error), precondition};
}

}  // namespace

Result<const Remediation*> Keeper::FindOne(const std::string& id) {
  if (!caught_up_) return UnavailableError("still reading the log");
  if (id.size() < kPrefixMin) {
    return InvalidError("\"" + id + "\" is too short: at least 4 characters of the id are needed");
  }
  const std::vector<const Remediation*> found = ledger_.FindPrefix(id);
  if (found.empty()) return NotFoundError("no remediation \"" + id + "\"");
  if (found.size() > 1) {
    return InvalidError("\"" + id + "\" fits " + std::to_string(found.size()) +
                        " remediations, e.g. " + found[0]->id + " and " + found[1]->id);
  }
  return found.front();
}

Result<std::vector<Remediation>> Keeper::List(bool open_only) {
  const std::lock_guard lock(mutex_);
  if (!caught_up_) return UnavailableError("still reading the log");
  std::vector<Remediation> list;
  for (const auto& [id, r] : ledger_.all()) {
    if (!open_only || r.open()) list.push_back(r);
  }
  std::stable_sort(list.begin(), list.end(), [](const Remediation& a, const Remediation& b) {
    return a.proposed_at < b.proposed_at;
  });
  return list;
}

Result<std::pair<Remediation, std::vector<std::string>>> Keeper::Get(const std::string& id) {
  const std::lock_guard lock(mutex_);
  const Result<const Remediation*> found = FindOne(id);
  if (!found.ok()) return found.error();
  return std::make_pair(**found, history_[(*found)->id]);
}

Result<std::int64_t> Keeper::AppendCall(const Remediation& r, const Body& body) {
  v1::RemediationRecord record;
  record.mutable_source()->set_emitter(writer_.emitter());
  record.mutable_source()->set_session(writer_.session());
  record.mutable_source()->set_sequence(writer_.Next());
  record.set_remediation_id(r.id);
  record.set_clock_ms(ToMs(ClockNow()));
  ToProto(body, &record);
  // No epoch: what people say may come by way of any replica.
  std::vector<kafka::Header> headers;
  {
    const std::lock_guard lock(mutex_);
    if (const std::string trace = TraceOf(r.id); !trace.empty()) {
      headers.push_back({runtime::kTraceHeader, trace});
    }
  }
  const Result<kafka::Delivery> delivery = producer_.ProduceSync(
      runtime::topic::kRemediations, r.partition, r.id, record.SerializeAsString(), headers);
  if (!delivery.ok()) return delivery.error();
  return delivery->offset;
}

bool Keeper::WaitFolded(std::unique_lock<std::mutex>& lock, std::int32_t partition,
                        std::int64_t offset) {
  return folded_.wait_for(lock, kFoldTimeout, [&] {
    return stopping_ || At(partition).position > offset;
  }) && At(partition).position > offset;
}

CallResult Keeper::Approve(const std::string& id, const std::string& digest,
                           const std::string& who) {
  Remediation seen;
  Approved approval;
  {
    const std::lock_guard lock(mutex_);
    const Result<const Remediation*> found = FindOne(id);
    if (!found.ok()) return Refuse(found.error());
    if (!clock_.anchored()) return Refuse(UnavailableError("what time it is is not known yet"));
    seen = **found;
    const Instant now = clock_.Now(options_.now());
    const ApprovalDecision decision = DecideApproval(seen, digest, who, now);
    if (decision.answer == ApprovalAnswer::kAlready) return CallAnswer{seen, true};
    if (decision.answer != ApprovalAnswer::kAppend) {
      log::Warn("approval_refused",
                {{"remediation", seen.id}, {"by", who}, {"reason", decision.detail}});
      if (decision.answer == ApprovalAnswer::kSelf) return Refuse(DeniedError(decision.detail));
      return Refuse(ConflictError(decision.detail), true);
    }
    approval = Approved{digest, who, now + kApprovalGood};
  }
  const Result<std::int64_t> offset = AppendCall(seen, approval);
  if (!offset.ok()) return Refuse(offset.error());
  std::unique_lock lock(mutex_);
  if (!WaitFolded(lock, seen.partition, *offset)) {
    return Refuse(UnavailableError("the approval is written but was not read back yet; ask again"));
  }
  const Remediation& now = *ledger_.Find(seen.id);
  if (now.approved) return CallAnswer{now, now.approved_offset != *offset};
  return Refuse(ConflictError("the approval came too late: it is " + HowItEnded(now)), true);
}

CallResult Keeper::Deny(const std::string& id, const std::string& who, const std::string& reason) {
  Remediation seen;
  {
    const std::lock_guard lock(mutex_);
    const Result<const Remediation*> found = FindOne(id);
    if (!found.ok()) return Refuse(found.error());
    seen = **found;
    const DenialDecision decision = DecideDenial(seen);
    if (decision.answer == DenialAnswer::kAlready) return CallAnswer{seen, true};
    if (decision.answer != DenialAnswer::kAppend) {
      return Refuse(ConflictError(decision.detail), true);
    }
  }
  const Result<std::int64_t> offset =
      AppendCall(seen, Denied{who, Truncate(ScrubUtf8(reason), 500)});
  if (!offset.ok()) return Refuse(offset.error());
  std::unique_lock lock(mutex_);
  if (!WaitFolded(lock, seen.partition, *offset)) {
    return Refuse(UnavailableError("the denial is written but was not read back yet; ask again"));
  }
  const Remediation& now = *ledger_.Find(seen.id);
  if (now.denied) return CallAnswer{now, now.denied->by != who};
  return Refuse(ConflictError("too late to deny: it is " + HowItEnded(now)), true);
}

std::vector<Keeper::PartitionView> Keeper::Partitions() {
  const std::lock_guard lock(mutex_);
  std::vector<PartitionView> views;
  for (std::int32_t p = 0; p < options_.partitions; ++p) {
    views.push_back({p, Acting(p) ? At(p).epoch : -1, At(p).position});
  }
  return views;
}

Instant Keeper::ClockNow() {
  const std::lock_guard lock(mutex_);
  return clock_.anchored() ? clock_.Now(options_.now()) : Instant{};
}

bool Keeper::caught_up() {
  const std::lock_guard lock(mutex_);
  return caught_up_;
}

std::map<std::string, double> Keeper::Counters() {
  const std::lock_guard lock(mutex_);
  return counters_;
}

}  // namespace liveops::remediation
