// Conditions of several tests, and holds that count slots.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <random>

#include "common/plan/bindings_for_test.h"
#include "common/plan/parse.h"

namespace liveops::plan {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// `a`, `b`, … stand for tests, so that the joints are what one sees.
std::string Spelled(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto apart = [&](std::size_t at) {
      return at >= text.size() || text[at] == ' ' || text[at] == '(' || text[at] == ')';
    };
    const bool alone = text[i] >= 'a' && text[i] <= 'h' && apart(i + 1) && (i == 0 || apart(i - 1));
    out += alone ? "last(" + std::string(1, text[i]) + ") > 1" : std::string(1, text[i]);
  }
  return out;
}

std::string Abbreviated(std::string text) {
  for (char name = 'a'; name <= 'h'; ++name) {
    const std::string test = "last(" + std::string(1, name) + ") over 1min > 1";
    for (std::size_t at = text.find(test); at != std::string::npos; at = text.find(test)) {
      text.replace(at, test.size(), 1, name);
    }
  }
  return text;
}

TEST(Logic, IsWrittenWithTheFewestParentheses) {
  struct Case {
    const char* text;
    const char* canonical;
  };
  const Case cases[] = {
      {"a and b", "a and b for 0s"},
      {"a or b", "a or b for 0s"},
      {"a unless b", "a unless b for 0s"},
      {"a or b and c", "a or b and c for 0s"},
      {"(a or b) and c", "(a or b) and c for 0s"},
      {"a and (b or c)", "a and (b or c) for 0s"},
      {"(a and b) or (c and d)", "a and b or c and d for 0s"},
      {"((a)) or (((b)))", "a or b for 0s"},
      {"a or (b or c)", "a or b or c for 0s"},
      {"a or (b or (c or d))", "a or b or c or d for 0s"},
      {"(a or b) or (c or d)", "a or b or c or d for 0s"},
      {"a and (b and c)", "a and b and c for 0s"},
      {"a and (b unless c)", "a and b unless c for 0s"},
      {"a and ((b unless c) and d)", "a and b unless c and d for 0s"},
      {"a unless (b and c)", "a unless (b and c) for 0s"},
      {"a unless (b unless c)", "a unless (b unless c) for 0s"},
      {"a unless b unless c", "a unless b unless c for 0s"},
      {"a unless (b or c)", "a unless (b or c) for 0s"},
      {"(a unless b) or c for 5min", "a unless b or c for 5min"},
      {"a and b unless (c and d or e and f) for 1h", "a and b unless (c and d or e and f) for 1h"},
      {"a or b for 3 of 5min", "a or b for 3 of 5min"},
  };
  for (const Case& c : cases) {
    const std::string canonical = Canonical(Spelled(c.text));
    EXPECT_EQ(Abbreviated(canonical), c.canonical) << c.text;
    const auto read = ParseCondition(canonical);
    ASSERT_TRUE(read.ok()) << c.text << ": " << read.error().message;
    EXPECT_EQ(CanonicalText(*read), canonical) << c.text;
  }
}

TEST(Logic, TestsStandInTheOrderOfTheText) {
  const auto parsed = ParseExpression(
      "p95 by host > 500ms and (5xx over 5min > 1% or CPU by host > 90%) for 2min", &Seed());
  ASSERT_TRUE(parsed.value) << parsed.error.message;
  const Condition& c = *parsed.value;
  ASSERT_EQ(TestCount(c), 3u);
  EXPECT_EQ(TestOf(c, 0).measure.value().aggregate, Aggregate::kQuantile);
  EXPECT_THAT(TestOf(c, 0).by, ElementsAre("host"));
  EXPECT_EQ(TestOf(c, 1).measure.form, Measure::Form::kRatio);
  EXPECT_EQ(TestOf(c, 1).window, std::chrono::minutes(5));
  EXPECT_TRUE(TestOf(c, 1).by.empty());
  EXPECT_EQ(TestOf(c, 2).measure.value().metric, "cpu_utilization");
  using Kind = LogicStep::Kind;
  EXPECT_THAT(c.logic, ElementsAre(LogicStep{Kind::kTest, 0}, LogicStep{Kind::kTest, 1},
                                   LogicStep{Kind::kTest, 2}, LogicStep{Kind::kOr, 0},
                                   LogicStep{Kind::kAnd, 0}));
  EXPECT_EQ(c.hold, std::chrono::minutes(2));
}

