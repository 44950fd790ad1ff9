#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "services/liveopsctl/app.h"
#include "services/liveopsctl/cli/command.h"
#include "services/liveopsctl/log/fake_kafka_for_tests.h"

// A world without services around ctl::Run: what they answer stands in a Script.
namespace liveops::ctl {

// What the services answer and what they were asked.
struct Script {
  Result<v1::ListAlarmsResponse> alarms = v1::ListAlarmsResponse();
  Result<v1::ExplainAlarmResponse> explain =
      NotFoundError("no alarm \"api/x\"; did you mean \"api/y\"?");
  Result<v1::PastAlarm> past = v1::PastAlarm();
  Result<v1::AcknowledgeResponse> ack = v1::AcknowledgeResponse();
  Result<v1::ApplyPlanResponse> apply = v1::ApplyPlanResponse();
  Result<v1::GetPlanResponse> plan = v1::GetPlanResponse();
  std::map<std::uint64_t, v1::PlanRecord>
      plans;  // by the version asked for, 0 = newest; else `plan`
  v1::RemediationStatus remediation;
  Result<v1::WriteResponse> write = v1::WriteResponse();
  Result<v1::ListEmittersResponse> emitters = v1::ListEmittersResponse();
  v1::ListSlowestSpansResponse spans;
  v1::ListSlowestSpansRequest spans_asked;
  std::map<Server, Result<v1::GetStatusResponse>> status;
  std::vector<Status> watch_ends;  // one a stream, the first stream first

  std::vector<v1::ExplainAlarmAtRequest> asked_past;
  std::vector<v1::WriteRequest> writes;
  std::vector<v1::DecommissionRequest> decommissions;
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
  Result<v1::GetPlanResponse> GetPlan(const v1::GetPlanRequest& request) override {
    const auto found = s_.plans.find(request.version());
    if (found == s_.plans.end()) return s_.plan;
    v1::GetPlanResponse response;
    *response.mutable_plan() = found->second;
    return response;
  }
  Result<v1::ListPlansResponse> ListPlans(const v1::ListPlansRequest&) override {
    return v1::ListPlansResponse();
  }
  Result<v1::ListAlarmsResponse> ListAlarms(const v1::ListAlarmsRequest&) override {
    return s_.alarms;
  }
  Result<v1::ExplainAlarmResponse> ExplainAlarm(const v1::ExplainAlarmRequest&) override {
    return s_.explain;
  }
  Result<v1::PastAlarm> ExplainAlarmAt(
      const v1::ExplainAlarmAtRequest& request,
      const std::function<void(const v1::ReplayProgress&)>& on_progress, Cancellation&) override {
    s_.asked_past.push_back(request);
    on_progress({});
    return s_.past;
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
  Result<v1::DecommissionResponse> Decommission(const v1::DecommissionRequest& request) override {
    s_.decommissions.push_back(request);
    return v1::DecommissionResponse();
  }
  Result<v1::ListEmittersResponse> ListEmitters(const v1::ListEmittersRequest&) override {
    return s_.emitters;
  }
  Result<v1::ListSlowestSpansResponse> ListSlowestSpans(
      const v1::ListSlowestSpansRequest& request) override {
    s_.spans_asked = request;
    return s_.spans;
  }
  Result<v1::GetStatusResponse> GetStatus(Server server) override { return s_.status.at(server); }

 private:
  Script& s_;
};

// Interrupts the n-th wait; 0 = never. `meanwhile` happens during each.
class FakeInterrupt : public Interrupt {
 public:
  explicit FakeInterrupt(int at, std::function<void()> meanwhile = {})
      : at_(at), meanwhile_(std::move(meanwhile)) {}
  bool WaitFor(Duration) override {
    if (meanwhile_) meanwhile_();
    return ++waits_ == at_;
  }
  void Bind(std::function<void()>) override {}

 private:
  int at_;
  std::function<void()> meanwhile_;
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
    World world{
        .out = out,
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
        .open_kafka = [this](const kafka::ClientConfig& config,
                             Duration) { return open_kafka_(config); },
        .interrupts = [this] { return std::make_unique<FakeInterrupt>(interrupt_at_, meanwhile_); },
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
  std::function<Result<KafkaPorts>(const kafka::ClientConfig&)> open_kafka_ =
      [](const kafka::ClientConfig&) -> Result<KafkaPorts> { return UnavailableError("no Kafka"); };
  std::map<std::string, std::string> env_;
  bool addresses_ = true;
  bool out_terminal_ = false;
  std::function<void()> meanwhile_;  // at each wait of a command
  int interrupt_at_ = 0;
};

}  // namespace liveops::ctl
