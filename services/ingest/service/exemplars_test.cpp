#include "services/ingest/service/exemplars.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/base/labels.h"
#include "common/runtime/topics.h"
#include "liveops/v1/logs.pb.h"
#include "services/ingest/codec/otlp_spans_for_tests.h"
#include "services/ingest/service/span_intake.h"
#include "services/ingest/service/world_for_tests.h"

namespace liveops::ingest {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
namespace otlp = opentelemetry::proto::trace::v1;

const SteadyTime kStart{std::chrono::seconds(1000)};

Exemplar Took(double ms, const std::string& operation = "GET /a",
              const std::string& service = "shop") {
  return {service,
          "took",
          "ms",
          Labels({{"span.name", operation}}).Encode(),
          kNow,
          ms,
          "0123456789abcdef",
          "01234567"};
}

class ExemplarsTest : public testing::Test {
 protected:
  ExemplarsTest() { exemplars_.WriteTo({&producer_, "ingest-0", 7, 4}); }
  // The values of what was written at that time.
  std::vector<double> Flushed(Duration after) {
    producer_.sent.clear();
    exemplars_.Flush(kStart + after, map_);
    return Written();
  }
  // Likewise of what does not wait.
  std::vector<double> First(Duration after) {
    producer_.sent.clear();
    exemplars_.FlushFirst(kStart + after, map_);
    return Written();
  }
  std::vector<double> Written() {
    std::vector<double> out;
    for (const auto& sent : producer_.sent) {
      EXPECT_EQ(sent.topic, runtime::topic::kLogs);
      EXPECT_TRUE(batch_.ParseFromString(sent.value));
      EXPECT_EQ(sent.partition, PartitionOf(batch_.service(), 4));
      for (const v1::Exemplar& e : batch_.exemplars()) out.push_back(e.value());
    }
    return out;
  }
  void Offer(Exemplar exemplar, Duration after) {
    exemplars_.Offer(std::move(exemplar), kStart + after);
  }

