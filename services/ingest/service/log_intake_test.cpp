#include "services/ingest/service/log_intake.h"

#include <gmock/gmock.h>

#include "common/base/labels.h"
#include "liveops/v1/logs.pb.h"
#include "liveops/v1/plans.pb.h"
#include "services/ingest/codec/otlp_logs_for_tests.h"
#include "services/ingest/service/log_world_for_tests.h"
#include "services/ingest/service/world_for_tests.h"

namespace liveops::ingest {
namespace {

using std::chrono::milliseconds;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::Pair;

class Logs : public testing::Test {
 protected:
  Logs() { world_.Ready(); }
  void Export(const LogsRequest& request, const rpc::Peer& peer = kPeer) {
    logs_.intake.Export(request.SerializeAsString(), peer, "", world_.Keep());
  }
  void Apply(const std::string& service, std::uint64_t version, const std::string& rest) {
    v1::PlanRecord plan;
    plan.set_service(service);
    plan.set_version(version);
    plan.set_text("service: " + service + "\n" + rest);
    kafka::Record record;
    record.value = plan.SerializeAsString();
    logs_.rules.Read(record);
  }
  // After so long: the samples that are written then, as "metric{labels}" -> value.
  std::map<std::string, double> Flush(milliseconds later = milliseconds(1000), bool last = false) {
    now_ += later;
    world_.producer.sent.clear();
    world_.core->spreads().ReadToEnd(now_);
    logs_.counts.Flush(now_, last);
    std::map<std::string, double> out;
    for (std::size_t i = 0; i < world_.producer.count(); ++i) Read(world_.Sent(i), out);
    return out;
  }
  static void Read(const v1::ShardRecord& record, std::map<std::string, double>& out) {
    const v1::MetricBatch& batch = record.batch();
    for (int i = 0; i < batch.point_value_size(); ++i) {
      const auto& series = batch.series(static_cast<int>(batch.point_series(i)));
      EXPECT_EQ(series.kind(), v1::SERIES_KIND_COUNTER_DELTA);
      out[batch.service() + " " + batch.strings(static_cast<int>(series.metric())) +
          Labels::Decode(series.labels())->ToString()] = batch.point_value(i);
    }
  }
  v1::LogBatch Written(std::size_t i) {
    v1::LogBatch batch;
    EXPECT_TRUE(batch.ParseFromString(logs_.producer.sent.at(i).value));
    return batch;
  }
  double Counter(const std::string& name) { return logs_.intake.Counters().at(name); }

