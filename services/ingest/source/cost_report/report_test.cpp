#include "services/ingest/source/cost_report/report.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/base/labels.h"

namespace liveops::ingest::cost {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

// Noon; with 24 h until it is settled, yesterday's 11:00 to 12:00 is the newest period.
const RealTime kNoon = RealFromMs(*ParseUtc("2026-11-26T12:00:00Z"));

constexpr const char* kCur =
    "identity/LineItemId,lineItem/UsageStartDate,lineItem/UsageEndDate,lineItem/UnblendedCost,"
    "lineItem/CurrencyCode,lineItem/UsageAccountId,lineItem/ProductCode,product/regionCode,"
    "lineItem/LineItemType,lineItem/UsageType,lineItem/UsageAmount,pricing/unit,"
    "lineItem/ResourceId,resourceTags/user:service,resourceTags/user:team\n";

// An hour that ends at `end`, of the 25th.
std::string CurLine(int end, const std::string& cost, const std::string& product = "AmazonEC2",
                    const std::string& service = "shop", const std::string& resource = "i-1") {
  return fmt::format(
      "x,2026-11-25T{:02}:00:00Z,2026-11-25T{:02}:00:00Z,{},USD,123456789012,{},eu-west-1,Usage,"
      "EU-BoxUsage:t3.micro,1.0,Hrs,{},{},core\n",
      end - 1, end, cost, product, resource, service);
}

// "service metric{labels} unit @hour = value", of each point, in their order.
std::vector<std::string> Points(const Report& report) {
  std::vector<std::string> out;
  for (const admit::BatchInput& input : report.inputs()) {
    for (std::size_t i = 0; i < input.point_value.size(); ++i) {
      const admit::SeriesInput& series = input.series[input.point_series[i]];
      EXPECT_EQ(series.kind, static_cast<int>(admit::SeriesKind::kObservation));
      out.push_back(
          fmt::format("{} {}{} {} @{}/{} = {}", input.service, input.strings[series.metric],
                      Labels::Decode(series.labels)->ToString(), input.strings[series.unit],
                      FormatUtc(input.base_time_ms + input.point_time_delta_ms[i]).substr(8, 5),
                      FormatDuration(Duration(input.point_duration_ms[i])), input.point_value[i]));
    }
  }
  return out;
}

Report Read(const std::string& text, const ReportSettings& settings = {},
            const std::string& service = "") {
  auto report = ReadReport(text, settings, service, kNoon);
  EXPECT_TRUE(report.ok()) << report.error().message;
  return *std::move(report);
}

// Costs alone, with one label.
ReportSettings ByProduct() {
  ReportSettings settings;
  settings.labels = {"product"};
  return settings;
}
std::vector<std::string> Costs(const Report& report) {
  std::vector<std::string> out;
  for (std::string& point : Points(report)) {
    if (point.find("cost_usage") == std::string::npos) out.push_back(std::move(point));
  }
  return out;
}

TEST(CostReport, OfAPeriodTheSumOfItsLines) {
  const Report report =
      Read(kCur + CurLine(11, "0.5") + CurLine(12, "0.25", "AmazonEC2", "shop", "i-1") +
           CurLine(12, "0.5", "AmazonEC2", "shop", "i-2") + CurLine(11, "3", "AmazonS3"));
  EXPECT_EQ(report.lines, 4u);
  EXPECT_EQ(report.taken, 4u);
  EXPECT_THAT(
      Points(report),
      ElementsAre(
          HasSubstr("shop cost{account=\"123456789012\",charge=\"Usage\",product=\"AmazonEC2\","
                    "region=\"eu-west-1\"} USD @25T11/1h = 0.5"),
          HasSubstr("product=\"AmazonEC2\",region=\"eu-west-1\"} USD @25T12/1h = 0.75"),
          HasSubstr("product=\"AmazonS3\",region=\"eu-west-1\"} USD @25T11/1h = 3"),
          HasSubstr("shop cost_usage{account=\"123456789012\",charge=\"Usage\","
                    "product=\"AmazonEC2\",region=\"eu-west-1\",unit=\"Hrs\","
                    "usage_type=\"EU-BoxUsage:t3.micro\"}  @25T11/1h = 1"),
          HasSubstr("@25T12/1h = 2"), HasSubstr("product=\"AmazonS3\"")));
}

TEST(CostReport, WhatIsNotSettledAndWhatIsPastIsLeft) {
  // 36 h before noon is the midnight before; a period that ends then is past.
  const std::string midnight =
      "x,2026-11-24T23:00:00Z,2026-11-25T00:00:00Z,9,USD,1,AmazonEC2,eu,Usage,B,1,Hrs,i,shop,t\n";
  const Report report =
      Read(kCur + midnight + CurLine(1, "1") + CurLine(12, "2") + CurLine(13, "4"), ByProduct());
  EXPECT_EQ(report.old, 1u);
  EXPECT_EQ(report.unsettled, 1u);
  EXPECT_EQ(report.taken, 2u);
  EXPECT_THAT(Costs(report), ElementsAre("shop cost{product=\"AmazonEC2\"} USD @25T01/1h = 1",
                                         "shop cost{product=\"AmazonEC2\"} USD @25T12/1h = 2"));
  ReportSettings at_once = ByProduct();
  at_once.settled_after = Duration(0);
  EXPECT_EQ(Read(kCur + CurLine(13, "4"), at_once).taken, 1u);
}

TEST(CostReport, TheServiceIsTheTagElseTheProductsElseThatOfAll) {
  ReportSettings settings = ByProduct();
  settings.services = {{"AmazonRDS", "database"}};
  const std::string text = kCur + CurLine(11, "1") + CurLine(11, "2", "AmazonRDS", "") +
                           CurLine(11, "3", "AmazonS3", "");
  EXPECT_THAT(Costs(Read(text, settings)),
              ElementsAre("cost cost{product=\"AmazonS3\"} USD @25T11/1h = 3",
                          "database cost{product=\"AmazonRDS\"} USD @25T11/1h = 2",
                          "shop cost{product=\"AmazonEC2\"} USD @25T11/1h = 1"));
  EXPECT_THAT(Costs(Read(text, settings, "bill")), ::testing::Contains(HasSubstr("bill cost{")));
  settings.tag = "team";
  settings.labels = {"tag:service", "resource", "usage_type"};
  EXPECT_THAT(Costs(Read(kCur + CurLine(11, "1"), settings)),
              ElementsAre("core cost{resource=\"i-1\",service=\"shop\",usage_type=\"EU-BoxUsage:t3."
                          "micro\"} USD @25T11/1h = 1"));
}

TEST(CostReport, TheNamesOfCur2) {
  const Report report = Read(
      "line_item_usage_start_date,line_item_usage_end_date,line_item_unblended_cost,"
      "line_item_product_code,line_item_line_item_type,line_item_currency_code,resource_tags\n"
      "2026-11-25 10:00:00.000,2026-11-25 11:00:00.000,1.5,AmazonEC2,Usage,EUR,"
      "\"{\"\"user_service\"\": \"\"shop\"\"}\"\n"
      "2026-11-25T10:00:00.000Z,2026-11-25T11:00:00.000Z,-0.5,AmazonEC2,Credit,EUR,{}\n",
      ByProduct());
  EXPECT_THAT(Points(report), ElementsAre("cost cost{product=\"AmazonEC2\"} EUR @25T11/1h = -0.5",
                                          "shop cost{product=\"AmazonEC2\"} EUR @25T11/1h = 1.5"));
}

TEST(CostReport, TheNamesOfFocus) {
  ReportSettings settings;
  settings.labels = {"account", "product", "region", "charge", "tag:team"};
  const Report report = Read(
      "BilledCost,BillingCurrency,ChargeCategory,ChargePeriodStart,ChargePeriodEnd,"
      "ConsumedQuantity,"
      "ConsumedUnit,RegionId,ResourceId,ServiceName,SkuId,SubAccountId,Tags\n"
      "2.5,USD,Usage,2026-11-25T00:00:00Z,2026-11-25T12:00:00Z,7,GB,westeurope,r,Storage,sku,sub-1,"
      "\"{\"\"service\"\": \"\"shop\"\", \"\"team\"\": \"\"core\"\"}\"\n",
      settings);
  const char* const labels =
      "account=\"sub-1\",charge=\"Usage\",product=\"Storage\",region=\"westeurope\",team=\"core\"";
  EXPECT_THAT(Points(report),
              ElementsAre(fmt::format("shop cost{{{}}} USD @25T12/12h = 2.5", labels),
                          fmt::format("shop cost_usage{{{},unit=\"GB\",usage_type=\"sku\"}}  "
                                      "@25T12/12h = 7",
                                      labels)));
}

TEST(CostReport, BadLinesAreToldAndTheOthersTaken) {
  const Report report =
      Read(kCur + CurLine(11, "1") + CurLine(11, "one dollar") + "a,b\n" + CurLine(11, "") +
               "x,yesterday,2026-11-25T11:00:00Z,1,USD,1,P,r,Usage,t,1,Hrs,i,s,t\n" +
               "x,2026-11-25T12:00:00Z,2026-11-25T11:00:00Z,1,USD,1,P,r,Usage,t,1,Hrs,i,s,t\n" +
               "x,2026-11-25T10:00:00Z,2026-11-25T11:00:00Z,1,USD,1,P,r,Usage,t,1e999,Hrs,i,s,t\n" +
               "\"x\"y\n" + kCur + CurLine(11, "2"),
           ByProduct());
  EXPECT_EQ(report.lines, 9u) << "a header in between is no line";
  EXPECT_EQ(report.bad, 7u);
  EXPECT_THAT(
      report.problems,
      ElementsAre(
          "line 3: lineItem/UnblendedCost is \"one dollar\", expected a number",
          "line 4: it has 2 fields, expected 15 as in the first line",
          "line 5: lineItem/UnblendedCost is \"\", expected a number",
          "line 6: lineItem/UsageStartDate is \"yesterday\", expected a time such as "
          "2026-11-26T13:00:00Z",
          "line 7: lineItem/UsageEndDate is \"2026-11-25T11:00:00Z\", expected a time after "
          "the period's start",
          "line 8: lineItem/UsageAmount is \"1e999\", expected a number, or nothing",
          "line 9: a quoted field goes on behind its quote"));
  EXPECT_THAT(Costs(report), ElementsAre("shop cost{product=\"AmazonEC2\"} USD @25T11/1h = 3"));
  std::string many = kCur;
  for (int i = 0; i < 100; ++i) many += "a\n";
  EXPECT_EQ(Read(many).problems.size(), Report::kProblemsMax);
}

TEST(CostReport, WhatIsNoReportIsRefusedWithWhatIsMissing) {
  const auto why = [](const std::string& text) {
    return ReadReport(text, ReportSettings(), "", kNoon).error().message;
  };
  EXPECT_EQ(why(""), "the report is empty");
  EXPECT_THAT(why("a,b\n1,2\n"),
              HasSubstr("names no column of a Cost and Usage Report or of FOCUS"));
  EXPECT_EQ(why("ChargePeriodStart,ChargePeriodEnd,ServiceName\n"),
            "the first line has no column BilledCost");
  EXPECT_THAT(why("\"BilledCost\n"), HasSubstr("line 1: a quoted field does not end"));
}

TEST(CostReport, ASeriesStaysInOrderOverSeveralBatches) {
  ReportSettings settings = ByProduct();
  settings.batch_bytes = 300;
  std::string text = kCur;
  for (int hour = 12; hour >= 1; --hour) text += CurLine(hour, std::to_string(hour));
  const Report report = Read(text, settings);
  EXPECT_GT(report.batches.size(), 2u);
  std::vector<double> values;
  for (const admit::BatchInput& input : report.inputs()) {
    for (std::size_t i = 0; i < input.point_value.size(); ++i) {
      if (input.strings[input.series[input.point_series[i]].metric] == "cost")
        values.push_back(input.point_value[i]);
    }
  }
  EXPECT_THAT(values, ElementsAre(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12));
}

TEST(CostReport, TheAnswerSaysWhatBecameOfIt) {
  const Report report = Read(kCur + CurLine(11, "1") + CurLine(13, "1") + "a\n");
  EXPECT_EQ(
      Answer(report, 2, {{admit::Refusal::kForeign, 1, "not yours"}}),
      "{\"bad\":1,\"lines\":3,\"old\":0,\"points\":2,\"problems\":[\"line 4: it has 1 fields, "
      "expected 15 as in the first line\"],\"refused\":[{\"example\":\"not yours\",\"points\":"
      "1,\"reason\":\"foreign_service\"}],\"taken\":1,\"unsettled\":1}\n");
  EXPECT_THAT(LabelFault("acount"), HasSubstr("expected account, product, region, charge, "
                                              "usage_type, resource, tag:NAME"));
  EXPECT_EQ(LabelFault("resource"), "");
  EXPECT_EQ(LabelFault("tag:team"), "");
  EXPECT_EQ(LabelFault("tag:"), "tag: names no tag");
}

}  // namespace
}  // namespace liveops::ingest::cost
