#include "services/liveopsctl/plan_file.h"
#include "services/liveopsctl/rehearsal_files.h"
#include "services/liveopsctl/rehearse/backtest.h"
#include "services/liveopsctl/rehearse/judge.h"
#include "services/liveopsctl/render/backtests.h"
#include "services/liveopsctl/session.h"

// `plan backtest` and `plan diff`: no service is asked.
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

// Plays the source to each of the backtests, whose plans are of one service, and gives their
// reports. Empty when nothing was recorded, or what was cannot be read; that was told, and `code`
// is set.
std::vector<rehearse::BacktestReport> Play(Session& session, const PlayedSource& source,
                                           const std::string& service, Problems& problems,
                                           int& code, std::vector<rehearse::Backtest*> backtests) {
  std::optional<rehearse::LogSpan> log;
  bool read = false;
  if (source.data.empty()) {
    read = ReadLog(session, source, service, backtests, log.emplace(), code);
  } else {
    read = ReadRecording(session, source.data, problems, [&](const auto& line) {
      for (rehearse::Backtest* backtest : backtests) backtest->Take(line);
    });
    if (!read) code = problems.empty() ? kExitUsage : problems.Tell(session);
  }
  std::vector<rehearse::BacktestReport> reports;
  if (!read) return reports;
  for (rehearse::Backtest* backtest : backtests) {
    reports.push_back(backtest->Finish());
    reports.back().log = log;
  }
  // What was not looked at may say otherwise.
  code = log && log->interrupted ? kExitNo : kExitOk;
  return reports;
}

// What the report is of.
std::string NameOf(const PlayedSource& source, const std::string& service) {
  return source.data.empty() ? "the log of " + service : source.data;
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
  const std::string& service = plan.parsed.plan.service;
  rehearse::Backtest backtest(plan.parsed.plan, plan.text);
  const auto reports = Play(session, command.source, service, problems, code, {&backtest});
  if (reports.empty()) return code;
  const rehearse::BacktestReport& report = reports.front();
  const std::string name = NameOf(command.source, service);
  PageCheck check;
  const PageCheck* told = command.expect.empty() ? nullptr : &check;
  if (told != nullptr) check = rehearse::JudgePages(pages, report.told, {}, report.from);
  session.world().out << (session.json() ? BacktestJson(report, name, told)
                                         : RenderBacktest(report, name, told, session.style()));
  return check.empty() ? code : kExitNo;
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
  const std::string& service = before.parsed.plan.service;
  rehearse::Backtest by_before(before.parsed.plan, before.text);
  rehearse::Backtest by_after(after.parsed.plan, after.text);
  const auto reports =
      Play(session, command.source, service, problems, code, {&by_before, &by_after});
  if (reports.empty()) return code;
  const std::string name = NameOf(command.source, service);
  session.world().out << (session.json()
                              ? DiffJson(reports[0], reports[1], name)
                              : RenderDiff(reports[0], reports[1], name, session.style()));
  return code;
}

}  // namespace liveops::ctl
