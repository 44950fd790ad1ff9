#include <fmt/format.h>

#include <algorithm>

#include "common/plan/canonical_plan.h"
#include "common/plan/parse.h"
#include "services/liveopsctl/live_plan.h"
#include "services/liveopsctl/rehearsal_files.h"
#include "services/liveopsctl/render/drifts.h"
#include "services/liveopsctl/session.h"

// `plan drift` and `plan export`: plans by their meaning.
namespace liveops::ctl {
namespace {

// A stored plan as this build reads it. Older builds may have taken what this one refuses.
Result<plan::PlanFile> ReadStored(const v1::PlanRecord& record) {
  plan::ParseResult parsed = plan::Parse(record.text());
  if (parsed.ok())
    return plan::PlanFile(std::move(parsed.plan), plan::ParseLogCounts(record.text()));
  return InternalError(fmt::format("{} version {} cannot be read by this liveopsctl: {}",
                                   record.service(), record.version(),
                                   parsed.problems.front().ToString(record.service())));
}

Drift CompareWithLive(Session& session, Backend& backend, const LoadedPlan& loaded) {
  Drift drift;
  drift.file = loaded.path;
  drift.service = loaded.parsed.plan.service;
  Result<LivePlan> live = AskLivePlan(session, backend, drift.service);
  if (!live.ok()) {
    drift.error = live.error().message;
    return drift;
  }
  plan::PlanFile there;
  if (live->record.version() != 0) {
    Result<plan::PlanFile> stored = ReadStored(live->record);
    if (!stored.ok()) {
      drift.error = stored.error().message;
      return drift;
    }
    there = std::move(*stored);
  }
  drift.live = std::move(live->record);
  drift.live.clear_text();
  drift.in_force = live->in_force;
  drift.changes =
      plan::Compare(there, plan::PlanFile(loaded.parsed.plan, plan::ParseLogCounts(loaded.text)));
  return drift;
}

}  // namespace

int RunPlanDrift(Session& session, const PlanDrift& command) {
  Problems problems;
  std::vector<LoadedPlan> loaded;
  for (const std::string& file : command.files) {
    loaded.push_back(LoadPlan(file, problems, session.style()));
    if (!loaded.back().error.empty()) return session.Usage(loaded.back().error);
  }
  if (!problems.empty()) return problems.Tell(session);
  Backend* backend = session.Open(Server::kEvaluation);
  if (backend == nullptr) return kExitUsage;
  std::vector<Drift> drifts;
  for (const LoadedPlan& plan : loaded) {
    drifts.push_back(CompareWithLive(session, *backend, plan));
    const Drift& drift = drifts.back();
    if (!drift.error.empty()) session.Warn(drift.file + ": " + drift.error);
    if (!session.json()) session.world().out << RenderDrift(drift, session.style());
  }
  if (session.json()) session.world().out << DriftJson(drifts);
  const auto any = [&](auto&& which) { return std::any_of(drifts.begin(), drifts.end(), which); };
  // 1 says that something differs, so a refusal is not told by it.
  if (any([](const Drift& drift) { return !drift.error.empty(); })) return kExitUnreachable;
  return any([](const Drift& drift) { return !drift.equal(); }) ? kExitNo : kExitOk;
}

int RunPlanExport(Session& session, const PlanExport& command) {
  Backend* backend = session.Open(Server::kEvaluation);
  if (backend == nullptr) return kExitUsage;
  v1::PlanRecord record;
  if (command.version != 0) {
    v1::GetPlanRequest request;
    request.set_service(command.service);
    request.set_version(command.version);
    Result<v1::GetPlanResponse> response = backend->GetPlan(request);
    if (!response.ok()) return session.Fail(response.error());
    record = std::move(*response->mutable_plan());
  } else {
    Result<LivePlan> live = AskLivePlan(session, *backend, command.service);
    if (!live.ok()) return session.Fail(live.error());
    if (live->record.version() == 0)
      return session.Fail(NotFoundError(fmt::format("no plan of \"{}\"", command.service)));
    record = std::move(live->record);
  }
  Result<plan::PlanFile> stored = ReadStored(record);
  if (!stored.ok()) return session.Fail(stored.error());
  const std::string text = plan::CanonicalText(*stored);
  // Better no file than one that says something else.
  const plan::ParseResult again = plan::Parse(text);
  if (!again.ok() ||
      plan::PlanFile(again.plan, plan::ParseLogCounts(text)) != plan::Sorted(*stored)) {
    return session.Fail(InternalError(
        fmt::format("{} version {} cannot be written in canonical form; `liveopsctl plan show {}` "
                    "has it as it was applied",
                    record.service(), record.version(), record.service())));
  }
  const std::string digest = plan::Digest(*stored);
  session.world().out << (session.json() ? ExportJson(record, text, digest)
                                         : RenderExport(record, text, digest));
  return kExitOk;
}

}  // namespace liveops::ctl
