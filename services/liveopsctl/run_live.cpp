#include "services/liveopsctl/rehearsal_files.h"
#include "services/liveopsctl/rehearse/live.h"
#include "services/liveopsctl/render/live.h"
#include "services/liveopsctl/session.h"

namespace liveops::ctl {

int RunPlanCheckLive(Session& session, const PlanCheck& command, const plan::Plan& plan,
                     const std::string& text) {
  rehearse::Backtest backtest(plan, text);
  rehearse::LogSpan span;
  int code = kExitOk;
  rehearse::Backtest* const played = &backtest;
  if (!ReadLog(session, command.source, plan.service, {&played, 1}, span, code)) return code;
  rehearse::BacktestReport report = backtest.Finish();
  report.log = span;
  const rehearse::LiveReport live = rehearse::HoldAgainst(plan, report);
  session.world().out << (session.json() ? LiveJson(live, report)
                                         : RenderLive(live, report, command.file, session.style()));
  return live.unsound() || span.interrupted ? kExitNo : kExitOk;
}

}  // namespace liveops::ctl
