#pragma once

#include <functional>
#include <istream>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "common/base/time.h"
#include "services/liveopsctl/client/backend.h"
#include "services/liveopsctl/client/settings.h"
#include "services/liveopsctl/interrupt.h"
#include "services/liveopsctl/log/partition_log.h"

namespace liveops::ctl {

// Everything outside that a command touches; tests give their own.
struct World {
  std::ostream& out;
  std::ostream& err;
  std::istream& in;
  bool in_terminal = false;
  bool out_terminal = false;
  bool err_terminal = false;
  Environment env;
  std::function<std::unique_ptr<Backend>(const Settings&, Duration timeout)> connect;
  std::function<Result<KafkaPorts>(const kafka::ClientConfig&, Duration timeout)> open_kafka;
  std::function<std::unique_ptr<Interrupt>()> interrupts;
  std::function<RealTime()> now;  // the host's clock, for stamps of samples
  std::string host;               // host name; names the emitter of samples
  std::uint64_t session = 1;  // random, not 0: with the emitter's name it makes each sending unique
  std::string version;
};

// Parses, runs and prints; returns the exit code (cli/command.h). `args` without the program's
// name.
int Run(const std::vector<std::string>& args, World& world);

}  // namespace liveops::ctl
