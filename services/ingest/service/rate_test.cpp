// The rate limit of an emitter, as a request meets it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/ingest/service/rate_settings.h"
#include "services/ingest/service/world_for_tests.h"

namespace liveops::ingest {
namespace {

using testing::HasSubstr;

const rpc::Peer kLoud{"loud", {rpc::Role::kEmitter}, {}};

class Rated : public testing::Test {
 protected:
  Rated() {
    world_.settings.rates.all = {2, 0};
    world_.settings.rates.burst = Duration(1'000);
  }
  void SetUp() override { world_.Ready(); }
  EmitterEntry Entry(const std::string& identity) {
    for (EmitterEntry& entry : world_.core->emitters().List("", std::chrono::steady_clock::now())) {
      if (entry.name.identity == identity) return std::move(entry);
    }
    return {};
  }

  World world_;
};

TEST_F(Rated, OverItTheRequestIsRefusedWholeAndToldByTheTicks) {
  for (std::uint64_t i = 1; i <= 2; ++i) {
    world_.Write(Request("shop", i), kLoud);
    ASSERT_TRUE(world_.last->ok());
  }
  world_.Write(Request("shop", 3), kLoud);
  ASSERT_FALSE(world_.last->ok());
  EXPECT_EQ(world_.Code(), ErrorCode::kUnavailable);
  EXPECT_THAT(world_.last->error().message,
              HasSubstr("\"loud\" sends more than 2 points a second; again in "));
  EXPECT_EQ(world_.producer.count(), 2u);

  EXPECT_EQ(world_.core->Counters().at("refused_points"), 1);
  EXPECT_EQ(Entry("loud").refused_requests, 1u);
  EXPECT_EQ(Entry("loud").over_rate_requests, 1u);
  world_.Tick();
  std::uint64_t told = 0;
  for (std::size_t i = 2; i < world_.producer.sent.size(); ++i) {
    const v1::ShardRecord record = world_.Sent(i);
    for (const auto& [service, points] : record.tick().refused_points()) {
      EXPECT_EQ(service, "shop");
      told += points;
    }
  }
  EXPECT_EQ(told, 1u) << "the silence of its series proves nothing";
}

TEST_F(Rated, OthersAreNotTouchedAndTheWaitIsItsOwn) {
  for (std::uint64_t i = 1; i <= 3; ++i) world_.Write(Request("shop", i), kLoud);
  ASSERT_FALSE(world_.last->ok());
  world_.Write(Request("shop", 1));
  EXPECT_TRUE(world_.last->ok()) << "another identity, though the same service";
  EXPECT_EQ(world_.core->RetryAfter("api"), Duration(1'000));
  // A debt of 18 points: 9 s, and the one that is wanted.
  v1::WriteRequest large = Request("shop", 4);
  for (int i = 0; i < 19; ++i) {
    large.mutable_batch()->add_point_series(0);
    large.mutable_batch()->add_point_time_delta_ms(i);
    large.mutable_batch()->add_point_value(1);
  }
  const rpc::Peer heavy{"heavy", {rpc::Role::kEmitter}, {}};
  world_.Write(large, heavy);
  ASSERT_TRUE(world_.last->ok()) << "a full bucket lets it in";
  world_.Write(Request("shop", 5), heavy);
  ASSERT_FALSE(world_.last->ok());
  EXPECT_GT(world_.core->RetryAfter("heavy"), Duration(8'500));
  EXPECT_LE(world_.core->RetryAfter("heavy"), Duration(9'500));
}

// Of a request of several services all points count, and nothing of it is taken.
TEST_F(Rated, ARequestOfSeveralServicesIsOneRequest) {
  world_.Export(OtlpOf({"shop", "bank"}), kLoud);
  ASSERT_TRUE(world_.last->ok());
  world_.Export(OtlpOf({"shop", "bank"}), kLoud);
  ASSERT_FALSE(world_.last->ok());
  EXPECT_EQ(world_.Code(), ErrorCode::kUnavailable);
  EXPECT_EQ(world_.producer.count(), 2u);
  EXPECT_EQ(Entry("loud").over_rate_requests, 1u);
}

TEST(RateSettings, AnEmitterWithOneLimitOfItsOwnKeepsTheOtherCommonOne) {
  auto reader = config::Reader::FromText(
      "limits: {points_per_second: 100, bytes_per_second: 1000, burst: 2s,\n"
      "         points_per_second_of: {gateway: 5000, free: 0}, bytes_per_second_of: {free: 0}}\n",
      "ingest.yaml", "/");
  ASSERT_TRUE(reader.ok());
  const admit::RateLimits limits = ReadRateLimits(*reader);
  EXPECT_TRUE(reader->Finish().ok());
  EXPECT_EQ(limits.burst, Duration(2'000));
  EXPECT_EQ(limits.Of("anybody").points_per_second, 100);
  EXPECT_EQ(limits.Of("gateway").points_per_second, 5'000);
  EXPECT_EQ(limits.Of("gateway").bytes_per_second, 1'000);
  EXPECT_EQ(limits.Of("free").points_per_second, 0);
  EXPECT_EQ(limits.Of("free").bytes_per_second, 0);
}

TEST(RateSettings, WhatIsNoRateIsAProblem) {
  auto reader = config::Reader::FromText(
      "limits: {points_per_second: -1, burst: 1ms, points_per_second_of: {gateway: many}}\n",
      "ingest.yaml", "/");
  ASSERT_TRUE(reader.ok());
  (void)ReadRateLimits(*reader);
  const Status finished = reader->Finish();
  ASSERT_FALSE(finished.ok());
  for (const char* what : {"must be a number a second", "between 100ms and 10min",
                           "that of gateway must be a number a second"})
    EXPECT_THAT(finished.error().message, HasSubstr(what));
}

}  // namespace
}  // namespace liveops::ingest
