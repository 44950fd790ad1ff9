#include "services/ingest/source/statsd/parser.h"

#include <gtest/gtest.h>

#include <vector>

namespace liveops::ingest::statsd {
namespace {

std::vector<Sample> Good(std::string_view line) {
  std::vector<Sample> out;
  EXPECT_EQ(ReadLine(line, [&](const Sample& s) { out.push_back(s); }), Verdict::kGood) << line;
  return out;
}

Verdict Of(std::string_view line) {
  bool any = false;
  const Verdict verdict = ReadLine(line, [&](const Sample&) { any = true; });
  EXPECT_EQ(any, verdict == Verdict::kGood) << line;
  return verdict;
}

TEST(StatsdLine, EachType) {
  const auto counter = Good("gorets:2|c|@0.1");
  ASSERT_EQ(counter.size(), 1u);
  EXPECT_EQ(counter[0].name, "gorets");
  EXPECT_EQ(counter[0].type, Type::kCounter);
  EXPECT_EQ(counter[0].value, 2);
  EXPECT_EQ(counter[0].rate, 0.1);
  EXPECT_EQ(Good("glork:320.5|ms")[0].type, Type::kTiming);
  EXPECT_EQ(Good("glork:320.5|ms")[0].value, 320.5);
  EXPECT_EQ(Good("song.length:240|h|@0.5")[0].type, Type::kDistribution);
  EXPECT_EQ(Good("song.length:240|d")[0].type, Type::kDistribution);
  EXPECT_EQ(Good("gaugor:333|g")[0].type, Type::kGauge);
  EXPECT_FALSE(Good("gaugor:333|g")[0].relative);
}

TEST(StatsdLine, AGaugeWithASignIsADifference) {
  EXPECT_TRUE(Good("gaugor:-10|g")[0].relative);
  EXPECT_EQ(Good("gaugor:-10|g")[0].value, -10);
  EXPECT_TRUE(Good("gaugor:+4|g")[0].relative);
  EXPECT_EQ(Good("gaugor:+4|g")[0].value, 4);
  EXPECT_FALSE(Good("t:+4|ms")[0].relative);
}

TEST(StatsdLine, TagsAndFurtherFields) {
  const auto sample = Good("page.views:1|c|#env:prod,service:shop,canary|c:ci-6bd|e:it-false")[0];
  EXPECT_EQ(sample.tags, "env:prod,service:shop,canary");
  std::string service = "default";
  const Labels labels = ReadTags(sample.tags, service);
  EXPECT_EQ(service, "shop");
  EXPECT_EQ(labels.ToString(), "{canary=\"true\",env=\"prod\"}");
  EXPECT_EQ(ReadTags("url:http://a:80/,:x,,empty:", service).ToString(), "{url=\"http://a:80/\"}");
  EXPECT_EQ(service, "shop") << "stays when no tag names one";
}

TEST(StatsdLine, SeveralValues) {
  const auto samples = Good("song.length:240:234:7|h|@0.5");
  ASSERT_EQ(samples.size(), 3u);
  EXPECT_EQ(samples[1].value, 234);
  EXPECT_EQ(samples[2].rate, 0.5);
}

TEST(StatsdLine, Malformed) {
  for (const char* line :
       {"",           ":1|c",          "a",         "a:1",      "a|c",     "a:|c",
        "a:1|",       "a:1|x",         "a:x|c",     "a:1|c|",   "a:1|c|@", "a:1|c|@0",
        "a:1|c|@1.5", "a:1|c|@1e-300", "a:1|c|@-1", "a:nan|g",  "a:inf|g", "a:1e999|g",
        "a:+-1|g",    "a:1:|c",        "a:1:x|c",   "a:0x10|c", "a: 1|c"}) {
    EXPECT_EQ(Of(line), Verdict::kMalformed) << line;
  }
}

TEST(StatsdLine, WhatLiveOpsDoesNotTake) {
  for (const char* line : {"uniques:765|s", "_e{5,4}:title|text", "_sc|Redis connection|2",
                           "a:1|c|T1656581400", "a:-1|c", "a:5:-1|c"}) {
    EXPECT_EQ(Of(line), Verdict::kUnsupported) << line;
  }
}

TEST(StatsdPacket, ALineForItself) {
  std::vector<std::string> names;
  const PacketCount count =
      ReadPacket("a:1|c\nb:1|s\n\nc:x|c\r\nd:1:2|h\r\n",
                 [&](const Sample& sample) { names.emplace_back(sample.name); });
  EXPECT_EQ(names, (std::vector<std::string>{"a", "d", "d"}));
  EXPECT_EQ(count.values, 3u);
  EXPECT_EQ(count.malformed, 1u);
  EXPECT_EQ(count.unsupported, 1u);
}

}  // namespace
}  // namespace liveops::ingest::statsd
