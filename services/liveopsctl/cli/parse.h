#pragma once

#include <optional>
#include <string>
#include <vector>

#include "services/liveopsctl/cli/command.h"
#include "services/liveopsctl/cli/tree.h"

namespace liveops::ctl {

struct Invocation {
  Globals globals;
  Command command;
};

// Either something to run, or text to print (help, version, a usage error) and the exit code to
// leave with.
struct ParseOutcome {
  std::optional<Invocation> run;
  int exit_code = kExitOk;
  std::string out;
  std::string err;
};

// `args` without the program's name. Never throws; a wrong word is answered with the nearest known
// one.
ParseOutcome Parse(const std::vector<std::string>& args, const std::string& version);

// Everything that Parse understands.
CommandNode DescribeCommands();

}  // namespace liveops::ctl
