#include "deploy/local/sink/contract.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace liveops::sink {
namespace {

using nlohmann::json;
using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;

json GoodMessage() {
  return json::parse(R"({
    "text": "Firing: error-rate &amp; more",
    "blocks": [
      {"type": "header", "text": {"type": "plain_text", "text": "Firing: error-rate"}},
      {"type": "section", "text": {"type": "mrkdwn", "text": "*5xx* 8.1 % &gt; 1 %, see <https://x.test/r|runbook>"},
       "fields": [{"type": "mrkdwn", "text": "*Since*\n09:15"}]},
      {"type": "context", "elements": [{"type": "mrkdwn", "text": "plan 1"}]},
      {"type": "divider"}
    ]})");
}

json GoodEvent() {
  return json::parse(R"({
    "routing_key": "0123456789abcdef0123456789abcdef", "event_action": "trigger", "dedup_key": "k",
    "payload": {"summary": "s", "source": "backend-api", "severity": "critical",
                "timestamp": "2026-02-04T09:15:00.250Z", "custom_details": {"value": 8.1}},
    "links": [{"href": "https://x.test/r", "text": "runbook"}]})");
}

TEST(SlackContract, TakesAGoodMessage) { EXPECT_THAT(CheckSlackMessage(GoodMessage()), IsEmpty()); }

TEST(SlackContract, CountsCharactersNotBytes) {
  json message = GoodMessage();
  std::string text;
  for (int i = 0; i < 150; ++i) text += "ü";
  message["blocks"][0]["text"]["text"] = text;
  EXPECT_THAT(CheckSlackMessage(message), IsEmpty());
  message["blocks"][0]["text"]["text"] = text + "x";
  EXPECT_THAT(CheckSlackMessage(message), Contains(HasSubstr("blocks[0].text.text: has 151")));
}

TEST(SlackContract, RefusesWhatIsNotEscaped) {
  for (const char* text : {"a & b", "a < b", "a > b", "<script>"}) {
    json message = GoodMessage();
    message["blocks"][1]["text"]["text"] = text;
    EXPECT_THAT(CheckSlackMessage(message), Contains(HasSubstr("not escaped"))) << text;
  }
}

TEST(SlackContract, RefusesToCallEverybody) {
  json message = GoodMessage();
  message["text"] = "hello <!channel>";
  EXPECT_THAT(CheckSlackMessage(message), Contains(HasSubstr("mentions everybody")));
}

TEST(SlackContract, RefusesTooMuch) {
  json message = GoodMessage();
  for (int i = 0; i < 50; ++i) message["blocks"].push_back({{"type", "divider"}});
  EXPECT_THAT(CheckSlackMessage(message), Contains(HasSubstr("at most 50")));
  message = GoodMessage();
  for (int i = 0; i < 10; ++i) {
    message["blocks"][1]["fields"].push_back({{"type", "mrkdwn"}, {"text", "x"}});
  }
  EXPECT_THAT(CheckSlackMessage(message), Contains(HasSubstr("fields: has 11")));
  message = GoodMessage();
  message["blocks"][1]["text"]["text"] = std::string(3001, 'x');
  EXPECT_THAT(CheckSlackMessage(message), Contains(HasSubstr("at most 3000")));
}

TEST(SlackContract, RefusesUnknownAndMissingFields) {
  json message = GoodMessage();
  message["username"] = "me";
  message["blocks"][0]["text"]["colour"] = "red";
  message["blocks"][1].erase("text");
  message["blocks"][1].erase("fields");
  message.erase("text");
  const Violations found = CheckSlackMessage(message);
  EXPECT_THAT(found, Contains("username: unknown field"));
  EXPECT_THAT(found, Contains("blocks[0].text.colour: unknown field"));
  EXPECT_THAT(found, Contains(HasSubstr("a section needs text or fields")));
  EXPECT_THAT(found, Contains(HasSubstr("text: is missing")));
}

TEST(SlackContract, RefusesBlockIdsThatRepeat) {
  json message = GoodMessage();
  message["blocks"][0]["block_id"] = "a";
  message["blocks"][3]["block_id"] = "a";
  EXPECT_THAT(CheckSlackMessage(message), Contains(HasSubstr("stands twice")));
}

TEST(SlackContract, TitleIsTheHeaderElseTheText) {
  EXPECT_EQ(SlackTitle(GoodMessage()), "Firing: error-rate");
  EXPECT_EQ(SlackTitle(json{{"text", "t"}}), "t");
  EXPECT_EQ(SlackTitle(json::array()), "");
}

TEST(PagerDutyContract, TakesGoodEvents) {
  EXPECT_THAT(CheckPagerDutyEvent(GoodEvent()), IsEmpty());
  const json resolve = {{"routing_key", "0123456789abcdef0123456789abcdef"},
                        {"event_action", "resolve"},
                        {"dedup_key", "k"}};
  EXPECT_THAT(CheckPagerDutyEvent(resolve), IsEmpty());
}

TEST(PagerDutyContract, RefusesEachBreach) {
  const auto breach = [](const char* pointer, json value) {
    json event = GoodEvent();
    event[json::json_pointer(pointer)] = std::move(value);
    return CheckPagerDutyEvent(event);
  };
  EXPECT_THAT(breach("/routing_key", "short"), Contains(HasSubstr("32 letters")));
  EXPECT_THAT(breach("/event_action", "page"), Contains(HasSubstr("none of trigger")));
  EXPECT_THAT(breach("/dedup_key", std::string(256, 'k')), Contains(HasSubstr("at most 255")));
  EXPECT_THAT(breach("/payload/summary", std::string(1025, 's')),
              Contains(HasSubstr("at most 1024")));
  EXPECT_THAT(breach("/payload/severity", "high"), Contains(HasSubstr("none of critical")));
  EXPECT_THAT(breach("/payload/timestamp", "2026-02-04 09:15"), Contains(HasSubstr("ISO 8601")));
  EXPECT_THAT(breach("/payload/custom_details", "x"), Contains(HasSubstr("must be an object")));
  EXPECT_THAT(breach("/payload/colour", "red"), Contains("payload.colour: unknown field"));
  EXPECT_THAT(breach("/links/0/href", "javascript:1"), Contains(HasSubstr("http or https")));
  EXPECT_THAT(breach("/routing_key", 7), Contains("routing_key: must be a string"));
}

TEST(PagerDutyContract, ResolveNeedsItsKeyAndTriggerItsPayload) {
  json event = GoodEvent();
  event.erase("payload");
  EXPECT_THAT(CheckPagerDutyEvent(event), Contains("payload: is missing"));
  event["event_action"] = "resolve";
  event.erase("dedup_key");
  EXPECT_THAT(CheckPagerDutyEvent(event), Contains("dedup_key: is missing"));
}

TEST(PagerDutyContract, ChangesNeedASummary) {
  const json change = {{"routing_key", "0123456789abcdef0123456789abcdef"},
                       {"payload", {{"source", "x"}}}};
  EXPECT_THAT(CheckPagerDutyChange(change), Contains("payload.summary: is missing"));
}

}  // namespace
}  // namespace liveops::sink
