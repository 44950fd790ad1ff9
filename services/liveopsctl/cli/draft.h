#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "services/liveopsctl/cli/command.h"
#include "services/liveopsctl/cli/source.h"

namespace liveops::ctl {

// What the options write into while CLI11 reads; turned into a Command once all is read.
struct Draft {
  Globals globals;
  std::string timeout;
  PlanCheck plan_check;
  PlanTest plan_test;
  PlanBacktest plan_backtest;
  PlanDiff plan_diff;
  PlanApply plan_apply;
  PlanDrift plan_drift;
  PlanExport plan_export;
  PlanShow plan_show;
  SlosList slos_list;
  AlarmsList alarms_list;
  AlarmsWatch alarms_watch;
  AlarmsAck alarms_ack;
  AlarmsExplain alarms_explain;
  std::string explain_at;
  SourceWords played;
  RemediationsList remediations_list;
  RemediationsShow remediations_show;
  RemediationsApprove remediations_approve;
  RemediationsDeny remediations_deny;
  EmittersList emitters;
  SpansList spans;
  Tail tail;
  std::vector<std::string> tail_labels;
  Logs logs;
  std::string logs_level;
  struct {
    std::vector<std::string> samples;
    std::vector<std::string> labels;
    std::string service, kind = "gauge", unit, every, time;
    std::uint64_t count = 0;
  } send;
  DeploymentsReport report;
  Decommission decommission;
  std::vector<std::string> decommission_labels;
  ShowStatus status;
  Completion completion;

  std::optional<Command> command;
  std::string problem;  // set by a conversion that failed
};

// Text values of `send` to its command; a problem is left in the draft.
void BuildSend(Draft& d);

// What the types of options cannot say, of a draft that has a command: a problem is left in it.
void CheckDraft(Draft& d);

}  // namespace liveops::ctl