  World world_;
  LogWorld logs_{*world_.core, {{}, 200'000}};
  SteadyTime now_ = std::chrono::steady_clock::now() + milliseconds(10);
};

constexpr const char* kErrors = R"(shop log_events{ingest="ingest-0",level="error"})";
constexpr const char* kDeclined = R"(shop declined{ingest="ingest-0"})";

TEST_F(Logs, GoToTheirTopicAndAreAnsweredWhenKafkaHasThem) {
  logs_.producer.mode = FakeProducer::Mode::kHold;
  LogsRequest request = LogsOf("shop");
  AddLine(request, kNow, 17, "card declined");
  AddLine(request, kNow - 5, 9, "paid");
  Export(request);
  EXPECT_FALSE(world_.last) << "not before Kafka has acknowledged";
  ASSERT_EQ(logs_.producer.count(), 1u);
  EXPECT_EQ(logs_.producer.sent[0].topic, "liveops.logs.v1");
  EXPECT_EQ(logs_.producer.sent[0].key, "shop");
  EXPECT_EQ(logs_.producer.sent[0].partition, PartitionOf("shop", 4));
  EXPECT_EQ(logs_.producer.sent[0].headers[0].name, "traceparent");
  EXPECT_GT(Counter("log_in_flight_bytes"), 0);
  logs_.producer.Release(true);
  ASSERT_TRUE(world_.last && world_.last->ok());
  EXPECT_EQ((*world_.last)->accepted_points, 2u);
  EXPECT_THAT((*world_.last)->rejections, IsEmpty());
  EXPECT_EQ(Counter("log_in_flight_bytes"), 0);
  EXPECT_EQ(Counter("log_lines"), 2);
  const v1::LogBatch batch = Written(0);
  EXPECT_EQ(batch.source().emitter(), "ingest-0/logs");
  EXPECT_EQ(batch.records(0).message(), "card declined");
  EXPECT_EQ(batch.records(0).level(), v1::LOG_LEVEL_ERROR);
  EXPECT_EQ(batch.records(1).time_ms(), kNow - 5);
  EXPECT_EQ(world_.producer.count(), 0u) << "points go by the other producer";
}

TEST_F(Logs, OfARequestTheGoodLinesAreKept) {
  LogsRequest request = LogsOf("shop");
  AddLine(request, kNow + 60'000, 17, "from tomorrow");
  AddLine(request, kNow - 8'000'000, 17, "from yesterday");
  AddLine(request, kNow, 17, "of now");
  request.MergeFrom(LogsOf("bank"));
  AddLine(request, kNow, 17, "foreign");
  request.MergeFrom(LogsOf("a\nb"));
  AddLine(request, kNow, 17, "of no service");
  Export(request, {"shop-1", {rpc::Role::kEmitter}, {"shop", "a\nb"}});
  ASSERT_TRUE(world_.last->ok());
  std::map<std::string, std::uint64_t> reasons;
  std::string examples;
  for (const admit::Rejection& r : (*world_.last)->rejections) {
    reasons[admit::RefusalWord(r.reason)] = r.points;
    examples += r.example + "\n";
  }
  for (const char* said : {"its time is 1min ahead, at most 10s are allowed: from tomorrow\n",
                           "behind, at most 2h are allowed: from yesterday\n",
                           "\"shop-1\" may not write the service \"bank\"\n"})
    EXPECT_THAT(examples, testing::HasSubstr(said));
  EXPECT_THAT(reasons, ElementsAre(Pair("bad_service", 1), Pair("foreign_service", 1),
                                   Pair("future", 1), Pair("too_old", 1)));
  ASSERT_EQ(logs_.producer.count(), 1u);
  ASSERT_EQ(Written(0).records_size(), 1);
  EXPECT_EQ(Written(0).records(0).message(), "of now");
  EXPECT_EQ(Counter("rejected_log_lines.future"), 1);
  EXPECT_EQ(Flush()[kErrors], 1) << "what was refused does not count";
}

TEST_F(Logs, ARequestOfNothingButBadLinesIsAnswered) {
  LogsRequest request = LogsOf("shop");
  AddLine(request, kNow + 60'000, 17, "from tomorrow");
  Export(request);
  ASSERT_TRUE(world_.last->ok());
  EXPECT_EQ((*world_.last)->accepted_points, 0u);
  EXPECT_EQ(Counter("log_in_flight_bytes"), 0);
}

TEST_F(Logs, AreCountedByLevelAndByWhatThePlanNames) {
  Apply("shop", 1, "logs:\n  - {name: declined, match: card*declined, level: error}\n");
  LogsRequest request = LogsOf("shop");
  AddLine(request, kNow, 17, "card 1 declined");
  AddLine(request, kNow, 21, "card 2 declined for good");
  AddLine(request, kNow, 13, "card 3 declined, but it is a warning");
  AddLine(request, kNow, 17, "declined");
  AddLine(request, kNow, 9, "duration: 80.5 ms  statement: SELECT 1");
  Export(request);
  const auto samples = Flush();
  EXPECT_EQ(samples.at(kErrors), 2);
  EXPECT_EQ(samples.at(R"(shop log_events{ingest="ingest-0",level="warn"})"), 1);
  EXPECT_EQ(samples.at(R"(shop log_events{ingest="ingest-0",level="debug"})"), 0);
  EXPECT_EQ(samples.at(R"(shop log_slow_queries{ingest="ingest-0"})"), 1);
  EXPECT_EQ(samples.at(kDeclined), 2);
  EXPECT_EQ(samples.size(), 9u);
  const v1::ShardRecord record = world_.Sent(0);
  EXPECT_EQ(record.source().emitter(), "ingest-0/logs");
  EXPECT_EQ(record.batch().point_duration_ms(0), 1000u);
}

TEST_F(Logs, CountsAreWrittenOnceASecondAlsoWhenTheyAreNought) {
  LogsRequest request = LogsOf("shop");
  AddLine(request, kNow, 17, "a");
  Export(request);
  Export(request);
  EXPECT_EQ(Flush().at(kErrors), 2) << "two requests, one sample";
  EXPECT_THAT(Flush(milliseconds(500)), IsEmpty());
  EXPECT_EQ(Flush(milliseconds(500)).at(kErrors), 0);
  for (int i = 0; i < 596; ++i) Flush();
  EXPECT_THAT(Flush(), Not(IsEmpty()));
  EXPECT_THAT(Flush(milliseconds(2000)), IsEmpty()) << "ten minutes after the last line";
}

TEST_F(Logs, WhatAPlanNamesIsNoughtBeforeTheFirstLine) {
  EXPECT_THAT(Flush(), IsEmpty());
  Apply("shop", 2, "logs:\n  - {name: declined, match: declined}\n");
  Apply("shop", 1, "logs:\n  - {name: older, match: declined}\n");
  Apply("bank", 1, "phase: 1\n");
  const auto samples = Flush();
  EXPECT_EQ(samples.at(kDeclined), 0);
  EXPECT_THAT(samples, Not(Contains(Pair(HasSubstr("older"), 0))));
  EXPECT_THAT(samples, Not(Contains(Pair(HasSubstr("bank"), 0))));
  Apply("shop", 3, "phase: 1\n");
  for (int i = 0; i < 600; ++i) Flush();
  EXPECT_THAT(Flush(milliseconds(2000)), IsEmpty());
}

TEST_F(Logs, ASampleThatKafkaDidNotTakeIsSentAgainAsItWas) {
  LogsRequest request = LogsOf("shop");
  AddLine(request, kNow, 17, "a");
  Export(request);
  world_.producer.mode = FakeProducer::Mode::kFail;
  Flush();
  const v1::ShardRecord first = world_.Sent(0);
  Export(request);  // meanwhile
  world_.producer.mode = FakeProducer::Mode::kAnswer;
  EXPECT_EQ(Flush().at(kErrors), 1);
  const v1::ShardRecord again = world_.Sent(0);
  EXPECT_EQ(again.source().SerializeAsString(), first.source().SerializeAsString())
      << "it is recognised as a repeat";
  const auto time_of = [](const v1::ShardRecord& record) {
    return record.batch().base_time_ms() + record.batch().point_time_delta_ms(0);
  };
  EXPECT_EQ(time_of(again), time_of(first)) << "of the time that it had";
  EXPECT_EQ(Flush().at(kErrors), 1) << "the line that came meanwhile";
  EXPECT_EQ(world_.Sent(0).source().sequence(), first.source().sequence() + 1);
  EXPECT_EQ(world_.Sent(0).batch().point_duration_ms(0), 2000u) << "it covers all that time";
}

TEST_F(Logs, WhatKafkaDidNotTakeIsRefusedAndNotCounted) {
  logs_.producer.mode = FakeProducer::Mode::kFail;
  LogsRequest request = LogsOf("shop");
  AddLine(request, kNow, 17, "a");
  Export(request);
  EXPECT_EQ(world_.Code(), ErrorCode::kUnavailable);
  EXPECT_EQ(Counter("log_in_flight_bytes"), 0);
  EXPECT_THAT(Flush(), IsEmpty());
}

TEST_F(Logs, ABacklogIsKeptAndNotCounted) {
  LogsRequest request = LogsOf("shop");
  AddLine(request, kNow - 55'000, 17, "not a minute old");
  AddLine(request, kNow - 70'000, 17, "older");
  Export(request);
  EXPECT_EQ(Written(0).records_size(), 2);
  EXPECT_EQ(Flush().at(kErrors), 1);
  EXPECT_EQ(Counter("log_lines_too_late_to_count"), 1);
}

// The promise: a storm of lines holds no point up.
TEST_F(Logs, WithoutRoomAreRefusedWhilePointsAreTaken) {
  logs_.producer.mode = FakeProducer::Mode::kHold;
  LogsRequest request = LogsOf("shop");
  for (int i = 0; i < 20; ++i) AddLine(request, kNow, 17, std::string(2000, 'x'));
  int taken = 0;
  int refused = 0;
  for (int i = 0; i < 10; ++i) {
    world_.last.reset();
    Export(request);
    if (!world_.last) {
      ++taken;
    } else {
      EXPECT_EQ(world_.Code(), ErrorCode::kUnavailable);
      ++refused;
    }
  }
  EXPECT_EQ(taken, 2) << "of 40 KB and a record of as much each";
  EXPECT_EQ(refused, 8);
  EXPECT_EQ(Counter("log_requests_refused"), 8);
  EXPECT_LE(Counter("log_in_flight_bytes"), 200'000);
  EXPECT_EQ(world_.core->Counters().at("in_flight_bytes"), 0) << "of the points' room nothing";
  world_.Write(Request());
  ASSERT_TRUE(world_.last && world_.last->ok());
  EXPECT_EQ(world_.core->refusals().Take(PartitionOf("shop", 4)).points.size(), 0u)
      << "the ticks do not tell of lines";
  logs_.producer.Release(true);
  EXPECT_EQ(Counter("log_in_flight_bytes"), 0);
  world_.last.reset();
  Export(request);
  EXPECT_FALSE(world_.last) << "and there is room again";
}

// A producer that has nothing to send is not connected: it would never have anything to send.
TEST_F(Logs, AreTakenBeforeTheirProducerHasConnected) {
  logs_.producer.is_connected = false;
  LogsRequest request = LogsOf("shop");
  AddLine(request, kNow, 17, "a");
  Export(request);
  EXPECT_TRUE(world_.last->ok());
  world_.last.reset();
  world_.producer.is_connected = false;
  Export(request);
  EXPECT_EQ(world_.Code(), ErrorCode::kUnavailable) << "Kafka is away";
}

TEST_F(Logs, AreRefusedWhileIngestIsNotReady) {
  world_.core->Close();
  LogsRequest request = LogsOf("shop");
  AddLine(request, kNow, 17, "a");
  Export(request);
  EXPECT_EQ(world_.Code(), ErrorCode::kUnavailable);
  EXPECT_EQ(logs_.producer.count(), 0u);
}

TEST_F(Logs, WhatWasCountedIsWrittenBeforeTheGoodbye) {
  LogsRequest request = LogsOf("shop");
  AddLine(request, kNow, 17, "a");
  Flush();
  Export(request);
  world_.core->Close();
  EXPECT_EQ(Flush(milliseconds(10), true).at(kErrors), 1);
}

TEST_F(Logs, WhoSendsThemStandsInTheBookOfEmitters) {
  LogsRequest request = LogsOf("shop");
  AddLine(request, kNow, 17, "a");
  Export(request);
  const auto entries = world_.core->emitters().List("shop", now_);
  ASSERT_EQ(entries.size(), 1u);
  EXPECT_EQ(entries[0].name.protocol, "otlp-logs");
  EXPECT_EQ(entries[0].accepted_points, 1u);
}

}  // namespace
}  // namespace liveops::ingest
