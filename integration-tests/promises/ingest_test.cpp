// What ingest promises (I1 to I4), by real processes on a real Kafka and Redis. The cases share one
// stack with two replicas of ingest.
#include <gmock/gmock.h>

#include <fmt/format.h>
#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <csignal>
#include <thread>

#include "common/base/labels.h"
#include "common/client/client.h"
#include "common/runtime/process.h"
#include "deploy/local/stack/usage.h"
#include "integration-tests/outages/ground.h"
#include "liveops/v1/ingest.grpc.pb.h"

namespace liveops::promises {
namespace {

using outages::Await;
using outages::Ground;
using outages::kFiring;
using outages::kOk;
using stack::Service;
using testing::HasSubstr;

// Three times what is promised: a test host may be busy.
constexpr Duration kPageWithin{45'000};
constexpr Duration kRefusedWithin{6'000};
constexpr double kMoreMibMax = 64;
constexpr int kUnavailable = 14;

// What a writer by hand sends.
v1::WriteRequest Batch(const std::string& service, std::uint64_t session, std::uint64_t sequence) {
  v1::WriteRequest request;
  request.mutable_source()->set_emitter("promises");
  request.mutable_source()->set_session(session);
  request.mutable_source()->set_sequence(sequence);
  v1::MetricBatch& batch = *request.mutable_batch();
  batch.set_service(service);
  batch.set_base_time_ms(ToMs(WallClockNow()));
  batch.add_strings("hits");
  batch.add_strings("");
  return request;
}

void AddPoint(v1::MetricBatch& batch, v1::SeriesKind kind, const Labels::Pairs& labels,
              double value, std::int64_t delta_ms = 0) {
  v1::SeriesEntry& series = *batch.add_series();
  series.set_kind(kind);
  series.set_metric(0);
  series.set_unit(1);
  series.set_labels(Labels(labels).Encode());
  batch.add_point_series(static_cast<std::uint32_t>(batch.series_size() - 1));
  batch.add_point_time_delta_ms(delta_ms);
  batch.add_point_value(value);
}

struct Answer {
  int code = 0;
  std::string message;
  v1::WriteResponse response;
  Duration took{0};
};

class Ingest : public Ground {
 public:
  static void SetUpTestSuite() {
    Ground::SetUpTestSuite();
    if (HasFatalFailure()) return;
    auto second = Stack().AddReplica(Service::kIngest);
    ASSERT_TRUE(second.ok()) << second.error().message;
  }

 protected:
  static std::string Address(std::size_t replica) {
    return Stack().service(Service::kIngest, replica).plain_address();
  }
  static Answer Write(v1::Ingest::Stub& stub, const v1::WriteRequest& request) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(10));
    Answer answer;
    const SteadyTime begin = std::chrono::steady_clock::now();
    const grpc::Status status = stub.Write(&context, request, &answer.response);
    answer.took = Duration(outages::SinceMs(begin));
    answer.code = status.error_code();
    answer.message = status.error_message();
    return answer;
  }
  static std::unique_ptr<v1::Ingest::Stub> Stub(std::size_t replica) {
    return v1::Ingest::NewStub(rpc::Connect(Address(replica), {}));
  }
  // The value of an alarm that was last listed.
  static double ValueOf(const std::string& alarm_id) { return Alarms()[alarm_id].value; }
  static double RssMib(std::size_t replica) {
    const auto mib = stack::PssMib(Stack().service(Service::kIngest, replica).process().pid());
    EXPECT_TRUE(mib.ok()) << mib.error().message;
    return mib.ok() ? *mib : 0;
  }
};

// No single fault: here kill -9 with batches under way. What the client was told is accepted stands
// in the log, and in the end all of it does.
TEST_F(Ingest, I1WhatIsAcknowledgedStandsInTheLogWhoeverDies) {
  const std::string service = "acknowledged";
  client::Options options;
  options.address = Address(0);
  options.service = service;
  options.emitter = "writer";
  options.batch_points = 10;
  options.retry_longest = Duration(500);
  const auto client = client::Client::Start(options);
  const auto series = client->Define({"hits", "", client::Kind::kGauge, {}});
  constexpr int kPoints = 3'000;
  std::uint64_t accepted_at_death = 0;
  for (int i = 0; i < kPoints; ++i) {
    client->Record(series, i);
    std::this_thread::sleep_for(std::chrono::microseconds(500));
    if (i != kPoints / 2) continue;
    Stack().service(Service::kIngest, 0).Kill();
    accepted_at_death = client->statistics().accepted;
    ASSERT_TRUE(Stack().service(Service::kIngest, 0).Launch().ok());
  }
  const Status serving = Stack().service(Service::kIngest, 0).WaitServing(kPageWithin);
  ASSERT_TRUE(serving.ok()) << serving.error().message;
  ASSERT_TRUE(client->Flush(kPageWithin)) << client->statistics().last_error;
  EXPECT_GT(accepted_at_death, 0u);
  EXPECT_EQ(client->statistics().accepted, static_cast<std::uint64_t>(kPoints));
  EXPECT_EQ(client->statistics().given_up, 0u);
  const auto points = PointsInLog(service);
  ASSERT_TRUE(points.ok()) << points.error().message;
  const std::set<double> found(points->begin(), points->end());
  EXPECT_EQ(found.size(), static_cast<std::size_t>(kPoints));
  RecordProperty("points_written_again", static_cast<int>(points->size() - found.size()));
}

// A broker that holds its connections and answers nothing, under more than ingest may hold: senders
// are told to come again, and memory stays bounded.
TEST_F(Ingest, I2UnderOverloadSendersAreToldAndMemoryStaysBounded) {
  const std::string service = "overloaded";
  const double before = RssMib(1);
  Stack().kafka().process().Signal(SIGSTOP);
  std::atomic<bool> stop = false;
  std::atomic<int> refused = 0;
  std::atomic<int> slowest = 0;
  std::vector<std::thread> writers;
  for (int w = 0; w < 10; ++w) {
    writers.emplace_back([&, w] {
      const auto stub = Stub(1);
      const std::uint64_t session = runtime::NewSession();
      v1::WriteRequest request = Batch(service, session, 1);
      for (int i = 0; i < 2'000; ++i) {
        AddPoint(*request.mutable_batch(), v1::SERIES_KIND_GAUGE,
                 {{"writer", std::to_string(w)}, {"series", std::to_string(i)}}, i);
      }
      for (std::uint64_t sequence = 1; !stop; ++sequence) {
        request.mutable_source()->set_sequence(sequence);
        const Answer answer = Write(*stub, request);
        if (answer.code == kUnavailable) ++refused;
        slowest = std::max<int>(slowest, static_cast<int>(answer.took.count()));
      }
    });
  }
  double most = 0;
  // Shorter than the session of a consumer: who rejoins a broker that was away for longer may be
  // fenced by its own first try, and ends.
  for (int i = 0; i < 10; ++i) {
    std::this_thread::sleep_for(Duration(500));
    most = std::max(most, RssMib(1));
  }
  stop = true;
  for (std::thread& writer : writers) writer.join();
  Stack().kafka().process().Signal(SIGCONT);
  RecordProperty("more_mib", static_cast<int>(most - before));
  RecordProperty("slowest_refusal_ms", slowest.load());
  EXPECT_LE(most - before, kMoreMibMax);
  EXPECT_GT(refused, 100);
  EXPECT_LE(slowest, kRefusedWithin.count());

  // A permanently bad point is counted, and the good one beside it kept.
  const auto stub = Stub(1);
  v1::WriteRequest mixed = Batch(service, runtime::NewSession(), 1);
  AddPoint(*mixed.mutable_batch(), v1::SERIES_KIND_GAUGE, {{"a", "good"}}, 1);
  AddPoint(*mixed.mutable_batch(), v1::SERIES_KIND_GAUGE, {{"a", "ahead"}}, 1, 7'200'000);
  Answer answer;
  ASSERT_TRUE(Await(kPageWithin, [&] {
    answer = Write(*stub, mixed);
    return answer.code == 0;
  })) << answer.message;
  EXPECT_EQ(answer.response.accepted_points(), 1u);
  ASSERT_EQ(answer.response.rejections_size(), 1);
  EXPECT_EQ(answer.response.rejections(0).reason(), "future");
}

TEST_F(Ingest, I3ARetriedBatchCountsOnceWhicheverReplicaTakesIt) {
  const std::string service = "counted";
  Apply(service, PlanOf(service, "count(hits) over 10min > 1000000"));
  const auto first = Stub(0);
  const auto second = Stub(1);
  const std::uint64_t session = runtime::NewSession();
  for (std::uint64_t sequence = 1; sequence <= 20; ++sequence) {
    v1::WriteRequest request = Batch(service, session, sequence);
    AddPoint(*request.mutable_batch(), v1::SERIES_KIND_COUNTER_DELTA, {}, 3);
    for (v1::Ingest::Stub* stub : {first.get(), second.get(), first.get()}) {
      Answer answer;
      ASSERT_TRUE(Await(kPageWithin, [&] {
        answer = Write(*stub, request);
        return answer.code == 0;
      })) << answer.message;
    }
  }
  EXPECT_TRUE(Await(kPageWithin, [&] { return ValueOf(service + "/hot") == 60; }))
      << ValueOf(service + "/hot");
  const auto in_log = InLog(service, session);
  ASSERT_TRUE(in_log.ok());
  EXPECT_EQ(in_log->size(), 20u);
  EXPECT_EQ(in_log->at(7), 3) << "the log holds all tries; the engine counts one";
}

// A million series, twice as many as a service may have: newcomers are refused, and say
// so; the alarm that fires goes on, and resolves by its own series.
TEST_F(Ingest, I4ALimitRefusesNewcomersAndChangesNoAlarm) {
  const std::string service = "exploding";
  Apply(service, PlanOf(service, "last(x) by host over 5s > 0.5"));
  const auto emitter = Emit(service, "a", 1);
  ASSERT_TRUE(Await(kPageWithin, [&] { return ToldOf(service).opened == 1; }));
  const auto stub = Stub(0);
  const std::uint64_t session = runtime::NewSession();
  constexpr int kBatches = 125;
  constexpr int kSeries = 8'000;  // of a batch
  std::uint64_t accepted = 0;
  std::uint64_t refused = 0;
  std::string example;
  for (int b = 0; b < kBatches; ++b) {
    v1::WriteRequest request = Batch(service, session, static_cast<std::uint64_t>(b) + 1);
    for (int i = 0; i < kSeries; ++i) {
      AddPoint(*request.mutable_batch(), v1::SERIES_KIND_GAUGE,
               {{"id", std::to_string(b * kSeries + i)}}, 1);
    }
    Answer answer;
    ASSERT_TRUE(Await(kPageWithin, [&] {
      answer = Write(*stub, request);
      return answer.code != kUnavailable;
    })) << answer.message;
    ASSERT_EQ(answer.code, 0) << answer.message;
    accepted += answer.response.accepted_points();
    for (const v1::Rejection& r : answer.response.rejections()) {
      EXPECT_EQ(r.reason(), "too_many_series");
      refused += r.points();
      example = r.example();
    }
  }
  EXPECT_EQ(accepted, 499'999u) << "one is the emitter's";
  EXPECT_EQ(accepted + refused, static_cast<std::uint64_t>(kBatches) * kSeries);
  EXPECT_THAT(example, HasSubstr("it is new, and the service has 500000 series"));
  EXPECT_EQ(Alarms()[IdOf(service)].state, kFiring);
  EXPECT_EQ(ToldOf(service).opened, 1);
  const auto counted = Stack().Ctl("viewer-1", {"--json", "status", "--only", "ingest"});
  ASSERT_TRUE(counted.ok());
  EXPECT_THAT(counted->out, HasSubstr("rejected_points.too_many_series"));
  emitter->Set(0);
  EXPECT_TRUE(Await(kPageWithin, [&] { return ToldOf(service).resolves == 1; }))
      << ToldOf(service).all;
  EXPECT_TRUE(AwaitState(IdOf(service), kOk));
}

}  // namespace
}  // namespace liveops::promises
