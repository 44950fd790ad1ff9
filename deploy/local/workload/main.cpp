#include <CLI/CLI.hpp>
#include <cstdio>

#include "common/telemetry/log.h"
#include "deploy/local/workload/run.h"

namespace {

// An option that is a length of time in the plan's words.
CLI::Option* AddDuration(CLI::App& app, const std::string& name, liveops::Duration& value,
                         const std::string& help) {
  return app.add_option_function<std::string>(
      name,
      [&value, name](const std::string& text) {
        const auto parsed = liveops::ParseDuration(text);
        if (!parsed.ok()) throw CLI::ValidationError(name, parsed.error().message);
        value = *parsed;
      },
      help);
}

}  // namespace

// liveops-workload: exit codes 0 stopped by a signal, 2 usage.
int main(int argc, char** argv) {
  liveops::workload::RunOptions options;
  liveops::Duration rollout_at{-1};
  CLI::App app{
      "Plays three instances of backend-api, whose errors and latency depend on the version that "
      "the cluster runs."};
  app.add_option("--ingest", options.ingest, "host:port of ingest")->required();
  app.add_option("--ca", options.tls.ca,
                 "PEM file; without certificate ingest is spoken to in plain text");
  app.add_option("--cert", options.tls.cert, "PEM file");
  app.add_option("--key", options.tls.key, "PEM file");
  app.add_option("--service", options.model.service, "name of the service")->capture_default_str();
  app.add_option("--seed", options.model.seed, "of the noise")->capture_default_str();
  app.add_option("--speed", options.speed, "domain time per real time")
      ->check(CLI::Range(0.001, 1000.0))
      ->capture_default_str();
  AddDuration(app, "--step", options.model.step,
              "domain time between two batches of an instance (5s)");
  app.add_option("--kubectl", options.kubectl, "program that shows the Deployment")
      ->capture_default_str();
  app.add_option("--kubeconfig", options.kubeconfig, "its configuration file");
  app.add_option("--deployment", options.deployment, "name of the Deployment")
      ->capture_default_str();
  app.add_option("--bad-tag", options.bad_tag, "image tag of the version that fails")
      ->capture_default_str();
  AddDuration(app, "--look", options.look, "real time between two looks at the Deployment (1s)");
  AddDuration(app, "--rollout-at", rollout_at,
              "domain time after the start at which the pipeline rolls out");
  app.add_option("--rollout-image", options.rollout_image, "what it rolls out")
      ->capture_default_str();
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? 0 : 2;
  }
  if (rollout_at >= liveops::Duration(0)) options.rollout_at = rollout_at;

  liveops::runtime::StopSignal stop;
  liveops::log::Init("workload", options.model.service);
  liveops::workload::Run(options, stop);
  return 0;
}
