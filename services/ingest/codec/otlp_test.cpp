#include "services/ingest/codec/otlp.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/base/labels.h"
#include "liveops/v1/metrics.pb.h"
#include "opentelemetry/proto/collector/metrics/v1/metrics_service.pb.h"
#include "services/ingest/codec/record_writer.h"
#include "services/ingest/codec/rejection_sentence.h"

namespace liveops::ingest {
namespace {

namespace otlp = opentelemetry::proto::metrics::v1;
using OtlpRequest = opentelemetry::proto::collector::metrics::v1::ExportMetricsServiceRequest;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::int64_t kNow = 1'770'000'000'000;
constexpr std::uint64_t kNowNano = 1'770'000'000'000'000'000;
constexpr std::size_t kBytesMax = 700'000;

admit::Admission Admitted(const admit::BatchInput& input) {
  auto result = admit::Admit(input, {}, RealFromMs(kNow), TimeMap{});
  EXPECT_TRUE(result.ok()) << result.error().message;
  return *std::move(result);
}

void Attribute(google::protobuf::RepeatedPtrField<opentelemetry::proto::common::v1::KeyValue>* to,
               const std::string& key, const std::string& value) {
  auto* const pair = to->Add();
  pair->set_key(key);
  pair->mutable_value()->set_string_value(value);
}

struct Export {
  OtlpRequest request;
  std::string bytes;
  OtlpBatches read;
  otlp::ResourceMetrics* resource = request.add_resource_metrics();

