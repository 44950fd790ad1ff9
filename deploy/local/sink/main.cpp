#include <CLI/CLI.hpp>
#include <cstdio>
#include <fstream>

#include "common/runtime/process.h"
#include "deploy/local/sink/server.h"

// liveops-sink: plays Slack and PagerDuty. Exit codes: 0 stopped by a signal, 1 cannot run, 2
// usage.
int main(int argc, char** argv) {
  std::string address = "127.0.0.1";
  int port = 0;
  std::string ledger_file;
  std::string port_file;
  double slack_rate = 0;
  CLI::App app{
      "Plays Slack's incoming webhooks and PagerDuty's Events v2, and checks every field."};
  app.add_option("--address", address, "address to listen on")->capture_default_str();
  app.add_option("--port", port, "port; 0 picks a free one")->check(CLI::Range(0, 65535));
  app.add_option("--port-file", port_file, "where to write the port as JSON once ready");
  app.add_option("--ledger", ledger_file, "file of JSON lines, appended to; none = memory only");
  app.add_option(
      "--slack-rate", slack_rate,
      "answer 429 above so many messages a second a channel (a burst of 5 is free); 0 = never");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? 0 : 2;
  }

  liveops::runtime::StopSignal stop;
  auto ledger = liveops::sink::Ledger::Open(ledger_file, slack_rate);
  if (!ledger.ok()) {
    std::fprintf(stderr, "liveops-sink: %s\n", ledger.error().message.c_str());
    return 1;
  }
  auto server = liveops::sink::Server::Start(**ledger, address, port);
  if (!server.ok()) {
    std::fprintf(stderr, "liveops-sink: %s\n", server.error().message.c_str());
    return 1;
  }
  std::fprintf(stderr, "liveops-sink: http://%s:%d\n", address.c_str(), (*server)->port());
  if (!port_file.empty()) {
    const liveops::Status written =
        liveops::runtime::WritePortFile(port_file, {.grpc = (*server)->port()});
    if (!written.ok()) {
      std::fprintf(stderr, "liveops-sink: %s\n", written.error().message.c_str());
      return 1;
    }
  }
  while (!stop.WaitFor(liveops::Duration(60'000))) {
  }
  return 0;
}
