#pragma once

#include <cstdint>
#include <string>

#include "common/runtime/process.h"

namespace liveops::sandbox {

struct RunOptions {
  std::string data_dir;
  std::string binaries_dir;
  std::string plan_file;
  std::string own_plan_file;  // by which LiveOps watches itself
  std::uint64_t seed = 7;
  std::string kubectl;  // "" = the stand-in
  std::string kubeconfig;
};

// Keeps a LiveOps with quiet traffic up at real speed until a stop is asked for. What ends by
// itself is started again, and said so. Exit code: 0 stopped by a signal, 1 it could not start. No
// process is left.
int RunSandbox(const RunOptions& options, runtime::StopSignal& stop);

}  // namespace liveops::sandbox
