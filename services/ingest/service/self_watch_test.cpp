#include "services/ingest/service/self_watch.h"

#include <gtest/gtest.h>

#include <map>

#include "common/base/labels.h"
#include "services/ingest/service/world_for_tests.h"

namespace liveops::ingest {
namespace {

struct Point {
  v1::SeriesKind kind = v1::SERIES_KIND_UNSPECIFIED;
  double value = 0;
  std::uint64_t covered_ms = 0;
};

class SelfWatching : public testing::Test {
 protected:
  SelfWatching() { world_.settings.limits.series_per_service = 100; }
  void SetUp() override {
    world_.Ready();
    watch_.emplace(*world_.core, 99, At(0));
  }
  // Its times go ahead of the core's clock, by less than a point may.
  static SteadyTime At(int ms) {
    static const SteadyTime start = std::chrono::steady_clock::now();
    return start + Duration(ms);
  }
  // New series of a service, far more than it may have.
  void Explode(const std::string& service, int series) {
    v1::WriteRequest request = Request(service);
    v1::MetricBatch& batch = *request.mutable_batch();
    for (int i = 0; i < series; ++i) {
      v1::SeriesEntry& entry = *batch.add_series();
      entry.set_kind(v1::SERIES_KIND_GAUGE);
      entry.set_labels(Labels({{"id", std::to_string(i)}}).Encode());
      batch.add_point_series(static_cast<std::uint32_t>(batch.series_size() - 1));
      batch.add_point_time_delta_ms(0);
      batch.add_point_value(1);
    }
    world_.Write(request);
  }
  // The last record, by metric and labels.
  std::map<std::string, Point> Last() {
    const v1::ShardRecord record = world_.Sent(world_.producer.sent.size() - 1);
    const v1::MetricBatch& batch = record.batch();
    EXPECT_EQ(batch.service(), "liveops");
    EXPECT_EQ(record.source().emitter(), "ingest-0");
    EXPECT_EQ(record.source().session(), 99u);
    sequence_ = record.source().sequence();
    std::map<std::string, Point> out;
    for (int i = 0; i < batch.point_series_size(); ++i) {
      const v1::SeriesEntry& series = batch.series(static_cast<int>(batch.point_series(i)));
      const auto labels = Labels::Decode(series.labels());
      const std::uint64_t covered =
          batch.point_duration_ms_size() == 0 ? 0 : batch.point_duration_ms(i);
      out[batch.strings(static_cast<int>(series.metric())) + (labels ? labels->ToString() : "?")] =
          {series.kind(), batch.point_value(i), covered};
    }
    return out;
  }

  static constexpr const char* kNewcomers =
      "liveops_ingest_newcomer_points_refused_total"
      "{instance=\"ingest-0\",target_service=\"shop\"}";

  World world_;
  std::optional<SelfWatch> watch_;
  std::uint64_t sequence_ = 0;
};

TEST_F(SelfWatching, CountersGoAsIncreasesAndGaugesAsTheyAre) {
  Explode("shop", 120);
  watch_->Report(At(10));
  auto points = Last();
  EXPECT_EQ(points[kNewcomers].kind, v1::SERIES_KIND_COUNTER_DELTA);
  EXPECT_EQ(points[kNewcomers].value, 21) << "one series is the request's own";
  EXPECT_EQ(points[kNewcomers].covered_ms, 10u);
  const std::string ratio =
      "liveops_ingest_service_series_ratio{instance=\"ingest-0\",target_service=\"shop\"}";
  EXPECT_EQ(points[ratio].kind, v1::SERIES_KIND_GAUGE);
  EXPECT_EQ(points[ratio].value, 1);

  watch_->Report(At(20));
  EXPECT_EQ(Last()[kNewcomers].value, 0) << "nothing more was refused";
  Explode("shop", 120);
  watch_->Report(At(35));
  EXPECT_EQ(Last()[kNewcomers].value, 21);
  EXPECT_EQ(Last()[kNewcomers].covered_ms, 15u);
  EXPECT_EQ(sequence_, 3u);
}

TEST_F(SelfWatching, WhatIsNotTakenGoesAgainAsItWas) {
  world_.producer.mode = FakeProducer::Mode::kFail;
  Explode("shop", 120);
  watch_->Report(At(10));
  const auto first = Last();
  Explode("shop", 120);
  world_.producer.mode = FakeProducer::Mode::kAnswer;
  watch_->Report(At(20));
  EXPECT_EQ(Last().at(kNewcomers).value, first.at(kNewcomers).value);
  EXPECT_EQ(sequence_, 1u) << "under its sequence, so it counts once";
  watch_->Report(At(30));
  EXPECT_EQ(Last().at(kNewcomers).value, 21) << "the second time's";
  EXPECT_EQ(Last().at(kNewcomers).covered_ms, 20u);
}

TEST_F(SelfWatching, OneBatchAtATime) {
  world_.producer.mode = FakeProducer::Mode::kHold;
  watch_->Report(At(10));
  watch_->Report(At(20));
  watch_->Report(At(30));
  ASSERT_EQ(world_.producer.count(), 1u);
  world_.producer.mode = FakeProducer::Mode::kAnswer;
  world_.producer.Release(true);
  watch_->Report(At(40));
  EXPECT_EQ(world_.producer.count(), 2u);
}

// Its own series are newcomers, too: what the guard refuses of them is counted once, and does not
// grow by being reported.
TEST_F(SelfWatching, DoesNotFeedItself) {
  world_.settings.limits.series_per_service = 10;
  world_.Ready();
  watch_.emplace(*world_.core, 99, At(0));
  watch_->Report(At(10));
  const double first = world_.core->Counters().at("rejected_points.too_many_series");
  const auto size = Last().size();
  EXPECT_EQ(size, 10u);
  for (int i = 2; i <= 20; ++i) watch_->Report(At(10 * i));
  // One series more than at first: what it says of itself now.
  EXPECT_LE(world_.core->Counters().at("rejected_points.too_many_series"), 20 * (first + 3));
  EXPECT_EQ(Last().size(), size);
  EXPECT_EQ(world_.producer.count(), 20u) << "one record a report";
}

}  // namespace
}  // namespace liveops::ingest
