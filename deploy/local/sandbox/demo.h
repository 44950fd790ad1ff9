#pragma once

#include <cstdint>
#include <string>

#include "common/base/time.h"
#include "common/runtime/process.h"

namespace liveops::sandbox {

struct DemoOptions {
  std::string data_dir;
  std::string binaries_dir;
  std::string plan_file;
  double speed = 20;
  std::uint64_t seed = 7;
  bool approve = true;
  Duration quiet{120'000};      // domain time before the bad version is rolled out
  Duration reading{120'000};    // domain time that the approver takes over the proposal
  Duration limit{25 * 60'000};  // domain time for the whole story
  std::string kubectl;          // "" = the stand-in
  std::string kubeconfig;
  // Where to write `services_rss_mib <x> sandbox_start_s <y>` at the end; "" = nowhere.
  std::string figures_file;
};

// Plays one incident and prints it. Exit code: 0 everything happened as told, 1 it did not (or
// nobody approved), 130 it was interrupted. No process is left.
int RunDemo(const DemoOptions& options, runtime::StopSignal& stop);

}  // namespace liveops::sandbox