TEST(Logic, OneTestHasNoSteps) {
  const auto parsed = ParseExpression("((5xx > 1%)) for 2min", &Seed());
  ASSERT_TRUE(parsed.value) << parsed.error.message;
  EXPECT_TRUE(parsed.value->logic.empty());
  EXPECT_EQ(TestCount(*parsed.value), 1u);
  EXPECT_EQ(*parsed.value, *ParseExpression("5xx > 1% for 2min", &Seed()).value);
}

// A parenthesis may begin a formula or a group of tests.
TEST(Logic, ParenthesesOfFormulasAndOfTestsAreToldApart) {
  EXPECT_EQ(Canonical("((avg(m) + avg(n)) / 2 > 1 and (avg(o)) > 2) or CPU > 5%"),
            "(avg(m) + avg(n)) / 2 over 1min > 1 and avg(o) over 1min > 2 or "
            "last(cpu_utilization) over 1min > 5% for 0s");
  EXPECT_EQ(Canonical("(avg(m{a=\"(>\"}) + avg(n{b!='x'})) * 2 > 1"),
            "(avg(m{a=\"(>\"}) + avg(n{b!=\"x\"})) * 2 over 1min > 1 for 0s");
}

TEST(Logic, TellsWhatIsWrongAndWhere) {
  struct Case {
    const char* text;
    std::size_t offset;
    const char* message;
  };
  const Case cases[] = {
      {"p95 > 500ms for 5min and 5xx > 1%", 21, "stands at its end: a and b for 5min"},
      {"p95 > 500ms 5min or 5xx > 1%", 17, "stands at its end"},
      {"(p95 > 500ms for 5min) or 5xx > 1%", 13, "it stands after the last parenthesis"},
      {"(p95 > 500ms 5min) or 5xx > 1%", 13, "it stands after the last parenthesis"},
      {"(p95 > 500ms for 3 of 5min)", 13, "it stands after the last parenthesis"},
      {"p95 > 500ms and", 15, "expected a measure"},
      {"and 5xx > 1%", 0, "expected a measure"},
      {"p95 > 500ms and and 5xx > 1%", 16, "found \"and\", expected a measure"},
      {"(p95 > 500ms and 5xx > 1%", 25, "found the end, expected and, or, unless or \")\""},
      {"p95 > 500ms)", 11, "found \")\", expected and, or, unless, for"},
      {"p95 > 500ms, 5xx > 1%", 11, "found \",\", expected and, or, unless, for"},
      {"() > 1", 1, "found \")\", expected a measure"},
      {"(5xx > 1%) + 1 > 2", 11, "arithmetic stands left of the comparison"},
      {"5xx > 1% xor CPU > 1%", 9, "found \"xor\", expected and, or, unless, for"},
      {"CPU > 1% and p95 by host > 5ms", 20, "which is no label; a later test may name"},
      {"CPU by host, zone > 1% and p95 by host, pod > 5ms", 40, "which is host, zone; a later"},
      {"CPU > 1% or CPU > 2% or CPU > 3% or CPU > 4% or CPU > 5% or CPU > 6% or CPU > 7% or CPU > "
       "8% or CPU > 9%",
       96, "a condition has at most 8 tests"},
      {"(((((((((((((((((CPU > 1%)))))))))))))))))", 16, "nested more than 16 deep"},
  };
  for (const Case& c : cases) {
    const auto parsed = ParseExpression(c.text, &Seed());
    ASSERT_FALSE(parsed.value.has_value()) << c.text << " = " << CanonicalText(*parsed.value);
    EXPECT_THAT(parsed.error.message, HasSubstr(c.message)) << c.text;
    EXPECT_EQ(parsed.error.offset, c.offset) << c.text << ": " << parsed.error.message;
  }
}

