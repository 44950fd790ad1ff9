#include "services/liveopsctl/render/alarms.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "services/liveopsctl/render/json.h"

namespace liveops::ctl {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::int64_t kNow = 1770196500000;  // 2026-02-04T09:15:00Z

v1::AlarmStatus ErrorRate() {
  v1::AlarmStatus alarm;
  alarm.set_alarm_id("backend-api/error-rate");
  alarm.set_service("backend-api");
  alarm.set_name("error-rate");
  alarm.set_purpose(v1::PURPOSE_PAGE);
  alarm.set_state(v1::ALARM_STATE_FIRING);
  alarm.set_severity(v1::SEVERITY_CRITICAL);
  alarm.set_owner("on-call");
  alarm.set_expression("ratio(http_5xx_count, http_request_count) over 1min > 1% for 3min");
  alarm.set_value(8.25);
  alarm.set_threshold(1);
  alarm.set_comparison(">");
  alarm.set_unit("%");
  alarm.set_since_ms(kNow - 200'000);
  alarm.set_episode_ms(kNow - 20'000);
  alarm.set_hold_ms(180'000);
  alarm.set_window_ms(60'000);
  alarm.set_watermark_ms(kNow - 2'000);
  alarm.set_clock_ms(kNow);
  alarm.set_points(1200);
  alarm.set_plan_version(3);
  v1::AlarmTransition* last = alarm.mutable_last_transition();
  last->set_unit("%");
  last->set_peak(9.5);
  last->set_clock_ms(kNow - 20'000);
  last->set_runbook("https://runbooks/5xx");
  v1::Change* change = last->add_changes();
  change->set_description("deployment revision 42 -> 43");
  change->set_time_ms(kNow - 320'000);
  v1::Contribution* top = last->add_top();
  top->set_label("endpoint=/games");
  top->set_value(12);
  top->set_share(0.404);
  v1::Contribution* worst = last->add_top();
  worst->set_label("pod=a");
  worst->set_value(9);
  return alarm;
}

v1::AlarmStatus OfSlo(const char* name, v1::AlarmState state) {
  v1::AlarmStatus alarm;
  alarm.set_alarm_id(std::string("shop/") + name);
  alarm.set_service("shop");
  alarm.set_name(name);
  alarm.set_state(state);
  return alarm;
}

TEST(RenderSlos, SaysWhatIsLeftAndHowMuchIsKnown) {
  v1::ListAlarmsResponse response;
  EXPECT_EQ(RenderSlos(response, {}), "No objectives.\n");
  // An alarm that somebody called so is no objective.
  *response.add_alarms() = OfSlo("other-budget", v1::ALARM_STATE_OK);
  for (const char* name : {"up", "quick", "new"}) {
    const std::string slo = name;
    v1::AlarmStatus& budget = *response.add_alarms();
    budget = OfSlo((slo + "-budget").c_str(), v1::ALARM_STATE_OK);
    budget.set_threshold(0.1);
    budget.set_window_ms(30ULL * 86'400'000);
    if (slo == "quick")
      budget.set_expression("ratio(slo:bad_slices{slo=\"quick\"}, slo:slices{slo=\"quick\"})");
    *response.add_alarms() = OfSlo((slo + "-fast-burn").c_str(),
                                   slo == "up" ? v1::ALARM_STATE_FIRING : v1::ALARM_STATE_OK);
    *response.add_alarms() = OfSlo((slo + "-slow-burn").c_str(), v1::ALARM_STATE_FIRING);
    if (slo == "new") continue;
    budget.mutable_budget()->set_slo(slo);
    budget.mutable_budget()->set_left(slo == "up" ? -0.5 : 0.12345);
    budget.mutable_budget()->set_covered(slo == "up" ? 1 : 0.0999);
  }
  EXPECT_EQ("\n" + RenderSlos(response, {}), R"(
SERVICE  OBJECTIVE  GOOD              OVER  BUDGET LEFT  KNOWN  BURNS
shop     new        99.9 %            30d   unknown      -      slow: FIRING
shop     quick      99.9 % of slices  30d   12.3 %       9.9 %  slow: FIRING
shop     up         99.9 %            30d   -50 %        100 %  fast: FIRING
)");
  EXPECT_EQ(OfObjectives(response).alarms_size(), 9);
}

TEST(RenderAlarms, WhatNeedsAPersonComesFirst) {
  v1::ListAlarmsResponse response;
  v1::AlarmStatus* quiet = response.add_alarms();
  quiet->set_alarm_id("backend-api/cpu");
  quiet->set_state(v1::ALARM_STATE_OK);
  quiet->set_severity(v1::SEVERITY_MEDIUM);
  quiet->set_purpose(v1::PURPOSE_RECORD);
  quiet->set_value(NAN);
  quiet->set_threshold(80);
  quiet->set_comparison(">");
  quiet->set_unit("%");
  v1::AlarmStatus* pending = response.add_alarms();
  *pending = ErrorRate();
  pending->set_alarm_id("backend-api/latency");
  pending->set_state(v1::ALARM_STATE_PENDING);
  pending->set_since_ms(kNow - 62'000);
  *response.add_alarms() = ErrorRate();
  response.mutable_alarms(2)->set_acknowledged_by("alice");
  EXPECT_EQ("\n" + RenderAlarms(response, false, {}), R"(
STATE    SEVERITY  ALARM                   VALUE    THRESHOLD  SINCE                                                  KIND    OWNER    ACKNOWLEDGED
FIRING   critical  backend-api/error-rate  8.25 %   > 1 %      2026-02-04T09:11:40Z (3min 20s ago)                    page    on-call  alice
PENDING  critical  backend-api/latency     8.25 %   > 1 %      2026-02-04T09:13:58Z (1min 2s ago), 1min of 3min held  page    on-call  -
OK       medium    backend-api/cpu         unknown  > 80 %     -                                                      shadow  -        -
)");
}

TEST(RenderAlarms, FlappingAndAChangeOfSeverityAreShown) {
  v1::ListAlarmsResponse response;
  v1::AlarmStatus& alarm = *response.add_alarms();
  alarm = ErrorRate();
  alarm.set_swings(5);
  alarm.mutable_last_transition()->set_severity(v1::SEVERITY_CRITICAL);
  alarm.mutable_last_transition()->set_severity_before(v1::SEVERITY_HIGH);
  EXPECT_THAT(RenderAlarms(response, false, {}), HasSubstr("(3min 20s ago), flaps (5 times)"));
  v1::ExplainAlarmResponse explain;
  *explain.mutable_alarm() = alarm;
  const std::string text = RenderExplanation(explain, {});
  EXPECT_THAT(text, HasSubstr("critical, high before"));
  EXPECT_THAT(text, HasSubstr("opened 5 times"));
}

TEST(RenderAlarms, EmptyIsASentence) {
  EXPECT_EQ(RenderAlarms({}, true, {}), "No open alarms.\n");
  EXPECT_EQ(RenderAlarms({}, false, {}), "No alarms: no plan is in force.\n");
}

TEST(RenderAlarms, EveryStateAndSeverityIsVisibleWithoutColour) {
  for (int state = v1::ALARM_STATE_OK; state <= v1::AlarmState_MAX; ++state) {
    EXPECT_STRNE(StateWord(static_cast<v1::AlarmState>(state)), "UNKNOWN");
  }
  for (int severity = v1::SEVERITY_CRITICAL; severity <= v1::SEVERITY_LOW; ++severity) {
    EXPECT_STRNE(SeverityWord(static_cast<v1::Severity>(severity)), "-");
  }
}

TEST(RenderAlarms, HostileLabelsAreEscaped) {
  v1::ListAlarmsResponse response;
  *response.add_alarms() = ErrorRate();
  response.mutable_alarms(0)->set_alarm_id("a/b{x=\"\x1b]0;owned\x07\n\"}");
  response.mutable_alarms(0)->set_unit("\x1b[8m");
  const std::string text = RenderAlarms(response, true, {});
  EXPECT_THAT(text, HasSubstr("\\x1b]0;owned\\x07\\n"));
  EXPECT_THAT(text, Not(HasSubstr("\x1b")));
  EXPECT_THAT(RenderAlarmLine(response.alarms(0), {}), Not(HasSubstr("\x1b")));
  v1::ExplainAlarmResponse explain;
  *explain.mutable_alarm() = response.alarms(0);
  explain.add_lines("\x1b[2Jline");
  explain.mutable_alarm()->mutable_last_transition()->mutable_top(0)->set_label("\x1b[1m");
  explain.mutable_alarm()->mutable_last_transition()->mutable_changes(0)->set_description(
      "\x1b[1m");
  EXPECT_THAT(RenderExplanation(explain, {}), Not(HasSubstr("\x1b")));
  EXPECT_THAT(MessageJson(explain), Not(HasSubstr("\x1b")));
}

TEST(RenderAlarmLine, OneLine) {
  v1::AlarmStatus alarm = ErrorRate();
  alarm.set_acknowledged_by("alice");
  EXPECT_EQ(
      RenderAlarmLine(alarm, {}),
      "2026-02-04T09:15:00Z  FIRING     critical  backend-api/error-rate  8.25 % (> 1 %), since "
      "2026-02-04T09:11:40Z (3min 20s ago), taken by alice\n");
  EXPECT_THAT(RenderAlarmLine(alarm, {.colour = true}), HasSubstr("\x1b[1;31mFIRING"));
}

TEST(RenderExplanation, TellsTheWholeStory) {
  v1::ExplainAlarmResponse response;
  *response.mutable_alarm() = ErrorRate();
  response.add_lines("The ratio is above 1 % since 09:11:40.");
  EXPECT_EQ(RenderExplanation(response, {}),
            "backend-api/error-rate  FIRING  critical\n"
            "  condition      ratio(http_5xx_count, http_request_count) over 1min > 1% for 3min\n"
            "  value          8.25 %, judged by > 1 %\n"
            "  since          2026-02-04T09:11:40Z (3min 20s ago)\n"
            "  worst so far   9.5 %\n"
            "  judged up to   2026-02-04T09:14:58Z (2s ago)\n"
            "  in the window  1200 events over 1min\n"
            "  kind           page\n"
            "  owner          on-call\n"
            "  runbook        https://runbooks/5xx\n"
            "  plan           version 3\n"
            "What changed in the hour before\n"
            "  2026-02-04T09:09:40Z (5min ago)  deployment revision 42 -> 43\n"
            "Largest contributors\n"
            "  endpoint=/games  12 % (40.4 % of the whole)\n"
            "  pod=a  9 %\n"
            "Why\n"
            "  The ratio is above 1 % since 09:11:40.\n");
}

TEST(MessageJson, KeepsFieldNamesAndZeroes) {
  v1::AlarmStatus alarm;
  alarm.set_alarm_id("a/b");
  const std::string json = MessageJson(alarm);
  EXPECT_THAT(json, HasSubstr("\"alarm_id\":\"a/b\""));
  EXPECT_THAT(json, HasSubstr("\"acknowledged_by\":\"\""));
  EXPECT_THAT(json, HasSubstr("\"points\":\"0\""));
}

}  // namespace
}  // namespace liveops::ctl
