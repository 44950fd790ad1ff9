#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "common/base/labels.h"
#include "services/liveopsctl/app_test_support.h"

namespace liveops::ctl {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST_F(AppTest, UsageErrorsLeaveWithTwo) {
  const Ran ran = RunWords({"alarms", "lst"});
  EXPECT_EQ(ran.code, kExitUsage);
  EXPECT_EQ(ran.out, "");
  EXPECT_THAT(ran.err, HasSubstr("did you mean \"list\"?"));
  addresses_ = false;
  const Ran missing = RunWords({"alarms", "list"});
  EXPECT_EQ(missing.code, kExitUsage);
  EXPECT_THAT(missing.err, HasSubstr("no address for rule-evaluation"));
}

TEST_F(AppTest, FailuresMapToExitCodes) {
  EXPECT_EQ(RunWords({"alarms", "explain", "api/x"}).code, kExitNo);
  script_.alarms =
      UnavailableError("cannot reach rule-evaluation at 127.0.0.1:1: connection refused");
  const Ran away = RunWords({"alarms", "list", "--json"});
  EXPECT_EQ(away.code, kExitUnreachable);
  EXPECT_EQ(away.out,
            "{\"error\":{\"code\":\"unavailable\",\"message\":\"cannot reach rule-evaluation at "
            "127.0.0.1:1: connection "
            "refused\"}}\n");
  EXPECT_EQ(away.err,
            "liveopsctl: cannot reach rule-evaluation at 127.0.0.1:1: connection refused\n");
  script_.ack = DeniedError("\x1b[2Jno");
  const Ran denied = RunWords({"alarms", "ack", "api/x"});
  EXPECT_EQ(denied.code, kExitNo);
  EXPECT_EQ(denied.err, "liveopsctl: \\x1b[2Jno\n");
}

TEST_F(AppTest, ColourOnlyOnATerminalAndNeverWithNoColor) {
  script_.alarms->add_alarms()->set_state(v1::ALARM_STATE_FIRING);
  EXPECT_THAT(RunWords({"alarms", "list"}).out, Not(HasSubstr("\x1b[")));
  out_terminal_ = true;
  EXPECT_THAT(RunWords({"alarms", "list"}).out, HasSubstr("\x1b["));
  EXPECT_THAT(RunWords({"alarms", "list", "--json"}).out, Not(HasSubstr("\x1b[")));
  env_["NO_COLOR"] = "1";
  EXPECT_THAT(RunWords({"alarms", "list"}).out, Not(HasSubstr("\x1b[")));
}

TEST_F(AppTest, DecommissionNamesWhatStopped) {
  const Ran ran = RunWords({"decommission", "api", "--label", "instance=i-7", "--label", "zone=a",
                            "--reason", "scale-in"});
  EXPECT_EQ(ran.code, kExitOk) << ran.err;
  EXPECT_EQ(
      ran.out,
      "recorded: of api, instance=i-7, zone=a has stopped for good; what it sends from now on "
      "brings it back\n");
  ASSERT_EQ(script_.decommissions.size(), 1u);
  EXPECT_EQ(script_.decommissions[0].service(), "api");
  EXPECT_EQ(script_.decommissions[0].reason(), "scale-in");
  ASSERT_EQ(script_.decommissions[0].labels_size(), 2);
  EXPECT_EQ(script_.decommissions[0].labels(1).name(), "zone");
  EXPECT_EQ(script_.decommissions[0].labels(1).value(), "a");
}

TEST_F(AppTest, SlosListAsksForObjectivesAlone) {
  v1::AlarmStatus& alarm = *script_.alarms->add_alarms();
  alarm.set_service("api");
  alarm.set_name("error-rate");
  EXPECT_EQ(RunWords({"slos", "list"}).out, "No objectives.\n");
  EXPECT_THAT(RunWords({"slos", "list", "--json"}).out, Not(HasSubstr("error-rate")));
}

TEST_F(AppTest, ApproveSendsTheDigestOfWhatItShowed) {
  const Ran ran = RunWords({"remediations", "approve", "3f2a"}, "y\n", true);
  EXPECT_EQ(ran.code, kExitOk) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("  kubectl rollout undo --to-revision=42\n"));
  EXPECT_THAT(ran.out, HasSubstr("approved by alice"));
  ASSERT_EQ(script_.approvals.size(), 1u);
  EXPECT_EQ(script_.approvals[0].id(), script_.remediation.id());
  EXPECT_EQ(script_.approvals[0].digest(), script_.remediation.proposed().digest());
}