TEST(Quorum, IsReadInMinutesAndHours) {
  const auto quorum = [](std::string_view text) {
    const auto parsed = ParseExpression(text, &Seed());
    EXPECT_TRUE(parsed.value) << text << ": " << parsed.error.message;
    EXPECT_TRUE(parsed.value->hold == Duration(0) || parsed.value->quorum.needed == 0) << text;
    return parsed.value->quorum;
  };
  EXPECT_EQ(quorum("5xx > 1% for 3 of 5min"), (Quorum{3, 5, std::chrono::minutes(1)}));
  EXPECT_EQ(quorum("5xx > 1% for 3 of 5 min"), (Quorum{3, 5, std::chrono::minutes(1)}));
  EXPECT_EQ(quorum("5xx > 1% for 2 of 3h"), (Quorum{2, 3, std::chrono::hours(1)}));
  EXPECT_EQ(quorum("5xx > 1% for 60 of 60m"), (Quorum{60, 60, std::chrono::minutes(1)}));
  EXPECT_EQ(quorum("5xx > 1% for 1 of 1hr"), (Quorum{1, 1, std::chrono::hours(1)}));
  EXPECT_EQ(quorum("5xx > 1% for 5min").needed, 0);
  EXPECT_EQ(Canonical("CPU > 1% for 2 of 3hr"), "last(cpu_utilization) over 1min > 1% for 2 of 3h");
}

TEST(Quorum, TellsWhatIsWrongAndWhere) {
  struct Case {
    const char* text;
    std::size_t offset;
    const char* message;
  };
  const Case cases[] = {
      {"CPU > 1% 3 of 5min", 9, "expected for before it, as in for 3 of 5min"},
      {"CPU > 1% for 3 of 5", 19, "expected min or h"},
      {"CPU > 1% for 3 of 300s", 21, "expected min or h"},
      {"CPU > 1% for 3 of min", 18, "expected a number of minutes or hours"},
      {"CPU > 1% for 3 of 61min", 18, "expected from 1 to 60 slots"},
      {"CPU > 1% for 0 of 5min", 13, "of 5 slots 1 to 5 can be asked for, found 0"},
      {"CPU > 1% for 6 of 5min", 13, "of 5 slots 1 to 5 can be asked for, found 6"},
      {"CPU > 1% for 2.5 of 5min", 13, "found 2.5"},
      {"CPU > 1% for 3 of 5min for 1h", 23, "found \"for\", expected the end"},
  };
  for (const Case& c : cases) {
    const auto parsed = ParseExpression(c.text, &Seed());
    ASSERT_FALSE(parsed.value.has_value()) << c.text << " = " << CanonicalText(*parsed.value);
    EXPECT_THAT(parsed.error.message, HasSubstr(c.message)) << c.text;
    EXPECT_EQ(parsed.error.offset, c.offset) << c.text << ": " << parsed.error.message;
  }
}

TEST(Quorum, IsOfAWholeConditionOnly) {
  const auto condition = *ParseExpression("CPU > 90% for 3 of 5min", &Seed()).value;
  EXPECT_TRUE(ParseClear("< 80% for 2min", condition).value);
  EXPECT_THAT(ParseClear("< 80% for 3 of 5min", condition).error.message,
              HasSubstr("\"N of M\" is a hold of the whole condition"));
  EXPECT_THAT(ParseExpect("CPU < 80% for 3 of 5min", &Seed()).error.message,
              HasSubstr("a hold in expect"));
}

