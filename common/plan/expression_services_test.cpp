// Series of another service in a condition (ADR 11).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/plan/expression.h"
#include "common/plan/parse.h"
#include "common/plan/reads.h"
#include "common/plan/reads_back_for_test.h"

namespace liveops::plan {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(OtherServices, ReadAndReadBack) {
  struct Case {
    const char* text;
    const char* canonical;
  };
  const Case cases[] = {
      {"rate(http_5xx_count{service=\"payments\"}) > 3",
       "rate(http_5xx_count{service=\"payments\"}) per 1s over 1min > 3/s for 0s"},
      {"ratio(charge_count{zone=\"a\", service=\"payments\", code=\"200\"}, orders_count) > 10%",
       "ratio(charge_count{service=\"payments\", code=\"200\", zone=\"a\"}, orders_count) over "
       "1min "
       "> 10% for 0s"},
      {"p95(latency{service=\"payments\"}) > 1s for 5min",
       "p95(http_request_duration_ms{service=\"payments\"}) over 1min > 1000ms for 5min"},
      {"increase(orders_count) - increase(charge_count{service='payments'}) > 50",
       "increase(orders_count) - increase(charge_count{service=\"payments\"}) over 1min > 50 for "
       "0s"},
      {"5xx > 1% and rate(orders_count{service=\"check-out\"}) < 1",
       "ratio(http_5xx_count, http_request_count) over 1min > 1% and "
       "rate(orders_count{service=\"check-out\"}) per 1s over 1min < 1/s for 0s"},
  };
  for (const Case& c : cases) ExpectReadsBack(c.text, c.canonical);
}

TEST(OtherServices, AreNoLabel) {
  const auto read = ParseExpression(
      "sum(a{service=\"payments\", pod=\"x\"}) + sum(b) + sum(c{service=\"stock\"}) > 1", &Seed());
  ASSERT_TRUE(read.value) << read.error.message;
  const auto& operands = read.value->measure.operands;
  ASSERT_EQ(operands.size(), 3u);
  EXPECT_EQ(operands[0].service, "payments");
  EXPECT_THAT(operands[0].matches, ElementsAre(LabelMatch{"pod", false, "x"}));
  EXPECT_EQ(operands[1].service, "");
  EXPECT_THAT(ServicesRead(*read.value), ElementsAre("payments", "stock"));
  EXPECT_TRUE(ReadsOwn(*read.value));
  const auto others = ParseExpression("sum(a{service=\"payments\"}) > 1", &Seed());
  EXPECT_FALSE(ReadsOwn(*others.value));
}

TEST(OtherServices, TheOwnOneIsLeftOut) {
  Bindings bindings = Seed();
  bindings.service = "shop";
  const auto named = ParseExpression("rate(orders_count{service=\"shop\"}) > 3", &bindings);
  ASSERT_TRUE(named.value) << named.error.message;
  EXPECT_EQ(*named.value, *ParseExpression("rate(orders_count) > 3", &bindings).value);
}

TEST(OtherServices, TellsWhatIsWrongAndWhere) {
  struct Case {
    const char* text;
    std::size_t offset;
    const char* message;
  };
  const Case cases[] = {
      {"rate(m{service!=\"payments\"}) > 1", 7, "a service is named and not left out"},
      {"rate(m{service=~\"pay.*\"}) > 1", 14, "matching by pattern cannot be run yet"},
      {"rate(m{service=payments}) > 1", 15, "expected the service in quotes"},
      {"rate(m{service=\"pay ments\"}) > 1", 15, "service is \"pay ments\""},
      {"rate(m{service=\"a\", service=\"b\"}) > 1", 20, "the series are of a already"},
      {"distinct(m{service=\"payments\"}, user) > 5", 0, "distinct cannot be run in a condition"},
      {"rate(m{service=\"payments\"}) > 1 and fewer than 3 by pod", 0,
       "at least N by label cannot be run in a condition that reads the series of another service, "
       "as this one does of payments"},
      {"topk(3, rate(m{service=\"payments\"}) by pod) > 5", 0, "topk cannot be run"},
  };
  for (const Case& c : cases) {
    const auto parsed = ParseExpression(c.text, &Seed());
    ASSERT_FALSE(parsed.value) << c.text;
    EXPECT_EQ(parsed.error.offset, c.offset) << c.text << ": " << parsed.error.message;
    EXPECT_THAT(parsed.error.message, HasSubstr(c.message)) << c.text;
  }
  EXPECT_THAT(ParseExpect("rate(m{service=\"payments\"}) < 1 within 5min", &Seed()).error.message,
              HasSubstr("read from its own service's series, this is of payments"));
}

constexpr const char* kPlan = R"(service: shop
owners:
  on-call: {slack: "#oncall"}
metrics:
  charges: {ratio: ['charge_count{service="payments"}', orders_count]}
  cpu: {metric: 'cpu_utilization{service="shop"}', unit: "%"}
  their cpu: {metric: 'cpu_utilization{service="payments"}', unit: "1"}
alarms:
  - {name: lost, when: charges < 90% for 5min, severity: critical, owner: on-call}
  - {name: busy, when: cpu > 90% and their cpu > 90%, severity: high, owner: on-call}
)";

TEST(OtherServices, APlanNamesThemUnderMetricsToo) {
  const auto parsed = Parse(kPlan);
  ASSERT_TRUE(parsed.ok()) << parsed.problems.front().ToString("p");
  EXPECT_THAT(ServicesRead(parsed.plan), ElementsAre("payments"));
  EXPECT_EQ(CanonicalText(parsed.plan.alarms[0].when),
            "ratio(charge_count{service=\"payments\"}, orders_count) over 1min < 90% for 5min");
  EXPECT_EQ(CanonicalText(parsed.plan.alarms[1].when),
            "last(cpu_utilization) over 1min > 90% and last(cpu_utilization{service=\"payments\"}) "
            "over 1min > 0.9 for 0s");
  EXPECT_THAT(ServicesRead(Parse("service: shop\n").plan), IsEmpty());
}

TEST(OtherServices, AnObjectiveIsOverItsOwnSeries) {
  for (const char* events : {"good: 'ok{service=\"payments\"}', total: all",
                             "good: ok, total: 'all{service=\"payments\"}'",
                             "good: 'all - bad{service=\"payments\"}', total: all"}) {
    const auto parsed = Parse(std::string(kPlan) + "slos:\n  - {name: o, objective: 99%, " +
                              events + ", over: 30d, owner: on-call}\n");
    ASSERT_FALSE(parsed.ok()) << events;
    EXPECT_THAT(parsed.problems.front().message,
                HasSubstr("an objective is over its own service's series"));
  }
}

}  // namespace
}  // namespace liveops::plan
