#include "services/liveopsctl/app.h"

#include "services/liveopsctl/cli/completion.h"
#include "services/liveopsctl/cli/parse.h"
#include "services/liveopsctl/session.h"

namespace liveops::ctl {
namespace {

struct Dispatch {
  Session& session;

  int operator()(const PlanCheck& c) { return RunPlanCheck(session, c); }
  int operator()(const PlanTest& c) { return RunPlanTest(session, c); }
  int operator()(const PlanBacktest& c) { return RunPlanBacktest(session, c); }
  int operator()(const PlanDiff& c) { return RunPlanDiff(session, c); }
  int operator()(const PlanApply& c) { return RunPlanApply(session, c); }
  int operator()(const PlanDrift& c) { return RunPlanDrift(session, c); }
  int operator()(const PlanExport& c) { return RunPlanExport(session, c); }
  int operator()(const PlanShow& c) { return RunPlanShow(session, c); }
  int operator()(const SlosList& c) { return RunSlosList(session, c); }
  int operator()(const AlarmsList& c) { return RunAlarmsList(session, c); }
  int operator()(const AlarmsWatch& c) { return RunAlarmsWatch(session, c); }
  int operator()(const AlarmsAck& c) { return RunAlarmsAck(session, c); }
  int operator()(const AlarmsExplain& c) { return RunAlarmsExplain(session, c); }
  int operator()(const RemediationsList& c) { return RunRemediationsList(session, c); }
  int operator()(const RemediationsShow& c) { return RunRemediationsShow(session, c); }
  int operator()(const RemediationsApprove& c) { return RunRemediationsApprove(session, c); }
  int operator()(const RemediationsDeny& c) { return RunRemediationsDeny(session, c); }
  int operator()(const Send& c) { return RunSend(session, c); }
  int operator()(const EmittersList& c) { return RunEmitters(session, c); }
  int operator()(const SpansList& c) { return RunSpans(session, c); }
  int operator()(const Tail& c) { return RunTail(session, c); }
  int operator()(const Logs& c) { return RunLogs(session, c); }
  int operator()(const DeploymentsReport& c) { return RunDeploymentsReport(session, c); }
  int operator()(const Decommission& c) { return RunDecommission(session, c); }
  int operator()(const ShowStatus& c) { return RunStatus(session, c); }
  int operator()(const Completion& c) {
    session.world().out << CompletionScript(c.shell, DescribeCommands());
    return kExitOk;
  }
};

}  // namespace

int Run(const std::vector<std::string>& args, World& world) {
  const ParseOutcome parsed = Parse(args, world.version);
  world.out << parsed.out;
  world.err << PrintableLines(parsed.err);
  if (!parsed.run) return parsed.exit_code;
  Session session(world, parsed.run->globals);
  const int code = std::visit(Dispatch{session}, parsed.run->command);
  world.out.flush();
  return code;
}

}  // namespace liveops::ctl