  FakeProducer producer_;
  Exemplars exemplars_;
  TimeMap map_;
  v1::LogBatch batch_;
};

TEST_F(ExemplarsTest, TheGreatestOfASeriesGoesToItsServicesPartition) {
  for (const double ms : {5, 9, 7}) Offer(Took(ms), Duration(0));
  Offer(Took(1, "GET /b"), Duration(0));
  EXPECT_THAT(Flushed(Duration(1000)), ElementsAre(9, 1));
  EXPECT_EQ(batch_.service(), "shop");
  EXPECT_EQ(batch_.source().emitter(), "ingest-0/exemplars");
  EXPECT_EQ(batch_.source().session(), 7u);
  EXPECT_EQ(batch_.records_size(), 0);
  const v1::Exemplar& first = batch_.exemplars(0);
  EXPECT_EQ(first.metric(), "took");
  EXPECT_EQ(first.unit(), "ms");
  EXPECT_EQ(first.trace_id(), "0123456789abcdef");
  EXPECT_EQ(first.span_id(), "01234567");
  EXPECT_EQ(first.time_ms(), kNow);
  ASSERT_EQ(first.labels_size(), 1);
  EXPECT_EQ(first.labels(0).name(), "span.name");
  EXPECT_EQ(first.labels(0).value(), "GET /a");
  EXPECT_THAT(Flushed(Duration(2000)), IsEmpty()) << "once";
}

TEST_F(ExemplarsTest, OnceASecond) {
  Offer(Took(5), Duration(0));
  EXPECT_THAT(Flushed(Duration(1000)), ElementsAre(5));
  Offer(Took(6), Duration(1000));
  EXPECT_THAT(Flushed(Duration(1250)), IsEmpty());
  EXPECT_THAT(Flushed(Duration(2000)), ElementsAre(6));
}

TEST_F(ExemplarsTest, WhatIsGreaterThanAllOfItsMinuteDoesNotWait) {
  Offer(Took(5), Duration(0));
  Offer(Took(4, "GET /b"), Duration(0));
  Offer(Took(9, "GET /a", "bank"), Duration(0));
  EXPECT_THAT(First(Duration(0)), ElementsAre(9, 5, 4)) << "by service";
  Offer(Took(4), Duration(300));
  Offer(Took(3, "GET /b"), Duration(300));
  EXPECT_THAT(First(Duration(300)), IsEmpty());
  Offer(Took(6), Duration(400));
  EXPECT_THAT(First(Duration(400)), ElementsAre(6, 3)) << "and what waits of the service";
  Offer(Took(7), Duration(500));
  EXPECT_THAT(First(Duration(500)), IsEmpty()) << "so soon after the last one";
  EXPECT_THAT(Flushed(Duration(1000)), ElementsAre(7));
  Offer(Took(8), Duration(1100));
  EXPECT_THAT(First(Duration(1100)), ElementsAre(8));
}

TEST_F(ExemplarsTest, OfAMinuteTheGreatestAreToldAndThenTheNextOne) {
  for (int i = 0; i < 4; ++i) {
    const Duration at(1000 * i);
    Offer(Took(10 + i), at);
    Offer(Took(3, "GET /b"), at);
    const std::vector<double> flushed = Flushed(at + Duration(1000));
    EXPECT_EQ(flushed.size(), i < 1 ? 2u : 1u + (i < 3 ? 1u : 0u)) << i;
  }
  Offer(Took(11), Duration(5000));
  EXPECT_THAT(Flushed(Duration(6000)), IsEmpty()) << "11, 12 and 13 were told";
  Offer(Took(2), Duration(61'000));
  EXPECT_THAT(Flushed(Duration(62'000)), ElementsAre(2)) << "another minute";
}

TEST_F(ExemplarsTest, WhatIsNoUseIsLeft) {
  Exemplar no_trace = Took(5);
  no_trace.trace_id = "short";
  Offer(no_trace, Duration(0));
  Offer(Took(std::nan("")), Duration(0));
  EXPECT_THAT(Flushed(Duration(1000)), IsEmpty());
  Exemplar odd = Took(5);
  odd.span_id = "";
  odd.labels = "\x07";
  odd.metric = "to\xffok";
  Offer(odd, Duration(1000));
  EXPECT_THAT(Flushed(Duration(2000)), ElementsAre(5)) << "a record that can be read";
}

TEST_F(ExemplarsTest, ARecordOfAServiceIsBounded) {
  for (int i = 0; i < 1000; ++i) Offer(Took(i, std::string(1000, 'x') + std::to_string(i)), {});
  EXPECT_GT(Flushed(Duration(1000)).size(), 100u);
  EXPECT_LT(producer_.sent.at(0).value.size(), Exemplars::kRecordBytesMax + 1000);
}

class ExemplarsOfRequests : public testing::Test {
 protected:
  void SetUp() override { world_.Ready(); }
  std::vector<v1::Exemplar> Flushed() { return world_.Exemplars(); }
  World world_;
};

TEST_F(ExemplarsOfRequests, SpansHaveTheLabelsOfTheirPoints) {
  SpanIntake spans(*world_.core);
  SpanRequest request("shop");
  request.Add("GET /games", otlp::Span::SPAN_KIND_SERVER, 12);
  request.Add("SELECT", otlp::Span::SPAN_KIND_CLIENT, 9);
  spans.Export(request.request.SerializeAsString(), kPeer, "", world_.Keep());
  const std::vector<v1::Exemplar> flushed = Flushed();
  ASSERT_EQ(flushed.size(), 1u);
  EXPECT_EQ(flushed[0].metric(), kSpanMetric);
  EXPECT_EQ(flushed[0].value(), 12);
  std::vector<std::string> labels;
  for (const auto& label : flushed[0].labels())
    labels.push_back(label.name() + "=" + label.value());
  EXPECT_THAT(labels, ElementsAre("span.kind=SPAN_KIND_SERVER", "span.name=GET /games",
                                  "status.code=STATUS_CODE_UNSET"));
  spans.Export(request.request.SerializeAsString(), {"bank", {rpc::Role::kEmitter}, {"bank"}}, "",
               world_.Keep());
  EXPECT_THAT(Flushed(), IsEmpty()) << "of a service that the sender may not write";
}

// One that lies far ahead would be the newest of its service for as long, and all others old.
// So that who pages has it before the alarm that its own point fires.
TEST_F(ExemplarsOfRequests, TheFirstStandsInTheLogBeforeItsPoint) {
  SpanIntake spans(*world_.core);
  SpanRequest request("shop");
  request.Add("GET /games", otlp::Span::SPAN_KIND_SERVER, 12);
  world_.producer.mode = FakeProducer::Mode::kHold;
  world_.core->exemplars().WriteTo({&world_.producer, "ingest-0", 7, 4});
  spans.Export(request.request.SerializeAsString(), kPeer, "", world_.Keep());
  ASSERT_EQ(world_.producer.sent.size(), 2u);
  EXPECT_EQ(world_.producer.sent[0].topic, runtime::topic::kLogs);
  EXPECT_EQ(world_.producer.sent[1].topic, runtime::topic::kMetrics);
}

TEST_F(ExemplarsOfRequests, ATimeThatNoPointMayHaveIsNone) {
  const SteadyTime now = std::chrono::steady_clock::now();
  Exemplar exemplar = Took(5);
  for (const std::int64_t time_ms :
       {kNow + 11'000, kNow - 7'201'000, INT64_MAX, INT64_MIN, std::int64_t{0}}) {
    exemplar.time_ms = time_ms;
    EXPECT_FALSE(world_.core->Offer(kPeer, exemplar, now)) << time_ms;
  }
  EXPECT_THAT(Flushed(), IsEmpty());
  exemplar.time_ms = kNow + 9'000;
  EXPECT_TRUE(world_.core->Offer(kPeer, exemplar, now));
  EXPECT_EQ(Flushed().size(), 1u);
}

TEST_F(ExemplarsOfRequests, MetricsBringTheirOwn) {
  OtlpRequest request = OtlpOf({"shop"});
  auto* const metric = request.mutable_resource_metrics(0)->mutable_scope_metrics(0)->add_metrics();
  metric->set_name("http.server.request.duration");
  metric->set_unit("s");
  metric->mutable_histogram()->set_aggregation_temporality(
      opentelemetry::proto::metrics::v1::AGGREGATION_TEMPORALITY_DELTA);
  auto* const point = metric->mutable_histogram()->add_data_points();
  point->set_time_unix_nano(static_cast<std::uint64_t>(kNow) * 1'000'000);
  auto* const route = point->add_attributes();
  route->set_key("http.route");
  route->mutable_value()->set_string_value("/games");
  point->set_count(1);
  point->add_bucket_counts(1);
  auto* const exemplar = point->add_exemplars();
  exemplar->set_as_double(0.25);
  exemplar->set_time_unix_nano(static_cast<std::uint64_t>(kNow - 5) * 1'000'000);
  exemplar->set_trace_id("0123456789abcdef");
  point->add_exemplars()->set_as_double(9);  // without a trace
  world_.Export(request);
  const std::vector<v1::Exemplar> flushed = Flushed();
  ASSERT_EQ(flushed.size(), 1u);
  EXPECT_EQ(flushed[0].metric(), "http.server.request.duration");
  EXPECT_EQ(flushed[0].value(), 0.25);
  EXPECT_EQ(flushed[0].unit(), "s");
  EXPECT_EQ(flushed[0].time_ms(), kNow - 5);
  ASSERT_EQ(flushed[0].labels_size(), 1);
  EXPECT_EQ(flushed[0].labels(0).value(), "/games");
}

}  // namespace
}  // namespace liveops::ingest
