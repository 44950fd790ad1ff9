#include "services/ingest/source/alertmanager/alertmanager.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "services/ingest/source/alert/json_reading.h"

namespace liveops::ingest::alertmanager {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

// As Prometheus 2.42 posts it.
constexpr const char* kPosted = R"([{
  "annotations": {"summary": "50 errors", "description": "more than 10", "runbook_url": "https://wiki/e"},
  "endsAt": "2026-02-04T09:04:00.123Z", "startsAt": "2026-02-04T09:00:00.123456789Z",
  "generatorURL": "http://host:9090/graph?g0.expr=errors", "something": ["new"],
  "labels": {"alertname": "TooManyErrors", "service": "shop", "severity": "page", "empty": ""}}])";

TEST(Alertmanager, ReadsWhatPrometheusPosts) {
  const auto read = Read(kPosted);
  ASSERT_TRUE(read.ok()) << read.error().message;
  ASSERT_EQ(read->alerts.size(), 1u);
  EXPECT_TRUE(read->problems.empty());
  const ForeignAlert& alert = read->alerts[0];
  EXPECT_EQ(alert.name, "TooManyErrors");
  EXPECT_THAT(alert.labels, ElementsAre(Pair("service", "shop"), Pair("severity", "page")));
  EXPECT_EQ(alert.severity, "page");
  EXPECT_EQ(alert.summary, "50 errors");
  EXPECT_EQ(alert.description, "more than 10");
  EXPECT_EQ(alert.runbook, "https://wiki/e");
  EXPECT_EQ(alert.link, "http://host:9090/graph?g0.expr=errors");
  EXPECT_EQ(*alert.starts, RealFromMs(1'770'195'600'123));
  EXPECT_EQ(*alert.ends, RealFromMs(1'770'195'840'123));
  EXPECT_FALSE(alert.over);
  EXPECT_EQ(alert.good_for, kResolveTimeout);
}

// As amtool 0.25 posts it: Go's zero times are none.
TEST(Alertmanager, TimesThatAreNotSetAreNone) {
  const auto read = Read(R"([{"startsAt": "0001-01-01T00:00:00.000Z", "labels": {"alertname": "A"},
                              "endsAt": "0001-01-01T00:00:00.000Z"}])");
  ASSERT_TRUE(read.ok());
  EXPECT_FALSE(read->alerts.at(0).starts);
  EXPECT_FALSE(read->alerts.at(0).ends);
}

TEST(Alertmanager, EachAlertIsReadOnItsOwn) {
  const auto read = Read(R"([7, {"labels": {}}, {"labels": {"service": "shop"}},
      {"labels": {"alertname": "A", "x": []}}, {"labels": {"alertname": "A"}, "endsAt": "soon"},
      {"labels": {"alertname": "A"}, "startsAt": "2026-02-04T09:00:00Z", "endsAt": "2026-02-04T08:00:00Z"},
      {"labels": {"alertname": "Good"}}])");
  ASSERT_TRUE(read.ok());
  ASSERT_EQ(read->alerts.size(), 1u);
  EXPECT_EQ(read->alerts[0].name, "Good");
  EXPECT_THAT(read->problems,
              ElementsAre("alert 1: is no mapping", "alert 2: has no labels",
                          "alert 3: has no label alertname", "alert 4: label \"x\" is no text",
                          "alert 5: endsAt is no time of RFC 3339",
                          "alert 6: start time must be before end time"));
}

TEST(Alertmanager, WhatIsNoListIsRefusedWhole) {
  for (const char* body : {"", "{}", "nonsense", "[{]", "\"x\"", "[\"\xff\"]"})
    EXPECT_FALSE(Read(body).ok()) << body;
  EXPECT_THAT(Read(std::string(100'000, '[')).error().message, HasSubstr("nested deeper"));
  std::string many = "[";
  for (std::size_t i = 0; i <= kAlertsMax; ++i) many += i == 0 ? "1" : ",1";
  EXPECT_THAT(Read(many + "]").error().message, HasSubstr("at most 1000"));
}

TEST(JsonReading, Times) {
  using source::ReadTime;
  using source::ReadUnixTime;
  EXPECT_EQ(ReadTime("2026-02-04T18:00:00.5+09:00"), RealFromMs(1'770'195'600'500));
  EXPECT_EQ(ReadTime("2026-02-04T04:30:00-04:30"), RealFromMs(1'770'195'600'000));
  EXPECT_EQ(ReadTime("2026-02-04T09:00:00Z"), RealFromMs(1'770'195'600'000));
  for (const char* text :
       {"", "soon", "2026-02-04", "2026-02-04T09:00:00", "2026-02-04T09:00:00+9"})
    EXPECT_FALSE(ReadTime(text)) << text;
  EXPECT_EQ(ReadUnixTime("1770195600"), RealFromMs(1'770'195'600'000));
  EXPECT_EQ(ReadUnixTime("1770195600123"), RealFromMs(1'770'195'600'123));
  for (const char* text : {"", "x", "0", "-5", "17e9", "99999999999999999999", "1770195600123456"})
    EXPECT_FALSE(ReadUnixTime(text)) << text;
}

}  // namespace
}  // namespace liveops::ingest::alertmanager
