#include "services/ingest/source/cloudwatch_stream/translate.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <limits>

#include "services/ingest/source/cloudwatch_stream/stream_for_tests.h"

namespace liveops::ingest::cloudwatch {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

constexpr std::int64_t kStart = 1'770'000'000'000 - 180'000;

// "service metric{labels} kind unit @end+covered = value", a line a point.
std::vector<std::string> PointsOf(const Translated& translated) {
  std::vector<std::string> out;
  for (const admit::BatchInput& batch : translated.inputs()) {
    const auto series = [&](std::uint32_t index) {
      const admit::SeriesInput& s = batch.series[index];
      const std::string labels = Labels::Decode(s.labels)->ToString();
      return fmt::format("{} {}{} {} [{}]", batch.service, batch.strings[s.metric], labels, s.kind,
                         batch.strings[s.unit]);
    };
    for (std::size_t i = 0; i < batch.point_value.size(); ++i) {
      out.push_back(fmt::format("{} @{}+{} = {}", series(batch.point_series[i]),
                                batch.base_time_ms + batch.point_time_delta_ms[i] - kStart,
                                batch.point_duration_ms[i], batch.point_value[i]));
    }
    for (const admit::HistogramInput& h : batch.histograms) {
      out.push_back(fmt::format("{} @{}+{} = {} of {}: {} in {}", series(h.series),
                                batch.base_time_ms + h.time_delta_ms - kStart, h.duration_ms, h.sum,
                                h.count, fmt::join(h.bucket_counts, ","),
                                fmt::join(h.bounds, ",")));
    }
  }
  return out;
}

struct Format {
  const char* name;
  std::string (*write)(const std::vector<Told>&);
};

class Streams : public testing::TestWithParam<Format> {
 protected:
  Translated Read(const std::vector<Told>& datums, const std::string& service = "") {
    Translator translator(settings_, service);
    translator.Add(GetParam().write(datums));
    return translator.Take();
  }
  TranslatorSettings settings_;
};

constexpr const char* kOf =
    R"({LoadBalancer="app/edge/1",TargetGroup="targetgroup/shop/2",account="123456789012",)"
    R"(namespace="AWS/ApplicationELB",region="eu-central-1"})";

TEST_P(Streams, ASumIsACounterThatCoversThePeriod) {
  EXPECT_THAT(PointsOf(Read({Told{}})), ElementsAre(std::string("cloudwatch http_request_count") +
                                                    kOf + " 1 [] @60000+60000 = 400"));
}

TEST_P(Streams, PercentilesMakeADistribution) {
  Told told;
  told.metric = "TargetResponseTime";
  told.count = 1000;
  told.sum = 90;
  told.min = 0.01;
  told.max = 2;
  told.percentiles = {{"50", 0.08}, {"99", 0.5}, {"99.9", 0.5}};
  const std::string of = kOf;
  EXPECT_THAT(
      PointsOf(Read({told})),
      ElementsAre("cloudwatch http_request_duration_avg_ms" + of + " 3 [ms] @60000+0 = 90",
                  "cloudwatch http_request_duration_max_ms" + of + " 3 [ms] @60000+0 = 2000",
                  "cloudwatch http_request_duration_ms" + of +
                      " 5 [ms] @60000+60000 = 90000 of 1000: 0,500,499,1,0 in 10,80,500,2000"));
  told.percentiles.clear();
  EXPECT_THAT(PointsOf(Read({told})), testing::SizeIs(2))
      << "where between min and max is not known";
}

TEST_P(Streams, ARatePerSecondIsACounter) {
  Told told;
  told.space = "AWS/RDS";
  told.metric = "Deadlocks";
  told.dimensions = {{"DBInstanceIdentifier", "main"}};
  told.count = 2;
  told.sum = 0.2;
  told.min = told.max = 0.1;
  EXPECT_THAT(PointsOf(Read({told})),
              ElementsAre(HasSubstr("db_deadlock_count{DBInstanceIdentifier=\"main\",")));
  EXPECT_THAT(PointsOf(Read({told}))[0], HasSubstr(" 1 [] @60000+60000 = 6"));
}

// Of the four sums of each metric one alone is taken: all would count a request four times.
TEST_P(Streams, OneSetOfDimensionsIsTaken) {
  Told whole;
  whole.dimensions = {{"LoadBalancer", "app/edge/1"}};
  Told zone;
  zone.dimensions["AvailabilityZone"] = "a";
  const Translated read = Read({Told{}, whole, zone});
  EXPECT_EQ(PointsOf(read).size(), 1u);
  EXPECT_EQ(read.datums, 3u);
  EXPECT_EQ(read.dropped, 2u);
  Told unknown;
  unknown.metric = "Nobody'sCount";
  const Translated other = Read({unknown, Told{}});
  EXPECT_EQ(other.unmapped, 1u);
  EXPECT_THAT(other.unmapped_names,
              ElementsAre("AWS/ApplicationELB/Nobody'sCount{LoadBalancer,TargetGroup}"));
}

TEST_P(Streams, WhoseADatumIs) {
  ASSERT_TRUE(settings_.services.Set("TargetGroup=targetgroup/*", "any").ok());
  ASSERT_TRUE(settings_.services.Set("TargetGroup=targetgroup/shop/*", "shop").ok());
  Told other;
  other.dimensions["TargetGroup"] = "targetgroup/pay/3";
  Told task;
  task.space = "AWS/ECS";
  task.metric = "CPUUtilization";
  task.dimensions = {{"ClusterName", "c"}, {"ServiceName", "mail"}};
  Told node;
  node.space = "AWS/EC2";
  node.metric = "CPUUtilization";
  node.dimensions = {{"InstanceId", "i-1"}};
  const auto points = PointsOf(Read({Told{}, other, task, node}, "default"));
  EXPECT_THAT(points, UnorderedElementsAre(
                          HasSubstr("shop http_request_count"), HasSubstr("any http_request_count"),
                          HasSubstr("mail cpu_utilization"), HasSubstr("default cpu_utilization")));
}

TEST_P(Streams, TwoMinutesOfASeriesAreOneSeries) {
  Told next;
  next.start_ms += 60'000;
  next.sum = 7;
  const Translated read = Read({Told{}, next});
  ASSERT_EQ(read.batches.size(), 1u);
  EXPECT_EQ(read.inputs()[0].series.size(), 1u);
  EXPECT_THAT(PointsOf(read),
              ElementsAre(HasSubstr("@60000+60000 = 400"), HasSubstr("@120000+60000 = 7")));
}

TEST_P(Streams, WhatIsNoSetOfStatisticsIsCounted) {
  Told none;
  none.count = 0;
  Told turned;
  turned.max = 1;
  Told timeless;
  timeless.start_ms = 0;
  Told nameless;
  nameless.metric = "";
  const Translated read = Read({none, Told{}, turned, nameless, timeless});
  EXPECT_EQ(PointsOf(read).size(), 1u) << "what is good is taken";
  std::map<admit::Refusal, std::uint64_t> counts;
  for (const auto& rejection : read.rejections) counts[rejection.reason] = rejection.points;
  EXPECT_EQ(counts[admit::Refusal::kUnsupported], 2u);
  EXPECT_EQ(counts[admit::Refusal::kBadMetric], 1u);
  EXPECT_EQ(counts[admit::Refusal::kBadStart], 1u);
}

TEST_P(Streams, WhatIsLargeGoesInSeveralBatches) {
  settings_.batch_bytes = 10'000;
  std::vector<Told> many(300);
  for (std::size_t i = 0; i < many.size(); ++i)
    many[i].dimensions["TargetGroup"] = std::to_string(i);
  const Translated read = Read(many);
  EXPECT_GT(read.batches.size(), 3u);
  EXPECT_EQ(PointsOf(read).size(), 300u);
}

INSTANTIATE_TEST_SUITE_P(Both, Streams,
                         testing::Values(Format{"OpenTelemetry", AsOtlp}, Format{"Json", AsJson}),
                         [](const auto& one) { return std::string(one.param.name); });

// A record as it stands in a delivery: two messages, byte by byte as a stream writes them.
TEST(Stream, SeveralMessagesOfARecord) {
  const TranslatorSettings settings;
  Translator translator(settings, "shop");
  translator.Add(AsOtlp({Told{}}) + AsOtlp({Told{}}));
  EXPECT_EQ(translator.Take().datums, 2u);
}

TEST(Stream, BytesOfNoFormatAreOneRejection) {
  const TranslatorSettings settings;
  const std::string good = AsOtlp({Told{}});
  for (const std::string& bad :
       {std::string("x"), good.substr(0, good.size() - 3), std::string("{\"a\":\n"),
        std::string("\xff\xff\xff\xff\xff\xff"), std::string("[1,2]")}) {
    Translator translator(settings, "");
    translator.Add(bad);
    const Translated read = translator.Take();
    EXPECT_EQ(read.datums, 0u) << bad;
    ASSERT_EQ(read.rejections.size(), 1u) << bad;
    EXPECT_EQ(read.rejections[0].points, 1u);
  }
}

TEST(Stream, OpenTelemetry07IsToldToBeOfAnotherFormat) {
  opentelemetry::proto::collector::metrics::v1::ExportMetricsServiceRequest request;
  request.add_resource_metrics()
      ->add_scope_metrics()
      ->add_metrics()
      ->mutable_summary()
      ->add_data_points()
      ->set_count(1);
  const std::string message = request.SerializeAsString();
  const TranslatorSettings settings;
  Translator translator(settings, "");
  translator.Add(std::string(1, static_cast<char>(message.size())) + message);
  const Translated read = translator.Take();
  ASSERT_EQ(read.rejections.size(), 1u);
  EXPECT_THAT(read.rejections[0].example, HasSubstr("opentelemetry1.0"));
}

TEST(Stream, AMappingOfTheUsersOwn) {
  TranslatorSettings settings;
  ASSERT_TRUE(settings.mapping.Set("Shop/Orders", "orders = sum * 2; order_size = avg in By").ok());
  ASSERT_TRUE(
      settings.mapping.Set("AWS/ApplicationELB/RequestCount{TargetGroup, LoadBalancer}", "drop")
          .ok());
  Told orders;
  orders.space = "Shop";
  orders.metric = "Orders";
  orders.dimensions = {{"a", "b"}};
  Translator translator(settings, "");
  translator.Add(AsJson({Told{}, orders}));
  const Translated read = translator.Take();
  EXPECT_EQ(read.dropped, 1u);
  EXPECT_THAT(PointsOf(read), ElementsAre(HasSubstr("= 800"), HasSubstr("[By]")));
}

TEST(Stream, AMappingWithAMistakeSaysWhich) {
  Mapping mapping;
  EXPECT_THAT(mapping.Set("Shop/Orders", "orders = summ").error().message,
              HasSubstr("did you mean \"sum\"?"));
  EXPECT_THAT(mapping.Set("Shop/Orders", "orders").error().message, HasSubstr("NAME = STATISTIC"));
  EXPECT_THAT(mapping.Set("Shop/Orders", "orders = sum * -1").error().message, HasSubstr("factor"));
  EXPECT_THAT(mapping.Set("Orders", "orders = sum").error().message, HasSubstr("NAMESPACE/METRIC"));
  EXPECT_THAT(mapping.Set("Shop/Orders{a", "orders = sum").error().message, HasSubstr("}"));
  ServiceRules rules;
  EXPECT_FALSE(rules.Set("TargetGroup", "shop").ok());
  EXPECT_FALSE(rules.Set("TargetGroup=x", "").ok());
  EXPECT_EQ(mapping.size(), 0u);
}

// The names that the seed's rules and the example plan go by.
TEST(Stream, TheShippedMappingHasThePlansNames) {
  const Mapping mapping = Mapping::Default();
  const auto names = [&](const std::string& space, const std::string& metric,
                         std::vector<std::string> dimensions) {
    Datum datum;
    datum.space = space;
    datum.metric = metric;
    for (std::string& name : dimensions) datum.dimensions.emplace_back(std::move(name), "x");
    std::vector<std::string> out;
    if (const auto* found = mapping.Find(datum)) {
      for (const Output& output : *found) out.push_back(output.metric);
    }
    return out;
  };
  const std::vector<std::string> target = {"LoadBalancer", "TargetGroup"};
  const std::vector<std::string> db = {"DBInstanceIdentifier"};
  const std::vector<std::string> node = {"CacheClusterId", "CacheNodeId"};
  const std::string alb = "AWS/ApplicationELB";
  EXPECT_THAT(names(alb, "RequestCount", target), ElementsAre("http_request_count"));
  EXPECT_THAT(names(alb, "HTTPCode_Target_5XX_Count", target), ElementsAre("http_5xx_count"));
  EXPECT_THAT(names(alb, "HTTPCode_Target_4XX_Count", target), ElementsAre("http_4xx_count"));
  EXPECT_THAT(names(alb, "TargetResponseTime", target),
              testing::Contains("http_request_duration_ms"));
  EXPECT_THAT(names("AWS/ECS", "CPUUtilization", {"ClusterName", "ServiceName"}),
              ElementsAre("cpu_utilization"));
  EXPECT_THAT(names("AWS/ECS", "MemoryUtilization", {"ClusterName", "ServiceName"}),
              ElementsAre("memory_utilization"));
  EXPECT_THAT(names("AWS/RDS", "DatabaseConnections", db), ElementsAre("db_connection_count"));
  EXPECT_THAT(names("AWS/RDS", "SelectLatency", db), testing::Contains("db_query_duration_ms"));
  EXPECT_THAT(names("AWS/RDS", "Deadlocks", db), ElementsAre("db_deadlock_count"));
  EXPECT_THAT(names("AWS/ElastiCache", "CacheHitRate", node), ElementsAre("redis_hit_rate"));
  EXPECT_THAT(names("AWS/ElastiCache", "DatabaseMemoryUsagePercentage", node),
              ElementsAre("redis_memory_usage"));
  EXPECT_THAT(names("AWS/EC2", "CPUUtilization", {"InstanceId"}), ElementsAre("cpu_utilization"));
  EXPECT_THAT(names("AWS/Lambda", "Errors", {"FunctionName"}), ElementsAre("lambda_error_count"));
  EXPECT_THAT(names("AWS/Billing", "EstimatedCharges", {"Currency"}),
              ElementsAre("cost_month_to_date"));
  EXPECT_THAT(names("AWS/EC2", "CPUUtilization", {"AutoScalingGroupName"}), IsEmpty());
}

}  // namespace
}  // namespace liveops::ingest::cloudwatch
