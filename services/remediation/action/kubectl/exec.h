#pragma once

#include <atomic>
#include <string>
#include <vector>

#include "common/base/result.h"
#include "common/base/time.h"

namespace liveops::remediation {

struct ExecRequest {
  std::string path;                      // absolute; no search, no shell
  std::vector<std::string> argv;         // argv[0] included
  std::vector<std::string> environment;  // "NAME=value"; the whole of it
  Duration timeout{30'000};              // steady
  std::size_t output_max = 64 << 10;     // kept of each stream; the rest is read and dropped
};

struct ExecResult {
  int exit_code = -1;  // -1 when a signal ended it
  int signal = 0;
  bool timed_out = false;
  bool cancelled = false;
  std::string output;  // standard output
  std::string errors;  // standard error
  bool truncated = false;
};

// Runs a program and waits for it. The child has its own process group, no open file but its three
// streams (standard input is /dev/null), no environment but the given one, no core file, bounded
// processor time and file size, and may not gain privileges. At the time-out, when `cancel` turns
// true, and after its end the whole group is killed, so nothing stays behind; the calling thread's
// death kills it too (PR_SET_PDEATHSIG follows the thread, so call from one that lasts).
// posix_spawn cannot set that, hence fork and execve. kInvalid: a NUL inside an argument, no
// absolute path. kUnavailable: it could not be started; nothing ran.
Result<ExecResult> Exec(const ExecRequest& request, const std::atomic<bool>* cancel = nullptr);

}  // namespace liveops::remediation
