#include "services/ingest/codec/remote_write.h"

#include <gtest/gtest.h>
#include <snappy.h>

#include <bit>
#include <string>
#include <vector>

#include "remote_write_1.pb.h"
#include "services/ingest/codec/prom_types.h"
#include "services/ingest/codec/snappy_block.h"

namespace liveops::ingest {
namespace {

using admit::SeriesKind;

prometheus::WriteRequest OneSeries() {
  prometheus::WriteRequest request;
  auto& series = *request.add_timeseries();
  for (const auto& [name, value] :
       {std::pair("__name__", "http_requests_total"), std::pair("job", "shop")}) {
    auto& label = *series.add_labels();
    label.set_name(name);
    label.set_value(value);
  }
  auto& sample = *series.add_samples();
  sample.set_value(12.5);
  sample.set_timestamp(1'770'000'000'000);
  return request;
}

TEST(RemoteWrite, ASeriesIsKnownByTheBytesOfItsLabels) {
  prometheus::WriteRequest both = OneSeries();
  *both.add_timeseries() = both.timeseries(0);
  both.mutable_timeseries(1)->mutable_samples(0)->set_value(0);
  *both.add_timeseries() = both.timeseries(0);
  both.mutable_timeseries(2)->mutable_labels(1)->set_value("shoq");
  const std::string bytes = both.SerializeAsString();
  RemoteWriteRequest request;
  ASSERT_TRUE(request.Read1(bytes));
  ASSERT_EQ(request.series().size(), 3u);
  EXPECT_EQ(request.series()[0].key, request.series()[1].key);
  EXPECT_NE(request.series()[0].key, request.series()[2].key);
  EXPECT_EQ(request.values()[0], 12.5);
  EXPECT_EQ(request.values()[1], 0);
  EXPECT_EQ(request.times_ms()[1], 1'770'000'000'000);
  RemoteWriteRequest::Pairs pairs;
  ASSERT_TRUE(request.LabelsOf(request.series()[2], pairs));
  EXPECT_EQ(pairs,
            (RemoteWriteRequest::Pairs{{"__name__", "http_requests_total"}, {"job", "shoq"}}));
}

TEST(RemoteWrite, LabelsMayStandApart) {
  const std::string first = OneSeries().timeseries(0).SerializeAsString();
  prometheus::TimeSeries more;
  more.add_labels()->set_name("zone");
  more.mutable_labels(0)->set_value("a");
  prometheus::WriteRequest request;
  std::string bytes;
  const std::string joined = first + more.SerializeAsString();  // adds to the first
  bytes.push_back(0x0a);
  bytes.push_back(static_cast<char>(joined.size()));
  bytes += joined;
  RemoteWriteRequest reader;
  ASSERT_TRUE(reader.Read1(bytes));
  RemoteWriteRequest::Pairs pairs;
  ASSERT_TRUE(reader.LabelsOf(reader.series()[0], pairs));
  ASSERT_EQ(pairs.size(), 3u);
  EXPECT_EQ(pairs[2].first, "zone");
  ASSERT_TRUE(request.ParseFromString(bytes));
  EXPECT_EQ(request.timeseries(0).labels_size(), 3);
}

TEST(RemoteWrite, MalformedLabelsAreFoundWhenTheyAreLookedAt) {
  std::string bytes("\x0a\x05\x0a\x03\x0a\x7f", 6);  // a name of 127 bytes in a label of 3
  bytes += "x";
  RemoteWriteRequest request;
  ASSERT_TRUE(request.Read1(bytes));
  RemoteWriteRequest::Pairs pairs;
  EXPECT_FALSE(request.LabelsOf(request.series()[0], pairs));
}

TEST(RemoteWrite, ADeepNestOfGroupsIsRefused) {
  std::string bytes;
  for (int i = 0; i < 200; ++i) bytes += "\x7b";  // group 15 begins
  for (int i = 0; i < 200; ++i) bytes += "\x7c";
  RemoteWriteRequest request;
  EXPECT_FALSE(request.Read1(bytes));
}

TEST(SnappyBlock, GivesBackWhatWasCompressed) {
  const std::string text(100'000, 'a');
  std::string block;
  snappy::Compress(text.data(), text.size(), &block);
  ASSERT_LT(block.size(), 6000u);
  EXPECT_EQ(SnappyLength(block), text.size());
  const auto read = ReadSnappyBlock(block, text.size());
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(*read, text);
  EXPECT_FALSE(ReadSnappyBlock(block, text.size() - 1).ok());
}

TEST(SnappyBlock, BelievesNoLength) {
  // 4 GiB - 1, and nothing behind it; 2 MiB in a few bytes.
  for (const std::string& block :
       {std::string("\xff\xff\xff\xff\x0f"), std::string("\x80\x80\x80\x01\x00\x61", 6),
        std::string(), std::string("\xff\xff\xff\xff\xff\xff\xff")}) {
    EXPECT_FALSE(ReadSnappyBlock(block, std::size_t{8} << 30).ok()) << block.size();
  }
}

TEST(SnappyBlock, IsReadWholeOrNotAtAll) {
  std::string text;
  for (int i = 0; i < 500; ++i) text += std::to_string(i * 7919) + (i % 3 != 0 ? "abcabcabc" : "");
  std::string block;
  snappy::Compress(text.data(), text.size(), &block);
  for (std::size_t size = 0; size < block.size(); ++size) {
    EXPECT_FALSE(ReadSnappyBlock(block.substr(0, size), 1 << 20).ok()) << size;
  }
}

class Types : public ::testing::Test {
 protected:
  SeriesKind Of(std::string_view metric, PromType said = PromType::kUnknown) {
    return types_.KindOf(metric, said);
  }
  PromTypes::Settings settings_{{"odd_counter"}, {"db_connection_count"}};
  PromTypes types_{settings_};
};

TEST_F(Types, ByTheNameAlone) {
  for (const char* name : {"a_total", "a_bucket", "a_count", "a_sum", "odd_counter"})
    EXPECT_EQ(Of(name), SeriesKind::kCounterCumulative) << name;
  for (const char* name : {"a", "total", "a_total_x", "up", "a_info", "db_connection_count"})
    EXPECT_EQ(Of(name), SeriesKind::kGauge) << name;
}

TEST_F(Types, ByWhatComesWithTheSeries) {
  EXPECT_EQ(Of("requests", PromType::kCounter), SeriesKind::kCounterCumulative);
  EXPECT_EQ(Of("threads_count", PromType::kGauge), SeriesKind::kGauge);
  EXPECT_EQ(Of("latency", PromType::kSummary), SeriesKind::kGauge);  // its quantiles
  EXPECT_EQ(Of("latency_count", PromType::kSummary), SeriesKind::kCounterCumulative);
  EXPECT_EQ(Of("latency_bucket", PromType::kHistogram), SeriesKind::kCounterCumulative);
  EXPECT_EQ(Of("size_bucket", PromType::kGaugeHistogram), SeriesKind::kGauge);
  EXPECT_EQ(Of("db_connection_count", PromType::kCounter), SeriesKind::kGauge) << "said so here";
}

TEST_F(Types, ByMetadataOfTheFamily) {
  EXPECT_TRUE(types_.Learn("pool_count", PromType::kGauge));
  EXPECT_EQ(Of("pool_count"), SeriesKind::kGauge);
  EXPECT_FALSE(types_.Learn("pool_count", PromType::kCounter)) << "the first stands";
  EXPECT_EQ(Of("pool_count"), SeriesKind::kGauge);
  EXPECT_FALSE(types_.Learn("latency_seconds", PromType::kHistogram));
  EXPECT_EQ(Of("latency_seconds_bucket"), SeriesKind::kCounterCumulative);
  EXPECT_TRUE(types_.Learn("http_requests", PromType::kCounter));  // OpenMetrics
  EXPECT_EQ(Of("http_requests_total"), SeriesKind::kCounterCumulative);
  EXPECT_TRUE(types_.Learn("queue", PromType::kGaugeHistogram));
  EXPECT_EQ(Of("queue_bucket"), SeriesKind::kGauge);
  EXPECT_FALSE(types_.Learn("x", PromType::kUnknown));
  EXPECT_FALSE(types_.Learn("items", PromType::kGauge));
  EXPECT_EQ(Of("items_total"), SeriesKind::kCounterCumulative) << "another family";
}

TEST_F(Types, AreBounded) {
  for (std::size_t i = 0; i < PromTypes::kFamiliesMax; ++i)
    types_.Learn("f" + std::to_string(i), PromType::kGauge);
  EXPECT_FALSE(types_.Learn("one_more_count", PromType::kGauge));
  EXPECT_EQ(Of("one_more_count"), SeriesKind::kCounterCumulative);
}

}  // namespace
}  // namespace liveops::ingest
