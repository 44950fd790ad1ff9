#include <CLI/CLI.hpp>
#include <cstdlib>
#include <filesystem>

#include "common/telemetry/log.h"
#include "deploy/local/sandbox/demo.h"
#include "deploy/local/sandbox/run.h"

namespace {

// Everything here speaks over loopback; a proxy has no part in it.
void ForgetProxies() {
  for (const char* name : {"http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "all_proxy",
                           "ALL_PROXY", "grpc_proxy"}) {
    unsetenv(name);
  }
}

}  // namespace

// liveops-sandbox: exit codes 0 good, 1 it did not go as told, 2 usage, 130 interrupted.
int main(int argc, char** argv) {
  namespace fs = std::filesystem;
  ForgetProxies();
  // build/<preset>/bin/liveops-sandbox
  const fs::path binaries = fs::read_symlink("/proc/self/exe").parent_path();
  const fs::path root = binaries.parent_path().parent_path().parent_path();

  liveops::sandbox::DemoOptions demo;
  demo.binaries_dir = binaries.string();
  demo.plan_file = (root / "deploy/plans/backend-api.yaml").string();
  demo.data_dir = (root / "build/demo").string();
  const char* approve = std::getenv("APPROVE");
  demo.approve = approve == nullptr || std::string_view(approve) != "no";
  liveops::sandbox::RunOptions run;
  run.binaries_dir = demo.binaries_dir;
  run.data_dir = (root / "build/sandbox").string();
  run.own_plan_file = (root / "deploy/plans/liveops.yaml").string();

  CLI::App app{"A whole LiveOps on this host."};
  app.require_subcommand(1);
  app.add_option("--plan", demo.plan_file, "plan to apply")->capture_default_str();
  app.add_option("--kubectl", demo.kubectl, "a real kubectl; without it a stand-in is used");
  app.add_option("--kubeconfig", demo.kubeconfig, "its configuration file");
  app.add_option("--seed", demo.seed, "of the traffic's noise")->capture_default_str();
  CLI::App* play = app.add_subcommand(
      "demo", "Plays one incident and tells it; APPROVE=no in the environment: nobody approves");
  play->add_option("--data", demo.data_dir, "folder for everything; emptied first")
      ->capture_default_str();
  play->add_option("--speed", demo.speed, "domain time per real time")
      ->check(CLI::Range(1.0, 60.0))
      ->capture_default_str();
  play->add_option("--figures", demo.figures_file,
                   "file to write what the services weigh, and how long the start took, into");
  CLI::App* keep = app.add_subcommand("run", "Keeps a sandbox up at real speed until Ctrl-C");
  keep->add_option("--data", run.data_dir, "folder for everything; kept")->capture_default_str();
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? 0 : 2;
  }

  liveops::runtime::StopSignal stop;
  // What goes wrong is told on the timeline; the adapters' own lines would only break it up.
  liveops::log::Init("sandbox", "sandbox", liveops::log::Level::kError);
  demo.data_dir = fs::absolute(demo.data_dir).string();
  if (play->parsed()) return liveops::sandbox::RunDemo(demo, stop);
  run.data_dir = fs::absolute(run.data_dir).string();
  run.plan_file = demo.plan_file;
  run.seed = demo.seed;
  run.kubectl = demo.kubectl;
  run.kubeconfig = demo.kubeconfig;
  return liveops::sandbox::RunSandbox(run, stop);
}