TEST_F(AppTest, OnlyAPlainYesApproves) {
  for (const char* answer : {"", "\n", "n\n", "yep\n", "Y es\n"}) {
    const Ran ran = RunWords({"remediations", "approve", "3f2a"}, answer, true);
    EXPECT_EQ(ran.code, kExitNo) << answer;
    EXPECT_THAT(ran.err, HasSubstr("[y/N]"));
  }
  EXPECT_EQ(RunWords({"remediations", "approve", "3f2a"}, "y\n", false).code, kExitUsage)
      << "no terminal, no --yes";
  EXPECT_TRUE(script_.approvals.empty());
  EXPECT_EQ(RunWords({"remediations", "approve", "3f2a", "--yes"}).code, kExitOk);
  EXPECT_EQ(script_.approvals.size(), 1u);
}

TEST_F(AppTest, ApproveDoesNotSendWhatCannotBeApproved) {
  script_.remediation.mutable_approved()->set_by("bob");
  script_.remediation.set_phase(v1::REMEDIATION_PHASE_RUNNING);
  const Ran already = RunWords({"remediations", "approve", "3f2a", "--yes"});
  EXPECT_EQ(already.code, kExitOk);
  EXPECT_THAT(already.out, HasSubstr("already approved by bob"));
  script_.remediation.set_phase(v1::REMEDIATION_PHASE_CLOSED);
  script_.remediation.mutable_outcome()->set_outcome(v1::REMEDIATION_OUTCOME_EXPIRED);
  const Ran closed = RunWords({"remediations", "approve", "3f2a", "--yes"});
  EXPECT_EQ(closed.code, kExitNo);
  EXPECT_THAT(closed.err, HasSubstr("is closed (expired)"));
  script_.remediation.clear_approved();
  script_.remediation.set_phase(v1::REMEDIATION_PHASE_PROPOSED);
  script_.remediation.mutable_proposed()->mutable_action()->clear_argv();
  EXPECT_EQ(RunWords({"remediations", "approve", "3f2a", "--yes"}).code, kExitNo);
  EXPECT_TRUE(script_.approvals.empty());
}

TEST_F(AppTest, ApproveWithJsonKeepsTheDocumentAlone) {
  const Ran ran = RunWords({"remediations", "approve", "3f2a", "--yes", "--json"});
  EXPECT_EQ(ran.code, kExitOk);
  EXPECT_EQ(ran.out.front(), '{');
  EXPECT_THAT(ran.err, HasSubstr("This command will run, exactly:"));
}

TEST_F(AppTest, DenyNeedsAReasonAndSendsTheWholeId) {
  EXPECT_EQ(RunWords({"remediations", "deny", "3f2a", "--reason", " "}).code, kExitUsage);
  EXPECT_EQ(RunWords({"remediations", "deny", "3f2a", "--reason", "canary runs"}).code, kExitOk);
  ASSERT_EQ(script_.denials.size(), 1u);
  EXPECT_EQ(script_.denials[0].id(), script_.remediation.id());
}

TEST_F(AppTest, SendBuildsOneBatchASending) {
  script_.write->set_accepted_points(3);
  const Ran ran =
      RunWords({"send", "a=1", "b=2.5", "a=3", "--service", "api", "--label", "z=1", "--label",
                "e=/g", "--unit", "ms", "--kind", "delta", "--every", "1s", "--count", "2"});
  EXPECT_EQ(ran.code, kExitOk) << ran.err;
  EXPECT_EQ(ran.out, "6 samples accepted\n");
  ASSERT_EQ(script_.writes.size(), 2u);
  EXPECT_EQ(script_.writes[0].source().sequence(), 1u);
  EXPECT_EQ(script_.writes[1].source().sequence(), 2u);
  EXPECT_EQ(script_.writes[1].source().session(), 7u);
  const v1::MetricBatch& batch = script_.writes[0].batch();
  EXPECT_EQ(batch.service(), "api");
  EXPECT_EQ(batch.base_time_ms(), 1770196500000);
  ASSERT_EQ(batch.series_size(), 2);
  EXPECT_EQ(batch.strings(static_cast<int>(batch.series(1).metric())), "b");
  EXPECT_EQ(batch.strings(static_cast<int>(batch.series(1).unit())), "ms");
  EXPECT_EQ(batch.series(0).kind(), v1::SERIES_KIND_COUNTER_DELTA);
  EXPECT_EQ(batch.series(0).labels(), Labels({{"e", "/g"}, {"z", "1"}}).Encode());
  EXPECT_THAT(batch.point_series(), ::testing::ElementsAre(0, 1, 0));
  EXPECT_THAT(batch.point_value(), ::testing::ElementsAre(1, 2.5, 3));
  EXPECT_THAT(batch.point_duration_ms(), ::testing::ElementsAre(1000, 1000, 1000));
}

