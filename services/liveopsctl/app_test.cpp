#include "services/liveopsctl/app.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "common/base/labels.h"
#include "services/liveopsctl/cli/command.h"

namespace liveops::ctl {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// What the services answer and what they were asked.
struct Script {
  Result<v1::ListAlarmsResponse> alarms = v1::ListAlarmsResponse();
  Result<v1::ExplainAlarmResponse> explain =
      NotFoundError("no alarm \"api/x\"; did you mean \"api/y\"?");
  Result<v1::AcknowledgeResponse> ack = v1::AcknowledgeResponse();
  Result<v1::ApplyPlanResponse> apply = v1::ApplyPlanResponse();
  Result<v1::GetPlanResponse> plan = v1::GetPlanResponse();
  v1::RemediationStatus remediation;
  Result<v1::WriteResponse> write = v1::WriteResponse();
  std::map<Server, Result<v1::GetStatusResponse>> status;
  std::vector<Status> watch_ends;  // one a stream, the first stream first

  std::vector<v1::WriteRequest> writes;
  std::vector<v1::ApproveRemediationRequest> approvals;
  std::vector<v1::DenyRemediationRequest> denials;
  std::vector<v1::ApplyPlanRequest> applied;
  std::vector<v1::AlarmStatus> watched;  // in every stream
  int watches = 0;
  Settings settings;
};

class FakeBackend : public Backend {
 public:
  explicit FakeBackend(Script& script) : s_(script) {}
  Result<v1::ApplyPlanResponse> ApplyPlan(const v1::ApplyPlanRequest& request) override {
    s_.applied.push_back(request);
    return s_.apply;
  }
  Result<v1::GetPlanResponse> GetPlan(const v1::GetPlanRequest&) override { return s_.plan; }
  Result<v1::ListPlansResponse> ListPlans(const v1::ListPlansRequest&) override {
    return v1::ListPlansResponse();
  }
  Result<v1::ListAlarmsResponse> ListAlarms(const v1::ListAlarmsRequest&) override {
    return s_.alarms;
  }
  Result<v1::ExplainAlarmResponse> ExplainAlarm(const v1::ExplainAlarmRequest&) override {
    return s_.explain;
  }
  Status WatchAlarms(const v1::WatchAlarmsRequest&,
                     const std::function<bool(const v1::AlarmStatus&)>& on_alarm,
                     Cancellation&) override {
    for (const v1::AlarmStatus& alarm : s_.watched) on_alarm(alarm);
    return s_.watch_ends.at(static_cast<std::size_t>(s_.watches++));
  }
  Result<v1::AcknowledgeResponse> Acknowledge(const v1::AcknowledgeRequest&) override {
    return s_.ack;
  }
  Result<v1::ListRemediationsResponse> ListRemediations(
      const v1::ListRemediationsRequest&) override {
    return v1::ListRemediationsResponse();
  }
  Result<v1::GetRemediationResponse> GetRemediation(const v1::GetRemediationRequest&) override {
    v1::GetRemediationResponse response;
    *response.mutable_remediation() = s_.remediation;
    return response;
  }
  Result<v1::ApproveRemediationResponse> ApproveRemediation(
      const v1::ApproveRemediationRequest& request) override {
    s_.approvals.push_back(request);
    v1::ApproveRemediationResponse response;
    *response.mutable_remediation() = s_.remediation;
    response.mutable_remediation()->mutable_approved()->set_by("alice");
    response.mutable_remediation()->set_phase(v1::REMEDIATION_PHASE_APPROVED);
    return response;
  }
  Result<v1::DenyRemediationResponse> DenyRemediation(
      const v1::DenyRemediationRequest& request) override {
    s_.denials.push_back(request);
    v1::DenyRemediationResponse response;
    response.mutable_remediation()->mutable_denied()->set_by("alice");
    return response;
  }
  Result<v1::WriteResponse> Write(const v1::WriteRequest& request) override {
    s_.writes.push_back(request);
    return s_.write;
  }
  Result<v1::ReportDeploymentResponse> ReportDeployment(
      const v1::ReportDeploymentRequest&) override {
    return v1::ReportDeploymentResponse();
  }
  Result<v1::GetStatusResponse> GetStatus(Server server) override { return s_.status.at(server); }

 private:
  Script& s_;
};

// Interrupts the n-th wait; 0 = never.
class FakeInterrupt : public Interrupt {
 public:
  explicit FakeInterrupt(int at) : at_(at) {}
  bool WaitFor(Duration) override { return ++waits_ == at_; }
  void Bind(std::function<void()>) override {}

