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
  if (RefuseReads(session, backtest, plan.service, code)) return code;
  const bool read = ReadLog(
      session, command.source, plan.service,
      [&](const engine::RecordView& record, const TimeMap& map) { backtest.Take(record, map); },
      span, code);
  if (!read) return code;
  rehearse::BacktestReport report = backtest.Finish();
  report.log = span;
  const rehearse::LiveReport live = rehearse::HoldAgainst(plan, report);
  session.world().out << (session.json() ? LiveJson(live, report)
                                         : RenderLive(live, report, command.file, session.style()));
  return live.unsound() || span.interrupted ? kExitNo : kExitOk;
}

}  // namespace liveops::ctl
