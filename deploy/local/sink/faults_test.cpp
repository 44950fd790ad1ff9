#include "deploy/local/sink/faults.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace liveops::sink {
namespace {

using nlohmann::json;

TEST(FaultQueue, CountsDownAndFitsByProviderAndChannel) {
  FaultQueue queue;
  ASSERT_TRUE(
      queue.Add(json{{"provider", "slack"}, {"channel", "#a"}, {"count", 2}, {"status", 503}})
          .ok());
  EXPECT_FALSE(queue.Take("pagerduty", ""));
  EXPECT_FALSE(queue.Take("slack", "#b"));
  EXPECT_EQ(queue.Take("slack", "#a")->status, 503);
  EXPECT_TRUE(queue.Take("slack", "#a"));
  EXPECT_FALSE(queue.Take("slack", "#a"));
}

TEST(FaultQueue, RefusesWhatItDoesNotKnow) {
  FaultQueue queue;
  EXPECT_FALSE(queue.Add(json{{"staus", 503}}).ok());
  EXPECT_FALSE(queue.Add(json{{"status", "x"}}).ok());
  EXPECT_FALSE(queue.Add(json{{"status", 99}}).ok());
  EXPECT_FALSE(queue.Add(json::array()).ok());
  EXPECT_EQ(queue.size(), 0u);
}

TEST(Fault, ALostAnswerWasActedOnAnErrorWasNot) {
  Fault fault;
  fault.status = 503;
  EXPECT_FALSE(fault.applies());
  fault.apply = true;
  EXPECT_TRUE(fault.applies());
  Fault lost;
  lost.drop = true;
  EXPECT_TRUE(lost.applies());
}

TEST(RateLimit, AllowsABurstThenTheRate) {
  RateLimit limit(1);
  SteadyTime now{};
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(limit.Take("#a", now));
  EXPECT_FALSE(limit.Take("#a", now));
  EXPECT_TRUE(limit.Take("#b", now));
  now += std::chrono::milliseconds(1100);
  EXPECT_TRUE(limit.Take("#a", now));
  EXPECT_FALSE(limit.Take("#a", now));
}

}  // namespace
}  // namespace liveops::sink
