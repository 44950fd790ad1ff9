#include "services/ingest/service/span_intake.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/ingest/codec/otlp_spans_for_tests.h"
#include "services/ingest/service/world_for_tests.h"

namespace liveops::ingest {
namespace {

namespace otlp = opentelemetry::proto::trace::v1;
using testing::HasSubstr;

class Spans : public testing::Test {
 protected:
  void SetUp() override {
    world_.Ready();
    spans_.emplace(*world_.core);
  }
  void Export(const SpanRequest& request, const rpc::Peer& peer = kPeer) {
    world_.last.reset();
    spans_->Export(request.request.SerializeAsString(), peer, "", world_.Keep());
  }
  static SpanRequest Requests(int n, const std::string& service = "shop") {
    SpanRequest request(service);
    for (int i = 0; i < n; ++i) request.Add("GET /games", otlp::Span::SPAN_KIND_SERVER, 10 + i);
    return request;
  }
  std::size_t Written() { return world_.producer.count(); }

  World world_;
  std::optional<SpanIntake> spans_;
};

TEST_F(Spans, EachIsAnObservationOfThisInstance) {
  SpanRequest request = Requests(3);
  request.Add("SELECT", otlp::Span::SPAN_KIND_CLIENT, 1);
  Export(request);
  ASSERT_TRUE(world_.last->ok());
  EXPECT_EQ((*world_.last)->accepted_points, 3u);
  ASSERT_EQ(Written(), 1u);
  const v1::ShardRecord record = world_.Sent(0);
  EXPECT_EQ(record.source().emitter(), "ingest-0/spans");
  EXPECT_EQ(record.source().session(), 7u);
  EXPECT_EQ(record.source().sequence(), 1u);
  EXPECT_EQ(record.batch().service(), "shop");
  EXPECT_EQ(record.batch().protocol(), v1::PROTOCOL_OTLP);
  EXPECT_EQ(record.batch().series_size(), 1);
  EXPECT_EQ(record.batch().series(0).kind(), v1::SERIES_KIND_OBSERVATION);
  EXPECT_EQ(record.batch().point_value_size(), 3);
  EXPECT_EQ(spans_->Counters().at("otlp_spans_of_other_kinds"), 1);
}

TEST_F(Spans, WhatWasTakenIsNotWrittenAgain) {
  SpanRequest request = Requests(2);
  request.Add("late", otlp::Span::SPAN_KIND_SERVER, 1, -10'000'000);
  Export(request);
  ASSERT_EQ(Written(), 1u);
  ASSERT_EQ((*world_.last)->rejections.size(), 1u);
  Export(request);
  EXPECT_EQ(Written(), 1u);
  ASSERT_TRUE(world_.last->ok());
  EXPECT_EQ((*world_.last)->accepted_points, 0u);
  ASSERT_EQ((*world_.last)->rejections.size(), 1u) << "as the first time";
  EXPECT_EQ((*world_.last)->rejections[0].reason, admit::Refusal::kTooOld);
  EXPECT_EQ(spans_->Counters().at("otlp_span_exports_repeated"), 1);
  Export(request, {"other", {rpc::Role::kEmitter}, {}});
  EXPECT_EQ(Written(), 2u) << "what somebody else sends is another";
}

// The log's readers then know it.
TEST_F(Spans, WhatMayStandInTheLogIsWrittenAgainUnderItsNumbers) {
  SpanRequest request = Requests(2);
  request.Resource("bank");
  request.Add("a", otlp::Span::SPAN_KIND_CONSUMER, 1);
  world_.producer.mode = FakeProducer::Mode::kFail;
  Export(request);
  EXPECT_EQ(world_.Code(), ErrorCode::kUnavailable);
  Export(Requests(1));
  world_.producer.mode = FakeProducer::Mode::kAnswer;
  Export(request);
  ASSERT_TRUE(world_.last->ok());
  ASSERT_EQ(Written(), 5u);
  EXPECT_EQ(world_.Sent(0).source().sequence(), 1u);
  EXPECT_EQ(world_.Sent(1).source().sequence(), 2u);
  EXPECT_EQ(world_.Sent(2).source().sequence(), 3u);
  // Points lie where they lay, though the times of a record are counted from when it is written.
  const auto at = [&](std::size_t i) {
    v1::ShardRecord record = world_.Sent(i);
    v1::MetricBatch& batch = *record.mutable_batch();
    for (auto& delta : *batch.mutable_point_time_delta_ms()) delta += batch.base_time_ms();
    batch.clear_base_time_ms();
    return record.DebugString();
  };
  for (std::size_t i : {0u, 1u}) EXPECT_EQ(at(3 + i), at(i));
}

TEST_F(Spans, WhileItIsOnItsWayARepeatIsToComeLater) {
  world_.producer.mode = FakeProducer::Mode::kHold;
  Export(Requests(2));
  EXPECT_FALSE(world_.last.has_value());
  Export(Requests(2));
  EXPECT_EQ(world_.Code(), ErrorCode::kUnavailable);
  EXPECT_EQ(Written(), 1u);
  world_.producer.Release(true);
  EXPECT_TRUE(world_.last->ok());
  Export(Requests(2));
  EXPECT_TRUE(world_.last->ok());
  EXPECT_EQ(Written(), 1u);
}

TEST_F(Spans, OnlyOfServicesThatTheSenderMayWrite) {
  SpanRequest request = Requests(2, "bank");
  Export(request, {"api", {rpc::Role::kEmitter}, {"shop"}});
  EXPECT_EQ(Written(), 0u);
  ASSERT_TRUE(world_.last->ok());
  ASSERT_EQ((*world_.last)->rejections.size(), 1u);
  EXPECT_EQ((*world_.last)->rejections[0].reason, admit::Refusal::kForeign);
  EXPECT_EQ((*world_.last)->rejections[0].points, 2u);
  EXPECT_TRUE(spans_->slowest().List("bank", "", 5, SteadyTime::clock::now()).empty());
}

TEST_F(Spans, TheSlowestCanBeFound) {
  Export(Requests(8));
  Export(Requests(8));
  const auto slowest = spans_->slowest().List("shop", "", 5, SteadyTime::clock::now());
  ASSERT_EQ(slowest.size(), 5u);
  EXPECT_EQ(slowest[0].duration_ms, 17);
  EXPECT_EQ(slowest[0].operation, "GET /games");
  EXPECT_EQ(slowest[0].trace_id, std::string(15, 't') + '\x08');
}

TEST_F(Spans, ManyOperationsMeetTheCardinalityGuard) {
  world_.settings.limits.series_per_service = 3;
  world_.Ready();
  spans_.emplace(*world_.core);
  SpanRequest request;
  for (int i = 0; i < 10; ++i)
    request.Add("GET /games/" + std::to_string(i), otlp::Span::SPAN_KIND_SERVER, 1);
  Export(request);
  EXPECT_EQ((*world_.last)->accepted_points, 3u);
  ASSERT_EQ((*world_.last)->rejections.size(), 1u);
  EXPECT_EQ((*world_.last)->rejections[0].reason, admit::Refusal::kTooManySeries);
  EXPECT_EQ((*world_.last)->rejections[0].points, 7u);
}

}  // namespace
}  // namespace liveops::ingest
