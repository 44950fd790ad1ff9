#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/base/labels.h"
#include "services/ingest/codec/attributes.h"
#include "services/ingest/codec/batch_views_for_tests.h"
#include "services/ingest/codec/native.h"
#include "services/ingest/codec/record_writer.h"

namespace liveops::ingest {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::int64_t kNow = 1'770'000'000'000;

admit::Admission Admitted(const admit::BatchInput& input) {
  auto result = admit::Admit(input, {}, RealFromMs(kNow), TimeMap{});
  EXPECT_TRUE(result.ok()) << result.error().message;
  return *std::move(result);
}

TEST(Native, WritesWhatWasAdmitted) {
  v1::MetricBatch in;
  in.set_service("backend-api");
  in.add_strings("requests");
  in.add_strings("");
  auto* series = in.add_series();
  series->set_kind(v1::SERIES_KIND_COUNTER_DELTA);
  series->set_unit(1);
  series->set_labels(Labels(LabelPairs{{"endpoint", "/games"}}).Encode());
  series = in.add_series();
  series->set_kind(v1::SERIES_KIND_HISTOGRAM_DELTA);
  series->set_unit(1);
  in.set_base_time_ms(kNow);
  for (const std::uint32_t index : {0u, 0u, 9u}) in.add_point_series(index);
  for (const std::int64_t delta : {-1, 99'999, 0}) in.add_point_time_delta_ms(delta);
  for (const double value : {2.0, 3.0, 4.0}) in.add_point_value(value);
  auto* const histogram = in.add_histograms();
  histogram->set_series(1);
  histogram->set_count(3);
  histogram->set_sum(4.5);
  histogram->add_bounds(1);
  histogram->add_bucket_counts(1);
  histogram->add_bucket_counts(2);

  const BatchViews views(in);
  const admit::Admission admission = Admitted(views.input());
  const wire::Source source{"e", 7, 9};
  v1::ShardRecord record;
  ASSERT_TRUE(record.ParseFromString(
      EncodeBatch(source, in.service(), Protocol::kNative, admission.batch)));
  EXPECT_EQ(record.source().sequence(), 9u);
  const v1::MetricBatch& out = record.batch();
  EXPECT_EQ(out.protocol(), v1::PROTOCOL_NATIVE);
  ASSERT_EQ(out.series_size(), 2);
  EXPECT_NE(out.series(0).fingerprint_lo(), 0u);
  EXPECT_EQ(out.strings(static_cast<int>(out.series(0).metric())), "requests");
  EXPECT_THAT(out.point_value(), ElementsAre(2.0));
  EXPECT_EQ(out.base_time_ms() + out.point_time_delta_ms(0), kNow - 1);
  ASSERT_EQ(out.histograms_size(), 1);
  EXPECT_THAT(out.histograms(0).bucket_counts(), ElementsAre(1, 2));

  v1::WriteResponse response;
  FillRejections(admission.rejections, response.mutable_rejections());
  ASSERT_EQ(response.rejections_size(), 2);
  EXPECT_EQ(response.rejections(0).reason(), "future");
  EXPECT_EQ(response.rejections(1).reason(), "unknown_series");
}

TEST(Native, AsksForASourceThatMakesRetriesRecognisable) {
  wire::Source source;
  EXPECT_THAT(CheckSource(source).error().message, HasSubstr("emitter"));
  source.emitter = "e";
  EXPECT_THAT(CheckSource(source).error().message, HasSubstr("session is 0"));
  source.session = 1;
  EXPECT_THAT(CheckSource(source).error().message, HasSubstr("sequence is 0"));
  source.sequence = 1;
  EXPECT_TRUE(CheckSource(source).ok());
  const std::string long_name(129, 'x');
  source.emitter = long_name;
  EXPECT_FALSE(CheckSource(source).ok());
}

TEST(Attributes, EveryTypeHasAText) {
  opentelemetry::proto::common::v1::AnyValue value;
  EXPECT_EQ(AttributeText(value), "");
  value.set_bool_value(true);
  EXPECT_EQ(AttributeText(value), "true");
  value.set_int_value(-42);
  EXPECT_EQ(AttributeText(value), "-42");
  value.set_double_value(0.5);
  EXPECT_EQ(AttributeText(value), "0.5");
  value.set_bytes_value(std::string("\x00\xff", 2));
  EXPECT_EQ(AttributeText(value), "00ff");
  auto* const list = value.mutable_array_value();
  list->add_values()->set_string_value("a\"b");
  list->add_values()->set_int_value(1);
  EXPECT_EQ(AttributeText(value), "[\"a\\\"b\",1]");
  auto* const pair = value.mutable_kvlist_value()->add_values();
  pair->set_key("k");
  pair->mutable_value()->set_bool_value(false);
  EXPECT_EQ(AttributeText(value), "{\"k\":false}");
}

TEST(Attributes, DeepNestingEnds) {
  opentelemetry::proto::common::v1::AnyValue value;
  auto* inner = &value;
  for (int i = 0; i < 1000; ++i) inner = inner->mutable_array_value()->add_values();
  EXPECT_LT(AttributeText(value).size(), 100u);
}

}  // namespace
}  // namespace liveops::ingest
