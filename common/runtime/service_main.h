#pragma once

#include <functional>
#include <string>

#include "common/base/result.h"
#include "common/runtime/process.h"

namespace liveops::runtime {

// The build's version, e.g. "0.1.0".
const char* Version();

// What a service's main is, beside its own configuration: `liveops-<name> --config FILE | --version
// | --help`.
struct ServiceProgram {
  const char* name;     // "ingest"
  const char* summary;  // one line for --help
};

namespace internal {
// The configuration file's path, or the exit code that the arguments already decide.
struct Arguments {
  std::string config;
  int exit_code = -1;  // -1 = go on
};
Arguments ParseArguments(const ServiceProgram& program, int argc, char** argv);
int BadConfiguration(const Error& error);
void InitLog(const ServiceProgram& program, const CommonConfig& common);
int ExitCode(const Status& ran, const StopSignal& stop);
}  // namespace internal

// Exit codes: 0 an orderly stop, 2 wrong usage or configuration (or one that the installation
// contradicts), 1 anything else. `Config` has a member `common` (CommonConfig). `read` gives
// kInvalid with a line for each problem; `run` serves until a stop is asked for. Call it as the
// whole of main: it blocks the stop signals before any thread starts.
template <typename Config>
int ServiceMain(const ServiceProgram& program, int argc, char** argv,
                const std::function<Result<Config>(const std::string&)>& read,
                const std::function<Status(const Config&, StopSignal&)>& run) {
  const internal::Arguments arguments = internal::ParseArguments(program, argc, argv);
  if (arguments.exit_code >= 0) return arguments.exit_code;
  StopSignal stop;
  Result<Config> config = read(arguments.config);
  if (!config.ok()) return internal::BadConfiguration(config.error());
  config->common.kafka.on_fatal = [&stop](const Error& error) { stop.Fail(error); };
  internal::InitLog(program, config->common);
  return internal::ExitCode(run(*config, stop), stop);
}

}  // namespace liveops::runtime
