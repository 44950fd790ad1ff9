#include "services/rule-evaluation/engine/foreign.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/rule-evaluation/engine/shard_log.h"

// Alerts that others judge are alarms of the service: they open, are told once, and are over only
// when somebody says so.
namespace liveops::engine {
namespace {

using ::testing::HasSubstr;
using testing::kNine;
using testing::PlanOf;
using testing::Told;

const std::string kPlan = testing::One("errors", "5xx > 1%") + "foreign_alerts: {owner: on-call}\n";

TEST(Foreign, FiresOnceHoweverOftenItIsToldAndResolvesWhenSomebodySaysSo) {
  EXPECT_EQ(Told(kPlan, R"(
alert 10s..4min every 1min alertmanager Down firing pod=a @since=5s
alert 10s..4min every 1min alertmanager Down firing pod=b @since=7s
alert 5min alertmanager Down over pod=a
alert 6min alertmanager Down over pod=a @until=5min
show 6min alertmanager:Down
alert 7min alertmanager Down firing pod=a @since=400s
end 8min
)"),
            R"(
10s alertmanager:Down{pod="a"} firing reported
10s alertmanager:Down{pod="b"} firing reported
5min alertmanager:Down{pod="a"} resolved recovered
6min alertmanager:Down is ok: alertmanager says that it is over since 09:05:00
6min alertmanager:Down is firing: alertmanager says that it fires since 09:00:07; last told at 09:03:10, which is good until 09:07:10
7min alertmanager:Down{pod="a"} firing reported
7min10s alertmanager:Down{pod="b"} stale stale
)");
}

TEST(Foreign, NotToldAgainIsStaleAndNeverResolved) {
  EXPECT_EQ(Told(kPlan, R"(
alert 10s alertmanager Down firing pod=a
show 1h alertmanager:Down
alert 2h alertmanager Down firing pod=a @since=10s
alert 121min alertmanager Down over pod=a
end 122min
)"),
            R"(
10s alertmanager:Down{pod="a"} firing reported
4min10s alertmanager:Down{pod="a"} stale stale
1h alertmanager:Down is stale: not heard of again since 09:00:10: alertmanager's word was good until 09:04:10; whether it still fires nobody knows, and nobody said that it is over
2h alertmanager:Down{pod="a"} firing returned
2h1min alertmanager:Down{pod="a"} resolved recovered
)");
}

// As of those that tell only what changes.
TEST(Foreign, AWordThatStandsUntilItIsTakenBackIsNeverStale) {
  EXPECT_EQ(Told(kPlan, R"(
alert 10s cloudwatch Down firing @until=otherwise
show 1h cloudwatch:Down
alert 2h cloudwatch Down over
end 2h
)"),
            R"(
10s cloudwatch:Down firing reported
1h cloudwatch:Down is firing: cloudwatch says that it fires since 09:00:10; last told at 09:00:10, which is good until it says otherwise
2h cloudwatch:Down resolved recovered
)");
}

TEST(Foreign, SourceNameAndLabelsMakeTheAlarm) {
  EXPECT_EQ(Told(kPlan, R"(
alert 1s alertmanager Down firing
alert 2s datadog Down firing
alert 3s alertmanager Up firing
alert 4s alertmanager Down firing pod=a
alert 5s alertmanager Down firing @service=other
alert 6s alertmanager Down over
end 10s
)"),
            R"(
1s alertmanager:Down firing reported
2s datadog:Down firing reported
3s alertmanager:Up firing reported
4s alertmanager:Down{pod="a"} firing reported
other: 5s alertmanager:Down firing reported
6s alertmanager:Down resolved recovered
)");
}

TEST(Foreign, HowBadItIsMayChange) {
  EXPECT_EQ(Told(kPlan, R"(
alert 1s datadog Slow firing @severity=warning
alert 2s datadog Slow firing @severity=P1
alert 3s datadog Slow firing @severity=P1
alert 4s datadog Slow firing @severity=p4
end 10s
)"),
            R"(
1s datadog:Slow firing reported
2s datadog:Slow firing escalated, critical from high
4s datadog:Slow firing eased, low from critical
)");
}

TEST(Foreign, WordsOfHowBadItIs) {
  using plan::Severity;
  for (const char* word : {"critical", "Critical", "page", "PAGE", "P1", "sev1", "fatal"})
    EXPECT_EQ(SeverityOfWord(word), Severity::kCritical) << word;
  for (const char* word : {"high", "warning", "error", "major", "P2", "", "whatever"})
    EXPECT_EQ(SeverityOfWord(word), Severity::kHigh) << word;
  for (const char* word : {"medium", "ticket", "p3"})
    EXPECT_EQ(SeverityOfWord(word), Severity::kMedium) << word;
  for (const char* word : {"low", "info", "none", "P5"})
    EXPECT_EQ(SeverityOfWord(word), Severity::kLow) << word;
}

TEST(Foreign, WhatOvertookAnotherOpensAndClosesNothing) {
  EXPECT_EQ(Told(kPlan, R"(
alert 1min alertmanager Down over           # never heard of
alert 2min alertmanager Down firing @since=90s
alert 150s alertmanager Down over @until=80s     # of the time before
alert 3min alertmanager Down over
alert 181s alertmanager Down firing @since=90s   # was on its way
alert 5min alertmanager Down firing @since=90s   # is meant
end 6min
)"),
            R"(
2min alertmanager:Down firing reported
3min alertmanager:Down resolved recovered
5min alertmanager:Down firing reported
)");
}

// While nothing could come, that nothing came says nothing.
TEST(Foreign, AnOutageOfThePipelineMakesNothingStale) {
  EXPECT_EQ(Told(kPlan, R"(
ticks i 0s..1min
ticks i 10min..30min
alert 30s alertmanager Gone firing
alert 30s alertmanager Down firing
alert 11min..29min every 1min alertmanager Down firing @since=30s
end 30min
)"),
            R"(
30s alertmanager:Gone firing reported
30s alertmanager:Down firing reported
16min alertmanager:Gone stale stale
)");
}

class ForeignLog : public testing::ShardLog {
 protected:
  ExternalAlertView Alert(std::string_view name, std::int64_t at) {
    ExternalAlertView alert;
    alert.service = "shop";
    alert.source = "alertmanager";
    alert.name = name;
    alert.severity = "page";
    alert.summary = "Nobody answers";
    alert.description = "for 5 min";
    alert.runbook = "https://wiki/down";
    alert.link = "https://prometheus/graph";
    alert.firing = true;
    alert.starts = InstantFromMs(kNine + at - 3000);
    alert.until = InstantFromMs(kNine + at + 240'000);
    return alert;
  }
};

TEST_F(ForeignLog, TellsWhatPeopleNeed) {
  Until(0);
  Plan(0, 1, kPlan);
  Until(5000);
  const auto told = Apply(5000, Alert("Down", 5000));
  ASSERT_EQ(told.size(), 1u);
  const Transition& t = told[0];
  EXPECT_EQ(t.alarm_id, "shop/alertmanager:Down");
  EXPECT_EQ(t.purpose, Purpose::kPage);
  EXPECT_EQ(t.owner, "on-call");
  EXPECT_EQ(t.severity, plan::Severity::kCritical);
  EXPECT_EQ(t.summary, "Nobody answers - for 5 min");
  EXPECT_EQ(t.runbook, "https://wiki/down");
  EXPECT_EQ(t.link, "https://prometheus/graph");
  EXPECT_EQ(t.origin, "alertmanager");
  EXPECT_EQ(ToMs(t.since), kNine + 2000);
  EXPECT_EQ(ToMs(t.heard), kNine + 5000);
  EXPECT_EQ(ToMs(t.valid_until), kNine + 245'000);
  EXPECT_EQ(ToMs(t.episode), kNine + 5000);
  EXPECT_EQ(shard_.counters().alerts, 1u);
}

TEST_F(ForeignLog, WithoutAPlanItIsRecordedAndShownAndAPlanOwnsIt) {
  Until(0);
  const auto told = Apply(0, Alert("Down", 0));
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0].owner, "");
  ASSERT_NE(Find("shop/alertmanager:Down"), nullptr);
  std::vector<std::string> gone;
  EXPECT_EQ(shard_.TakeChanged(gone).size(), 1u);
  EXPECT_EQ(Plan(0, 1, kPlan).size(), 0u) << "it is not withdrawn";
  EXPECT_EQ(Find("shop/alertmanager:Down")->owner, "on-call");
  bool changed = false;
  for (const AlarmView& view : shard_.TakeChanged(gone)) changed |= view.origin == "alertmanager";
  EXPECT_TRUE(changed);
}

TEST_F(ForeignLog, WhatMakesNoSenseIsCountedAndNoMore) {
  Until(0);
  ExternalAlertView alert = Alert("", 0);
  EXPECT_EQ(Apply(0, alert).size(), 0u);
  alert.name = "Down";
  alert.labels = "\x05zz";
  EXPECT_EQ(Apply(0, alert).size(), 0u);
  EXPECT_EQ(shard_.counters().alerts_refused, 2u);
  EXPECT_EQ(shard_.Alarms().size(), 0u);
}

TEST_F(ForeignLog, WithoutRoomTheNewcomerIsRefusedAndOnePageSaysHowMany) {
  ShardLimits limits;
  limits.foreign_alerts_max = 2;
  shard_ = Shard(TimeMap{}, limits);
  Until(0);
  Plan(0, 1, kPlan);
  Apply(0, Alert("A", 0));
  Apply(0, Alert("B", 0));
  const auto told = Apply(0, Alert("C", 0));
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0].alarm_id, "shop/limit:foreign-alerts");
  EXPECT_EQ(told[0].reason, "overflow");
  EXPECT_EQ(told[0].owner, "on-call");
  EXPECT_EQ(told[0].unit, "alerts");
  EXPECT_EQ(told[0].groups_refused, 1u);
  EXPECT_EQ(told[0].threshold, 2);
  EXPECT_EQ(Apply(0, Alert("D", 0)).size(), 0u);  // one page, and the number later
  EXPECT_EQ(Find("shop/limit:foreign-alerts")->explanation,
            "2 foreign alerts are as many as a service may have, and 2 more are not taken");
  EXPECT_EQ(Find("shop/alertmanager:A")->state, AlarmState::kFiring);
  EXPECT_EQ(Find("shop/alertmanager:C"), nullptr);
  const auto restored = Shard::Restore(shard_.Snapshot(), TimeMap{}, limits);
  ASSERT_TRUE(restored.ok());
  EXPECT_EQ(restored->Snapshot(), shard_.Snapshot());
  // What is over makes room.
  ExternalAlertView over = Alert("A", 0);
  over.firing = false;
  EXPECT_EQ(Apply(1000, over).size(), 1u);
  const auto taken = Apply(1000, Alert("C", 1000));
  ASSERT_EQ(taken.size(), 1u);
  EXPECT_EQ(taken[0].alarm_id, "shop/alertmanager:C");
  std::vector<std::string> gone;
  shard_.TakeChanged(gone);
  EXPECT_THAT(gone, ::testing::Contains("shop/alertmanager:A"));
}

