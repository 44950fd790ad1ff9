// Streams whose series are spelled once: by hand, and by the client library.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <thread>

#include "common/client/client.h"
#include "services/ingest/service/grpc_for_tests.h"
#include "services/ingest/service/stream_table.h"

namespace liveops::ingest {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class WriteSeries : public Grpc {
 protected:
  explicit WriteSeries(const Settings& settings = {}) : Grpc(settings) {}

  using Stream = grpc::ClientReaderWriter<v1::WriteRequest, v1::WriteResponse>;

  // Points of the series `indices`; the first request spells two.
  static v1::WriteRequest Points(std::uint64_t sequence, std::vector<std::uint32_t> indices) {
    v1::WriteRequest request;
    request.mutable_source()->set_emitter("e");
    request.mutable_source()->set_session(42);
    request.mutable_source()->set_sequence(sequence);
    v1::MetricBatch& batch = *request.mutable_batch();
    batch.set_base_time_ms(kNow);
    for (const std::uint32_t index : indices) {
      batch.add_point_series(index);
      batch.add_point_time_delta_ms(0);
      batch.add_point_value(40 + index);
    }
    return request;
  }
  static v1::WriteRequest First() {
    v1::WriteRequest request = Points(1, {0, 1});
    v1::MetricBatch& batch = *request.mutable_batch();
    batch.set_service("backend-api");
    batch.add_strings("cpu");
    batch.add_strings("%");
    Spell(batch, 0, "a");
    Spell(batch, 0, "b");
    return request;
  }
  static void Spell(v1::MetricBatch& batch, std::uint32_t metric, const std::string& instance) {
    v1::SeriesEntry& series = *batch.add_series();
    series.set_kind(v1::SERIES_KIND_GAUGE);
    series.set_metric(metric);
    series.set_unit(1);
    series.set_labels(Labels(Labels::Pairs{{"instance", instance}}).Encode());
  }
  v1::MetricBatch Sent(std::size_t i) {
    const std::lock_guard lock(producer_.mutex);
    v1::ShardRecord record;
    EXPECT_TRUE(record.ParseFromString(producer_.sent.at(i).value));
    return record.batch();
  }
  static std::string Names(const v1::MetricBatch& batch) {
    std::string out;
    for (const std::uint32_t index : batch.point_series()) {
      const v1::SeriesEntry& s = batch.series(static_cast<int>(index));
      out += batch.strings(static_cast<int>(s.metric())) + Labels::Decode(s.labels())->ToString() +
             " ";
    }
    return out;
  }
};

TEST_F(WriteSeries, EachRequestIsAnsweredAndItsRecordSpellsWhatItNames) {
  grpc::ClientContext context;
  const auto stream = ingest_->WriteSeries(&context);
  ASSERT_TRUE(stream->Write(First()));
  v1::WriteRequest more = Points(2, {2, 0, 9});
  more.mutable_batch()->add_strings("memory");
  Spell(*more.mutable_batch(), 2, "c");
  ASSERT_TRUE(stream->Write(more));
  ASSERT_TRUE(stream->Write(Points(3, {1})));
  v1::WriteResponse response;
  ASSERT_TRUE(stream->Read(&response));
  EXPECT_EQ(response.sequence(), 1u);
  EXPECT_EQ(response.accepted_points(), 2u);
  ASSERT_TRUE(stream->Read(&response));
  EXPECT_EQ(response.sequence(), 2u);
  EXPECT_EQ(response.accepted_points(), 2u);
  ASSERT_EQ(response.rejections_size(), 1);
  EXPECT_EQ(response.rejections(0).reason(), "unknown_series");
  ASSERT_TRUE(stream->Read(&response));
  EXPECT_EQ(response.sequence(), 3u);
  stream->WritesDone();
  EXPECT_FALSE(stream->Read(&response));
  EXPECT_TRUE(stream->Finish().ok());
  EXPECT_EQ(Names(Sent(0)), "cpu{instance=\"a\"} cpu{instance=\"b\"} ");
  EXPECT_EQ(Names(Sent(1)), "memory{instance=\"c\"} cpu{instance=\"a\"} ");
  EXPECT_EQ(Names(Sent(2)), "cpu{instance=\"b\"} ");
  EXPECT_EQ(Sent(2).service(), "backend-api");
  EXPECT_EQ(Sent(2).series_size(), 1);
  EXPECT_EQ(Sent(0).series(1).fingerprint_lo(), Sent(2).series(0).fingerprint_lo());
}

TEST_F(WriteSeries, AStreamIsOfOneService) {
  grpc::ClientContext context;
  const auto stream = ingest_->WriteSeries(&context);
  stream->Write(First());
  v1::WriteRequest other = Points(2, {0});
  other.mutable_batch()->set_service("web");
  stream->Write(other);
  v1::WriteResponse response;
  while (stream->Read(&response)) {
  }
  const grpc::Status status = stream->Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(status.error_message(), HasSubstr("open one stream a service"));
}

TEST_F(WriteSeries, TheFirstRequestNamesTheService) {
  grpc::ClientContext context;
  const auto stream = ingest_->WriteSeries(&context);
  stream->Write(Points(1, {0}));
  v1::WriteResponse response;
  EXPECT_FALSE(stream->Read(&response));
  EXPECT_EQ(stream->Finish().error_code(), grpc::StatusCode::INVALID_ARGUMENT);
}

TEST_F(WriteSeries, ReadsNoFurtherThanKafkaTakesAndGoesOn) {
  producer_.mode = FakeProducer::Mode::kHold;
  grpc::ClientContext context;
  const auto stream = ingest_->WriteSeries(&context);
  ASSERT_TRUE(stream->Write(First()));
  for (std::uint64_t i = 2; i <= 100; ++i) ASSERT_TRUE(stream->Write(Points(i, {0})));
  stream->WritesDone();
  while (producer_.count() < 32) std::this_thread::yield();
  EXPECT_EQ(producer_.count(), 32u);
  std::vector<FakeProducer::Sent> held;
  {
    const std::lock_guard lock(producer_.mutex);
    producer_.mode = FakeProducer::Mode::kAnswer;
    held = producer_.sent;
  }
  for (const auto& record : held) producer_.Answer(record, true);
  std::set<std::uint64_t> answered;  // in any order: others were taken while these were answered
  v1::WriteResponse response;
  while (stream->Read(&response)) answered.insert(response.sequence());
  EXPECT_EQ(answered.size(), 100u);
  EXPECT_EQ(*answered.rbegin(), 100u);
  EXPECT_TRUE(stream->Finish().ok());
}

TEST_F(WriteSeries, KafkaAwayEndsTheStream) {
  producer_.mode = FakeProducer::Mode::kFail;
  grpc::ClientContext context;
  const auto stream = ingest_->WriteSeries(&context);
  stream->Write(First());
  v1::WriteResponse response;
  EXPECT_FALSE(stream->Read(&response));
  EXPECT_EQ(stream->Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
}

// Else the silence of its series would prove something.
class WithoutRoom : public WriteSeries {
 protected:
  explicit WithoutRoom(const Settings& settings) : WriteSeries(settings) {}
  grpc::StatusCode WriteFirst() {
    grpc::ClientContext context;
    const auto stream = ingest_->WriteSeries(&context);
    stream->Write(First());
    v1::WriteResponse response;
    EXPECT_FALSE(stream->Read(&response));
    return stream->Finish().error_code();
  }
  std::uint64_t Told() {
    const std::int32_t home = PartitionOf("backend-api", core_.settings().partitions);
    return core_.refusals().Take(home).points["backend-api"];
  }
};
class NoRoomInAStream : public WithoutRoom {
 protected:
  static Settings Small() {
    Settings settings;
    settings.limits.series_per_stream = 1;
    return settings;
  }
  NoRoomInAStream() : WithoutRoom(Small()) {}
};
class NoRoomInAllStreams : public WithoutRoom {
 protected:
  static Settings Small() {
    Settings settings;
    settings.series_bytes_max = 100;
    return settings;
  }
  NoRoomInAllStreams() : WithoutRoom(Small()) {}
};

TEST_F(NoRoomInAStream, IsToldByTheTicks) {
  EXPECT_EQ(WriteFirst(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(Told(), 2u);
}

TEST_F(NoRoomInAllStreams, IsToldByTheTicks) {
  EXPECT_EQ(WriteFirst(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(Told(), 2u);
}

TEST_F(WriteSeries, NothingIsRememberedForWhoMayNotWrite) {
  rpc::Peer peer;
  peer.name = "web-0";
  peer.services = {"web"};
  StreamTable table(core_, peer);
  const std::string_view name = "cpu";
  const admit::SeriesInput series{3, 0, 0, ""};
  admit::BatchInput batch;
  batch.service = "backend-api";
  batch.strings = {&name, 1};
  batch.series = {&series, 1};
  const Status status = table.Add(batch);
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, ErrorCode::kDenied);
  EXPECT_EQ(core_.Counters()["stream_series_bytes"], 0);
}

TEST_F(WriteSeries, WhatAStreamRemembersIsForgottenAtItsEnd) {
  const auto held = [&] { return core_.Counters()["stream_series_bytes"]; };
  {
    grpc::ClientContext context;
    const auto stream = ingest_->WriteSeries(&context);
    stream->Write(First());
    v1::WriteResponse response;
    ASSERT_TRUE(stream->Read(&response));
    EXPECT_GT(held(), 0);
    context.TryCancel();
    EXPECT_EQ(stream->Finish().error_code(), grpc::StatusCode::CANCELLED);
  }
  while (held() > 0) std::this_thread::yield();
}

class ClientLibrary : public WriteSeries {
 protected:
  std::unique_ptr<client::Client> Start(std::size_t batch_points = 10) {
    client::Options options;
    options.address = address();
    options.service = "backend-api";
    options.emitter = "api-0";
    options.batch_points = batch_points;
    options.retry_first = Duration(20);
    options.retry_longest = Duration(50);
    return client::Client::Start(options);
  }
  static constexpr Duration kLong{20'000};
};

TEST_F(ClientLibrary, WhatIsRecordedStandsInTheLogOnce) {
  const auto client = Start();
  const auto a = client->Define({"cpu", "%", client::Kind::kGauge, {{"instance", "a"}}});
  const auto b = client->Define({"jobs", "1", client::Kind::kCounterDelta, {}});
  EXPECT_EQ(client->Define({"cpu", "%", client::Kind::kGauge, {{"instance", "a"}}}), a);
  for (int i = 0; i < 25; ++i) client->Record(i % 2 == 0 ? a : b, i, RealFromMs(kNow));
  ASSERT_TRUE(client->Flush(kLong)) << client->statistics().last_error;
  EXPECT_EQ(client->statistics().accepted, 25u);
  EXPECT_EQ(client->statistics().waiting, 0u);
  ASSERT_EQ(producer_.count(), 3u);
  EXPECT_EQ(Sent(0).strings_size(), 4);  // two names, two units
  EXPECT_EQ(Sent(2).point_value_size(), 5);
  EXPECT_EQ(Sent(2).point_value(4), 24);
}

TEST_F(ClientLibrary, WhatIngestDoesNotTakeGoesAgainUnderItsSequence) {
  producer_.mode = FakeProducer::Mode::kFail;
  const auto client = Start();
  const auto a = client->Define({"cpu", "%", client::Kind::kGauge, {}});
  for (int i = 0; i < 20; ++i) client->Record(a, i, RealFromMs(kNow));
  EXPECT_FALSE(client->Flush(Duration(200)));
  EXPECT_THAT(client->statistics().last_error, HasSubstr("Kafka"));
  {
    const std::lock_guard lock(producer_.mutex);
    producer_.mode = FakeProducer::Mode::kAnswer;
    producer_.sent.clear();
  }
  ASSERT_TRUE(client->Flush(kLong));
  std::vector<std::uint64_t> sequences;
  for (const auto& sent : producer_.sent) {
    v1::ShardRecord record;
    ASSERT_TRUE(record.ParseFromString(sent.value));
    sequences.push_back(record.source().sequence());
  }
  EXPECT_THAT(sequences, ElementsAre(1, 2));
  EXPECT_EQ(client->statistics().accepted, 20u);
}

TEST_F(ClientLibrary, ABatchThatIsRefusedForGoodIsDroppedAlone) {
  const auto client = Start(1);
  const std::string name(300, 'x');  // beyond the limit of a name: refused by the point
  const auto bad = client->Define({name, "", client::Kind::kGauge, {}});
  const auto good = client->Define({"cpu", "%", client::Kind::kGauge, {}});
  client->Record(good, 1, RealFromMs(kNow));
  client->Record(bad, 1, RealFromMs(kNow));
  client->Record(good, 2, RealFromMs(kNow));
  ASSERT_TRUE(client->Flush(kLong));
  EXPECT_EQ(client->statistics().accepted, 2u);
  EXPECT_EQ(client->statistics().refused.at("bad_metric"), 1u);
  EXPECT_THAT(client->statistics().examples.at("bad_metric"), HasSubstr("longer than 255"));
}

TEST_F(ClientLibrary, EndsWhileIngestIsAway) {
  server_->Stop(Duration(100));
  const auto client = Start();
  const auto a = client->Define({"cpu", "%", client::Kind::kGauge, {}});
  for (int i = 0; i < 20; ++i) client->Record(a, i, RealFromMs(kNow));
  EXPECT_FALSE(client->Flush(Duration(100)));
  EXPECT_EQ(client->statistics().waiting, 20u);
  EXPECT_FALSE(client->statistics().connected);
}

}  // namespace
}  // namespace liveops::ingest
