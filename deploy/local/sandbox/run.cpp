#include "deploy/local/sandbox/run.h"

#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "deploy/local/sandbox/timeline.h"
#include "deploy/local/stack/stack.h"
#include "deploy/local/stack/workload_process.h"

namespace liveops::sandbox {
namespace {

constexpr Duration kLookPause{250};
constexpr Duration kKafkaTimeout{30'000};
// What dies again and again is started less and less often: 0 s, 1 s, 2 s, 4 s, … at most this long
// after its death.
constexpr Duration kRestartPauseMax{30'000};
constexpr Duration kCalm{60'000};  // after this long alive the count begins anew

// One part that must stay up.
struct Watched {
  std::function<stack::ChildProcess*()> process;
  std::function<Status()> restart;
  int deaths = 0;
  SteadyTime died{};
  bool down = false;
};

class Sandbox {
 public:
  Sandbox(const RunOptions& options, runtime::StopSignal& stop)
      : options_(options), stop_(stop), timeline_(stdout, Timeline::WantsColour(stdout)) {}

  int Run() {
    if (!Start()) return 1;
    PrintHelp();
    while (!stop_.WaitFor(kLookPause)) {
      for (auto& [name, watched] : watched_) Supervise(name, watched);
    }
    timeline_.Blank();
    timeline_.Note("stopping");
    workload_.reset();
    stack_.reset();
    timeline_.Note("nothing is left running; data is kept in " + options_.data_dir);
    return 0;
  }

 private:
  bool Start();
  bool ApplyPlan(const std::string& service, const std::string& file);
  void Watch();
  void Supervise(const std::string& name, Watched& watched);
  void PrintHelp();
  Status StartWorkload() {
    auto process =
        stack::StartWorkload(*stack_, {.seed = options_.seed, .rollout_at = std::nullopt});
    if (!process.ok()) return process.error();
    workload_ = std::move(*process);
    return {};
  }

  const RunOptions& options_;
  runtime::StopSignal& stop_;
  Timeline timeline_;
  std::unique_ptr<stack::Stack> stack_;
  std::unique_ptr<stack::ChildProcess> workload_;
  std::map<std::string, Watched> watched_;
};

bool Sandbox::Start() {
  timeline_.Title("LiveOps sandbox, at real speed");
  stack::StackOptions options;
  options.data_dir = options_.data_dir;
  options.binaries_dir = options_.binaries_dir;
  options.fresh = false;
  options.keep_redis = true;
  options.kubectl = options_.kubectl;
  options.kubeconfig = options_.kubeconfig;
  const SteadyTime begin = std::chrono::steady_clock::now();
  options.progress = [this, begin](const std::string& line) {
    const std::chrono::duration<double> since = std::chrono::steady_clock::now() - begin;
    timeline_.Note(fmt::format("{:>5.1f} s  {}", since.count(), line));
  };
  auto stack = stack::Stack::Start(options);
  if (!stack.ok()) {
    timeline_.Check(false, stack.error().message);
    return false;
  }
  stack_ = std::move(*stack);
  if (!ApplyPlan("backend-api", options_.plan_file)) return false;
  if (!ApplyPlan("liveops", options_.own_plan_file)) return false;
  if (const Status started = StartWorkload(); !started.ok()) {
    timeline_.Check(false, started.error().message);
    return false;
  }
  Watch();
  return true;
}

// A plan that a person applied in an earlier run stays.
bool Sandbox::ApplyPlan(const std::string& service, const std::string& file) {
  const auto shown = stack_->Ctl("viewer-1", {"plan", "show", service});
  if (shown.ok() && shown->status.clean()) return true;
  const auto applied = stack_->Ctl("operator-1", {"plan", "apply", file});
  if (applied.ok() && applied->status.clean()) return true;
  timeline_.Check(false, applied.ok() ? applied->out + applied->err : applied.error().message);
  return false;
}

void Sandbox::Watch() {
  for (stack::ServiceProcess* service : stack_->services()) {
    watched_[service->spec().instance] = {[service] { return &service->process(); },
                                          [service] { return service->Launch(); },
                                          0,
                                          {},
                                          false};
  }
  watched_["Kafka"] = {[this] { return &stack_->kafka().process(); },
                       [this] { return stack_->kafka().Restart(kKafkaTimeout); },
                       0,
                       {},
                       false};
  watched_["Redis"] = {[this] { return &stack_->redis().process(); },
                       [this] { return stack_->redis().Restart(kKafkaTimeout); },
                       0,
                       {},
                       false};
  watched_["the sink"] = {[this] { return &stack_->sink().process(); },
                          [this] { return stack_->sink().Restart(kKafkaTimeout); },
                          0,
                          {},
                          false};
  watched_["the workload"] = {
      [this] { return workload_.get(); }, [this] { return StartWorkload(); }, 0, {}, false};
}

void Sandbox::Supervise(const std::string& name, Watched& watched) {
  const SteadyTime now = std::chrono::steady_clock::now();
  if (!watched.down) {
    const auto ended = watched.process()->Wait(Duration(0));
    if (!ended) return;
    if (now - watched.died > kCalm) watched.deaths = 0;
    watched.down = true;
    watched.died = now;
    timeline_.Check(false,
                    fmt::format("{} ended ({}); starting it again", name, ended->ToString()));
  }
  const int doublings = std::min(watched.deaths, 6) - 1;
  const Duration pause =
      watched.deaths == 0 ? Duration(0) : std::min(kRestartPauseMax, Duration(1'000 << doublings));
  if (now - watched.died < pause) return;
  ++watched.deaths;
  const Status restarted = watched.restart();
  watched.down = !restarted.ok();
  watched.died = std::chrono::steady_clock::now();
  timeline_.Check(restarted.ok(),
                  name + (restarted.ok() ? " is up again" : ": " + restarted.error().message));
}

void Sandbox::PrintHelp() {
  const std::string ctl = stack_->Binary("liveopsctl");
  timeline_.Title("Up. Ctrl-C stops everything; data is kept.");
  const auto row = [](const std::string& what, const std::string& where) {
    fmt::print("  {:<18} {}\n", what, where);
  };
  row("Slack, PagerDuty", stack_->sink().url());
  for (stack::ServiceProcess* service : stack_->services()) {
    row(service->spec().instance,
        service->address() + "   metrics: " + service->metrics_address() +
            (service->plain_address().empty()
                 ? ""
                 : "   plain, for emitters on this host: " + service->plain_address() + ", HTTP " +
                       service->http_address()));
  }
  row("Kafka", stack_->kafka().address());
  row("Redis", fmt::format("127.0.0.1:{}", stack_->redis().port()));
  row("logs", stack_->Path("services"));
  fmt::print("\n  Try, in another terminal:\n\n");
  const auto command = [](const std::string& text, const char* what) {
    fmt::print("    {}\n", text);
    if (what[0] != '\0') fmt::print("        {}\n", what);
  };
  command("export LIVEOPS_CONFIG=" + stack_->ctl_config("operator-1"),
          "you are operator-1; approver-1.yaml beside it is the second person");
  command(fmt::format("export PATH=\"{}:$PATH\"", stack_->options().binaries_dir), "");
  command("liveopsctl status", "");
  command("liveopsctl alarms watch", "");
  command(
      fmt::format("KUBECONFIG={} {} set image deployment/backend-api backend-api=backend-api:2.4.0",
                  stack_->cluster().kubeconfig(), stack_->cluster().kubectl()),
      "rolls out a bad version: pages after 3 minutes, a proposal soon after");
  command("liveopsctl remediations list", "");
  command(fmt::format("liveopsctl --config {} remediations approve ID",
                      stack_->ctl_config("approver-1")),
          "rolls it back");
  fmt::print("\n");
  std::fflush(stdout);
}

}  // namespace

int RunSandbox(const RunOptions& options, runtime::StopSignal& stop) {
  return Sandbox(options, stop).Run();
}

}  // namespace liveops::sandbox
