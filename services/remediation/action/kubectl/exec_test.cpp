#include "services/remediation/action/kubectl/exec.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <thread>

namespace liveops::remediation {
namespace {

ExecRequest Command(std::vector<std::string> argv, Duration timeout = Duration(10'000)) {
  ExecRequest request;
  request.path = argv.front();
  request.argv = std::move(argv);
  request.timeout = timeout;
  return request;
}

TEST(Exec, ReportsOutputAndExitCode) {
  const Result<ExecResult> echo = Exec(Command({"/bin/echo", "$(id)", "a b"}));
  ASSERT_TRUE(echo.ok()) << echo.error().message;
  EXPECT_EQ(echo->exit_code, 0);
  EXPECT_EQ(echo->output, "$(id) a b\n");  // no shell looked at it
  const Result<ExecResult> no = Exec(Command({"/bin/ls", "/nonexistent"}));
  ASSERT_TRUE(no.ok());
  EXPECT_EQ(no->exit_code, 2);
  EXPECT_THAT(no->errors, ::testing::HasSubstr("nonexistent"));
}

TEST(Exec, EnvironmentIsExactlyTheGivenOne) {
  ::setenv("EXEC_TEST_SECRET", "1", 1);
  ExecRequest request = Command({"/usr/bin/env"});
  request.environment = {"HOME=/nonexistent"};
  const Result<ExecResult> result = Exec(request);
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result->output, "HOME=/nonexistent\n");
}

TEST(Exec, NoDescriptorsAreInherited) {
  const int leaked = ::open("/dev/zero", O_RDONLY);  // deliberately without O_CLOEXEC
  ASSERT_GE(leaked, 3);
  const Result<ExecResult> result = Exec(Command({"/bin/ls", "/proc/self/fd"}));
  ::close(leaked);
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result->output, "0\n1\n2\n3\n");  // 3 is the directory that ls itself reads
}

TEST(Exec, KilledAtTheTimeOut) {
  const auto start = std::chrono::steady_clock::now();
  const Result<ExecResult> result = Exec(Command({"/bin/sleep", "60"}, Duration(200)));
  ASSERT_TRUE(result.ok());
  EXPECT_TRUE(result->timed_out);
  EXPECT_EQ(result->signal, SIGKILL);
  EXPECT_EQ(result->exit_code, -1);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(5));
}

TEST(Exec, EndlessOutputIsCappedAndKilled) {
  const Result<ExecResult> result = Exec(Command({"/usr/bin/yes"}, Duration(300)));
  ASSERT_TRUE(result.ok());
  EXPECT_TRUE(result->timed_out);
  EXPECT_TRUE(result->truncated);
  EXPECT_EQ(result->output.size(), 64u << 10);
}

TEST(Exec, OneGibibyteOfOutputIsCapped) {
  const Result<ExecResult> result =
      Exec(Command({"/usr/bin/head", "-c", "1073741824", "/dev/zero"}, Duration(30'000)));
  ASSERT_TRUE(result.ok());
  EXPECT_FALSE(result->timed_out);
  EXPECT_EQ(result->exit_code, 0);
  EXPECT_TRUE(result->truncated);
  EXPECT_EQ(result->output.size(), 64u << 10);
}

TEST(Exec, LeavesNoZombieAndNoGrandchild) {
  // timeout(1) stays, and so does its child: both are in the group that dies.
  const Result<ExecResult> result =
      Exec(Command({"/usr/bin/timeout", "--foreground", "60", "/bin/sleep", "61"}, Duration(200)));
  ASSERT_TRUE(result.ok());
  EXPECT_TRUE(result->timed_out);
  EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1);
  EXPECT_EQ(errno, ECHILD);
}

TEST(Exec, CancelEndsIt) {
  std::atomic<bool> cancel{false};
  std::thread canceller([&] { cancel = true; });
  const Result<ExecResult> result = Exec(Command({"/bin/sleep", "60"}), &cancel);
  canceller.join();
  ASSERT_TRUE(result.ok());
  EXPECT_TRUE(result->cancelled);
  EXPECT_FALSE(result->timed_out);
}

TEST(Exec, BlockedSignalsAreNotPassedOn) {
  sigset_t block, old;
  ::sigemptyset(&block);
  ::sigaddset(&block, SIGTERM);
  ::pthread_sigmask(SIG_BLOCK, &block, &old);
  const Result<ExecResult> result = Exec(Command({"/usr/bin/timeout", "0.1", "/bin/sleep", "60"}));
  ::pthread_sigmask(SIG_SETMASK, &old, nullptr);
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result->exit_code, 124);  // SIGTERM reached sleep
}

TEST(Exec, RefusesBeforeSpawning) {
  EXPECT_EQ(Exec(Command({"sleep", "1"})).error().code, ErrorCode::kInvalid);
  EXPECT_EQ(Exec(Command({"/bin/echo", std::string("a\0b", 3)})).error().code, ErrorCode::kInvalid);
  EXPECT_EQ(Exec(Command({"/nonexistent/kubectl"})).error().code, ErrorCode::kUnavailable);
}

}  // namespace
}  // namespace liveops::remediation
