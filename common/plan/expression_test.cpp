#include "common/plan/expression.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "common/plan/bindings_for_test.h"
#include "common/plan/parse.h"

namespace liveops::plan {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

TEST(Expression, ReadsThePhrasesOfPeople) {
  struct Case {
    const char* text;
    const char* canonical;
  };
  const Case cases[] = {
      {"p95 > 500ms for 5min", "p95(http_request_duration_ms) over 1min > 500ms for 5min"},
      {"p95(http_request_duration_ms) > 500ms for 5min",
       "p95(http_request_duration_ms) over 1min > 500ms for 5min"},
      {"p95 latency > 500ms 5min", "p95(http_request_duration_ms) over 1min > 500ms for 5min"},
      {"p99.9(latency) >= 0.8s", "p99.9(http_request_duration_ms) over 1min >= 800ms for 0s"},
      {"p95 > 500 ms for 5 min", "p95(http_request_duration_ms) over 1min > 500ms for 5min"},
      {"5xx > 1% for 3min", "ratio(http_5xx_count, http_request_count) over 1min > 1% for 3min"},
      {"5xx error > 1% 3min", "ratio(http_5xx_count, http_request_count) over 1min > 1% for 3min"},
      {"5xx > 0.05", "ratio(http_5xx_count, http_request_count) over 1min > 0.05 for 0s"},
      {"5xx by zone, host over 5min > 5% for 3min",
       "ratio(http_5xx_count, http_request_count) by host, zone over 5min > 5% for 3min"},
      {"req/min < 10", "rate(http_request_count) per 1min over 1min < 10/min for 0s"},
      {"req/min<10", "rate(http_request_count) per 1min over 1min < 10/min for 0s"},
      {"req/min < 10/min", "rate(http_request_count) per 1min over 1min < 10/min for 0s"},
      {"CPU > 90% for 5min", "last(cpu_utilization) over 1min > 90% for 5min"},
      {"avg(CPU) by host > 90%", "avg(cpu_utilization) by host over 1min > 90% for 0s"},
      {"DB connections > 80% for 10min",
       "last(db_connection_count) of 200 over 1min > 80% for 10min"},
      {"max(DB connections) > 80%", "max(db_connection_count) of 200 over 1min > 80% for 0s"},
      {"Disk usage > 85% for 1hr", "last(disk_utilization) over 1min > 85% for 1h"},
      {"hit rate < 80%", "last(redis_hit_rate) over 1min < 0.8 for 0s"},
      {"heap > 2GiB", "last(heap_bytes) over 1min > 2147483648By for 0s"},
      {"queue > 5jobs", "last(queue_length) over 1min > 5jobs for 0s"},
      {"last(flip) by flip > 0.5", "last(flip) by flip over 1min > 0.5 for 0s"},
      {"avg(cpu) by instance > 90 for 5min", "avg(cpu) by instance over 1min > 90 for 5min"},
      {"rate(m{code=\"500\"}) per s > 3", "rate(m{code=\"500\"}) per 1s over 1min > 3/s for 0s"},
      {"rate(m) > 3", "rate(m) per 1s over 1min > 3/s for 0s"},
      {"rate(http.server.requests{b!='x',a=\"q\\\"\\\\\"}) per 5min > 3",
       "rate(http.server.requests{a=\"q\\\"\\\\\", b!=\"x\"}) per 5min over 1min > 3/5min for 0s"},
      {"ratio(a{x=\"1\"}, b) <= 50%", "ratio(a{x=\"1\"}, b) over 1min <= 50% for 0s"},
      {"last(temperature) < -5.25", "last(temperature) over 1min < -5.25 for 0s"},
      {"p95(http_request_duration_ms) > 0.8s",
       "p95(http_request_duration_ms) over 1min > 800ms for 0s"},
      {"shortfall(ok{zone=\"a\"}, all) > 2%",
       "shortfall(ok{zone=\"a\"}, all) over 1min > 2% for 0s"},
      {"stddev(latency) over 30d > 0.1s",
       "stddev(http_request_duration_ms) over 30d > 100ms for 0s"},
      {"avg(m) in s > 200ms", "avg(m) over 1min > 0.2s for 0s"},
      {"avg(latency) in s > 200ms", "avg(http_request_duration_ms) over 1min > 0.2s for 0s"},
      {"rate(m) per min in By/min > 5", "rate(m) per 1min over 1min > 5By/min for 0s"},
      {"(5xx) > 1%", "ratio(http_5xx_count, http_request_count) over 1min > 1% for 0s"},
      {"count(latency) > 100", "count(http_request_duration_ms) over 1min > 100 for 0s"},
  };
  for (const Case& c : cases) EXPECT_EQ(Canonical(c.text), c.canonical) << c.text;
}

TEST(Expression, TellsWhatIsWrongAndWhere) {
  struct Case {
    const char* text;
    std::size_t offset;
    const char* message;
  };
  const Case cases[] = {
      {"", 0, "expected a measure"},
      {"404 rate > 1%", 0, "unknown name \"404 rate\""},
      {"6xx > 1%", 0, "unknown name \"6xx\"; did you mean \"5xx\"?"},
      {"DB conections > 80%", 0, "did you mean \"DB connections\"?"},
      {"cpu_utilization > 90%", 0, "say how to read it: last(cpu_utilization)"},
      {"latency > 1ms", 0, "p95 latency"},
      {"p95 lateny > 1ms", 4, "did you mean \"latency\"?"},
      {"p95 5xx > 1ms", 4, "is not a metric"},
      {"p101(m) > 1", 0, "not a quantile"},
      {"p0(m) > 1", 0, "not a quantile"},
      {"mean(m) > 1", 0, "unknown aggregate \"mean\""},
      {"ragte(m) > 1", 0, "did you mean \"rate\"?"},
      {"topk(5, m) > 1", 8, "unknown name \"m\""},
      {"stdvar(m) > 1", 0, "stdvar cannot be run yet"},
      {"distinct(m) > 1", 10, "found \")\", expected \",\" and the label whose values are counted"},
      {"distinct(m, by) > 1", 12, "expected a label whose values are counted"},
      {"distinct(m, user) > 1ms", 21, "this is a plain number, \"ms\" does not fit"},
      {"distinct(m, user) in ms > 1", 18, "a count has no unit"},
      {"distnict(m, user) > 1", 0, "did you mean \"distinct\""},
      {"avg(rate(m)) > 1", 4, "an aggregate of an aggregate cannot be run yet"},
      {"avg(5xx) > 1", 4, "is a measure of its own"},
      {"avg(m[5m]) > 1", 5, "over 5min"},
      {"avg(m > 1", 6, "found \">\", expected \")\""},
      {"ratio(a) > 1", 7, "the metric to divide by"},
      {"shortfall(a) > 1", 11, "shortfall(good, total)"},
      {"shortfall(a, b) > 5", 18, "a share of what is missing"},
      {"p95 over 31d > 5ms", 9, "expected from 1s to 30d"},
      {"last(m) in > 5", 11, "expected a unit after in"},
      {"last(m) in foos > 5", 11, "unknown unit \"foos\""},
      {"avg(latency) in By > 5", 16, "http_request_duration_ms is in ms, \"By\" does not fit"},
      {"CPU in % > 5%", 4, "in does not fit here"},
      {"avg(m{a=~\"x\"}) > 1", 7, "matching by pattern"},
      {"avg(m{a=x}) > 1", 8, "in quotes"},
      {"avg(m) per s > 1", 7, "only a rate is per time"},
      {"rate(m) per parsec > 1", 12, "length of time after per"},
      {"last(m) of 0 > 1%", 11, "capacity above 0"},
      {"5xx of 5 > 1%", 4, "of does not fit here"},
      {"5xx = 1%", 4, "expected one of > >= < <="},
      {"5xx >> 1%", 4, "expected one of"},
      {"5xx > 5xx", 6, "two measures are compared by their difference"},
      {"5xx > CPU", 6, "two measures are compared by their difference"},
      {"5xx >", 5, "found the end, expected a number"},
      {"5xx > 5", 6, "did you mean 5%?"},
      {"5xx > 5ms", 7, "\"ms\" does not fit"},
      {"DB connections > 160", 17, "share of its capacity"},
      {"p95 > 500", 6, "write 500ms"},
      {"p95 > 500mss", 9, "unknown unit \"mss\"; did you mean \"ms\"?"},
      {"p95 > 500MS", 9, "unknown unit \"MS\"; did you mean \"ms\"?"},
      {"p95 > 500USD", 9, "unknown unit \"USD\": this is in ms"},
      {"p95 > 5%", 7, "this is in ms, \"%\" does not fit"},
      {"CPU > 90", 6, "write 90%"},
      {"req/min < 10ms", 12, "this is a rate in /min"},
      {"count(m) > 5%", 12, "plain number"},
      {"avg(m) > 5foos", 10, "unknown unit \"foos\""},
      {"sum(m) > 5USD", 10,
       "unknown unit \"USD\": expected one like ms, h, MiB or %, or that metrics: says what is in "
       "it, as in cost: {metric: cost, unit: USD}"},
      {"sum(m) > 5EUR", 10, "as in cost: {metric: cost, unit: EUR}"},
      {"sum(m) > 5sec", 10, "unknown unit \"sec\"; did you mean \"s\"?"},
      {"p95 > 500ms for", 15, "expected the hold"},
      {"p95 > 500ms for 5parsecs", 16, "is not a unit of time"},
      {"p95 > 500ms for 30d", 16, "expected from 0s to 7d"},
      {"p95 over 100ms > 500ms", 9, "the window is 100ms, expected from 1s"},
      {"p95 over 1min over 2min > 5ms", 14, "over is given twice"},
      {"p95 by a, a > 5ms", 10, "named twice"},
      {"p95 by over > 5ms", 7, "expected a label"},
      {"p95 > 500ms * 2", 12, "arithmetic stands left of the comparison"},
      {"p95 > 500ms for 5min please", 21, "found \"please\", expected the end"},
  };
  for (const Case& c : cases) {
    const auto parsed = ParseExpression(c.text, &Seed());
    ASSERT_FALSE(parsed.value.has_value()) << c.text << " = " << CanonicalText(*parsed.value);
    EXPECT_THAT(parsed.error.message, HasSubstr(c.message)) << c.text;
    EXPECT_EQ(parsed.error.offset, c.offset) << c.text << ": " << parsed.error.message;
  }
}

TEST(Expression, BareQuantileNeedsADefault) {
  Bindings none;
  const auto parsed = ParseExpression("p95 > 5ms", &none);
  EXPECT_EQ(parsed.error.offset, 0u);
  EXPECT_THAT(parsed.error.message, HasSubstr("default: true"));
}

TEST(Expression, ClearIsOnTheRecoveringSideInTheUnitOfTheCondition) {
  const auto condition = *ParseExpression("p95 > 500ms for 5min", &Seed()).value;
  const auto clear = ParseClear("< 0.3s for 2min", condition);
  ASSERT_TRUE(clear.value) << clear.error.message;
  EXPECT_EQ(*clear.value, (Clear{Comparison::kLess, 300, std::chrono::minutes(2)}));
  EXPECT_THAT(ParseClear("> 300ms", condition).error.message, HasSubstr("the other side"));
  EXPECT_THAT(ParseClear("< 600ms", condition).error.message, HasSubstr("while it fires"));
  EXPECT_THAT(ParseClear("< 300", condition).error.message, HasSubstr("write 300ms"));
  EXPECT_THAT(ParseClear("< 3%", condition).error.message, HasSubstr("does not fit"));
  EXPECT_THAT(ParseClear("< 300ms forever", condition).error.message, HasSubstr("forever"));
  const auto low = *ParseExpression("req/min < 10", &Seed()).value;
  EXPECT_EQ(ParseClear("> 20", low).value->threshold, 20);
  EXPECT_THAT(ParseClear("> 5", low).error.message, HasSubstr("expected 10/min or more"));
  const auto plain = *ParseExpression("5xx > 0.05", &Seed()).value;
  EXPECT_EQ(ParseClear("< 1%", plain).value->threshold, 0.01);
}

TEST(Expression, ExpectHasATimeLimitLongerThanItsWindow) {
  const auto expect = ParseExpect("5xx < 1% within 5min", &Seed());
  ASSERT_TRUE(expect.value) << expect.error.message;
  EXPECT_EQ(expect.value->within, std::chrono::minutes(5));
  EXPECT_EQ(CanonicalText(expect.value->condition),
            "ratio(http_5xx_count, http_request_count) over 1min < 1% for 0s");
  EXPECT_THAT(ParseExpect("5xx < 1%", &Seed()).error.message, HasSubstr("expected within"));
  EXPECT_THAT(ParseExpect("5xx < 1% within 1min", &Seed()).error.message, HasSubstr("not longer"));
  EXPECT_THAT(ParseExpect("5xx < 1% for 1min", &Seed()).error.message,
              HasSubstr("a hold in expect"));
  EXPECT_THAT(ParseExpect("at least 3 by pod", &Seed()).error.message,
              HasSubstr("expected within"));
}

TEST(Expression, ParseConditionNamesTheColumn) {
  const auto bad = ParseCondition("avg(m) > x");
  ASSERT_FALSE(bad.ok());
  EXPECT_EQ(bad.error().code, ErrorCode::kInvalid);
  EXPECT_THAT(bad.error().message, StartsWith("column 10: "));
  EXPECT_FALSE(ParseCondition(std::string(5000, 'x')).ok());
}

Condition RandomCondition(std::mt19937& random) {
  const auto pick = [&](auto... choices) {
    using T = std::common_type_t<decltype(choices)...>;
    const std::vector<T> all{choices...};
    return all[random() % all.size()];
  };
  Condition c;
  Measure& m = c.measure;
  m.value().aggregate = pick(Aggregate::kLast, Aggregate::kAvg, Aggregate::kMin, Aggregate::kMax,
                             Aggregate::kSum, Aggregate::kCount, Aggregate::kIncrease,
                             Aggregate::kRate, Aggregate::kQuantile, Aggregate::kStddev);
  m.value().metric =
      std::string(pick("m", "http_request_count", "http.server.duration", "a-b/c:d"));
  if (random() % 2) {
    m.value().matches.push_back(
        {"code", random() % 2 == 0, std::string(pick("500", "", "a\"b\\c", "x, y} z"))});
  }
  if (random() % 3 == 0) m.value().matches.push_back({"zone", false, "a\nb'"});
  m.unit = std::string(pick("1", "ms", "%", "s", "jobs", "KiB"));
  if (m.value().aggregate == Aggregate::kQuantile) {
    m.value().quantile = pick(0.5, 0.9, 0.95, 0.99, 0.999, 0.9999, 0.01, 0.001, 1.0 / 3);
  } else if (m.value().aggregate == Aggregate::kRate) {
    m.value().per = Duration(pick(1000, 60'000, 90'000, 3'600'000));
    m.unit = std::string(pick("/min", "/s", "By/s", "%"));
  } else if (random() % 4 == 0) {
    m.value().aggregate = Aggregate::kIncrease;
    m.form = random() % 2 ? Measure::Form::kRatio : Measure::Form::kShortfall;
    m.operands.push_back({});
    m.operands[1].aggregate = Aggregate::kIncrease;
    m.operands[1].metric = "total";
    m.unit = std::string(pick("1", "%"));
  }
  if (!m.IsRatio() && random() % 3 == 0) {
    m.capacity = pick(200.0, 0.5, 1e9, 123.456);
    m.unit = std::string(pick("1", "%"));
  }
  if (random() % 2) c.by = {"host"};
  if (random() % 3 == 0) c.by.push_back("zone.name");
  c.window = Duration(pick(1000, 60'000, 300'000, 90'500));
  c.op = pick(Comparison::kGreater, Comparison::kGreaterEqual, Comparison::kLess,
              Comparison::kLessEqual);
  c.threshold = pick(0.0, 500.0, 0.1, 1.0 / 3, -5.25, 1e300, 5e-324, 123456789.125,
                     static_cast<double>(static_cast<std::int32_t>(random())) / 7);
  c.hold = Duration(pick(0, 1, 180'000, 5'400'000));
  return c;
}

TEST(Canonical, ReadsBackToTheSameCondition) {
  std::mt19937 random(7);
  for (int i = 0; i < 20'000; ++i) {
    const Condition condition = RandomCondition(random);
    const std::string text = CanonicalText(condition);
    const auto read = ParseCondition(text);
    ASSERT_TRUE(read.ok()) << text << "\n" << read.error().message;
    ASSERT_EQ(*read, condition) << text << "\n" << CanonicalText(*read);
    ASSERT_EQ(Digest(*read), Digest(condition));
  }
}

TEST(Canonical, DigestTellsConditionsApartAndForgetsSpelling) {
  const auto digest = [](std::string_view text) {
    return Digest(*ParseExpression(text, &Seed()).value);
  };
  EXPECT_EQ(digest("p95 > 500ms for 5min"), digest("p95(latency)  over 60s > 0.5s for 300s"));
  EXPECT_NE(digest("p95 > 500ms for 5min"), digest("p95 > 500ms for 4min"));
  EXPECT_NE(digest("p95 > 500ms"), digest("p95 over 2min > 500ms"));
  EXPECT_NE(digest("avg(m{a='b'}) > 1"), digest("avg(m{a!='b'}) > 1"));
  EXPECT_EQ(digest("p95 > 500ms").size(), 64u);
}

// Bytes of any kind give an error or a condition, never a crash; what is read survives the round
// trip.
TEST(Expression, SurvivesMutations) {
  const std::string seeds[] = {
      "p95(http_request_duration_ms{a=\"b\"}) by x, y over 5min > 500ms for 5min",
      "DB connections > 80% for 10min",
      "ratio(a, b) <= 0.5",
      "rate(m) per min of 5 < 1%",
      "(CPU > 5% or 5xx > 1%) unless (req/min < 10 and p95 > 5ms) for 3 of 5min",
      "(p95 - avg(m) in s) / (2 * p50) + 1.5 by host over 1h > 5% and CPU * 2 > 3%"};
  const std::string pieces = "abp95(){}[]<>=!\"'\\,%.-+*/ \n\t0123456789\x80\xff";
  std::mt19937 random(11);
  for (int i = 0; i < 30'000; ++i) {
    std::string text = seeds[random() % std::size(seeds)];
    for (std::size_t n = 1 + random() % 4; n > 0; --n) {
      const std::size_t at = random() % (text.size() + 1);
      if (random() % 2 == 0 && at < text.size())
        text.erase(at, 1 + random() % 5);
      else
        text.insert(at, 1, pieces[random() % pieces.size()]);
    }
    const auto parsed = ParseExpression(text, &Seed());
    if (!parsed.value) {
      ASSERT_LE(parsed.error.offset, text.size()) << text;
      continue;
    }
    const auto again = ParseCondition(CanonicalText(*parsed.value));
    ASSERT_TRUE(again.ok()) << text << " -> " << CanonicalText(*parsed.value) << ": "
                            << again.error().message;
    ASSERT_EQ(*again, *parsed.value) << text;
  }
}

}  // namespace
}  // namespace liveops::plan
