#include "services/liveopsctl/rehearse/notation.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace liveops::rehearse {
namespace {

// Samples as text, or "at N: what is wrong".
std::string Expanded(std::string_view text) {
  Fault fault;
  const auto sequence = ReadSequence(text, fault);
  if (!sequence) return fmt::format("at {}: {}", fault.at, fault.message);
  std::vector<std::string> samples;
  Sequence::Reader reader(*sequence);
  for (Sample sample; reader.Next(sample);) {
    if (sample.missing) {
      samples.emplace_back("_");
    } else if (!sample.bounds.empty()) {
      samples.push_back(fmt::format("{}|{} sum {}", fmt::join(sample.bounds, ","),
                                    fmt::join(sample.counts, ","), sample.Sum()));
    } else {
      samples.push_back(fmt::format("{}", sample.number));
    }
  }
  EXPECT_EQ(samples.size(), sequence->size());
  return fmt::format("{}", fmt::join(samples, " "));
}

TEST(Sequence, ExpandsAsPrometheusDoes) {
  EXPECT_EQ(Expanded("-2+4x3"), "-2 2 6 10");
  EXPECT_EQ(Expanded(" 1-2x4"), "1 -1 -3 -5 -7");
  EXPECT_EQ(Expanded("1x4"), "1 1 1 1 1");
  EXPECT_EQ(Expanded("1 _x3 7"), "1 _ _ _ 7");
  EXPECT_EQ(Expanded("10+10x2 30+20x5"), "10 20 30 30 50 70 90 110 130");
  EXPECT_EQ(Expanded("_ 0.5 1e3 _"), "_ 0.5 1000 _");
  EXPECT_EQ(Expanded("0x0"), "0");
}

TEST(Sequence, HistogramsCountByUpperBounds) {
  EXPECT_EQ(Expanded("{100:5,200:10,inf:1}x1"), "100,200|5,10,1 sum 2700 100,200|5,10,1 sum 2700");
  EXPECT_EQ(Expanded("{100:5, 200:10}"), "100,200|5,10,0 sum 2500");
  EXPECT_EQ(Expanded("{100:5}+{100:2,inf:1}x2"),
            "100|5,0 sum 500 100|7,1 sum 800 100|9,2 sum 1100");
}

TEST(Sequence, SaysWhereAndWhatIsWrong) {
  EXPECT_THAT(Expanded(""), testing::StartsWith("at 0: there is no sample"));
  EXPECT_THAT(Expanded("1 stale"), testing::StartsWith("at 2: stale is not a sample here"));
  EXPECT_THAT(Expanded("1 x5"), testing::StartsWith("at 2: found \"x5\", expected a number"));
  EXPECT_THAT(Expanded("1+2"), testing::StartsWith("at 3: found the end, expected x"));
  EXPECT_THAT(Expanded("1+x5"), testing::StartsWith("at 2: found \"x5\", expected by how much"));
  EXPECT_THAT(Expanded("1x5,2"), testing::StartsWith("at 3: found \",2\", expected a blank"));
  EXPECT_THAT(Expanded("1x-5"), testing::HasSubstr("how many samples follow"));
  EXPECT_THAT(Expanded("nan"), testing::HasSubstr("expected a number"));
  EXPECT_THAT(Expanded("1x99999999"), testing::HasSubstr("at most 10000000"));
  EXPECT_THAT(Expanded("1x9999999 1x9999999"), testing::HasSubstr("at most 10000000"));
  EXPECT_THAT(Expanded("{200:1,100:1}"), testing::HasSubstr("100 does not lie above 200"));
  EXPECT_THAT(Expanded("{inf:1}"), testing::HasSubstr("a bound besides inf"));
  EXPECT_THAT(Expanded("{inf:1,5:1}"), testing::HasSubstr("inf is the last bound"));
  EXPECT_THAT(Expanded("{5:-1}"), testing::HasSubstr("bound:count"));
  EXPECT_THAT(Expanded("{5:1}-{5:1}x2"), testing::HasSubstr("can only grow"));
  EXPECT_THAT(Expanded("{5:1}+{6:1}x2"), testing::HasSubstr("the same bounds"));
  EXPECT_THAT(Expanded("{5:1"), testing::HasSubstr("expected , or }"));
}

std::string Selected(std::string_view text) {
  Fault fault;
  const auto selector = ReadSelector(text, fault);
  if (!selector) return fmt::format("at {}: {}", fault.at, fault.message);
  return selector->metric + selector->labels.ToString();
}

TEST(Selector, ReadsLabelsWithAndWithoutQuotes) {
  EXPECT_EQ(Selected("http_5xx_count"), "http_5xx_count");
  EXPECT_EQ(Selected("m{}"), "m");
  EXPECT_EQ(Selected(R"(m{zone="a", endpoint=/games/{id}})"),
            "at 28: found \"{id}}\", expected , or }");
  EXPECT_EQ(Selected(R"(m { zone = "a b" , code=500 })"), R"(m{code="500",zone="a b"})");
  EXPECT_EQ(Selected(R"(m{a="say \"x\" \\"})"), R"(m{a="say \"x\" \\"})");
  EXPECT_EQ(Selected("m{a='b'}"), R"(m{a="b"})");
}

TEST(Selector, SaysWhereAndWhatIsWrong) {
  EXPECT_THAT(Selected(""), testing::StartsWith("at 0: found the end, expected a metric"));
  EXPECT_THAT(Selected("m{a}"), testing::HasSubstr("after the label \"a\" ="));
  EXPECT_THAT(Selected("m{a=~\"b\"}"), testing::HasSubstr("after the label \"a\" ="));
  EXPECT_THAT(Selected("m{a=}"), testing::HasSubstr("expected the value of \"a\""));
  EXPECT_THAT(Selected("m{a=b,a=c}"), testing::StartsWith("at 6: the label \"a\" is given twice"));
  EXPECT_THAT(Selected("m{a=\"b}"), testing::StartsWith("at 4: the quote"));
  EXPECT_THAT(Selected("m 5"), testing::StartsWith("at 2: found \"5\", expected nothing"));
}

}  // namespace
}  // namespace liveops::rehearse
