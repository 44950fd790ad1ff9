// Measures made of several aggregates by arithmetic, and their units.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <random>
#include <span>

#include "common/plan/bindings_for_test.h"
#include "common/plan/parse.h"

namespace liveops::plan {
namespace {

using testing::HasSubstr;

struct Case {
  const char* text;
  const char* canonical;
};

void ExpectCanonical(std::span<const Case> cases) {
  for (const Case& c : cases) {
    EXPECT_EQ(Canonical(c.text), c.canonical) << c.text;
    const auto read = ParseCondition(c.canonical);
    ASSERT_TRUE(read.ok()) << c.canonical << ": " << read.error().message;
    EXPECT_EQ(*read, *ParseExpression(c.text, &Seed()).value) << c.text;
  }
}

TEST(Formula, BindsLikeArithmetic) {
  const Case cases[] = {
      {"avg(a) + avg(b) * avg(c) > 1", "avg(a) + avg(b) * avg(c) over 1min > 1 for 0s"},
      {"(avg(a) + avg(b)) * avg(c) > 1", "(avg(a) + avg(b)) * avg(c) over 1min > 1 for 0s"},
      {"avg(a) - avg(b) - avg(c) > 1", "avg(a) - avg(b) - avg(c) over 1min > 1 for 0s"},
      {"avg(a) - (avg(b) - avg(c)) > 1", "avg(a) - (avg(b) - avg(c)) over 1min > 1 for 0s"},
      {"avg(a) + (avg(b) + avg(c)) > 1", "avg(a) + (avg(b) + avg(c)) over 1min > 1 for 0s"},
      {"avg(a) / (avg(b) * avg(c)) > 1", "avg(a) / (avg(b) * avg(c)) over 1min > 1 for 0s"},
      {"avg(a)/avg(b)*avg(c)>1", "avg(a) / avg(b) * avg(c) over 1min > 1 for 0s"},
      {"((avg(a))) + ((1)) > 1", "avg(a) + 1 over 1min > 1 for 0s"},
      {"2*avg(a)+-1.5 > 1", "2 * avg(a) + -1.5 over 1min > 1 for 0s"},
      {"1 - avg(a) > 1", "1 - avg(a) over 1min > 1 for 0s"},
      {"avg(a) -1 > 1", "avg(a) - 1 over 1min > 1 for 0s"},
  };
  ExpectCanonical(cases);
}

TEST(Formula, ByOverAndHoldStandAfterTheWhole) {
  const Case cases[] = {
      {"max(a{x=\"1\"}) - min(a) by host over 5min > 3 for 3 of 5min",
       "max(a{x=\"1\"}) - min(a) by host over 5min > 3 for 3 of 5min"},
      {"avg(a) - 1 > 2 and avg(b) * 2 over 1h < 3 for 1min",
       "avg(a) - 1 over 1min > 2 and avg(b) * 2 over 1h < 3 for 1min"},
  };
  ExpectCanonical(cases);
}

TEST(Formula, TakesNamesOfPlainMeasures) {
  const Case cases[] = {
      {"CPU - Disk usage > 5%",
       "last(cpu_utilization) in % - last(disk_utilization) in % over 1min > 5% for 0s"},
      {"p95 - p50 > 0.3s",
       "p95(http_request_duration_ms) in ms - p50(http_request_duration_ms) in ms over 1min > "
       "300ms for 0s"},
      {"p95 latency / p50 latency > 4",
       "p95(http_request_duration_ms) in ms / p50(http_request_duration_ms) in ms over 1min > 4 "
       "for "
       "0s"},
      {"req/min / 2 > 5", "rate(http_request_count) per 1min / 2 over 1min > 5/min for 0s"},
  };
  ExpectCanonical(cases);
}

TEST(Formula, UnitsAreBroughtToTheLeftOne) {
  const Case cases[] = {
      {"avg(latency) - avg(m) in s > 5ms",
       "avg(http_request_duration_ms) in ms - avg(m) in ms over 1min > 5ms for 0s"},
      {"avg(m) in s - avg(latency) * 2 > 5ms",
       "avg(m) in s - avg(http_request_duration_ms) in s * 2 over 1min > 0.005s for 0s"},
      {"avg(m) in s - 2 * (avg(latency) + avg(n) in us) / 3 > 5s",
       "avg(m) in s - 2 * (avg(http_request_duration_ms) in s + avg(n) in s) / 3 over 1min > 5s "
       "for "
       "0s"},
      {"avg(m) in s / avg(latency) > 5",
       "avg(m) in s / avg(http_request_duration_ms) in s over 1min > 5 for 0s"},
      {"CPU + hit rate > 100%",
       "last(cpu_utilization) in % + last(redis_hit_rate) in % over 1min > 100% for 0s"},
      {"hit rate - CPU > 0.1",
       "last(redis_hit_rate) - last(cpu_utilization) over 1min > 0.1 for 0s"},
      // What cannot be converted decides: a quotient of times stays a plain number.
      {"CPU - p50 / p95 > 0.1",
       "last(cpu_utilization) - p50(http_request_duration_ms) in ms / "
       "p95(http_request_duration_ms) in ms over 1min > 0.1 for 0s"},
      {"queue * 2 > 5jobs", "last(queue_length) in jobs * 2 over 1min > 5jobs for 0s"},
      {"heap / 2 > 1GiB", "last(heap_bytes) in By / 2 over 1min > 1073741824By for 0s"},
      {"rate(m) per min + rate(n) per min > 5",
       "rate(m) per 1min + rate(n) per 1min over 1min > 5/min for 0s"},
      {"rate(heap_bytes) * 2 > 5By/s",
       "rate(heap_bytes) per 1s in By/s * 2 over 1min > 5By/s for 0s"},
      {"increase(heap_bytes) / increase(n) > 5kB",
       "increase(heap_bytes) in By / increase(n) over 1min > 5000By for 0s"},
      {"count(latency) * 2 > 5", "count(http_request_duration_ms) * 2 over 1min > 5 for 0s"},
  };
  ExpectCanonical(cases);
}

// Compared with per cents a quotient is multiplied by 100 in the formula itself.
TEST(Formula, AQuotientMayBeComparedWithPerCents) {
  const Case cases[] = {
      {"increase(a) / increase(b) > 5%", "increase(a) / increase(b) * 100 over 1min > 5% for 0s"},
      {"increase(a) / increase(b) > 0.05", "increase(a) / increase(b) over 1min > 0.05 for 0s"},
      {"1 - increase(a) / increase(b) > 5%",
       "(1 - increase(a) / increase(b)) * 100 over 1min > 5% for 0s"},
      // Said already.
      {"increase(a) / increase(b) * 100 > 5%",
       "increase(a) / increase(b) * 100 over 1min > 5% for 0s"},
      {"1 - last(cpu_utilization) in 1 < 10%",
       "(1 - last(cpu_utilization)) * 100 over 1min < 10% for 0s"},
  };
  ExpectCanonical(cases);
  const auto condition = *ParseExpression("increase(a) / increase(b) > 5%", &Seed()).value;
  EXPECT_EQ(condition.measure.unit, "%");
  EXPECT_EQ(condition.threshold, 5);
  ASSERT_EQ(condition.measure.formula.size(), 5u);
  EXPECT_EQ(condition.measure.formula[3].number, 100);
  EXPECT_EQ(condition.measure.formula[4].kind, FormulaStep::Kind::kMultiply);
  EXPECT_EQ(ParseClear("< 2%", condition).value->threshold, 2);
}

TEST(Formula, AnOperandThatStandsTwiceIsOne) {
  const auto parsed = ParseExpression(
      "(increase(t) - increase(g)) / increase(t) + avg(t) - avg(t{a=\"b\"}) > 5", &Seed());
  ASSERT_TRUE(parsed.value) << parsed.error.message;
  EXPECT_EQ(parsed.value->measure.operands.size(), 4u);
  EXPECT_EQ(parsed.value->measure.formula[0], parsed.value->measure.formula[3]);
}

TEST(Formula, OneCallStaysPlain) {
  for (const char* text : {"avg(m) > 1", "(avg(m)) > 1", "((avg(m))) > 1"}) {
    const auto parsed = ParseExpression(text, &Seed());
    ASSERT_TRUE(parsed.value) << text;
    EXPECT_EQ(parsed.value->measure.form, Measure::Form::kPlain) << text;
    EXPECT_EQ(parsed.value->measure.value().unit, "") << text;
  }
  EXPECT_EQ(ParseExpression("avg(m) + 0 > 1", &Seed()).value->measure.form,
            Measure::Form::kFormula);
}

TEST(Formula, TellsWhatIsWrongAndWhere) {
  struct Wrong {
    const char* text;
    std::size_t offset;
    const char* message;
  };
  const Wrong cases[] = {
      {"p95 + heap > 5ms", 4, "\"+\" wants the same kind of unit on both sides, found ms and By"},
      {"p95 - avg(m) > 5ms", 4,
       "found ms and plain numbers; a series whose unit is not declared is a plain number, else "
       "write avg(metric) in ms"},
      {"p95 + 5 > 5ms", 4, "found ms and a plain number"},
      {"CPU + 5 > 90%", 4, "found % and a plain number"},
      {"1 - CPU > 20%", 2, "found a plain number and %"},
      {"p95 * heap > 5", 4, "\"*\" wants a plain number on one side, found ms and By"},
      {"p95 * CPU > 5ms", 4, "found ms and %"},
      {"p95 / heap > 5", 4,
       "\"/\" wants the same kind of unit on both sides, or a plain number on the right, found ms "
       "and By"},
      {"1 / p95 > 5", 2, "found a plain number and ms"},
      {"rate(m) per min - rate(n) > 5", 16, "found /min and /s"},
      {"rate(m) in By/s / rate(n) > 5", 16, "found By/s and /s"},
      {"increase(heap_bytes) - increase(m) in kB > 5kB", 21, "found By and kB"},
      {"5xx + CPU > 1%", 0, "a ratio cannot stand in a formula; write increase(part)"},
      {"CPU + 5xx > 1%", 6, "a ratio cannot stand in a formula"},
      {"1 - shortfall(a, b) > 1%", 4, "a shortfall cannot stand in a formula"},
      {"DB connections + 1 > 5", 0, "divide by the capacity: last(metric) / 200"},
      {"last(m) of 200 * 2 > 5", 0, "a share of a capacity cannot stand in a formula"},
      {"5 > 3", 0, "numbers alone say nothing"},
      {"1 + 2 > 3", 0, "numbers alone say nothing"},
      {"avg(a) + > 3", 9, "found \">\", expected a measure"},
      {"avg(a) + nothing > 3", 9, "unknown name \"nothing\""},
      {"avg(a) ** 2 > 3", 8, "expected a measure"},
      {"+ avg(a) > 3", 0, "expected a measure"},
      {"(avg(a) + 1 > 3", 15, "expected and, or, unless or \")\""},
      {"(avg(a) + 1", 11, "found the end, expected a sign or \")\""},
      {"avg(a) + 5ms > 3", 10, "a number in a formula has no unit, found \"ms\""},
      {"avg(a) + 5% > 3", 10, "a number in a formula has no unit"},
      {"avg(a) by host - avg(b) > 3", 15, "by and over stand after the whole formula"},
      {"avg(a) - avg(b) > 5ms", 19, "if its series are in ms, write avg(metric) in ms"},
      {"avg(a) + avg(b) > 5%", 19, "it says no part of a whole"},
      {"p95 - p50 > 5", 12, "expected a unit: this is in ms, write 5ms"},
      {"p95 - p50 > 5By", 13, "this is in ms, \"By\" does not fit"},
      {"req/min * 2 > 5/s", 15, "this is in /min, \"/s\" does not fit"},
      {"100 * increase(a) / increase(b) > 5%", 34, "leave the 100 out"},
      {"rate(m) in ms / 2 > 5", 11, "expected a unit that ends in /s"},
      {"rate(m) in By/min / 2 > 5", 11, "expected a unit that ends in /s"},
      {"increase(heap_bytes) in kB / 2 > 5kB", 24,
       "heap_bytes is in By, \"kB\" does not fit; what is counted is not converted"},
      {"count(m) in ms / 2 > 5", 9, "a count has no unit"},
      {"last(m) of 5 in ms > 5", 13, "a share of a capacity has no unit"},
      {"avg(a) in ms of 5 > 5", 13, "of does not fit here"},
      {"avg(a) + avg(b) + avg(c) + avg(d) + avg(e) + avg(f) + avg(g) + avg(h) + avg(i) > 1", 72,
       "at most 8 different aggregates"},
  };
  for (const Wrong& c : cases) {
    const auto parsed = ParseExpression(c.text, &Seed());
    ASSERT_FALSE(parsed.value.has_value()) << c.text << " = " << CanonicalText(*parsed.value);
    EXPECT_THAT(parsed.error.message, HasSubstr(c.message)) << c.text;
    EXPECT_EQ(parsed.error.offset, c.offset) << c.text << ": " << parsed.error.message;
  }
}

TEST(Formula, HasAnEnd) {
  std::string text = "avg(a)";
  for (int i = 0; i < 33; ++i) text += " + 1";
  EXPECT_THAT(ParseExpression(text + " > 1", &Seed()).error.message,
              HasSubstr("a formula has at most 32 signs"));
  EXPECT_TRUE(ParseExpression(text.substr(0, text.size() - 4) + " > 1", &Seed()).value);
  // What a canonical text adds to it does not break it.
  std::string quotient = "increase(a) / increase(b) + 0";
  for (int i = 0; i < 16; ++i) quotient = "1 - (" + quotient + ")";
  for (int i = 0; i < 14; ++i) quotient += " + 0";
  const auto longest = ParseExpression(quotient + " > 1%", &Seed());
  ASSERT_TRUE(longest.value) << longest.error.message;
  const auto again = ParseCondition(CanonicalText(*longest.value));
  ASSERT_TRUE(again.ok()) << again.error().message;
  EXPECT_EQ(*again, *longest.value);
  // Neither nests without end nor takes its time over it.
  const std::string deep = std::string(2000, '(') + "avg(a)" + std::string(2000, ')') + " > 1";
  EXPECT_THAT(ParseExpression(deep, &Seed()).error.message, HasSubstr("more than 16 deep"));
}

// --- what is read means what was written ---

using Values = std::vector<double>;
struct Written {
  std::string text;
  std::function<double(const Values&)> value;
};

Written RandomFormula(std::mt19937& random, int depth) {
  if (depth == 0 || random() % 4 == 0) {
    const std::size_t operand = random() % 4;
    if (random() % 4 == 0) {
      const double number = static_cast<double>(random() % 100) / 4;
      return {std::to_string(number), [number](const Values&) { return number; }};
    }
    return {"avg(" + std::string(1, static_cast<char>('a' + operand)) + ")",
            [operand](const Values& values) { return values[operand]; }};
  }
  const Written left = RandomFormula(random, depth - 1);
  const Written right = RandomFormula(random, depth - 1);
  const auto text = [&](char sign) {
    return "(" + left.text + ")" + sign + "(" + right.text + ")";
  };
  switch (random() % 4) {
    case 0:
      return {text('+'), [=](const Values& v) { return left.value(v) + right.value(v); }};
    case 1:
      return {text('-'), [=](const Values& v) { return left.value(v) - right.value(v); }};
    case 2:
      return {text('*'), [=](const Values& v) { return left.value(v) * right.value(v); }};
    default:
      return {text('/'), [=](const Values& v) { return left.value(v) / right.value(v); }};
  }
}

double ValueOf(const Measure& measure, const Values& values) {
  using Kind = FormulaStep::Kind;
  std::vector<double> stack;
  for (const FormulaStep& step : measure.formula) {
    if (step.kind == Kind::kNumber) {
      stack.push_back(step.number);
    } else if (step.kind == Kind::kOperand) {
      const char name = measure.operands[step.operand].metric[0];
      stack.push_back(values[static_cast<std::size_t>(name - 'a')]);
    } else {
      const double right = stack.back();
      stack.pop_back();
      double& left = stack.back();
      left = step.kind == Kind::kAdd        ? left + right
             : step.kind == Kind::kSubtract ? left - right
             : step.kind == Kind::kMultiply ? left * right
                                            : left / right;
    }
  }
  return stack.at(0);
}

TEST(Formula, MeansWhatWasWrittenToTheBitAndReadsBack) {
  std::mt19937 random(9);
  const Values values = {3.25, -0.1, 7e5, 1.0 / 3};
  int formulas = 0;
  for (int i = 0; i < 3000; ++i) {
    const Written written = RandomFormula(random, 4);
    const auto parsed = ParseExpression(written.text + " > 1", &Seed());
    if (!parsed.value) {
      ASSERT_THAT(parsed.error.message, HasSubstr("numbers alone")) << written.text;
      continue;
    }
    const Measure& measure = parsed.value->measure;
    const std::string canonical = CanonicalText(*parsed.value);
    const auto again = ParseCondition(canonical);
    ASSERT_TRUE(again.ok()) << canonical << ": " << again.error().message;
    ASSERT_EQ(*again, *parsed.value) << written.text << "\n" << canonical;
    if (measure.form != Measure::Form::kFormula) continue;
    ++formulas;
    const double expected = written.value(values);
    const double found = ValueOf(measure, values);
    ASSERT_TRUE(found == expected || (found != found && expected != expected))
        << written.text << "\n"
        << canonical << "\n"
        << found << " is not " << expected;
  }
  EXPECT_GT(formulas, 1000);
}

}  // namespace
}  // namespace liveops::plan
