#include "services/rule-evaluation/service/plan_applier.h"

#include <optional>

#include "common/base/hash.h"
#include "common/runtime/topics.h"
#include "common/telemetry/log.h"

namespace liveops::evaluation {
namespace {
constexpr int kAttempts = 8;
constexpr Duration kReadBackTime{10'000};
}  // namespace

Result<std::int64_t> PlanApplier::Write(const StoredPlan& plan) {
  const std::string value =
      EncodePlanRecord({writer_.emitter(), writer_.session(), writer_.Next()}, plan);
  auto written = producer_.ProduceSync(runtime::topic::kPlans, 0,
                                       plan.service + ":" + std::to_string(plan.version), value);
  if (!written.ok()) {
    // No answer is no refusal: the record may stand in the log, or be on its way there.
    const ErrorCode code = written.error().code;
    if (code != ErrorCode::kUnavailable && code != ErrorCode::kTimeout) return written.error();
    return TimeoutError("the plan may have been accepted, its writing was not confirmed (" +
                        written.error().message + "); look with `liveopsctl plan show " +
                        plan.service + "`");
  }
  if (!library_.WaitFor(written->offset, kReadBackTime)) {
    return TimeoutError(
        "the plan was written but not read back in time, and another may count; look with "
        "`liveopsctl plan show " +
        plan.service + "`");
  }
  return written->offset;
}

Result<Applied> PlanApplier::Apply(const std::string& text,
                                   std::optional<std::uint64_t> expected_version,
                                   const std::string& applied_by) {
  Applied applied;
  if (text.size() > kTextMax) {
    return InvalidError("the plan has " + std::to_string(text.size()) + " bytes; at most " +
                        std::to_string(kTextMax) + " are taken");
  }
  plan::ParseResult parsed = Check(text);
  if (!parsed.ok()) {
    applied.problems = std::move(parsed.problems);
    return applied;
  }
  applied.service = parsed.plan.service;
  if (!library_.complete()) return UnavailableError("the library of plans is not read yet");
  const std::lock_guard lock(mutexes_[Xxh64(applied.service) % mutexes_.size()]);
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    const std::optional<StoredPlan> newest = library_.Newest(applied.service);
    const std::uint64_t version = newest ? newest->version : 0;
    if (expected_version && *expected_version != version) {
      applied.version = version;
      applied.unexpected = true;
      if (newest) applied.newest = *newest;
      applied.newest.text.clear();
      return applied;
    }
    if (newest && newest->text == text) {
      applied.version = version;
      applied.unchanged = true;
      applied.spread = newest->spread;
      return applied;
    }
    applied.version = version + 1;
    const StoredPlan ours{applied.service,   applied.version,      text,
                          applied_by,        ToMs(WallClockNow()), -1,
                          parsed.plan.spread};
    const Result<std::int64_t> offset = Write(ours);
    if (!offset.ok()) return offset.error();
    const std::optional<StoredPlan> counts = library_.Get(applied.service, applied.version);
    if (counts && counts->offset == *offset) {
      applied.spread = counts->spread;
      if (counts->spread != (newest ? newest->spread : 1))
        applied.spread_from = counts->spread_from;
      log::Info("plan_applied", {{"service", applied.service},
                                 {"version", static_cast<std::int64_t>(applied.version)},
                                 {"by", applied_by}});
      return applied;
    }
    if (counts) {
      // Somebody was first. Their record must be the last of its key, or compaction would leave
      // ours.
      if (auto again = Write(*counts); !again.ok()) return again.error();
    }
  }
  return ConflictError("others keep applying plans of " + applied.service + "; try again");
}

}  // namespace liveops::evaluation