  explicit Export(const std::string& service = "backend-api") {
    if (!service.empty())
      Attribute(resource->mutable_resource()->mutable_attributes(), "service.name", service);
    Attribute(resource->mutable_resource()->mutable_attributes(), "host.name", "h1");
    resource->add_scope_metrics();
  }
  otlp::Metric* Add(const std::string& name, const std::string& unit = "1") {
    auto* const metric = resource->mutable_scope_metrics(0)->add_metrics();
    metric->set_name(name);
    metric->set_unit(unit);
    return metric;
  }
  static void Point(otlp::NumberDataPoint* point, double value,
                    const std::string& endpoint = "/games") {
    point->set_start_time_unix_nano(kNowNano - 60'000'000'000);
    point->set_time_unix_nano(kNowNano);
    point->set_as_double(value);
    Attribute(point->mutable_attributes(), "endpoint", endpoint);
  }
  otlp::Sum* Counter(const std::string& name, otlp::AggregationTemporality temporality,
                     bool monotonic = true) {
    auto* const sum = Add(name)->mutable_sum();
    sum->set_aggregation_temporality(temporality);
    sum->set_is_monotonic(monotonic);
    return sum;
  }
  // Views this.
  const OtlpBatches& Read(std::size_t bytes_max = kBytesMax) {
    bytes = request.SerializeAsString();
    auto result = ReadOtlp(bytes, bytes_max);
    EXPECT_TRUE(result.ok()) << result.error().message;
    read = *std::move(result);
    return read;
  }
};

TEST(Otlp, ReadsEveryKind) {
  Export e;
  Export::Point(e.Add("cpu")->mutable_gauge()->add_data_points(), 0.5);
  Export::Point(e.Counter("delta", otlp::AGGREGATION_TEMPORALITY_DELTA)->add_data_points(), 3);
  Export::Point(e.Counter("total", otlp::AGGREGATION_TEMPORALITY_CUMULATIVE)->add_data_points(),
                30);
  Export::Point(
      e.Counter("queue", otlp::AGGREGATION_TEMPORALITY_CUMULATIVE, false)->add_data_points(), -2);
  for (const auto temporality :
       {otlp::AGGREGATION_TEMPORALITY_DELTA, otlp::AGGREGATION_TEMPORALITY_CUMULATIVE}) {
    auto* const histogram = e.Add("latency", "ms")->mutable_histogram();
    histogram->set_aggregation_temporality(temporality);
    auto* const point = histogram->add_data_points();
    point->set_start_time_unix_nano(kNowNano - 1'000'000'000);
    point->set_time_unix_nano(kNowNano);
    point->set_count(3);
    point->set_sum(70);
    point->add_explicit_bounds(10);
    point->add_bucket_counts(1);
    point->add_bucket_counts(2);
  }
  const OtlpBatches& read = e.Read();
  EXPECT_TRUE(read.rejections.empty());
  ASSERT_EQ(read.batches.size(), 1u);
  EXPECT_EQ(read.batches[0].service, "backend-api");
  const admit::Admission admission = Admitted(read.batches[0].input());
  EXPECT_TRUE(admission.rejections.empty());
  const admit::Admitted& out = admission.batch;
  std::vector<admit::SeriesKind> kinds;
  for (const auto& series : out.series) kinds.push_back(series.kind);
  using enum admit::SeriesKind;
  EXPECT_THAT(kinds, ElementsAre(kGauge, kCounterDelta, kCounterCumulative, kGauge, kHistogramDelta,
                                 kHistogramCumulative));
  EXPECT_THAT(out.point_value, ElementsAre(0.5, 3, 30, -2));
  EXPECT_THAT(out.point_duration_ms, ElementsAre(0, 60'000, 60'000, 0));
  ASSERT_EQ(out.histograms.size(), 2u);
  EXPECT_EQ(out.histograms[0].duration_ms, 1000u);
  EXPECT_EQ(out.strings[out.series[4].unit], "ms");
  EXPECT_EQ(Labels::Decode(out.series[0].labels)->ToString(),
            "{endpoint=\"/games\",host.name=\"h1\"}");
}

TEST(Otlp, IntegersAreNumbersToo) {
  Export e;
  auto* const point = e.Add("cpu")->mutable_gauge()->add_data_points();
  point->set_time_unix_nano(kNowNano);
  point->set_as_int(-7);
  EXPECT_THAT(Admitted(e.Read().batches[0].input()).batch.point_value, ElementsAre(-7));
}

TEST(Otlp, APointsAttributeWinsOverTheResources) {
  Export e;
  auto* const point = e.Add("cpu")->mutable_gauge()->add_data_points();
  Export::Point(point, 1);
  Attribute(point->mutable_attributes(), "host.name", "h2");
  const OtlpBatches& read = e.Read();
  EXPECT_EQ(*Labels::Decode(read.batches[0].series[0].labels)->Find("host.name"), "h2");
}

TEST(Otlp, WithoutAServiceNameItIsUnknown) {
  Export e("");
  Export::Point(e.Add("cpu")->mutable_gauge()->add_data_points(), 1);
  EXPECT_EQ(e.Read().batches[0].service, "unknown_service");
}

TEST(Otlp, OneBatchAService) {
  Export e("a");
  Export::Point(e.Add("cpu")->mutable_gauge()->add_data_points(), 1);
  *e.request.add_resource_metrics() = e.request.resource_metrics(0);
  e.request.mutable_resource_metrics(1)
      ->mutable_resource()
      ->mutable_attributes(0)
      ->mutable_value()
      ->set_string_value("b");
  *e.request.add_resource_metrics() = e.request.resource_metrics(0);
  const OtlpBatches& read = e.Read();
  ASSERT_EQ(read.batches.size(), 2u);
  EXPECT_EQ(read.batches[0].points(), 2u);
  EXPECT_EQ(read.batches[0].series.size(), 1u);
  EXPECT_EQ(read.batches[1].service, "b");
}

TEST(Otlp, RefusesWhatItDoesNotTakeWithASentence) {
  Export e;
  e.Add("exp")->mutable_exponential_histogram()->add_data_points();  // no temporality
  e.Add("sum")->mutable_summary()->add_data_points();
  e.Counter("no-temporality", otlp::AGGREGATION_TEMPORALITY_UNSPECIFIED)->add_data_points();
  e.Counter("updown", otlp::AGGREGATION_TEMPORALITY_DELTA, false)->add_data_points();
  e.Add("h")->mutable_histogram()->add_data_points();
  e.Add("empty");
  Export::Point(e.Add("cpu")->mutable_gauge()->add_data_points(), 1);
  const OtlpBatches& read = e.Read();
  ASSERT_EQ(read.rejections.size(), 1u);
  EXPECT_EQ(read.rejections[0].points, 5u);
  EXPECT_EQ(read.batches[0].points(), 1u);
  const std::string sentence = RejectionSentence(read.rejections);
  EXPECT_THAT(sentence, HasSubstr("5 data points refused: unsupported (5)"));
  EXPECT_THAT(sentence, HasSubstr("a histogram without delta or cumulative temporality"));
  EXPECT_EQ(RejectionSentence({}), "");
}

TEST(Otlp, CountsPointsWithoutAValueApart) {
  Export e;
  auto* const point = e.Add("cpu")->mutable_gauge()->add_data_points();
  point->set_flags(otlp::DATA_POINT_FLAGS_NO_RECORDED_VALUE_MASK);
  const OtlpBatches& read = e.Read();
  EXPECT_EQ(read.no_value, 1u);
  EXPECT_TRUE(read.batches.empty());
}

TEST(Otlp, RefusesAStartAfterTheTime) {
  Export e;
  auto* const point = e.Counter("c", otlp::AGGREGATION_TEMPORALITY_DELTA)->add_data_points();
  point->set_time_unix_nano(kNowNano);
  point->set_start_time_unix_nano(kNowNano + 1);
  const OtlpBatches& read = e.Read();
  ASSERT_EQ(read.rejections.size(), 1u);
  EXPECT_EQ(read.rejections[0].reason, admit::Refusal::kBadStart);
}

TEST(Otlp, HostileTimesAreRefusedNotTrusted) {
  Export e;
  auto* const gauge = e.Add("cpu")->mutable_gauge();
  for (const std::uint64_t nano : {std::uint64_t{0}, std::uint64_t{1}, UINT64_MAX}) {
    auto* const point = gauge->add_data_points();
    point->set_time_unix_nano(nano);
    point->set_as_double(1);
  }
  auto* const point = gauge->add_data_points();  // neither form of value
  point->set_time_unix_nano(kNowNano);
  const admit::Admission admission = Admitted(e.Read().batches[0].input());
  EXPECT_EQ(admission.batch.points(), 0u);
  ASSERT_EQ(admission.rejections.size(), 3u);
  EXPECT_EQ(admission.rejections[0].reason, admit::Refusal::kTooOld);
  EXPECT_EQ(admission.rejections[0].points, 2u);
  EXPECT_EQ(admission.rejections[1].reason, admit::Refusal::kFuture);
  EXPECT_EQ(admission.rejections[2].reason, admit::Refusal::kNotFinite);
}

TEST(Otlp, SplitsWhatWouldNotFitARecord) {
  Export e;
  auto* const gauge = e.Add("cpu")->mutable_gauge();
  for (int i = 0; i < 500; ++i)
    Export::Point(gauge->add_data_points(), i, "/endpoint/" + std::to_string(i));
  const OtlpBatches& read = e.Read(10'000);
  EXPECT_GT(read.batches.size(), 3u);
  std::uint64_t points = 0;
  for (const OtlpBatch& batch : read.batches) {
    const admit::Admission admission = Admitted(batch.input());
    EXPECT_TRUE(admission.rejections.empty());
    points += admission.batch.points();
    EXPECT_LE(EncodeBatch({}, batch.service, Protocol::kOtlp, admission.batch).size(), 10'000u);
  }
  EXPECT_EQ(points, 500u);
}

TEST(Otlp, AHistogramWithoutBucketsIsOneBucket) {
  Export e;
  auto* const histogram = e.Add("latency", "ms")->mutable_histogram();
  histogram->set_aggregation_temporality(otlp::AGGREGATION_TEMPORALITY_DELTA);
  auto* const point = histogram->add_data_points();
  point->set_time_unix_nano(kNowNano);
  point->set_count(4);
  const OtlpBatches& read = e.Read();
  const admit::Admission admission = Admitted(read.batches[0].input());
  v1::ShardRecord record;
  ASSERT_TRUE(record.ParseFromString(EncodeBatch({}, "s", Protocol::kOtlp, admission.batch)));
  ASSERT_EQ(record.batch().histograms_size(), 1);
  EXPECT_THAT(record.batch().histograms(0).bucket_counts(), ElementsAre(4));
}

}  // namespace
}  // namespace liveops::ingest
