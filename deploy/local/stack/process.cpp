#include "deploy/local/stack/process.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

extern "C" {  // glibc 2.36 forgot the linkage in this header
}

#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <filesystem>
#include <functional>
#include <future>
#include <mutex>
#include <string_view>
#include <thread>

extern char** environ;

namespace liveops::stack {
namespace {

constexpr std::size_t kOutputMax = 1 << 20;

// Runs what it is told on one thread that never ends. Leaked on purpose: no child may see it go.
class SpawnerThread {
 public:
  static SpawnerThread& Get() {
    static SpawnerThread* spawner = new SpawnerThread;
    return *spawner;
  }

  void Run(const std::function<void()>& job) {
    const auto done = std::make_shared<std::promise<void>>();
    std::future<void> finished = done->get_future();
    {
      std::lock_guard lock(mutex_);
      jobs_.push_back([&job, done] {
        job();
        done->set_value();
      });
    }
    wake_.notify_one();
    finished.wait();
  }

 private:
  SpawnerThread() {
    std::thread([this] { Loop(); }).detach();
  }

  void Loop() {
    for (;;) {
      std::function<void()> job;
      {
        std::unique_lock lock(mutex_);
        wake_.wait(lock, [this] { return !jobs_.empty(); });
        job = std::move(jobs_.front());
        jobs_.pop_front();
      }
      job();
    }
  }

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> jobs_;  // guarded by mutex_
};

// glibc 2.36 declares pidfd_open without C linkage.
int OpenPidfd(pid_t pid) { return static_cast<int>(syscall(SYS_pidfd_open, pid, 0)); }

bool IsProxyVariable(std::string_view entry) {
  for (std::string_view name : {"http_proxy=", "https_proxy=", "HTTP_PROXY=", "HTTPS_PROXY=",
                                "all_proxy=", "ALL_PROXY=", "grpc_proxy="}) {
    if (entry.starts_with(name)) return true;
  }
  return false;
}

std::vector<std::string> EnvironmentOf(const ProcessSpec& spec) {
  std::vector<std::string> entries;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    const std::string name(text.substr(0, text.find('=')));
    if (!IsProxyVariable(text) && !spec.env.contains(name)) entries.emplace_back(text);
  }
  for (const auto& [name, value] : spec.env) entries.push_back(name + "=" + value);
  return entries;
}

// The program's path, or "" when PATH has none: looked up before the fork, where memory may still
// be allocated.
std::string FindProgram(const std::string& name) {
  if (name.find('/') != std::string::npos) return name;
  const char* variable = std::getenv("PATH");
  std::string_view path = variable != nullptr ? variable : "/usr/bin:/bin";
  while (!path.empty()) {
    const std::size_t colon = path.find(':');
    const std::string candidate = std::string(path.substr(0, colon)) + "/" + name;
    if (access(candidate.c_str(), X_OK) == 0) return candidate;
    if (colon == std::string_view::npos) break;
    path.remove_prefix(colon + 1);
  }
  return "";
}

std::vector<char*> Pointers(std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  pointers.reserve(strings.size() + 1);
  for (std::string& text : strings) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

struct ForkPlan {
  const char* program;
  char* const* argv;
  char* const* envp;
  const char* cwd;  // nullptr = stay
  int out;
  int err;
  int report;  // close-on-exec pipe: errno of what failed
  pid_t parent;
};

// Between fork and exec: async-signal-safe calls only.
[[noreturn]] void BecomeChild(const ForkPlan& plan) {
  setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != plan.parent) _exit(127);  // the parent died in between
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  std::signal(SIGPIPE, SIG_DFL);
  std::signal(SIGINT, SIG_DFL);
  std::signal(SIGTERM, SIG_DFL);
  const int null_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
  dup2(null_fd, STDIN_FILENO);
  dup2(plan.out, STDOUT_FILENO);
  dup2(plan.err, STDERR_FILENO);
  if (plan.cwd == nullptr || chdir(plan.cwd) == 0) execve(plan.program, plan.argv, plan.envp);
  const int failure = errno;
  [[maybe_unused]] const auto written = write(plan.report, &failure, sizeof failure);
  _exit(127);
}

Result<pid_t> Fork(const ProcessSpec& spec, int out, int err) {
  if (spec.argv.empty()) return InvalidError(spec.name + ": nothing to run");
  const std::string program = FindProgram(spec.argv[0]);
  if (program.empty()) {
    return InvalidError(spec.name + ": no program \"" + spec.argv[0] + "\" in PATH");
  }
  std::vector<std::string> argv = spec.argv;
  std::vector<std::string> env = EnvironmentOf(spec);
  const std::vector<char*> argv_pointers = Pointers(argv);
  const std::vector<char*> env_pointers = Pointers(env);
  int report[2];
  if (pipe2(report, O_CLOEXEC) != 0)
    return UnavailableError("pipe: " + std::string(strerror(errno)));
  const ForkPlan plan{program.c_str(),
                      argv_pointers.data(),
                      env_pointers.data(),
                      spec.cwd.empty() ? nullptr : spec.cwd.c_str(),
                      out,
                      err,
                      report[1],
                      getpid()};
  pid_t pid = -1;
  int fork_error = 0;
  // _Fork: without the fork handlers of libraries, which may wait for threads that the child does
  // not have.
  SpawnerThread::Get().Run([&] {
    pid = _Fork();
    if (pid == 0) BecomeChild(plan);
    fork_error = errno;
  });
  close(report[1]);
  int failure = 0;
  const ssize_t got = pid > 0 ? read(report[0], &failure, sizeof failure) : 0;
  close(report[0]);
  if (pid < 0) return UnavailableError(spec.name + ": cannot fork: " + strerror(fork_error));
  if (got > 0) {
    waitpid(pid, nullptr, 0);
    return InvalidError(spec.name + ": cannot run " + program + ": " + strerror(failure));
  }
  return pid;
}

ExitStatus FromWait(int status) {
  ExitStatus exit;
  if (WIFSIGNALED(status)) {
    exit.signal = WTERMSIG(status);
  } else {
    exit.code = WEXITSTATUS(status);
  }
  return exit;
}

std::string ReadAll(int fd) {
  std::string text;
  lseek(fd, 0, SEEK_SET);
  char buffer[16384];
  ssize_t got = 0;
  while (text.size() < kOutputMax && (got = read(fd, buffer, sizeof buffer)) > 0) {
    text.append(buffer, static_cast<std::size_t>(got));
  }
  return text;
}

}  // namespace

