#include "deploy/local/sandbox/demo.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <memory>

#include "common/base/text.h"
#include "deploy/local/sandbox/story.h"
#include "deploy/local/stack/stack.h"
#include "deploy/local/stack/usage.h"
#include "deploy/local/stack/workload_process.h"

namespace liveops::sandbox {
namespace {

constexpr Duration kLookPause{100};
// A line is printed this long after it happened, so that lines come in order.
constexpr Duration kHoldBack{400};
// After the last expected event: what should not come gets this much time to come, in domain time.
constexpr Duration kAfterwards{60'000};
constexpr Duration kUnapprovedWait{6 * 60'000};  // domain

std::int64_t WallUs() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::microseconds>(now).count();
}

class Demo {
 public:
  Demo(const DemoOptions& options, runtime::StopSignal& stop)
      : options_(options), stop_(stop), timeline_(stdout, Timeline::WantsColour(stdout)) {}

  int Run() {
    begin_us_ = WallUs();
    if (!StartStack() || !ApplyPlan() || !StartTraffic()) return 1;
    while (!stop_.WaitFor(kLookPause)) {
      Look();
      if (options_.approve) MaybeApprove();
      if (Over()) break;
    }
    workload_.reset();
    if (stop_.requested()) {
      timeline_.Note("interrupted; stopping everything");
      return 130;
    }
    return Verdict();
  }

 private:
  bool Fail(const std::string& what) {
    timeline_.Check(false, what);
    return false;
  }
  bool StartStack();
  bool ApplyPlan();
  bool StartTraffic();
  void Look();
  void MaybeApprove();
  bool Over();
  int Verdict();
  int PrintVerdict(const std::vector<CheckResult>& checks);
  void PrintWhereToLook(bool with_logs);
  void WriteFigures();
  Duration DomainSince(std::int64_t us) const {
    return Duration(
        static_cast<std::int64_t>(static_cast<double>(WallUs() - us) / 1000 * options_.speed));
  }

  const DemoOptions& options_;
  runtime::StopSignal& stop_;
  Timeline timeline_;
  Story story_{Script{}};
  std::unique_ptr<stack::Stack> stack_;
  std::unique_ptr<Api> api_;
  std::unique_ptr<stack::ChildProcess> workload_;  // ends before the stack
  std::int64_t begin_us_ = 0;
  double start_s_ = 0;
  std::int64_t zero_us_ = 0;
  std::int64_t last_entry_ = 0;
  std::int64_t asked_us_ = 0;     // when the services were last asked
  std::int64_t complete_us_ = 0;  // 0 = not yet
  bool asked_ = false;            // the approver has spoken
  bool timed_out_ = false;
};

bool Demo::StartStack() {
  timeline_.Title(
      fmt::format("LiveOps: one incident, from metric to page to approved rollback "
                  "(domain time runs {} times as fast as the clock)",
                  FormatNumber(options_.speed)));
  stack::StackOptions options;
  options.data_dir = options_.data_dir;
  options.binaries_dir = options_.binaries_dir;
  options.domain_speed = options_.speed;
  options.kubectl = options_.kubectl;
  options.kubeconfig = options_.kubeconfig;
  options.sink_slack_rate = 1.05;  // Slack's limit, with a hair's breadth for two clocks
  options.progress = [this](const std::string& line) {
    timeline_.Note(
        fmt::format("{:>5.1f} s  {}", static_cast<double>(WallUs() - begin_us_) / 1e6, line));
  };
  auto stack = stack::Stack::Start(options);
  if (!stack.ok()) return Fail(stack.error().message);
  stack_ = std::move(*stack);
  start_s_ = static_cast<double>(WallUs() - begin_us_) / 1e6;
  const stack::Identity& viewer = stack_->person("viewer-1");
  api_ =
      std::make_unique<Api>(stack_->service(stack::Service::kRuleEvaluation).address(),
                            stack_->service(stack::Service::kRemediation).address(),
                            rpc::TlsFiles{stack_->authority().ca_file(), viewer.cert, viewer.key});
  return true;
}

bool Demo::ApplyPlan() {
  const auto applied = stack_->Ctl("operator-1", {"plan", "apply", options_.plan_file});
  if (!applied.ok()) return Fail(applied.error().message);
  if (!applied->status.clean()) {
    return Fail("liveopsctl plan apply: " + applied->out + applied->err);
  }
  timeline_.Note("         operator-1: liveopsctl plan apply " + options_.plan_file);
  return true;
}

bool Demo::StartTraffic() {
  stack::WorkloadOptions workload;
  workload.seed = options_.seed;
  workload.rollout_at = options_.quiet;
  auto process = stack::StartWorkload(*stack_, workload);
  if (!process.ok()) return Fail(process.error().message);
  workload_ = std::move(*process);
  zero_us_ = WallUs();
  asked_us_ = zero_us_;
  timeline_.Begin(zero_us_, options_.speed);
  return true;
}

void Demo::Look() {
  // What is only seen by asking happened since the last look: told from then, it stands before what
  // followed from it.
  const std::int64_t since_us = asked_us_;
  asked_us_ = WallUs();
  if (const auto remediations = api_->Remediations(); remediations.ok()) {
    story_.OnRemediations(*remediations, since_us);
  }
  const auto state = stack_->cluster().Get(stack_->options().deployment);
  if (state.ok()) story_.OnDeployment(*state, since_us + 1);
  if (const auto alarms = api_->OpenAlarms(); alarms.ok()) story_.OnAlarms(*alarms, WallUs());
  const auto entries = stack_->sink().Ledger(last_entry_);
  if (entries.ok()) {
    for (const stack::LedgerEntry& entry : *entries) {
      story_.OnLedger(entry);
      last_entry_ = entry.number;
    }
  }
  for (const Line& line : story_.TakeLines(WallUs() - kHoldBack.count() * 1000)) {
    timeline_.Print(line);
  }
}

void Demo::MaybeApprove() {
  if (asked_ || story_.proposed_us() == 0) return;
  const Duration since = DomainSince(story_.proposed_us());
  // A person reads for a while, and looks at what else rings; but not for ever.
  if (since < options_.reading || (!story_.all_paged() && since < 3 * options_.reading)) return;
  asked_ = true;
  const std::string id = story_.proposal()->id;
  timeline_.Print({WallUs(),
                   "approver",
                   Tone::kPlain,
                   "approver-1: liveopsctl remediations approve " + id.substr(0, 12) + " --yes",
                   {}});
  const auto approved = stack_->Ctl("approver-1", {"remediations", "approve", id, "--yes"});
  if (!approved.ok()) {
    Fail(approved.error().message);
  } else if (!approved->status.clean()) {
    Fail("liveopsctl remediations approve: " + approved->out + approved->err);
  }
}

bool Demo::Over() {
  if (!workload_->running()) {
    Fail("the workload ended");
    return true;
  }
  for (stack::ServiceProcess* service : stack_->services()) {
    if (!service->process().running()) {
      Fail(service->spec().instance + " ended");
      return true;
    }
  }
  if (!options_.approve && story_.proposed_us() != 0 && story_.all_paged() &&
      DomainSince(story_.proposed_us()) > options_.reading + kUnapprovedWait) {
    return true;
  }
  if (story_.complete()) {
    if (complete_us_ == 0) complete_us_ = WallUs();
    return DomainSince(complete_us_) > kAfterwards;
  }
  timed_out_ = DomainSince(zero_us_) > options_.limit;
  return timed_out_;
}

int Demo::Verdict() {
  for (const Line& line : story_.TakeLines(WallUs())) timeline_.Print(line);
  timeline_.Blank();
  std::optional<std::vector<std::string>> changes;
  if (auto kept = stack_->cluster().Changes(); kept.ok()) changes = std::move(*kept);
  if (timed_out_) {
    Fail("the story did not end within " + FormatDuration(options_.limit) + " of domain time");
  }
  WriteFigures();
  if (options_.approve) return PrintVerdict(story_.Judge(changes));
  PrintVerdict(story_.JudgeUnapproved(changes));
  const std::vector<std::string> other = story_.NotAsWithoutApproval();
  timeline_.Check(false, other.empty() ? "nobody approved (APPROVE=no): the bad version still runs "
                                         "and the incident did not recover"
                                       : fmt::format("nobody approved (APPROVE=no), and yet: {}",
                                                     fmt::join(other, ", ")));
  return 1;
}

int Demo::PrintVerdict(const std::vector<CheckResult>& checks) {
  const bool good = std::all_of(checks.begin(), checks.end(),
                                [](const CheckResult& check) { return check.good; });
  for (const CheckResult& check : checks) timeline_.Check(check.good, check.text);
  timeline_.Blank();
  const double took_s = static_cast<double>(WallUs() - begin_us_) / 1e6;
  timeline_.Note(
      fmt::format("took {:.0f} s; everything sent is in {}", took_s, stack_->sink().ledger_file()));
  PrintWhereToLook(!good && options_.approve);
  return good ? 0 : 1;
}

void Demo::WriteFigures() {
  if (options_.figures_file.empty()) return;
  double pss_mib = 0;
  for (stack::ServiceProcess* service : stack_->services()) {
    const auto pss = stack::PssMib(service->process().pid());
    if (!pss.ok()) return (void)Fail(pss.error().message);
    pss_mib += *pss;
  }
  const auto written = stack::WriteFile(
      options_.figures_file,
      fmt::format("services_rss_mib {:.1f} sandbox_start_s {:.2f}\n", pss_mib, start_s_));
  if (!written.ok()) Fail(written.error().message);
}

void Demo::PrintWhereToLook(bool with_logs) {
  timeline_.Note("logs are in " + stack_->Path("services"));
  if (!with_logs) return;
  for (stack::ServiceProcess* service : stack_->services()) {
    timeline_.Blank();
    timeline_.Note("the end of " + service->log_file());
    std::fputs(stack::TailOf(service->log_file(), 12).c_str(), stdout);
  }
  timeline_.Blank();
}

}  // namespace

int RunDemo(const DemoOptions& options, runtime::StopSignal& stop) {
  return Demo(options, stop).Run();
}

}  // namespace liveops::sandbox