TEST(Logic, ClearAndExpectTakeOneTest) {
  const auto two = *ParseExpression("CPU > 90% and 5xx > 1%", &Seed()).value;
  EXPECT_THAT(ParseClear("< 80%", two).error.message,
              HasSubstr("clear belongs to a condition of one test, this one has 2"));
  const auto expect = ParseExpect("CPU < 80% and 5xx < 1% within 5min", &Seed());
  EXPECT_FALSE(expect.value);
  EXPECT_EQ(expect.error.offset, 10u);
  EXPECT_THAT(expect.error.message, HasSubstr("expect takes one test, and joins several"));
}

// --- what is read means what was written ---

enum class Truth { kFalse, kUnknown, kTrue };
Truth Not(Truth v) { return static_cast<Truth>(2 - static_cast<int>(v)); }

using Truths = std::vector<Truth>;
struct Written {
  std::string text;
  std::function<Truth(const Truths&)> value;
};

// Tests are numbered in the order of the text.
Written RandomLogic(std::mt19937& random, int depth, std::size_t& tests) {
  if (tests >= 5 || depth == 0 || random() % 4 == 0) {
    const std::size_t test = tests++;
    return {"last(" + std::string(1, static_cast<char>('a' + test)) + ") > 1",
            [test](const Truths& truths) { return truths[test]; }};
  }
  const Written left = RandomLogic(random, depth - 1, tests);
  if (tests >= 6) return left;
  const Written right = RandomLogic(random, depth - 1, tests);
  const auto text = [&](const char* sign) {
    return "(" + left.text + ") " + sign + " (" + right.text + ")";
  };
  switch (random() % 3) {
    case 0:
      return {text("and"),
              [=](const Truths& t) { return std::min(left.value(t), right.value(t)); }};
    case 1:
      return {text("or"), [=](const Truths& t) { return std::max(left.value(t), right.value(t)); }};
    default:
      return {text("unless"),
              [=](const Truths& t) { return std::min(left.value(t), Not(right.value(t))); }};
  }
}

Truth ValueOf(const Condition& condition, const Truths& truths) {
  if (condition.logic.empty()) return truths[0];
  std::vector<Truth> stack;
  for (const LogicStep& step : condition.logic) {
    if (step.kind == LogicStep::Kind::kTest) {
      stack.push_back(truths[step.test]);
      continue;
    }
    const Truth right = stack.back();
    stack.pop_back();
    stack.back() = step.kind == LogicStep::Kind::kAnd  ? std::min(stack.back(), right)
                   : step.kind == LogicStep::Kind::kOr ? std::max(stack.back(), right)
                                                       : std::min(stack.back(), Not(right));
  }
  return stack.at(0);
}

TEST(Logic, MeansWhatWasWrittenForEveryTruthAndReadsBack) {
  std::mt19937 random(5);
  std::size_t several = 0;
  for (int i = 0; i < 1000; ++i) {
    std::size_t tests = 0;
    const Written written = RandomLogic(random, 4, tests);
    const auto parsed = ParseExpression(written.text, &Seed());
    ASSERT_TRUE(parsed.value) << written.text << ": " << parsed.error.message;
    const std::string canonical = CanonicalText(*parsed.value);
    const auto again = ParseCondition(canonical);
    ASSERT_TRUE(again.ok()) << canonical << ": " << again.error().message;
    ASSERT_EQ(*again, *parsed.value) << written.text << "\n" << canonical;
    ASSERT_EQ(TestCount(*parsed.value), tests);
    several += tests > 2 ? 1 : 0;
    std::size_t all = 1;
    for (std::size_t t = 0; t < tests; ++t) all *= 3;
    for (std::size_t code = 0; code < all; ++code) {
      Truths truths;
      for (std::size_t t = 0, rest = code; t < tests; ++t, rest /= 3) {
        truths.push_back(static_cast<Truth>(rest % 3));
      }
      ASSERT_EQ(ValueOf(*parsed.value, truths), written.value(truths)) << written.text << "\n"
                                                                       << canonical;
    }
  }
  EXPECT_GT(several, 300u);
}

}  // namespace
}  // namespace liveops::plan