std::string ExitStatus::ToString() const {
  if (signal != 0) return "signal " + std::to_string(signal) + " (" + strsignal(signal) + ")";
  return "exit code " + std::to_string(code);
}

struct ChildProcess::Impl {
  ProcessSpec spec;
  pid_t pid = 0;
  int pidfd = -1;
  std::mutex mutex;
  std::optional<ExitStatus> ended;  // guarded by mutex

  // Reaps without waiting; needs mutex.
  bool Reap() {
    if (ended) return true;
    int status = 0;
    if (waitpid(pid, &status, WNOHANG) != pid) return false;
    ended = FromWait(status);
    return true;
  }
};

ChildProcess::ChildProcess(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Result<std::unique_ptr<ChildProcess>> ChildProcess::Spawn(const ProcessSpec& spec) {
  const char* log = spec.log_file.empty() ? "/dev/null" : spec.log_file.c_str();
  const int fd = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (fd < 0) return UnavailableError(std::string("cannot write ") + log + ": " + strerror(errno));
  Result<pid_t> pid = Fork(spec, fd, fd);
  close(fd);
  if (!pid.ok()) return pid.error();
  auto impl = std::make_unique<Impl>();
  impl->spec = spec;
  impl->pid = *pid;
  impl->pidfd = OpenPidfd(*pid);
  return std::unique_ptr<ChildProcess>(new ChildProcess(std::move(impl)));
}

ChildProcess::~ChildProcess() {
  Kill();
  if (impl_->pidfd >= 0) close(impl_->pidfd);
}

const std::string& ChildProcess::name() const { return impl_->spec.name; }
const std::string& ChildProcess::log_file() const { return impl_->spec.log_file; }
pid_t ChildProcess::pid() const { return impl_->pid; }

bool ChildProcess::running() { return !Wait(Duration(0)).has_value(); }

std::optional<ExitStatus> ChildProcess::Wait(Duration timeout) {
  const SteadyTime deadline = std::chrono::steady_clock::now() + timeout;
  for (;;) {
    {
      std::lock_guard lock(impl_->mutex);
      if (impl_->Reap()) return impl_->ended;
    }
    const auto left = std::chrono::ceil<Duration>(deadline - std::chrono::steady_clock::now());
    if (left.count() <= 0) return std::nullopt;
    pollfd waited{impl_->pidfd, POLLIN, 0};
    poll(&waited, 1, static_cast<int>(left.count()));
  }
}

void ChildProcess::Signal(int signal) {
  std::lock_guard lock(impl_->mutex);
  if (!impl_->Reap()) kill(impl_->pid, signal);
}

ExitStatus ChildProcess::Stop(Duration grace) {
  Signal(SIGTERM);
  Signal(SIGCONT);  // one that was stopped could not hear it
  if (auto ended = Wait(grace)) return *ended;
  return Kill();
}

ExitStatus ChildProcess::Kill() {
  {
    std::lock_guard lock(impl_->mutex);
    if (!impl_->Reap() && kill(-impl_->pid, SIGKILL) != 0) kill(impl_->pid, SIGKILL);
  }
  for (;;) {
    if (auto ended = Wait(Duration(10'000))) return *ended;
  }
}

Result<RunOutcome> RunToEnd(const ProcessSpec& spec, Duration timeout) {
  const int out = memfd_create("stdout", MFD_CLOEXEC);
  const int err = memfd_create("stderr", MFD_CLOEXEC);
  Result<pid_t> pid = Fork(spec, out, err);
  if (!pid.ok()) {
    close(out);
    close(err);
    return pid.error();
  }
  const int pidfd = OpenPidfd(*pid);
  pollfd waited{pidfd, POLLIN, 0};
  const bool ended = poll(&waited, 1, static_cast<int>(timeout.count())) > 0;
  if (!ended) kill(-*pid, SIGKILL);
  int status = 0;
  waitpid(*pid, &status, 0);
  RunOutcome outcome{FromWait(status), ReadAll(out), ReadAll(err)};
  close(pidfd);
  close(out);
  close(err);
  if (!ended) {
    return TimeoutError(spec.name + " was killed, having run for " + FormatElapsed(timeout));
  }
  return outcome;
}

std::string TailOf(const std::string& path, int lines) {
  Result<std::string> text = ReadFile(path);
  if (!text.ok()) return "";
  std::size_t at = text->size();
  if (at > 0 && (*text)[at - 1] == '\n') --at;
  for (; at > 0; --at) {
    if ((*text)[at - 1] == '\n' && --lines == 0) break;
  }
  return text->substr(at);
}

Result<std::string> ReadFile(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return NotFoundError("cannot read " + path + ": " + strerror(errno));
  std::string text;
  char buffer[65536];
  ssize_t got = 0;
  while ((got = read(fd, buffer, sizeof buffer)) > 0) {
    text.append(buffer, static_cast<std::size_t>(got));
  }
  close(fd);
  return text;
}

Status WriteFile(const std::string& path, const std::string& content, int mode) {
  const std::string temporary = path + ".new";
  const int fd =
      open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, static_cast<mode_t>(mode));
  if (fd < 0) return UnavailableError("cannot write " + temporary + ": " + strerror(errno));
  const ssize_t wrote = write(fd, content.data(), content.size());
  const bool whole = wrote == static_cast<ssize_t>(content.size());
  close(fd);
  if (!whole || rename(temporary.c_str(), path.c_str()) != 0) {
    return UnavailableError("cannot write " + path + ": " + strerror(errno));
  }
  return {};
}

}  // namespace liveops::stack
