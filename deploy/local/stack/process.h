#pragma once

#include <sys/types.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/base/result.h"
#include "common/base/time.h"

// Processes that the sandbox, the tests and the benchmarks start. None outlives its starter: every
// child gets SIGKILL from the kernel when this process dies (prctl(2), PR_SET_PDEATHSIG).
namespace liveops::stack {

struct ProcessSpec {
  std::string name;               // for people, e.g. "notifier-0"
  std::vector<std::string> argv;  // argv[0] is looked up in PATH when it has no slash
  // Added to this process' environment, of which proxy settings are left out: everything here
  // speaks over loopback.
  std::map<std::string, std::string> env;
  std::string cwd;       // "" = this process' own
  std::string log_file;  // standard output and error are appended here; "" = /dev/null
};

struct ExitStatus {
  int code = 0;    // meaningful when signal is 0
  int signal = 0;  // that ended it; 0 = it exited
  bool clean() const { return code == 0 && signal == 0; }
  std::string ToString() const;  // "exit code 1", "signal 9 (Killed)"
};

// One child, in a process group of its own (a Ctrl-C at the terminal does not reach it).
// Thread-safe except destruction.
class ChildProcess {
 public:
  // kInvalid: an empty argv, or the program cannot be executed (the message says why).
  // It is forked by a thread that lives as long as this process, since the death signal is bound to
  // the forking thread.
  static Result<std::unique_ptr<ChildProcess>> Spawn(const ProcessSpec& spec);
  ~ChildProcess();  // Kill()
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  const std::string& name() const;
  const std::string& log_file() const;
  pid_t pid() const;

  bool running();
  // Its end, or nothing when it has not ended within `timeout`. 0 does not wait.
  std::optional<ExitStatus> Wait(Duration timeout);
  // Nothing happens when it has ended (its pid is never reused before Wait saw the end).
  void Signal(int signal);
  // SIGTERM, and SIGKILL to its whole group when it has not ended within `grace`. Returns how it
  // ended.
  ExitStatus Stop(Duration grace);
  // SIGKILL to its group, and waits.
  ExitStatus Kill();

 private:
  struct Impl;
  explicit ChildProcess(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

struct RunOutcome {
  ExitStatus status;
  std::string out;  // standard output, at most 1 MiB
  std::string err;
};

// Runs to its end and returns what it said; `spec.log_file` is not used. kTimeout: it was killed
// after `timeout`.
Result<RunOutcome> RunToEnd(const ProcessSpec& spec, Duration timeout);

// The last `lines` lines of a file, "" when it cannot be read.
std::string TailOf(const std::string& path, int lines);
// Whole file; kNotFound.
Result<std::string> ReadFile(const std::string& path);
// Writes a temporary file of that mode and renames it. kUnavailable: the message says why.
Status WriteFile(const std::string& path, const std::string& content, int mode = 0644);

}  // namespace liveops::stack
