// Malformed plans, metrics that nobody sends and bad OTLP: a clear answer, and what was good before
// goes on.
#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>

#include <limits>
#include <random>
#include <thread>

#include "integration-tests/outages/ground.h"
#include "liveops/v1/plans.grpc.pb.h"
#include "opentelemetry/proto/collector/metrics/v1/metrics_service.pb.h"

namespace liveops::outages {
namespace {

namespace collector = opentelemetry::proto::collector::metrics::v1;
namespace metrics = opentelemetry::proto::metrics::v1;
using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr const char* kExport = "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export";
constexpr int kInvalidArgument = 3;
constexpr int kUnavailable = 14;
constexpr Duration kPageWithin{45'000};

using WrongInput = Ground;

// Four mistakes, one a line.
constexpr const char* kBroken = R"(service: broken-plan
phase: 1
owners:
  on-call: {title: On-call Engineer, slack: "#oncall", pagerduty: oncall}
alarms:
  - {name: hot, when: "latest(x) by host > 0.5", severity: critical, owner: on-call}
  - {name: warm, when: "last(x) by host > 0.5", severity: critical, owner: on-cal}
  - {name: cold, when: "last(x) by host > 0.5", severity: critcal, owner: on-call}
  - {name: long, when: "p95(y) > 500parsecs", severity: critical, owner: on-call}
)";

TEST_F(WrongInput, MalformedPlanIsRefusedWithEveryPlaceAndTheOldOneStaysInForce) {
  const std::string service = "broken-plan";
  const std::string good = PlanOf(service, "last(x) by host > 0.5");
  Apply(service, good);
  const auto first = Emit(service, "a", 1);
  ASSERT_TRUE(Await(kPageWithin, [&] { return ToldOf(service).opened == 1; }));

  const std::string file = Stack().Path("wrong.yaml");
  ASSERT_TRUE(stack::WriteFile(file, kBroken).ok());
  auto applied = Stack().Ctl("operator-1", {"plan", "apply", file});
  ASSERT_TRUE(applied.ok()) << applied.error().message;
  EXPECT_EQ(applied->status.code, 1) << applied->status.ToString();
  for (const char* place : {":6:", ":7:", ":8:", ":9:"}) {
    EXPECT_THAT(applied->out,
                ::testing::ContainsRegex("wrong.yaml" + std::string(place) + "[1-9][0-9]*: "));
  }
  for (const char* word : {"latest", "on-cal", "critcal", "parsecs"}) {
    EXPECT_THAT(applied->out, HasSubstr(word));
  }
  EXPECT_THAT(applied->out, HasSubstr("4 problems"));

  // The service itself refuses it too: nobody must use liveopsctl.
  const auto plans = v1::Plans::NewStub(
      rpc::Connect(Stack().service(stack::Service::kRuleEvaluation).address(), Tls("operator-1")));
  v1::ApplyPlanRequest request;
  request.set_text(kBroken);
  request.set_file("wrong.yaml");
  v1::ApplyPlanResponse response;
  grpc::ClientContext context;
  const grpc::Status status = plans->ApplyPlan(&context, request, &response);
  EXPECT_TRUE(status.ok()) << status.error_message();
  ASSERT_EQ(response.problems_size(), 4);
  EXPECT_EQ(response.problems(0).line(), 6U);
  EXPECT_GT(response.problems(0).column(), 1U);

  for (const std::string& rubbish : {std::string(), std::string("- - ["),
                                     std::string("\0\xff\xfe{", 4), std::string(100'000, '[')}) {
    ASSERT_TRUE(stack::WriteFile(file, rubbish).ok());
    auto refused = Stack().Ctl("operator-1", {"plan", "apply", file});
    ASSERT_TRUE(refused.ok()) << refused.error().message;
    EXPECT_EQ(refused->status.code, 1) << refused->status.ToString() << refused->err;
    EXPECT_THAT(refused->out, HasSubstr("wrong.yaml:"));
  }

  auto shown = Stack().Ctl("viewer-1", {"plan", "show", service});
  ASSERT_TRUE(shown.ok()) << shown.error().message;
  EXPECT_EQ(shown->out, good);
  EXPECT_TRUE(AwaitState(IdOf(service), kFiring)) << Alarms()[IdOf(service)].state;
  const auto second = Emit(service, "b", 1);
  EXPECT_TRUE(Await(kPageWithin, [&] { return ToldOf(service).opened == 2; }))
      << ToldOf(service).all;
}

TEST_F(WrongInput, AnAlarmOverAMetricThatIsNeverSentIsBlindAndNeverFires) {
  const std::string service = "unknown-metric";
  Apply(service, PlanOf(service, "avg(never_sent) over 2s > 0.5 for 1s"));
  const auto emitter = Emit(service, "a", 1);  // the service lives, another metric comes
  EXPECT_TRUE(AwaitState(service + "/hot", "ALARM_STATE_BLIND"))
      << Alarms()[service + "/hot"].state;
  std::this_thread::sleep_for(Duration(5'000));
  EXPECT_EQ(Alarms()[service + "/hot"].state, "ALARM_STATE_BLIND");
  EXPECT_EQ(ToldOf(service).all, "");
  auto explained = Stack().Ctl("viewer-1", {"alarms", "explain", service + "/hot"});
  ASSERT_TRUE(explained.ok()) << explained.error().message;
  EXPECT_THAT(explained->out, HasSubstr("never_sent"));
}

std::uint64_t Nanos(Duration from_now) {
  return static_cast<std::uint64_t>(ToMs(WallClockNow()) + from_now.count()) * 1'000'000;
}

void AddReading(metrics::Gauge* gauge, const char* host, double value, std::uint64_t time_ns) {
  metrics::NumberDataPoint* point = gauge->add_data_points();
  point->set_as_double(value);
  point->set_time_unix_nano(time_ns);
  auto* label = point->add_attributes();
  label->set_key("host");
  label->mutable_value()->set_string_value(host);
}

// One good reading among four that must be refused.
std::string MixedRequest(const std::string& service) {
  collector::ExportMetricsServiceRequest request;
  auto* resource = request.add_resource_metrics();
  auto* name = resource->mutable_resource()->add_attributes();
  name->set_key("service.name");
  name->mutable_value()->set_string_value(service);
  auto* scope = resource->add_scope_metrics();
  metrics::Metric* metric = scope->add_metrics();
  metric->set_name("x");
  metrics::Gauge* gauge = metric->mutable_gauge();
  AddReading(gauge, "nan", std::numeric_limits<double>::quiet_NaN(), Nanos(Duration(0)));
  AddReading(gauge, "future", 1, Nanos(Duration(3'600'000)));
  AddReading(gauge, "good", 0.75, Nanos(Duration(0)));
  AddReading(gauge, "past", 1, 1'000'000'000);  // 1970
  metrics::Metric* exponential = scope->add_metrics();
  exponential->set_name("y");
  auto* histogram = exponential->mutable_exponential_histogram();
  histogram->set_aggregation_temporality(metrics::AGGREGATION_TEMPORALITY_DELTA);
  auto* point = histogram->add_data_points();
  point->set_time_unix_nano(Nanos(Duration(0)));
  point->set_start_time_unix_nano(Nanos(Duration(-1'000)));
  point->set_count(3);
  point->set_scale(2);
  return request.SerializeAsString();
}

TEST_F(WrongInput, BadOtlpIsRefusedPointByPointAndGoodPointsAreKept) {
  const std::string service = "bad-otlp";
  const std::string ingest = Stack().plain_ingest();
  const pid_t pid = Stack().service(stack::Service::kIngest).process().pid();
  Apply(service, PlanOf(service, "last(x) by host > 0.5"));

  const std::string mixed = MixedRequest(service);
  std::mt19937 random(7);  // the same bytes in every run
  std::uniform_int_distribution<int> byte(0, 255);
  for (int i = 0; i < 200; ++i) {
    std::string bytes = mixed;
    if (i % 2 == 0) {
      for (char& c : bytes) c = static_cast<char>(byte(random));
      bytes[0] = '\x07';  // wire type 7 is none: whatever follows, this is no message
    } else {
      // A tear: the outermost message says a length that is not there.
      bytes.resize(1 + random() % (bytes.size() - 2));
    }
    const RawAnswer answer = CallRaw(ingest, {}, kExport, bytes);
    EXPECT_EQ(answer.code, kInvalidArgument) << answer.message;
  }
  const auto nothing = PointsInLog(service);
  ASSERT_TRUE(nothing.ok()) << nothing.error().message;
  EXPECT_THAT(*nothing, IsEmpty());

  // A sender that hears UNAVAILABLE tries again; its readings are of this moment.
  RawAnswer answer;
  Await(Duration(15'000), [&] {
    answer = CallRaw(ingest, {}, kExport, MixedRequest(service));
    return answer.code != kUnavailable;
  });
  ASSERT_EQ(answer.code, 0) << answer.message;
  collector::ExportMetricsServiceResponse response;
  ASSERT_TRUE(response.ParseFromString(answer.body));
  EXPECT_EQ(response.partial_success().rejected_data_points(), 4);
  for (const char* word : {"not_finite", "future", "too_old", "bad_histogram"}) {
    EXPECT_THAT(response.partial_success().error_message(), HasSubstr(word));
  }
  const auto kept = PointsInLog(service);
  ASSERT_TRUE(kept.ok()) << kept.error().message;
  EXPECT_THAT(*kept, Not(IsEmpty()));  // more than one where a refused try was written after all
  EXPECT_THAT(*kept, Each(0.75));
  EXPECT_TRUE(Await(kPageWithin, [&] { return ToldOf(service).opened == 1; }))
      << ToldOf(service).all;
  // The page does not wait for the table that lists are answered from.
  EXPECT_TRUE(AwaitState(service + "/hot{host=\"good\"}", kFiring))
      << Alarms()[service + "/hot{host=\"good\"}"].state;
  EXPECT_EQ(Stack().service(stack::Service::kIngest).process().pid(), pid);
  EXPECT_TRUE(
      Await(kPageWithin, [] { return Stack().service(stack::Service::kIngest).Serving(); }));
}

}  // namespace
}  // namespace liveops::outages
