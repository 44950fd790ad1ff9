#pragma once

#include <sys/types.h>

#include "common/base/result.h"

namespace liveops::stack {

// Proportional set size of a process in MiB: shared pages count by their share (proc(5),
// /proc/pid/smaps_rollup).
Result<double> PssMib(pid_t pid);

// User and system seconds that all threads of a process have used (proc(5), /proc/pid/stat).
Result<double> CpuSeconds(pid_t pid);

}  // namespace liveops::stack
