#include "services/liveopsctl/interrupt.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <csignal>

namespace liveops::ctl {
namespace {

TEST(WatchSignals, CtrlCWakesTheWaiterAndRunsTheAction) {
  const std::unique_ptr<Interrupt> interrupt = WatchSignals();
  EXPECT_FALSE(interrupt->WaitFor(Duration(0)));
  std::atomic<int> runs{0};
  interrupt->Bind([&runs] { ++runs; });
  ASSERT_EQ(::kill(::getpid(), SIGINT), 0);
  EXPECT_TRUE(interrupt->WaitFor(Duration(5000)));
  EXPECT_EQ(runs, 1);
  interrupt->Bind([&runs] { runs += 10; });  // came before: at once
  EXPECT_EQ(runs, 11);
}

}  // namespace
}  // namespace liveops::ctl
