#pragma once

#include <google/protobuf/message.h>

#include <memory>
#include <optional>
#include <string>

#include "common/kafka/kafka.h"
#include "common/plan/model.h"
#include "services/liveopsctl/app.h"
#include "services/liveopsctl/cli/command.h"
#include "services/liveopsctl/render/text.h"

namespace liveops::ctl {

// One run of a command: its options, the way out for its answers, and the services when it asks for
// them.
class Session {
 public:
  Session(World& world, const Globals& globals);

  World& world() { return world_; }
  bool json() const { return globals_.json; }
  Duration timeout() const { return globals_.timeout; }  // of one call
  const Style& style() const { return style_; }

  // The services, ready to be called at `server`; nullptr when something is missing, which was then
  // told (leave with kExitUsage).
  Backend* Open(Server server);
  // Addresses and identity; nullptr like Open.
  const Settings* LoadedSettings();
  Backend& backend();  // after LoadedSettings

  // Prints the answer, as JSON or as `text`, and gives kExitOk.
  int Answer(const google::protobuf::Message& message, const std::string& text);
  // Prints why not, and gives the exit code that belongs to it.
  int Fail(const Error& error);
  int Refuse(const std::string& message);  // kExitNo
  int Usage(const std::string& message);   // kExitUsage
  void Warn(const std::string& message);   // one line on the error stream

 private:
  int Report(std::string_view code, const std::string& message, int exit_code);

  World& world_;
  const Globals& globals_;
  Style style_;
  std::unique_ptr<Settings> settings_;
  std::unique_ptr<Backend> backend_;
};

// Where Kafka is: at `address`, or as configured; nullopt when nobody says it, which was told.
std::optional<kafka::ClientConfig> KafkaOf(Session& session, const std::string& address);

// The commands, by group; each gives the exit code.
int RunPlanCheck(Session& session, const PlanCheck& command);
// The rest of `plan check --live`, of a plan without problems.
int RunPlanCheckLive(Session& session, const PlanCheck& command, const plan::Plan& plan,
                     const std::string& text);
int RunPlanTest(Session& session, const PlanTest& command);
int RunPlanBacktest(Session& session, const PlanBacktest& command);
int RunPlanDiff(Session& session, const PlanDiff& command);
int RunPlanApply(Session& session, const PlanApply& command);
int RunPlanDrift(Session& session, const PlanDrift& command);
int RunPlanExport(Session& session, const PlanExport& command);
int RunPlanShow(Session& session, const PlanShow& command);
int RunSlosList(Session& session, const SlosList& command);
int RunAlarmsList(Session& session, const AlarmsList& command);
int RunAlarmsWatch(Session& session, const AlarmsWatch& command);
int RunAlarmsAck(Session& session, const AlarmsAck& command);
int RunAlarmsExplain(Session& session, const AlarmsExplain& command);
int RunRemediationsList(Session& session, const RemediationsList& command);
int RunRemediationsShow(Session& session, const RemediationsShow& command);
int RunRemediationsApprove(Session& session, const RemediationsApprove& command);
int RunRemediationsDeny(Session& session, const RemediationsDeny& command);
int RunSend(Session& session, const Send& command);
int RunEmitters(Session& session, const EmittersList& command);
int RunSpans(Session& session, const SpansList& command);
int RunTail(Session& session, const Tail& command);
int RunLogs(Session& session, const Logs& command);
int RunDeploymentsReport(Session& session, const DeploymentsReport& command);
int RunDecommission(Session& session, const Decommission& command);
int RunStatus(Session& session, const ShowStatus& command);

}  // namespace liveops::ctl
