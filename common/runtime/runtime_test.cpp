#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "common/runtime/ownership.h"
#include "common/runtime/process.h"
#include "common/runtime/service_main.h"

namespace liveops::runtime {
namespace {

SteadyTime At(int ms) { return SteadyTime(std::chrono::milliseconds(ms)); }

TEST(SteadyDomainClock, RunsOnBetweenAnchors) {
  SteadyDomainClock clock(20.0);
  EXPECT_FALSE(clock.anchored());
  clock.Anchor(InstantFromMs(1'000'000), At(0));
  EXPECT_EQ(ToMs(clock.Now(At(500))), 1'010'000);
}

TEST(SteadyDomainClock, NeverGoesBack) {
  SteadyDomainClock clock(1.0);
  clock.Anchor(InstantFromMs(1'000'000), At(0));
  clock.Anchor(InstantFromMs(900'000), At(100));
  EXPECT_EQ(ToMs(clock.Now(At(200))), 1'000'200);
}

TEST(SteadyDomainClock, OneLeapMovesNothing) {
  SteadyDomainClock clock(1.0);
  clock.Anchor(InstantFromMs(1'000'000), At(0));
  clock.Anchor(InstantFromMs(4'600'000), At(1000));
  EXPECT_EQ(ToMs(clock.Now(At(1000))), 1'001'000);
  clock.Anchor(InstantFromMs(1'002'000), At(2000));
  EXPECT_EQ(ToMs(clock.Now(At(2000))), 1'002'000);
}

TEST(SteadyDomainClock, AnAgreedLeapIsFollowed) {
  SteadyDomainClock clock(1.0);
  clock.Anchor(InstantFromMs(1'000'000), At(0));
  clock.Anchor(InstantFromMs(4'600'000), At(1000));
  clock.Anchor(InstantFromMs(4'601'500), At(2500));
  clock.Anchor(InstantFromMs(4'603'000), At(4000));
  EXPECT_EQ(ToMs(clock.Now(At(4000))), 4'603'000);
}

TEST(EpochHeader, DamagedHeaderIsNotAFreePass) {
  kafka::Record record;
  EXPECT_EQ(EpochOf(record), EpochFilter::kNoEpoch);
  record.headers = OwnerHeaders(42, "00-a-b-01");
  EXPECT_EQ(EpochOf(record), 42);
  EXPECT_EQ(*record.FindHeader(kTraceHeader), "00-a-b-01");
  for (const char* bad : {"", "x", "-5", "42x", "99999999999999999999999"}) {
    record.headers = {{kEpochHeader, bad}};
    EXPECT_LT(EpochOf(record), EpochFilter::kNoEpoch) << bad;
  }
}

TEST(CleanupStack, RunsInReverseOnce) {
  std::string order;
  {
    CleanupStack stack;
    stack.Push("first", [&] { order += "1"; });
    stack.Push("second", [&] { order += "2"; });
    stack.RunAll();
  }
  EXPECT_EQ(order, "21");
}

TEST(StopSignal, TurnsATerminationIntoAFlag) {
  StopSignal stop;
  EXPECT_FALSE(stop.WaitFor(Duration(0)));
  kill(getpid(), SIGTERM);
  EXPECT_TRUE(stop.requested());
  EXPECT_TRUE(stop.WaitFor(Duration(0)));
  EXPECT_TRUE(stop.requested());
}

TEST(StopSignal, AFailureAsksForAStopAndDecidesTheExitCode) {
  StopSignal stop;
  EXPECT_FALSE(stop.failure().has_value());
  stop.Fail(InternalError("idempotence is lost"));
  stop.Fail(ConflictError("fenced"));
  EXPECT_TRUE(stop.WaitFor(Duration(0)));
  ASSERT_TRUE(stop.failure().has_value());
  EXPECT_EQ(stop.failure()->message, "idempotence is lost") << "the first one counts";
  EXPECT_EQ(internal::ExitCode(Status(), stop), 1) << "an orderly stop all the same is no success";
}

TEST(PortFile, IsWrittenWhole) {
  const std::string path =
      std::filesystem::temp_directory_path() / ("liveops-port-" + std::to_string(getpid()));
  ASSERT_TRUE(WritePortFile(path, {.grpc = 4317, .grpc_plain = 4318}).ok());
  std::ifstream in(path);
  std::string line;
  std::getline(in, line);
  const std::string pid = ",\"pid\":" + std::to_string(getpid()) + "}";
  EXPECT_EQ(line, "{\"port\":4317,\"plain_port\":4318" + pid);
  ASSERT_TRUE(WritePortFile(path, {.grpc = 1, .http = 2, .http_plain = 3, .metrics = 4}).ok());
  std::ifstream again(path);
  std::getline(again, line);
  EXPECT_EQ(line,
            "{\"port\":1,\"plain_port\":0,\"http_port\":2,\"http_plain_port\":3,"
            "\"metrics_port\":4" +
                pid);
  std::filesystem::remove(path);
  EXPECT_FALSE(WritePortFile("/nowhere/at/all", {}).ok());
}

TEST(Writer, CountsFromOne) {
  Writer writer("ingest-0", NewSession());
  EXPECT_NE(writer.session(), 0U);
  EXPECT_EQ(writer.Next(), 1U);
  EXPECT_EQ(writer.Next(), 2U);
}

}  // namespace
}  // namespace liveops::runtime
