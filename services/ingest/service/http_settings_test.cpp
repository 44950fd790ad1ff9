#include "services/ingest/service/http_settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace liveops::ingest {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// What the configuration is told that is not taken.
std::string FaultsOf(const char* text) {
  auto reader = config::Reader::FromText(text, "t", ".");
  EXPECT_TRUE(reader.ok());
  if (!reader.ok()) return "";
  (void)ReadHttpSettings(*reader);
  const Status status = reader->Finish();
  EXPECT_FALSE(status.ok());
  return status.ok() ? "" : status.error().message;
}

TEST(HttpSettings, AreRead) {
  auto reader = config::Reader::FromText(R"(
http:
  address: 0.0.0.0:7104
  threads: 8
  tokens: {prometheus-1: 0123456789abcdef, prometheus-2: fedcba9876543210}
  token_services: {prometheus-1: "shop, bank"}
remote_write:
  service_labels: [app]
  series: 1000
  counters: [odd]
  gauges: [db_connection_count]
)",
                                         "t", ".");
  ASSERT_TRUE(reader.ok());
  const HttpSettings read = ReadHttpSettings(*reader);
  EXPECT_TRUE(reader->Finish().ok());
  EXPECT_TRUE(read.enabled());
  EXPECT_EQ(read.threads, 8);
  ASSERT_EQ(read.tokens.size(), 2u);
  EXPECT_EQ(read.tokens[0].name, "prometheus-1");
  EXPECT_THAT(read.tokens[0].services, ElementsAre("bank", "shop"));
  EXPECT_TRUE(read.tokens[1].services.empty());
  EXPECT_THAT(read.remote_write.service_labels, ElementsAre("app"));
  EXPECT_EQ(read.remote_write.series_max, 1000u);
  EXPECT_TRUE(read.remote_write.types.gauges.contains("db_connection_count"));
}

// A datum of a load balancer's requests.
cloudwatch::Datum Requests(const std::string& group) {
  cloudwatch::Datum datum;
  datum.space = "AWS/ApplicationELB";
  datum.metric = "RequestCount";
  datum.dimensions = {{"LoadBalancer", "app/edge/1"}, {"TargetGroup", group}};
  return datum;
}

TEST(HttpSettings, OfCloudWatch) {
  auto reader = config::Reader::FromText(R"(
cloudwatch:
  service: edge
  services: {"TargetGroup=targetgroup/shop/*": shop, "TargetGroup=targetgroup/shop/2": pay}
  metrics:
    "AWS/ApplicationELB/RequestCount{LoadBalancer,TargetGroup}": drop
    "Shop/OrderValue": "order_count = count; order_value_eur = sum * 0.01 in EUR"
)",
                                         "t", ".");
  ASSERT_TRUE(reader.ok());
  const cloudwatch::TranslatorSettings read = ReadHttpSettings(*reader).cloudwatch;
  const Status finished = reader->Finish();
  EXPECT_TRUE(finished.ok()) << finished.error().message;
  EXPECT_EQ(read.service, "edge");
  EXPECT_EQ(read.services.Of(Requests("targetgroup/shop/1")), "shop");
  EXPECT_EQ(read.services.Of(Requests("targetgroup/shop/2")), "pay");
  EXPECT_EQ(read.services.Of(Requests("targetgroup/x/1")), "");
  const auto* const dropped = read.mapping.Find(Requests("targetgroup/shop/1"));
  ASSERT_NE(dropped, nullptr);
  EXPECT_TRUE(dropped->empty()) << "in place of what is shipped";
  cloudwatch::Datum order;
  order.space = "Shop";
  order.metric = "OrderValue";
  const auto* const outputs = read.mapping.Find(order);
  ASSERT_NE(outputs, nullptr);
  ASSERT_EQ(outputs->size(), 2u);
  EXPECT_EQ((*outputs)[0].metric, "order_count");
  EXPECT_EQ((*outputs)[0].statistic, cloudwatch::Statistic::kCount);
  EXPECT_EQ((*outputs)[1].metric, "order_value_eur");
  EXPECT_EQ((*outputs)[1].factor, 0.01);
  EXPECT_EQ((*outputs)[1].unit, "EUR");
  order.metric = "Other";
  EXPECT_EQ(read.mapping.Find(order), nullptr);
}

TEST(HttpSettings, WhatOfCloudWatchCannotBe) {
  const std::string faults = FaultsOf(R"(
cloudwatch:
  service: ""
  services: {"no rule": shop}
  metrics: {"Shop/OrderValue": "order_count = median", "nonsense": drop}
)");
  for (const char* part :
       {"t:3:12: cloudwatch.service must have a name", "no rule", "median", "nonsense"})
    EXPECT_THAT(faults, HasSubstr(part));
}

TEST(HttpSettings, AreNotNeeded) {
  auto reader = config::Reader::FromText("", "t", ".");
  ASSERT_TRUE(reader.ok());
  const HttpSettings read = ReadHttpSettings(*reader);
  EXPECT_TRUE(reader->Finish().ok());
  EXPECT_FALSE(read.enabled());
  EXPECT_THAT(read.remote_write.service_labels, ElementsAre("service", "job"));
}

TEST(HttpSettings, WhatCannotBeIsSaidWithoutTheToken) {
  const std::string faults = FaultsOf(R"(
http: {threads: 0, tokens: {a: short-secret}, token_services: {b: shop}}
remote_write: {counters: [x], gauges: [x], series: 0}
)");
  for (const char* part : {"must be 1 to 1000", "the token of a is shorter", "no token of b",
                           "x is among the counters", "must be at least 1"}) {
    EXPECT_THAT(faults, HasSubstr(part));
  }
  EXPECT_THAT(faults, testing::Not(HasSubstr("short-secret")));
}

}  // namespace
}  // namespace liveops::ingest
