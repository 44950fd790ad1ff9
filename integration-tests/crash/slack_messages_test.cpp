// What the crash tests judge Slack by must itself tell right from wrong.
#include "integration-tests/crash/slack_messages.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace liveops::integration {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

stack::LedgerEntry Posted(const std::string& title, const std::string& alarm,
                          const std::string& more = "") {
  stack::LedgerEntry entry;
  entry.provider = "slack";
  entry.effect = "posted";
  entry.title = title;
  entry.body = R"({"blocks":[{"type":"section","text":{"text":")" + more +
               R"("}},{"type":"context","elements":[{"text":"`)" + alarm + R"(` `p95 > 1`"}]}]})";
  return entry;
}

const stack::LedgerEntry kFired = Posted(":red_circle: CRITICAL: shop slow 9 s", "shop/slow");
const stack::LedgerEntry kResolved =
    Posted(":large_green_circle: RESOLVED: shop slow", "shop/slow");

stack::LedgerEntry FiredAgain(const std::string& more) {
  return Posted(":red_circle: CRITICAL: shop slow 11 s", "shop/slow", more);
}

TEST(SlackMessages, AreReadByWhatTheyTell) {
  const auto messages = PostedMessages({kFired});
  ASSERT_EQ(messages.size(), 1U);
  EXPECT_EQ(messages[0].alarm_id, "shop/slow");
  EXPECT_EQ(messages[0].notice, "firing");
  EXPECT_FALSE(messages[0].may_be_repeat);
}

TEST(SlackMessages, OneOfEachIsRight) {
  const auto other = Posted(":red_circle: CRITICAL: shop down", "shop/down");
  const auto other_resolved = Posted(":large_green_circle: RESOLVED: shop down", "shop/down");
  EXPECT_THAT(SlackBreaches({kFired, other, kResolved, other_resolved}, false), IsEmpty());
}

TEST(SlackMessages, ASecondOneUnderAnotherTitleIsFound) {
  const auto again = FiredAgain("This may be a repeat: …");
  EXPECT_THAT(SlackBreaches({kFired, again, kResolved}, false),
              ElementsAre(HasSubstr("firing of shop/slow stands 2 times")));
}

TEST(SlackMessages, WhereRepeatsMayBeASecondOneMustSaySo) {
  EXPECT_THAT(SlackBreaches({kFired, FiredAgain("This may be a repeat: …"), kResolved}, true),
              IsEmpty());
  EXPECT_THAT(SlackBreaches({kFired, FiredAgain(""), kResolved}, true),
              ElementsAre(HasSubstr("without saying")));
  const auto repeat = FiredAgain("This may be a repeat: …");
  EXPECT_THAT(SlackBreaches({kFired, repeat, repeat, kResolved}, true),
              ElementsAre(HasSubstr("3 times")));
}

TEST(SlackMessages, AMissingResolveIsFound) {
  EXPECT_THAT(SlackBreaches({kFired}, true), ElementsAre(HasSubstr("never resolved")));
}

TEST(SlackMessages, WhatIsNotUnderstoodIsSaid) {
  EXPECT_THAT(SlackBreaches({Posted("Hello", "shop/slow")}, true),
              ElementsAre(HasSubstr("not understood")));
}

}  // namespace
}  // namespace liveops::integration
