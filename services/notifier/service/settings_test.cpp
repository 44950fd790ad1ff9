#include "services/notifier/service/settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace liveops::notifier {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(Settings, ReadsAllOfThem) {
  auto reader = config::Reader::FromText(R"(
redis: {host: r, port: 7000, password: p}
slack:
  webhooks: {"#oncall": "https://hooks.slack.com/services/T/B/secret"}
  messages_per_second: 0
pagerduty:
  routing_keys: {oncall: 0123456789abcdef0123456789abcdef}
  url: http://127.0.0.1:9000/
  events_per_minute: 60
http: {allow_private_hosts: [127.0.0.1]}
language: both
)",
                                         "test.yaml", ".");
  ASSERT_TRUE(reader.ok());
  const Settings settings = ReadSettings(*reader);
  ASSERT_TRUE(reader->Finish().ok());
  EXPECT_EQ(settings.redis.port, 7000);
  EXPECT_EQ(settings.slack_pace.per_second, 0);
  EXPECT_EQ(settings.pagerduty_pace.per_second, 1);
  EXPECT_EQ(settings.pagerduty_url, "http://127.0.0.1:9000/v2/enqueue");
  EXPECT_EQ(settings.language, Language::kBoth);
  EXPECT_TRUE(settings.Configured({Channel::kSlack, "#oncall"}));
  EXPECT_FALSE(settings.Configured({Channel::kPagerDuty, "#oncall"}));
}

TEST(Settings, TellsWhatIsWrongWithoutTellingSecrets) {
  auto reader = config::Reader::FromText(R"(
slack: {webhooks: {"#oncall": "hooks.slack.com/services/secret"}, messages_per_second: -1}
pagerduty: {routing_keys: {oncall: short-secret}}
language: fr
)",
                                         "test.yaml", ".");
  ASSERT_TRUE(reader.ok());
  ReadSettings(*reader);
  const Status status = reader->Finish();
  ASSERT_FALSE(status.ok());
  for (const char* part : {"#oncall", "messages_per_second", "12 characters", "fr"}) {
    EXPECT_THAT(status.error().message, HasSubstr(part));
  }
  EXPECT_THAT(status.error().message, Not(HasSubstr("secret")));
}

}  // namespace
}  // namespace liveops::notifier
