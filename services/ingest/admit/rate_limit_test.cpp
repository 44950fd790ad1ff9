#include "services/ingest/admit/rate_limit.h"

#include <gtest/gtest.h>

#include <random>

namespace liveops::admit {
namespace {

SteadyTime At(std::int64_t ms) { return SteadyTime(Duration(1'000'000 + ms)); }

RateLimits Limits(double points, double bytes = 0) {
  RateLimits limits;
  limits.all = {points, bytes};
  limits.burst = Duration(1'000);
  return limits;
}

TEST(RateLimit, WithoutOneEverythingIsLetIn) {
  RateLimiter limiter({});
  for (int i = 0; i < 100; ++i) EXPECT_FALSE(limiter.Take("a", 1'000'000'000, 1 << 30, At(0)));
  EXPECT_EQ(limiter.Wait("a", At(0)), Duration(0));
}

TEST(RateLimit, ABurstIsLetInAndThenTheRate) {
  RateLimiter limiter(Limits(100));
  EXPECT_FALSE(limiter.Take("a", 60, 1, At(0)));
  EXPECT_FALSE(limiter.Take("a", 40, 1, At(0)));
  const auto refused = limiter.Take("a", 10, 1, At(0));
  ASSERT_TRUE(refused);
  EXPECT_TRUE(refused->points);
  EXPECT_EQ(refused->per_second, 100);
  EXPECT_EQ(refused->wait, Duration(100));
  EXPECT_TRUE(limiter.Take("a", 10, 1, At(99)));
  EXPECT_FALSE(limiter.Take("a", 10, 1, At(100)));
  EXPECT_TRUE(limiter.Take("a", 1, 1, At(100)));
}

TEST(RateLimit, TheWaitThatIsToldIsEnough) {
  RateLimiter limiter(Limits(7, 1'234));
  ASSERT_FALSE(limiter.Take("a", 7, 1'000, At(0)));
  const auto refused = limiter.Take("a", 5, 1'200, At(13));
  ASSERT_TRUE(refused);
  EXPECT_EQ(limiter.Wait("a", At(13)), refused->wait);
  EXPECT_EQ(limiter.Wait("a", At(13) + refused->wait / 2), refused->wait - refused->wait / 2);
  EXPECT_FALSE(limiter.Take("a", 5, 1'200, At(13) + refused->wait));
  EXPECT_EQ(limiter.Wait("a", At(13) + refused->wait), Duration(0));
}

TEST(RateLimit, BytesCountByThemselves) {
  RateLimiter limiter(Limits(1'000'000, 1'000));
  EXPECT_FALSE(limiter.Take("a", 1, 900, At(0)));
  const auto refused = limiter.Take("a", 1, 300, At(0));
  ASSERT_TRUE(refused);
  EXPECT_FALSE(refused->points);
  EXPECT_EQ(refused->per_second, 1'000);
  EXPECT_EQ(refused->wait, Duration(200));
}

TEST(RateLimit, OneThatIsLargerThanTheBurstIsLetInByAFullBucketAndLeavesADebt) {
  RateLimiter limiter(Limits(100));
  EXPECT_FALSE(limiter.Take("a", 1'000, 1, At(0)));  // 900 beyond
  const auto refused = limiter.Take("a", 1'000, 1, At(0));
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->wait, Duration(10'000));
  EXPECT_TRUE(limiter.Take("a", 1, 1, At(9'000)));
  EXPECT_FALSE(limiter.Take("a", 1, 1, At(9'010)));
}

TEST(RateLimit, WhoIsOverItTouchesNobodyElse) {
  RateLimiter limiter(Limits(100));
  ASSERT_FALSE(limiter.Take("loud", 100, 1, At(0)));
  EXPECT_TRUE(limiter.Take("loud", 100, 1, At(0)));
  EXPECT_FALSE(limiter.Take("quiet", 100, 1, At(0)));
  const std::map<std::string, std::uint64_t> only_loud = {{"loud", 1}};
  EXPECT_EQ(limiter.refusals(), only_loud);
}

TEST(RateLimit, AnEmitterMayHaveItsOwn) {
  RateLimits limits = Limits(100);
  limits.of["gateway"] = {1'000, 0};
  limits.of["free"] = {};
  RateLimiter limiter(limits);
  EXPECT_FALSE(limiter.Take("gateway", 1'000, 1, At(0)));
  EXPECT_TRUE(limiter.Take("gateway", 1, 1, At(0)));
  for (int i = 0; i < 10; ++i) EXPECT_FALSE(limiter.Take("free", 1'000, 1, At(0)));
  EXPECT_FALSE(limiter.Take("other", 100, 1, At(0)));
  EXPECT_TRUE(limiter.Take("other", 1, 1, At(0)));
}

TEST(RateLimit, ARefusedRequestTakesNothing) {
  RateLimiter limiter(Limits(100, 1'000));
  ASSERT_FALSE(limiter.Take("a", 10, 1'000, At(0)));
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(limiter.Take("a", 90, 1'000, At(0)));
  EXPECT_FALSE(limiter.Take("a", 90, 0, At(0)));
}

TEST(RateLimit, ForgetsWhoWasIdleLongest) {
  RateLimiter limiter(Limits(100));
  ASSERT_FALSE(limiter.Take("first", 100, 1, At(0)));
  for (std::size_t i = 0; i < RateLimiter::kMax; ++i)
    ASSERT_FALSE(limiter.Take("e" + std::to_string(i), 100, 1, At(1)));
  EXPECT_FALSE(limiter.Take("first", 100, 1, At(2))) << "a fresh bucket";
  EXPECT_TRUE(limiter.Take("e9999", 100, 1, At(2))) << "a known one";
}

// Whatever the sizes and times of requests: over any stretch no more is let in than the rate brings
// in it, a full bucket, and one request that may go into debt; and not much less than the rate.
TEST(RateLimit, TheRateHoldsForAnyRequests) {
  for (unsigned seed = 1; seed <= 200; ++seed) {
    std::mt19937 random(seed);
    const double rate = 10 + random() % 1'000;
    RateLimiter limiter(Limits(rate));
    const std::uint64_t largest = 1 + random() % 5'000;
    double let_in = 0;
    std::int64_t ms = 0;
    for (int i = 0; i < 2'000; ++i) {
      ms += random() % 200;
      const std::uint64_t points = 1 + random() % largest;
      if (!limiter.Take("a", points, 1, At(ms))) let_in += static_cast<double>(points);
    }
    const double brought = rate * static_cast<double>(ms) / 1'000;
    EXPECT_LE(let_in, brought + rate + static_cast<double>(largest)) << "seed " << seed;
  }
}

}  // namespace
}  // namespace liveops::admit