TEST_F(AppTest, SendEndsOnInterruptAndTellsRefusals) {
  interrupt_at_ = 3;
  EXPECT_EQ(RunWords({"send", "a=1", "--service", "api", "--every", "1s"}).code, kExitOk);
  EXPECT_EQ(script_.writes.size(), 3u);
  v1::Rejection* rejection = script_.write->add_rejections();
  rejection->set_points(1);
  rejection->set_reason("future");
  const Ran ran = RunWords({"send", "a=1", "--service", "api"});
  EXPECT_EQ(ran.code, kExitNo);
  EXPECT_THAT(ran.out, HasSubstr("1 refused: future\n"));
}

v1::AlarmStatus Alarm(const std::string& id, v1::AlarmState state, double value = 0) {
  v1::AlarmStatus alarm;
  alarm.set_alarm_id(id);
  alarm.set_state(state);
  alarm.set_value(value);
  return alarm;
}

TEST_F(AppTest, WatchShowsChangesOfStateAndNotEveryValue) {
  script_.watched = {
      Alarm("api/a", v1::ALARM_STATE_FIRING, 1),  Alarm("api/b", v1::ALARM_STATE_OK, 1),
      Alarm("api/a", v1::ALARM_STATE_FIRING, 2),  Alarm("api/b", v1::ALARM_STATE_OK, 2),
      Alarm("api/b", v1::ALARM_STATE_PENDING, 3), Alarm("api/a", v1::ALARM_STATE_RESOLVED, 0)};
  script_.watch_ends = {{}};
  const Ran ran = RunWords({"alarms", "watch"});
  EXPECT_THAT(ran.out, ::testing::MatchesRegex(
                           "[^\n]*FIRING[^\n]*api/a[^\n]*\n[^\n]*PENDING[^\n]*api/b[^\n]*\n"
                           "[^\n]*RESOLVED[^\n]*api/a[^\n]*\n"));
}

TEST_F(AppTest, WatchReconnectsWithoutRepeatingAndEndsWithZero) {
  script_.watched = {Alarm("api/a", v1::ALARM_STATE_FIRING)};
  script_.watch_ends = {UnavailableError("gone"), UnavailableError("gone"), {}};
  const Ran ran = RunWords({"alarms", "watch"});
  EXPECT_EQ(ran.code, kExitOk);
  EXPECT_EQ(script_.watches, 3);
  EXPECT_EQ(std::count(ran.out.begin(), ran.out.end(), '\n'), 1) << ran.out;
  EXPECT_THAT(ran.err, HasSubstr("gone; trying again"));
}

TEST_F(AppTest, WatchEndsOnInterruptWithZeroAndOnAWrongAddressWithThree) {
  script_.watch_ends = {UnavailableError("gone")};
  interrupt_at_ = 1;
  EXPECT_EQ(RunWords({"alarms", "watch"}).code, kExitOk);
  script_.alarms = UnavailableError("nobody there");
  EXPECT_EQ(RunWords({"alarms", "watch"}).code, kExitUnreachable);
}

