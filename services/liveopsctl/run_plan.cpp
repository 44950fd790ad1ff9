#include <fmt/format.h>
#include <fmt/ranges.h>

#include "common/plan/parse.h"
#include "common/plan/reads.h"
#include "services/liveopsctl/live_plan.h"
#include "services/liveopsctl/plan_file.h"
#include "services/liveopsctl/render/plans.h"
#include "services/liveopsctl/session.h"

namespace liveops::ctl {
int RunPlanCheck(Session& session, const PlanCheck& command) {
  const Result<std::string> text = ReadTextFile(command.file);
  if (!text.ok()) return session.Usage(text.error().message);
  const plan::ParseResult parsed = plan::ParseNew(*text);
  v1::CheckPlanResponse response;
  for (const plan::Problem& problem : parsed.problems) {
    AddProblem(response.add_problems(), command.file, problem);
  }
  if (!parsed.ok()) {
    session.Answer(response, RenderProblems(response.problems(), *text, session.style()));
    return kExitNo;
  }
  if (command.live) return RunPlanCheckLive(session, command, parsed.plan, *text);
  const std::string spread =
      parsed.plan.spread > 1 ? fmt::format(", spread over {} partitions", parsed.plan.spread) : "";
  const std::vector<std::string> others = plan::ServicesRead(parsed.plan);
  const std::string reads =
      others.empty() ? "" : fmt::format(", reads series of {}", fmt::join(others, ", "));
  return session.Answer(
      response,
      fmt::format("{}: a good plan for {}: {} alarms, {} remediations{}{}\n",
                  Printable(command.file), Printable(parsed.plan.service),
                  parsed.plan.alarms.size(), parsed.plan.remediations.size(), spread, reads));
}

int RunPlanApply(Session& session, const PlanApply& command) {
  const Result<std::string> text = ReadTextFile(command.file);
  if (!text.ok()) return session.Usage(text.error().message);
  Backend* backend = session.Open(Server::kEvaluation);
  if (backend == nullptr) return kExitUsage;
  v1::ApplyPlanRequest request;
  if (plan::ParseResult parsed = plan::ParseNew(*text); !parsed.ok()) {
    v1::ApplyPlanResponse response;
    for (const plan::Problem& problem : parsed.problems) {
      AddProblem(response.add_problems(), command.file, problem);
    }
    session.Answer(response, RenderProblems(response.problems(), *text, session.style()) +
                                 "Nothing was applied.\n");
    return kExitNo;
  }
  request.set_text(*text);
  request.set_file(command.file);
  if (command.expect_version) request.set_expected_version(*command.expect_version);
  const Result<v1::ApplyPlanResponse> response = backend->ApplyPlan(request);
  if (!response.ok()) return session.Fail(response.error());
  if (response->problems_size() > 0) {
    session.Answer(*response, RenderProblems(response->problems(), *text, session.style()) +
                                  "Nothing was applied.\n");
    return kExitNo;
  }
  const std::string spread =
      response->spread_from_ms() == 0
          ? ""
          : fmt::format(
                "from the event time {} on its series lie on {} partition{}; what is judged "
                "over a window that reaches back before that stays unknown\n",
                Moment(response->spread_from_ms()), response->spread(),
                response->spread() == 1 ? "" : "s");
  return session.Answer(
      *response, response->unchanged()
                     ? fmt::format("{} version {} already reads so; nothing was changed\n",
                                   Printable(response->service()), response->version())
                     : fmt::format("{} version {} is accepted; it comes into force with its "
                                   "shard's next record\n{}",
                                   Printable(response->service()), response->version(), spread));
}

int RunPlanShow(Session& session, const PlanShow& command) {
  Backend* backend = session.Open(Server::kEvaluation);
  if (backend == nullptr) return kExitUsage;
  if (command.service.empty()) {
    const Result<v1::ListPlansResponse> response = backend->ListPlans({});
    if (!response.ok()) return session.Fail(response.error());
    const PlansInForce in_force =
        session.json() ? PlansInForce{} : AskInForce(session, *backend, "");
    return session.Answer(*response, RenderPlans(*response, in_force, session.style()));
  }
  v1::GetPlanRequest request;
  request.set_service(command.service);
  request.set_version(command.version);
  const Result<v1::GetPlanResponse> response = backend->GetPlan(request);
  if (!response.ok()) return session.Fail(response.error());
  if (session.json()) return session.Answer(*response, "");
  const PlansInForce in_force = AskInForce(session, *backend, command.service);
  if (session.world().out_terminal) {
    return session.Answer(*response, RenderPlan(response->plan(), in_force, session.style()));
  }
  // Redirected, the text alone: `plan show S > file` gives back what was applied.
  session.world().out << response->plan().text();
  const auto running = in_force.find(command.service);
  if (running != in_force.end() && running->second != response->plan().version()) {
    session.Warn(fmt::format("this is version {}; version {} is in force",
                             response->plan().version(), running->second));
  }
  return kExitOk;
}

}  // namespace liveops::ctl
