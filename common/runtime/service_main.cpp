#include "common/runtime/service_main.h"

#include <google/protobuf/stubs/logging.h>
#include <malloc.h>

#include <cstdio>
#include <string_view>

#include "common/telemetry/log.h"

namespace liveops::runtime {

const char* Version() { return LIVEOPS_VERSION; }

namespace internal {
namespace {

constexpr int kExitStopped = 0;
constexpr int kExitFailed = 1;
constexpr int kExitUsage = 2;

void PrintUsage(const ServiceProgram& program, std::FILE* out) {
  std::fprintf(out,
               "usage: liveops-%s --config FILE\n"
               "       liveops-%s --version | --help\n\n"
               "%s\n"
               "Exit codes: 0 an orderly stop, 2 wrong usage or configuration, 1 anything else.\n",
               program.name, program.name, program.summary);
}

log::Level LevelOf(std::string_view word) {
  if (word == "debug") return log::Level::kDebug;
  if (word == "warn") return log::Level::kWarn;
  if (word == "error") return log::Level::kError;
  return log::Level::kInfo;
}

}  // namespace

Arguments ParseArguments(const ServiceProgram& program, int argc, char** argv) {
  static constexpr std::string_view kConfigIs = "--config=";
  Arguments arguments;
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (word == "--version") {
      std::printf("liveops-%s %s\n", program.name, Version());
      return {"", kExitStopped};
    }
    if (word == "--help" || word == "-h") {
      PrintUsage(program, stdout);
      return {"", kExitStopped};
    }
    if (word == "--config" && i + 1 < argc) {
      arguments.config = argv[++i];
    } else if (word.starts_with(kConfigIs)) {
      arguments.config = word.substr(kConfigIs.size());
    } else {
      std::fprintf(stderr, "unexpected argument \"%s\"\n", argv[i]);
      PrintUsage(program, stderr);
      return {"", kExitUsage};
    }
  }
  if (arguments.config.empty()) {
    std::fputs("--config FILE is missing\n", stderr);
    PrintUsage(program, stderr);
    return {"", kExitUsage};
  }
  return arguments;
}

int BadConfiguration(const Error& error) {
  std::fprintf(stderr, "%s\n", error.message.c_str());
  return kExitUsage;
}

void InitLog(const ServiceProgram& program, const CommonConfig& common) {
  // Two malloc arenas serve a few busy threads; one for each thread would keep freed memory in all
  // of them.
  mallopt(M_ARENA_MAX, 2);
  // Protobuf's own lines would not be JSON; that bytes could not be read is told by whoever read
  // them.
  google::protobuf::SetLogHandler(nullptr);
  log::Init(program.name, common.instance, LevelOf(common.log_level));
}

int ExitCode(const Status& ran, const StopSignal& stop) {
  std::optional<Error> failure = stop.failure();
  // What a stop interrupted is no failure.
  const bool stopped = ran.ok() || (stop.requested() && ran.error().code != ErrorCode::kInvalid &&
                                    ran.error().code != ErrorCode::kConflict);
  if (!failure && !stopped) failure = ran.error();
  if (failure) log::Error("stopped", {{"because", failure->message}});
  log::Flush();
  if (!failure) return kExitStopped;
  const ErrorCode code = failure->code;
  return code == ErrorCode::kInvalid || code == ErrorCode::kConflict ? kExitUsage : kExitFailed;
}

}  // namespace internal
}  // namespace liveops::runtime
