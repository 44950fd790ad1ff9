#include "services/remediation/action/kubectl/exec.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <utility>

namespace liveops::remediation {
namespace {

class Fd {
 public:
  explicit Fd(int fd = -1) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Fd() { Close(); }
  int get() const { return fd_; }
  bool open() const { return fd_ >= 0; }
  void Close() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }

 private:
  int fd_;
};

struct Pipe {
  Fd read;
  Fd write;
};

Result<Pipe> MakePipe() {
  int fds[2];
  if (::pipe2(fds, O_CLOEXEC) != 0) {
    return UnavailableError(std::string("no pipe: ") + std::strerror(errno));
  }
  return Pipe{Fd(fds[0]), Fd(fds[1])};
}

// Everything that the child needs, made before the fork: afterwards only async-signal-safe calls
// are allowed.
struct ChildPlan {
  const char* path = nullptr;
  std::vector<char*> argv;
  std::vector<char*> environment;
  int null_fd = -1;
  int out_fd = -1;
  int err_fd = -1;
  int failure_fd = -1;  // gets errno when execve fails; closes by itself when it does not
  pid_t parent = 0;
  rlim_t cpu_seconds = 0;
};

void Limit(int resource, rlim_t value) {
  const rlimit limit{value, value};
  ::setrlimit(static_cast<__rlimit_resource>(resource), &limit);
}

[[noreturn]] void Child(const ChildPlan& plan) {
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != plan.parent) ::_exit(127);  // it died before the line above
  ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  for (int sig = 1; sig < NSIG; ++sig) ::signal(sig, SIG_DFL);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  Limit(RLIMIT_CORE, 0);
  Limit(RLIMIT_CPU, plan.cpu_seconds);
  Limit(RLIMIT_FSIZE, 64u << 20);
  Limit(RLIMIT_NOFILE, 256);
  ::umask(077);
  if (::chdir("/") == 0 && ::dup2(plan.null_fd, 0) == 0 && ::dup2(plan.out_fd, 1) == 1 &&
      ::dup2(plan.err_fd, 2) == 2 && ::close_range(3, ~0u, CLOSE_RANGE_CLOEXEC) == 0) {
    ::execve(plan.path, plan.argv.data(), plan.environment.data());
  }
  const int error = errno;
  [[maybe_unused]] const ssize_t n = ::write(plan.failure_fd, &error, sizeof error);
  ::_exit(127);
}

// Reads what is there; closes at the end of the stream.
void Drain(Fd& fd, std::string& kept, std::size_t limit, bool& truncated) {
  std::array<char, 65536> buffer;
  for (int rounds = 0; rounds < 16 && fd.open(); ++rounds) {
    const ssize_t n = ::read(fd.get(), buffer.data(), buffer.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno == EAGAIN) return;
    if (n <= 0) return fd.Close();
    const std::size_t room = limit - std::min(limit, kept.size());
    const auto size = static_cast<std::size_t>(n);
    kept.append(buffer.data(), std::min(room, size));
    truncated = truncated || size > room;
  }
}

// Reads both streams until the child ends or must be ended.
void Follow(int pidfd, Fd& out, Fd& err, const ExecRequest& request,
            const std::atomic<bool>* cancel, ExecResult& result) {
  const SteadyTime deadline = std::chrono::steady_clock::now() + request.timeout;
  while (true) {
    if (cancel != nullptr && cancel->load()) {
      result.cancelled = true;
      return;
    }
    const auto left =
        std::chrono::ceil<Duration>(deadline - std::chrono::steady_clock::now()).count();
    if (left <= 0) {
      result.timed_out = true;
      return;
    }
    std::array<pollfd, 3> fds = {
        {{pidfd, POLLIN, 0}, {out.get(), POLLIN, 0}, {err.get(), POLLIN, 0}}};
    // Wakes now and then to look at `cancel`; a closed stream has descriptor -1, which poll skips.
    if (::poll(fds.data(), fds.size(), static_cast<int>(std::min<std::int64_t>(left, 100))) < 0) {
      continue;
    }
    if (fds[1].revents != 0) Drain(out, result.output, request.output_max, result.truncated);
    if (fds[2].revents != 0) Drain(err, result.errors, request.output_max, result.truncated);
    if (fds[0].revents != 0) return;
  }
}

Status Validate(const ExecRequest& request) {
  if (request.path.empty() || request.path.front() != '/') {
    return InvalidError("the program's path must be absolute: \"" + request.path + "\"");
  }
  if (request.argv.empty()) return InvalidError("no argv");
  for (const auto* list : {&request.argv, &request.environment}) {
    for (const std::string& s : *list) {
      if (s.find('\0') != std::string::npos) return InvalidError("a NUL byte in an argument");
    }
  }
  return {};
}

std::vector<char*> Pointers(const std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  for (const std::string& s : strings) pointers.push_back(const_cast<char*>(s.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

// Kills what is left of the group, then reaps: as long as the leader is not reaped its group's id
// cannot be given to anybody else.
int EndGroup(pid_t pid) {
  ::kill(-pid, SIGKILL);
  ::kill(pid, SIGKILL);  // in the moment before the child called setpgid there is no group
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return status;
}

}  // namespace

Result<ExecResult> Exec(const ExecRequest& request, const std::atomic<bool>* cancel) {
  if (Status valid = Validate(request); !valid.ok()) return valid.error();
  Result<Pipe> out = MakePipe();
  Result<Pipe> err = MakePipe();
  Result<Pipe> failure = MakePipe();
  for (const auto* pipe : {&out, &err, &failure}) {
    if (!pipe->ok()) return pipe->error();
  }
  Fd null_fd(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  ChildPlan plan;
  plan.path = request.path.c_str();
  plan.argv = Pointers(request.argv);
  plan.environment = Pointers(request.environment);
  plan.null_fd = null_fd.get();
  plan.out_fd = out->write.get();
  plan.err_fd = err->write.get();
  plan.failure_fd = failure->write.get();
  plan.parent = ::getpid();
  plan.cpu_seconds = static_cast<rlim_t>(request.timeout.count() / 1000 + 2);

  const pid_t pid = ::fork();
  if (pid < 0) return UnavailableError(std::string("cannot fork: ") + std::strerror(errno));
  if (pid == 0) Child(plan);
  ::setpgid(pid, pid);  // also here, so that the group exists before we might kill it
  out->write.Close();
  err->write.Close();
  failure->write.Close();
  int error = 0;
  ssize_t n;
  while ((n = ::read(failure->read.get(), &error, sizeof error)) < 0 && errno == EINTR) {
  }
  if (n > 0) {
    EndGroup(pid);
    return UnavailableError("cannot start " + request.path + ": " + std::strerror(error));
  }
  ::fcntl(out->read.get(), F_SETFL, O_NONBLOCK);
  ::fcntl(err->read.get(), F_SETFL, O_NONBLOCK);
  // By number: glibc 2.36 declares pidfd_open without extern "C".
  Fd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));

  ExecResult result;
  Follow(pidfd.get(), out->read, err->read, request, cancel, result);
  // After a natural end the leader is a zombie: the kill reaches only what it left behind.
  const int status = EndGroup(pid);
  Drain(out->read, result.output, request.output_max, result.truncated);
  Drain(err->read, result.errors, request.output_max, result.truncated);
  if (WIFEXITED(status)) result.exit_code = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) result.signal = WTERMSIG(status);
  return result;
}

}  // namespace liveops::remediation
