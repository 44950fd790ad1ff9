#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <map>

#include "services/liveopsctl/plan_file.h"
#include "services/liveopsctl/progress.h"
#include "services/liveopsctl/rehearsal_files.h"
#include "services/liveopsctl/rehearse/test_file.h"
#include "services/liveopsctl/rehearse/test_run.h"
#include "services/liveopsctl/render/rehearsals.h"
#include "services/liveopsctl/session.h"

// `plan test`: nothing here asks a server.
namespace liveops::ctl {
namespace {

namespace fs = std::filesystem;

// The plans that test files name, each read once.
class PlanShelf {
 public:
  PlanShelf(Problems& problems, const Style& style) : problems_(problems), style_(style) {}

  const LoadedPlan& Load(const std::string& path) {
    std::error_code ignored;
    const std::string key = fs::weakly_canonical(path, ignored).string();
    const auto found = plans_.find(key);
    if (found != plans_.end()) return found->second;
    return plans_.emplace(key, LoadPlan(path, problems_, style_)).first->second;
  }

 private:
  Problems& problems_;
  const Style& style_;
  std::map<std::string, LoadedPlan> plans_;
};

// A test file that can be run.
struct Ready {
  std::string file;
  const LoadedPlan* plan = nullptr;
  std::vector<rehearse::PlanTest> tests;
};

// False when the file cannot be read at all, which was told.
bool Prepare(Session& session, const std::string& file, PlanShelf& shelf, Problems& problems,
             std::vector<Ready>& ready) {
  const Result<std::string> text = ReadTextFile(file);
  if (!text.ok()) {
    session.Usage(text.error().message);
    return false;
  }
  const LoadedPlan* plan = nullptr;
  const auto load = [&](const std::string& name, std::string& why) -> const plan::Plan* {
    plan = &shelf.Load((fs::path(file).parent_path() / name).string());
    if (plan->ok()) return &plan->parsed.plan;
    why = plan->error.empty() ? "this plan has problems, told above" : plan->error;
    return nullptr;
  };
  rehearse::PlanTestFileResult read = rehearse::ReadPlanTests(*text, load);
  problems.Add(file, *text, read.problems, session.style());
  if (read.problems.empty()) ready.push_back({file, plan, std::move(read.file.tests)});
  return true;
}

// The tests of one file; each is told as soon as it is over.
Result<TestedFile> RunFile(Session& session, const Ready& ready, rehearse::Coverage& coverage) {
  World& world = session.world();
  TestedFile tested{ready.file, ready.plan->path, {}};
  if (!session.json()) world.out << Printable(ready.file) << "\n";
  const rehearse::TestRunner runner(ready.plan->parsed.plan, ready.plan->text);
  for (const rehearse::PlanTest& test : ready.tests) {
    ProgressLine progress(world);
    Result<rehearse::TestOutcome> outcome =
        runner.Run(test, [&](double part) { progress.Show(test.name, part); });
    progress.Clear();
    if (!outcome.ok()) return outcome.error();
    coverage.Add(*outcome);
    if (!session.json()) world.out << RenderTest(*outcome, session.style()) << std::flush;
    tested.outcomes.push_back(std::move(*outcome));
  }
  return tested;
}

}  // namespace

int RunPlanTest(Session& session, const PlanTest& command) {
  Problems problems;
  PlanShelf shelf(problems, session.style());
  std::vector<Ready> ready;
  for (const std::string& file : command.files) {
    if (!Prepare(session, file, shelf, problems, ready)) return kExitUsage;
  }
  if (!problems.empty()) return problems.Tell(session);

  std::vector<TestedFile> files;
  std::vector<TestedPlan> plans;
  bool passed = true;
  for (const Ready& one : ready) {
    auto plan = std::find_if(plans.begin(), plans.end(),
                             [&](const TestedPlan& p) { return p.plan == one.plan->path; });
    if (plan == plans.end()) {
      plan = plans.insert(plan, {one.plan->path, rehearse::Coverage(one.plan->parsed.plan)});
    }
    Result<TestedFile> tested = RunFile(session, one, plan->coverage);
    if (!tested.ok()) return session.Fail(tested.error());
    for (const rehearse::TestOutcome& outcome : tested->outcomes)
      passed = passed && outcome.passed();
    files.push_back(std::move(*tested));
  }
  World& world = session.world();
  if (session.json()) {
    world.out << TestsJson(files, plans);
  } else {
    for (const TestedPlan& plan : plans) world.out << RenderCoverage(plan, session.style());
    world.out << RenderTotals(files, session.style());
  }
  return passed ? kExitOk : kExitNo;
}

}  // namespace liveops::ctl
