#include "services/ingest/source/cloudwatch_stream/firehose.h"

#include <gmock/gmock.h>

namespace liveops::ingest::cloudwatch {
namespace {

using ::testing::ElementsAre;

TEST(Firehose, ReadsADelivery) {
  const auto delivery = ReadDelivery(
      R"({"requestId":"ed4acda5-034f-9f42-bba1-f29aea6d7d8f","timestamp":1578090901599,"records":[)"
      R"({"data":"Zm9v"},{"data":"!"},{"data":"YmFy"},{},7]})");
  ASSERT_TRUE(delivery.ok()) << delivery.error().message;
  EXPECT_EQ(delivery->id, "ed4acda5-034f-9f42-bba1-f29aea6d7d8f");
  EXPECT_THAT(delivery->records, ElementsAre("foo", "bar"));
  EXPECT_EQ(delivery->unreadable, 3u);
}

TEST(Firehose, WhatIsNoDelivery) {
  for (const char* body : {"", "7", "[]", "{}", R"({"requestId":"a"})", R"({"records":[]})",
                           R"({"requestId":"a","records":{}})", R"({"requestId":"a","records":[)"})
    EXPECT_EQ(ReadDelivery(body).error().code, ErrorCode::kInvalid) << body;
}

TEST(Firehose, Answers) {
  EXPECT_EQ(Answer("a", 1578090903599, ""), R"({"requestId":"a","timestamp":1578090903599})");
  EXPECT_EQ(Answer("a\xff", 1, "no"),
            "{\"errorMessage\":\"no\",\"requestId\":\"a\xef\xbf\xbd\",\"timestamp\":1}");
}

TEST(Firehose, CommonAttributes) {
  EXPECT_EQ(CommonAttribute(R"({"commonAttributes":{"service":"shop","x":"y"}})", "service"),
            "shop");
  for (const char* none :
       {"", "x", "{}", "[]", R"({"commonAttributes":7})", R"({"commonAttributes":{"service":{}}})"})
    EXPECT_EQ(CommonAttribute(none, "service"), "") << none;
}

}  // namespace
}  // namespace liveops::ingest::cloudwatch