 private:
  int at_;
  int waits_ = 0;
};

struct Ran {
  int code = 0;
  std::string out;
  std::string err;
};

class AppTest : public ::testing::Test {
 protected:
  AppTest() {
    folder_ =
        std::filesystem::temp_directory_path() / ("liveopsctl-app-" + std::to_string(::getpid()));
    std::filesystem::create_directories(folder_);
    v1::RemediationStatus& r = script_.remediation;
    r.set_id("3f2a9c0011223344556677889900aabb");
    r.set_phase(v1::REMEDIATION_PHASE_PROPOSED);
    r.mutable_proposed()->set_digest(std::string(31, 'd') + "e");
    for (const char* argument : {"kubectl", "rollout", "undo", "--to-revision=42"}) {
      r.mutable_proposed()->mutable_action()->add_argv(argument);
    }
  }
  ~AppTest() override { std::filesystem::remove_all(folder_); }

  Ran RunWords(std::vector<std::string> words, const std::string& input = "",
               bool terminal = false) {
    for (const char* service : {"--ingest", "--evaluation", "--notifier", "--remediation"}) {
      if (addresses_) words.insert(words.end(), {service, "127.0.0.1:1"});
    }
    std::ostringstream out;
    std::ostringstream err;
    std::istringstream in(input);
    World world{.out = out,
                .err = err,
                .in = in,
                .in_terminal = terminal,
                .out_terminal = out_terminal_,
                .err_terminal = false,
                .env = [this](const char* name) -> std::optional<std::string> {
                  const auto found = env_.find(name);
                  return found == env_.end() ? std::nullopt : std::optional(found->second);
                },
                .connect =
                    [this](const Settings& settings, Duration) {
                      script_.settings = settings;
                      return std::make_unique<FakeBackend>(script_);
                    },
                .interrupts = [this] { return std::make_unique<FakeInterrupt>(interrupt_at_); },
                .now = [] { return RealFromMs(1770196500000); },
                .host = "host",
                .session = 7,
                .version = "1"};
    const int code = ctl::Run(words, world);
    return {code, out.str(), err.str()};
  }
  std::string WriteFile(const std::string& name, const std::string& text) {
    std::ofstream(folder_ / name) << text;
    return (folder_ / name).string();
  }

  std::filesystem::path folder_;
  Script script_;
  std::map<std::string, std::string> env_;
  bool addresses_ = true;
  bool out_terminal_ = false;
  int interrupt_at_ = 0;
};

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

TEST_F(AppTest, PlanCheckPrintsEveryProblemWithACaret) {
  const std::string file = WriteFile("bad.yaml", "service: api\nnonsense: 1\nalarmz: []\n");
  const Ran ran = RunWords({"plan", "check", file});
  EXPECT_EQ(ran.code, kExitNo);
  EXPECT_THAT(ran.out, HasSubstr(file + ":2:"));
  EXPECT_THAT(ran.out, HasSubstr("    2 | nonsense: 1\n      | ^\n"));
  EXPECT_THAT(ran.out, HasSubstr("    3 | alarmz: []\n      | ^\n"));
  const Ran json = RunWords({"plan", "check", file, "--json"});
  EXPECT_EQ(json.code, kExitNo);
  EXPECT_THAT(json.out, HasSubstr("{\"problems\":[{\"file\":\""));
  EXPECT_EQ(RunWords({"plan", "check", "/nowhere.yaml"}).code, kExitUsage);
  EXPECT_EQ(RunWords({"plan", "apply", file}).code, kExitNo);
  EXPECT_TRUE(script_.applied.empty()) << "a plan that is bad here is not sent";
}

TEST_F(AppTest, PlanShowRedirectedGivesTheTextAsApplied) {
  script_.plan->mutable_plan()->set_text("service: api\n# \x1b\n");
  EXPECT_EQ(RunWords({"plan", "show", "api"}).out, "service: api\n# \x1b\n");
  out_terminal_ = true;
  EXPECT_THAT(RunWords({"plan", "show", "api"}).out, HasSubstr("service: api\n# \\x1b\n"));
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

TEST_F(AppTest, StatusIsNoWhenAnyServiceIsNotReady) {
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
  EXPECT_EQ(RunWords({"status", "--only", "notifier"}).code, kExitNo);
  EXPECT_THAT(RunWords({"status", "--only", "evaluation"}).out, Not(HasSubstr("notifier")));
  addresses_ = false;
  EXPECT_EQ(RunWords({"status"}).code, kExitUsage);
}

TEST_F(AppTest, CompletionPrintsAScript) {
  const Ran ran = RunWords({"completion", "fish"});
  EXPECT_EQ(ran.code, kExitOk);
  EXPECT_THAT(ran.out, HasSubstr("remediations approve"));
}

}  // namespace
}  // namespace liveops::ctl