TEST_F(ForeignLog, TheLogsWordIsAdopted) {
  Until(0);
  Plan(0, 1, kPlan);
  const auto told = Apply(0, Alert("Down", 0));
  ASSERT_EQ(told.size(), 1u);
  Shard other(TimeMap{}, ShardLimits{});
  PlanActivationView plan;
  plan.service = "shop";
  plan.version = 1;
  plan.text = kPlan;
  other.StartAt({plan});
  EXPECT_TRUE(other.Adopt(told[0]));
  EXPECT_FALSE(other.Adopt(told[0]));
  ASSERT_EQ(other.Alarms().size(), shard_.Alarms().size());
  // In the middle of the log it is not stale at once: what was told meanwhile is still to come.
  std::swap(shard_, other);
  at_ = 600'000;
  EXPECT_EQ(Until(660'000).size(), 0u);
  Transition over = told[0];
  ++over.step;
  over.state = AlarmState::kResolved;
  EXPECT_TRUE(shard_.Adopt(over));
  EXPECT_EQ(Find("shop/alertmanager:Down")->state, AlarmState::kOk);
  over.alarm_id = "shop/alertmanager:Never";
  EXPECT_FALSE(shard_.Adopt(over));
}

TEST_F(ForeignLog, WhatHasLongBeenOverIsForgotten) {
  Until(0);
  Plan(0, 1, kPlan);
  Apply(0, Alert("Down", 0));
  ExternalAlertView over = Alert("Down", 0);
  over.firing = false;
  Apply(1000, over);
  Until(50 * 60'000);
  EXPECT_NE(Find("shop/alertmanager:Down"), nullptr);
  Until(80 * 60'000);
  EXPECT_EQ(Find("shop/alertmanager:Down"), nullptr);
}

}  // namespace
}  // namespace liveops::engine
