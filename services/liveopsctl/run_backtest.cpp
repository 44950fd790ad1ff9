#include "services/liveopsctl/plan_file.h"
#include "services/liveopsctl/rehearsal_files.h"
#include "services/liveopsctl/rehearse/backtest.h"
#include "services/liveopsctl/rehearse/judge.h"
#include "services/liveopsctl/render/backtests.h"
#include "services/liveopsctl/session.h"

// `plan backtest` and `plan diff`: nothing here asks a server.
namespace liveops::ctl {
namespace {

// The pages that were expected, if a file says so. False: it cannot be read, which was told.
bool ReadPages(Session& session, const std::string& file, const plan::Plan& plan,
               Problems& problems, std::vector<rehearse::Expected>& pages) {
  if (file.empty()) return true;
  const Result<std::string> text = ReadTextFile(file);
  if (!text.ok()) {
    session.Usage(text.error().message);
    return false;
  }
  rehearse::ExpectedPagesResult read = rehearse::ReadExpectedPages(*text, plan);
  problems.Add(file, *text, read.problems, session.style());
  pages = std::move(read.pages);
  return true;
}

// False when nothing was recorded, or what was cannot be read; that was told.
bool Play(Session& session, const std::string& data, Problems& problems, int& code,
          std::vector<rehearse::Backtest*> backtests) {
  const bool read = ReadRecording(session, data, problems, [&](const auto& line) {
    for (rehearse::Backtest* backtest : backtests) backtest->Take(line);
  });
  if (!read) code = problems.empty() ? kExitUsage : problems.Tell(session);
  return read;
}

}  // namespace

int RunPlanBacktest(Session& session, const PlanBacktest& command) {
  Problems problems;
  const LoadedPlan plan = LoadPlan(command.plan, problems, session.style());
  if (!plan.error.empty()) return session.Usage(plan.error);
  std::vector<rehearse::Expected> pages;
  if (plan.ok() && !ReadPages(session, command.expect, plan.parsed.plan, problems, pages))
    return kExitUsage;
  if (!problems.empty()) return problems.Tell(session);

  int code = kExitOk;
  rehearse::Backtest backtest(plan.parsed.plan, plan.text);
  if (!Play(session, command.data, problems, code, {&backtest})) return code;
  const rehearse::BacktestReport report = backtest.Finish();
  PageCheck check;
  const PageCheck* told = command.expect.empty() ? nullptr : &check;
  if (told != nullptr) check = rehearse::JudgePages(pages, report.told, {}, report.from);
  session.world().out << (session.json()
                              ? BacktestJson(report, command.data, told)
                              : RenderBacktest(report, command.data, told, session.style()));
  return check.empty() ? kExitOk : kExitNo;
}

int RunPlanDiff(Session& session, const PlanDiff& command) {
  Problems problems;
  const LoadedPlan before = LoadPlan(command.before, problems, session.style());
  if (!before.error.empty()) return session.Usage(before.error);
  const LoadedPlan after = LoadPlan(command.after, problems, session.style());
  if (!after.error.empty()) return session.Usage(after.error);
  if (!problems.empty()) return problems.Tell(session);
  if (before.parsed.plan.service != after.parsed.plan.service) {
    return session.Usage("the plans are of two services, " + before.parsed.plan.service + " and " +
                         after.parsed.plan.service + ": there is nothing to compare");
  }
  int code = kExitOk;
  rehearse::Backtest by_before(before.parsed.plan, before.text);
  rehearse::Backtest by_after(after.parsed.plan, after.text);
  if (!Play(session, command.data, problems, code, {&by_before, &by_after})) return code;
  const rehearse::BacktestReport old_report = by_before.Finish();
  const rehearse::BacktestReport new_report = by_after.Finish();
  session.world().out << (session.json()
                              ? DiffJson(old_report, new_report, command.data)
                              : RenderDiff(old_report, new_report, command.data, session.style()));
  return kExitOk;
}

}  // namespace liveops::ctl
