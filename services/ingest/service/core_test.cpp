#include "services/ingest/service/core.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/base/hash.h"
#include "common/base/labels.h"
#include "common/telemetry/trace.h"
#include "liveops/v1/metrics.pb.h"
#include "services/ingest/service/world_for_tests.h"

namespace liveops::ingest {
namespace {

using testing::HasSubstr;

TEST(Core, WritesOneRecordToTheServicesPartition) {
  World w;
  w.Ready();
  w.producer.mode = FakeProducer::Mode::kHold;
  const TraceContext trace = NewTrace();
  w.Write(Request(), kPeer, trace.ToHeader());
  ASSERT_EQ(w.producer.sent.size(), 1u);
  EXPECT_EQ(w.answers, 0);  // nothing is acknowledged before Kafka has
  const auto& sent = w.producer.sent[0];
  EXPECT_EQ(sent.topic, "liveops.metrics.v1");
  EXPECT_EQ(sent.key, "backend-api");
  EXPECT_EQ(sent.partition, PartitionOf("backend-api", 4));
  ASSERT_EQ(sent.headers.size(), 1u);
  EXPECT_EQ(sent.headers[0].name, "traceparent");
  const auto child = ParseTraceparent(sent.headers[0].value);
  ASSERT_TRUE(child);
  EXPECT_EQ(child->trace_id, trace.trace_id);
  EXPECT_NE(child->span_id, trace.span_id);
  const v1::ShardRecord record = w.Sent(0);
  EXPECT_EQ(record.source().emitter(), "api-7f9c");
  EXPECT_EQ(record.source().session(), 42u);
  EXPECT_EQ(record.batch().protocol(), v1::PROTOCOL_NATIVE);
  w.producer.Release(true);
  ASSERT_EQ(w.answers, 1);
  ASSERT_TRUE(w.last->ok());
  EXPECT_EQ((*w.last)->accepted_points, 1u);
  EXPECT_EQ(w.core->Counters().at("in_flight_bytes"), 0);
  EXPECT_EQ(w.core->Counters().at("accepted_points"), 1);
}

TEST(Core, RefusesUntilTheBrokersTimeIsKnown) {
  World w;
  w.Build();
  w.Write(Request());
  EXPECT_EQ(w.Code(), ErrorCode::kUnavailable);
  w.core->Open({});
  EXPECT_FALSE(w.core->accepting());
  w.Write(Request());
  EXPECT_EQ(w.Code(), ErrorCode::kUnavailable);
  w.Tick();
  EXPECT_FALSE(w.Sent(0).tick().accepting());
  EXPECT_FALSE(w.core->accepting()) << "nor is it known yet how services are spread";
  w.Write(Request());
  EXPECT_EQ(w.Code(), ErrorCode::kUnavailable);
  w.core->spreads().ReadToEnd(std::chrono::steady_clock::now());
  EXPECT_TRUE(w.core->accepting());
  w.Write(Request());
  EXPECT_TRUE(w.last->ok());
}

TEST(Core, KafkaAwayIsUnavailableAndToldByTheNextTick) {
  World w;
  w.Ready();
  w.producer.mode = FakeProducer::Mode::kFail;
  w.Write(Request());
  EXPECT_EQ(w.Code(), ErrorCode::kUnavailable);
  w.producer.is_connected = false;
  const std::size_t before = w.producer.count();
  w.Write(Request("backend-api", 2));
  EXPECT_EQ(w.Code(), ErrorCode::kUnavailable);
  EXPECT_EQ(w.producer.count(), before);  // refused at once, nothing queued

  w.Tick();  // is lost: what it told must not be
  w.producer.sent.clear();
  w.producer.mode = FakeProducer::Mode::kAnswer;
  w.Tick();
  ASSERT_EQ(w.producer.sent.size(), 4u);
  for (std::int32_t i = 0; i < 4; ++i) {
    const v1::ShardRecord record = w.Sent(static_cast<std::size_t>(i));
    const auto& refused = record.tick().refused_points();
    EXPECT_EQ(w.producer.sent[static_cast<std::size_t>(i)].partition, i);
    if (i == PartitionOf("backend-api", 4)) {
      EXPECT_EQ(refused.at("backend-api"), 2u);
    } else {
      EXPECT_TRUE(refused.empty());
    }
  }
  w.producer.sent.clear();
  w.Tick();
  for (std::size_t i = 0; i < 4; ++i) EXPECT_TRUE(w.Sent(i).tick().refused_points().empty());
}

TEST(Core, BytesInFlightAreBounded) {
  World w;
  w.settings.in_flight_bytes_max = 400;
  w.Ready();
  w.producer.mode = FakeProducer::Mode::kHold;
  int held = 0;
  for (std::uint64_t i = 1; i <= 50; ++i) {
    w.Write(Request("backend-api", i));
    if (!w.last) ++held;
  }
  EXPECT_GT(held, 0);
  EXPECT_LT(held, 10);
  EXPECT_EQ(w.Code(), ErrorCode::kUnavailable);
  EXPECT_THAT(w.last->error().message, HasSubstr("limit is 400"));
  w.producer.Release(true);
  w.producer.sent.clear();
  w.producer.mode = FakeProducer::Mode::kAnswer;
  w.Write(Request("backend-api", 99));
  EXPECT_TRUE(w.last->ok());
}

TEST(Core, NativeWritesNeedASource) {
  World w;
  w.Ready();
  v1::WriteRequest request = Request();
  request.mutable_source()->set_session(0);
  w.Write(request);
  EXPECT_EQ(w.Code(), ErrorCode::kInvalid);
  EXPECT_THAT(w.last->error().message, HasSubstr("session"));
  EXPECT_TRUE(w.producer.sent.empty());
}

TEST(Core, KeepsTheGoodPointsOfABatch) {
  World w;
  w.Ready();
  v1::WriteRequest request = Request();
  request.mutable_batch()->add_point_series(0);
  request.mutable_batch()->add_point_time_delta_ms(3'600'000);
  request.mutable_batch()->add_point_value(1);
  w.Write(request);
  ASSERT_TRUE(w.last->ok());
  EXPECT_EQ((*w.last)->accepted_points, 1u);
  ASSERT_EQ((*w.last)->rejections.size(), 1u);
  EXPECT_EQ(w.core->Counters().at("rejected_points.future"), 1);
  EXPECT_EQ(w.Sent(0).batch().point_value_size(), 1);
}

TEST(Core, ABatchWithoutAGoodPointLeavesNoRecord) {
  World w;
  w.Ready();
  v1::WriteRequest request = Request();
  request.mutable_batch()->set_point_series(0, 5);
  w.Write(request);
  ASSERT_TRUE(w.last->ok());
  EXPECT_EQ((*w.last)->accepted_points, 0u);
  EXPECT_TRUE(w.producer.sent.empty());
  EXPECT_EQ(w.answers, 1);
}

TEST(Core, ABatchTooLargeForARecordIsInvalid) {
  World w;
  w.settings.record_bytes_max = 60;
  w.Ready();
  w.Write(Request());
  EXPECT_EQ(w.Code(), ErrorCode::kInvalid);
  EXPECT_THAT(w.last->error().message, HasSubstr("send it in parts"));
}

TEST(Core, ACertificateTiedToAServiceWritesNoOther) {
  World w;
  w.Ready();
  const rpc::Peer tied{"web", {rpc::Role::kEmitter}, {"web"}};
  w.Write(Request("backend-api"), tied);
  EXPECT_EQ(w.Code(), ErrorCode::kDenied);
  EXPECT_EQ(w.core->Counters().at("rejected_points.foreign_service"), 1);
  w.Write(Request("web"), tied);
  EXPECT_TRUE(w.last->ok());
}

TEST(Core, OtlpIsAnsweredOnceAllItsServicesAreWritten) {
  World w;
  w.Ready();
  w.producer.mode = FakeProducer::Mode::kHold;
  w.Export(OtlpOf({"a", "b", std::string(200, 'x')}));
  ASSERT_EQ(w.producer.sent.size(), 2u);
  w.producer.Answer(w.producer.sent[0], true);
  EXPECT_EQ(w.answers, 0);
  w.producer.Answer(w.producer.sent[1], true);
  ASSERT_EQ(w.answers, 1);
  ASSERT_TRUE(w.last->ok());
  EXPECT_EQ((*w.last)->accepted_points, 2u);
  ASSERT_EQ((*w.last)->rejections.size(), 2u);  // summaries, and the service with the long name
  EXPECT_EQ((*w.last)->rejections[0].points, 3u);
  EXPECT_EQ((*w.last)->rejections[1].reason, admit::Refusal::kBadService);
  EXPECT_EQ(w.Sent(0).batch().protocol(), v1::PROTOCOL_OTLP);
  EXPECT_EQ(w.Sent(0).source().sequence(), 0u);
  EXPECT_EQ(w.core->Counters().at("in_flight_bytes"), 0);
}

TEST(Core, OtlpFailsWholeWhenOneServiceWasNotWritten) {
  World w;
  w.Ready();
  w.producer.mode = FakeProducer::Mode::kHold;
  w.Export(OtlpOf({"a", "b"}));
  w.producer.Answer(w.producer.sent[0], false);
  w.producer.Answer(w.producer.sent[1], true);
  ASSERT_EQ(w.answers, 1);
  EXPECT_EQ(w.Code(), ErrorCode::kUnavailable);
}

TEST(Core, OtlpOfWhichAPartMaySucceedLaterIsToBeSentAgain) {
  World w;
  w.Ready();
  w.producer.mode = FakeProducer::Mode::kHold;
  w.Export(OtlpOf({"a", "b", "c"}));
  w.producer.sent[0].done(InvalidError("the record is too large"));
  w.producer.Answer(w.producer.sent[1], false);
  w.producer.sent[2].done(InvalidError("the record is too large"));
  ASSERT_EQ(w.answers, 1);
  EXPECT_EQ(w.Code(), ErrorCode::kUnavailable);
}

TEST(Core, AStepOfTheBrokersTimeRefusesNoHonestPoint) {
  for (const std::int64_t step : {3'600'000, -3'600'000}) {
    World w;
    w.Ready();
    const RealTime honest = w.producer.append_time;
    w.Write(Request("backend-api", 1));
    w.producer.append_time = honest + Duration(step);
    w.Tick();
    w.Write(Request("backend-api", 2));
    ASSERT_TRUE(w.last->ok());
    EXPECT_TRUE((*w.last)->rejections.empty());
    w.producer.append_time = honest;
    w.Tick();
    w.Write(Request("backend-api", 3));
    ASSERT_TRUE(w.last->ok());
    EXPECT_TRUE((*w.last)->rejections.empty());
    EXPECT_EQ(w.core->Counters().at("clock_steps_held"), 1);
  }
}

TEST(Core, NothingIsRefusedForGoodByAClockInDoubt) {
  World w;
  w.Ready();
  w.producer.append_time += Duration(3'600'000);
  w.Tick();
  w.producer.sent.clear();
  v1::WriteRequest request = Request();
  request.mutable_batch()->set_base_time_ms(kNow + 3'600'000);
  w.Write(request);
  EXPECT_EQ(w.Code(), ErrorCode::kUnavailable);
  OtlpRequest otlp = OtlpOf({"a", "b"});
  for (auto& resource : *otlp.mutable_resource_metrics()) {
    resource.mutable_scope_metrics(0)
        ->mutable_metrics(0)
        ->mutable_gauge()
        ->mutable_data_points(0)
        ->set_time_unix_nano(static_cast<std::uint64_t>(kNow + 3'600'000) * 1'000'000);
  }
  w.Export(otlp);
  EXPECT_EQ(w.Code(), ErrorCode::kUnavailable);
  EXPECT_TRUE(w.producer.sent.empty());
}

TEST(Core, AnEmptyOtlpRequestIsNoMistake) {
  World w;
  w.Ready();
  w.Export({});
  ASSERT_EQ(w.answers, 1);
  EXPECT_TRUE(w.last->ok());
}

TEST(Core, ADeploymentIsARecordOfItsService) {
  World w;
  w.settings.partitions = 4;
  w.Build();
  w.core->Open({RealFromMs(kNow), InstantFromMs(5000), 1.0});
  w.core->spreads().ReadToEnd(std::chrono::steady_clock::now());
  w.Tick();
  w.producer.sent.clear();
  v1::ReportDeploymentRequest request;
  request.set_service("backend-api");
  request.set_revision("43");
  std::optional<Status> status;
  const auto report = [&] {
    w.core->ReportDeployment(request, {"ci", {rpc::Role::kEmitter}, {}}, "",
                             [&](const Status& s) { status = s; });
  };
  report();
  ASSERT_TRUE(status && status->ok());
  const v1::ShardRecord record = w.Sent(0);
  EXPECT_EQ(w.producer.sent[0].partition, PartitionOf("backend-api", 4));
  EXPECT_EQ(record.deployment().actor(), "ci");
  EXPECT_EQ(record.deployment().revision(), "43");
  EXPECT_GE(record.deployment().time_ms(), 5000);
  EXPECT_LT(record.deployment().time_ms(), 10'000);
  EXPECT_EQ(record.source().emitter(), "ingest-0");
  EXPECT_EQ(record.source().sequence(), 1u);
  request.set_revision("");
  report();
  EXPECT_EQ(status->error().code, ErrorCode::kInvalid);
  request.set_description(std::string(1001, 'x'));
  report();
  EXPECT_EQ(status->error().code, ErrorCode::kInvalid);
}

TEST(Core, ADecommissionIsARecordOfItsService) {
  World w;
  w.Ready();
  w.producer.sent.clear();
  v1::DecommissionRequest request;
  request.set_service("backend-api");
  request.set_reason("scale-in");
  const auto add = [&](const char* name, const char* value) {
    v1::Label* label = request.add_labels();
    label->set_name(name);
    label->set_value(value);
  };
  std::optional<Status> status;
  const auto report = [&](const rpc::Peer& peer) {
    w.core->Decommission(request, peer, "", [&](const Status& s) { status = s; });
  };
  const rpc::Peer ci{"ci", {rpc::Role::kEmitter}, {}};
  report(ci);
  EXPECT_EQ(status->error().code, ErrorCode::kInvalid) << "no label";
  add("zone", "b");
  add("instance", "i-7");
  report({"ci", {rpc::Role::kEmitter}, {"another"}});
  EXPECT_EQ(status->error().code, ErrorCode::kDenied);
  EXPECT_EQ(w.producer.sent.size(), 0u);
  report(ci);
  ASSERT_TRUE(status && status->ok());
  const v1::ShardRecord record = w.Sent(0);
  EXPECT_EQ(record.decommission().actor(), "ci");
  EXPECT_EQ(record.decommission().reason(), "scale-in");
  const auto labels = Labels::Decode(record.decommission().labels());
  ASSERT_TRUE(labels);
  EXPECT_EQ(labels->ToString(), "{instance=\"i-7\",zone=\"b\"}");
  EXPECT_EQ(record.source().emitter(), "ingest-0");
  EXPECT_EQ(record.source().sequence(), 1u);
  EXPECT_EQ(w.core->Counters().at("decommissions"), 1);
  add("instance", "i-8");
  report(ci);
  EXPECT_EQ(status->error().code, ErrorCode::kInvalid) << "twice";
  request.clear_labels();
  add("instance", "");
  report(ci);
  EXPECT_EQ(status->error().code, ErrorCode::kInvalid) << "no value";
  request.clear_labels();
  add("instance", "i-7");
  request.set_reason(std::string(1001, 'x'));
  report(ci);
  EXPECT_EQ(status->error().code, ErrorCode::kInvalid) << "reason";
}

TEST(Ticker, TellsWhoTicksAndSaysGoodbye) {
  World w;
  w.Ready();
  w.Tick();
  w.Tick(true);
  ASSERT_EQ(w.producer.sent.size(), 8u);
  const v1::Tick first = w.Sent(0).tick();
  EXPECT_EQ(first.instance(), "ingest-0");
  EXPECT_EQ(first.session(), 7u);
  EXPECT_TRUE(first.accepting());
  EXPECT_FALSE(first.goodbye());
  EXPECT_EQ(w.producer.sent[0].key, "ingest-0");
  const v1::Tick last = w.Sent(7).tick();
  EXPECT_TRUE(last.goodbye());
  EXPECT_FALSE(last.accepting());
  EXPECT_GE(last.steady_ms(), first.steady_ms());
}

TEST(Ticker, AfterCloseNothingIsAcceptedAndTicksSaySo) {
  World w;
  w.Ready();
  w.core->Close();
  w.Write(Request());
  EXPECT_EQ(w.Code(), ErrorCode::kUnavailable);
  w.Tick();
  EXPECT_FALSE(w.Sent(0).tick().accepting());
}

}  // namespace
}  // namespace liveops::ingest