TEST_F(AppTest, StatusIsNoWhenSomeAreNotReadyAndUnreachableWhenNoneAnswers) {
  v1::GetStatusResponse ready;
  ready.set_ready(true);
  for (const Server server : kServers) script_.status.emplace(server, ready);
  EXPECT_EQ(RunWords({"status"}).code, kExitOk);
  script_.status.insert_or_assign(Server::kNotifier,
                                  Result<v1::GetStatusResponse>(UnavailableError("away")));
  const Ran ran = RunWords({"status"});
  EXPECT_EQ(ran.code, kExitNo);
  EXPECT_THAT(ran.out, HasSubstr("away"));
  EXPECT_EQ(RunWords({"status", "--only", "evaluation"}).code, kExitOk);
  EXPECT_EQ(RunWords({"status", "--only", "notifier"}).code, kExitUnreachable);
  EXPECT_THAT(RunWords({"status", "--only", "evaluation"}).out, Not(HasSubstr("notifier")));
  v1::GetStatusResponse starting;
  script_.status.insert_or_assign(Server::kIngest, starting);
  EXPECT_EQ(RunWords({"status", "--only", "ingest"}).code, kExitNo);
  for (const Server server : kServers) {
    script_.status.insert_or_assign(server,
                                    Result<v1::GetStatusResponse>(UnavailableError("away")));
  }
  const Ran none = RunWords({"status"});
  EXPECT_EQ(none.code, kExitUnreachable);
  EXPECT_THAT(none.out, HasSubstr("remediation"));
  addresses_ = false;
  EXPECT_EQ(RunWords({"status"}).code, kExitUsage);
  EXPECT_EQ(RunWords({"status", "--ingest", "127.0.0.1:1", "--only", "notifier"}).code, kExitUsage);
}

TEST_F(AppTest, CompletionPrintsAScript) {
  const Ran ran = RunWords({"completion", "fish"});
  EXPECT_EQ(ran.code, kExitOk);
  EXPECT_THAT(ran.out, HasSubstr("remediations approve"));
}

TEST_F(AppTest, ExplainAtAsksForThatMomentAndPrintsTheReasoning) {
  v1::PastAlarm& past = *script_.past;
  past.set_alarm_id("api/x");
  past.set_at_ms(1770196500000);
  past.mutable_alarm()->set_state(v1::ALARM_STATE_PENDING);
  past.mutable_alarm()->set_expression("last(m) over 1min > 5 for 5min");
  past.set_plan_version(3);
  past.set_plan_applied_by("kim");
  past.add_lines("Missing for it to fire: 2min more of being true.");
  const Ran ran = RunWords({"alarms", "explain", "api/x", "--at", "2026-02-04T09:15:00Z"});
  EXPECT_EQ(ran.code, kExitOk) << ran.err;
  ASSERT_EQ(script_.asked_past.size(), 1u);
  EXPECT_EQ(script_.asked_past[0].alarm_id(), "api/x");
  EXPECT_EQ(script_.asked_past[0].at_ms(), 1770196500000);
  EXPECT_THAT(ran.out, HasSubstr("api/x  PENDING at 2026-02-04T09:15:00Z\n"));
  EXPECT_THAT(ran.out, HasSubstr("version 3, applied by kim"));
  EXPECT_THAT(ran.out, HasSubstr("  Missing for it to fire: 2min more of being true.\n"));
  EXPECT_THAT(
      RunWords({"alarms", "explain", "api/x", "--at", "2026-02-04T09:15:00Z", "--json"}).out,
      HasSubstr("\"plan_applied_by\":\"kim\""));
}

TEST_F(AppTest, ExplainAtOfWhatIsNotKnownLeavesWithOne) {
  script_.past->set_alarm_id("api/x");
  script_.past->set_why_not("no plan of api was in force then");
  script_.past->mutable_after()->set_alarm_id("api/x");
  const Ran ran = RunWords({"alarms", "explain", "api/x", "--at", "2026-02-04T09:15:00Z"});
  EXPECT_EQ(ran.code, kExitNo);
  EXPECT_THAT(ran.out, HasSubstr("NOT KNOWN"));
  script_.past = UnavailableError("another replay of the past is under way");
  EXPECT_EQ(RunWords({"alarms", "explain", "api/x", "--at", "2026-02-04T09:15:00Z"}).code,
            kExitUnreachable);
}

TEST_F(AppTest, TheListNamesAlarmsThatAreBlind) {
  script_.alarms->add_blind("api/dark");
  const Ran ran = RunWords({"alarms", "list"});
  EXPECT_THAT(ran.out, HasSubstr("No open alarms.\n1 alarm is blind and cannot fire"));
  EXPECT_THAT(ran.out, HasSubstr("  api/dark\n"));
}

}  // namespace
}  // namespace liveops::ctl
