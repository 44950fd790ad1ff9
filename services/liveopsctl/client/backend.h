#pragma once

#include <functional>
#include <memory>
#include <string>

#include "common/base/result.h"
#include "common/base/time.h"
#include "liveops/v1/alarms.pb.h"
#include "liveops/v1/ingest.pb.h"
#include "liveops/v1/notifications.pb.h"
#include "liveops/v1/plans.pb.h"
#include "liveops/v1/remediations.pb.h"
#include "liveops/v1/status.pb.h"
#include "services/liveopsctl/client/cancellation.h"
#include "services/liveopsctl/client/settings.h"

namespace liveops::ctl {

// The calls that liveopsctl makes, one method each. Errors hold one line for a person: which
// service, where, what to try. kUnavailable and kTimeout mean that the server could not be reached
// or cannot serve now; every other code is the server's answer. A call never outlasts the time-out
// it was made with. Thread-safe.
class Backend {
 public:
  virtual ~Backend() = default;

  virtual Result<v1::ApplyPlanResponse> ApplyPlan(const v1::ApplyPlanRequest& request) = 0;
  virtual Result<v1::GetPlanResponse> GetPlan(const v1::GetPlanRequest& request) = 0;
  virtual Result<v1::ListPlansResponse> ListPlans(const v1::ListPlansRequest& request) = 0;

  virtual Result<v1::ListAlarmsResponse> ListAlarms(const v1::ListAlarmsRequest& request) = 0;
  virtual Result<v1::ExplainAlarmResponse> ExplainAlarm(const v1::ExplainAlarmRequest& request) = 0;
  // Without the time-out of a call: a replay may take minutes. Ends with kTimeout when
  // `cancellation` is cancelled.
  virtual Result<v1::PastAlarm> ExplainAlarmAt(
      const v1::ExplainAlarmAtRequest& request,
      const std::function<void(const v1::ReplayProgress&)>& on_progress,
      Cancellation& cancellation) = 0;
  // Without a time-out: until `on_alarm` gives false or `cancellation` is cancelled (both OK), or
  // the stream breaks.
  virtual Status WatchAlarms(const v1::WatchAlarmsRequest& request,
                             const std::function<bool(const v1::AlarmStatus&)>& on_alarm,
                             Cancellation& cancellation) = 0;
  virtual Result<v1::AcknowledgeResponse> Acknowledge(const v1::AcknowledgeRequest& request) = 0;

  virtual Result<v1::ListRemediationsResponse> ListRemediations(
      const v1::ListRemediationsRequest& request) = 0;
  virtual Result<v1::GetRemediationResponse> GetRemediation(
      const v1::GetRemediationRequest& request) = 0;
  virtual Result<v1::ApproveRemediationResponse> ApproveRemediation(
      const v1::ApproveRemediationRequest& request) = 0;
  virtual Result<v1::DenyRemediationResponse> DenyRemediation(
      const v1::DenyRemediationRequest& request) = 0;

  virtual Result<v1::WriteResponse> Write(const v1::WriteRequest& request) = 0;
  virtual Result<v1::ReportDeploymentResponse> ReportDeployment(
      const v1::ReportDeploymentRequest& request) = 0;

  virtual Result<v1::DecommissionResponse> Decommission(const v1::DecommissionRequest& request) = 0;

  virtual Result<v1::ListEmittersResponse> ListEmitters(const v1::ListEmittersRequest& request) = 0;
  virtual Result<v1::ListSlowestSpansResponse> ListSlowestSpans(
      const v1::ListSlowestSpansRequest& request) = 0;

  virtual Result<v1::GetStatusResponse> GetStatus(Server server) = 0;
};

// Over gRPC; connects to a service when it is first called. `settings` passed CheckSettings for
// what will be called.
std::unique_ptr<Backend> ConnectBackend(const Settings& settings, Duration timeout);

}  // namespace liveops::ctl
