#include "deploy/local/sandbox/api.h"

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <cmath>

#include "common/base/text.h"
#include "liveops/v1/alarms.grpc.pb.h"
#include "liveops/v1/remediations.grpc.pb.h"

namespace liveops::sandbox {
namespace {

void SetDeadline(grpc::ClientContext& context) {
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(2));
}

// ALARM_STATE_NO_DATA -> "no_data".
std::string Word(const std::string& name, std::size_t prefix) {
  std::string word = name.substr(std::min(prefix, name.size()));
  for (char& c : word) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return word;
}

AlarmView ViewOf(const v1::AlarmStatus& status) {
  AlarmView view;
  view.id = status.alarm_id();
  view.state = Word(v1::AlarmState_Name(status.state()), sizeof("ALARM_STATE_") - 1);
  view.pages = status.purpose() == v1::PURPOSE_PAGE;
  view.expression = status.expression();
  // A pending alarm may show the value of the last watermark, which an eager true has overtaken.
  const bool above = status.comparison().starts_with(">");
  const bool shows =
      above ? status.value() > status.threshold() : status.value() < status.threshold();
  if (std::isfinite(status.value()) && shows) {
    view.value = FormatValue(status.value(), status.unit());
  }
  view.threshold = status.comparison() + " " + FormatValue(status.threshold(), status.unit());
  view.hold = Duration(static_cast<std::int64_t>(status.hold_ms()));
  return view;
}

RemediationView ViewOf(const v1::RemediationStatus& status) {
  RemediationView view;
  view.id = status.id();
  view.scenario = status.proposed().scenario();
  view.action = status.proposed().action().description();
  view.condition = status.proposed().condition();
  view.expect = status.proposed().expect();
  for (const std::string& word : status.proposed().action().argv()) {
    if (!view.command.empty()) view.command += " ";
    view.command += word;
  }
  view.approved_by = status.approved().by();
  view.denied_by = status.denied().by();
  view.running = status.has_intent();
  if (status.has_effect()) {
    view.effect = status.effect().observed().empty()
                      ? "exit code " + std::to_string(status.effect().exit_code())
                      : status.effect().observed();
  }
  if (status.has_outcome()) {
    view.outcome = Word(v1::RemediationOutcome_Name(status.outcome().outcome()),
                        sizeof("REMEDIATION_OUTCOME_") - 1);
    view.detail = status.outcome().detail();
  }
  return view;
}

}  // namespace

struct Api::Impl {
  std::unique_ptr<v1::Alarms::Stub> alarms;
  std::unique_ptr<v1::Remediations::Stub> remediations;
};

Api::Api(const std::string& evaluation, const std::string& remediation, const rpc::TlsFiles& tls)
    : impl_(std::make_unique<Impl>()) {
  impl_->alarms = v1::Alarms::NewStub(rpc::Connect(evaluation, tls));
  impl_->remediations = v1::Remediations::NewStub(rpc::Connect(remediation, tls));
}

Api::~Api() = default;

Result<std::vector<AlarmView>> Api::OpenAlarms() const {
  grpc::ClientContext context;
  SetDeadline(context);
  v1::ListAlarmsRequest request;
  request.set_open_only(true);
  v1::ListAlarmsResponse response;
  const grpc::Status status = impl_->alarms->ListAlarms(&context, request, &response);
  if (!status.ok()) return UnavailableError("ListAlarms: " + status.error_message());
  std::vector<AlarmView> views;
  for (const v1::AlarmStatus& alarm : response.alarms()) views.push_back(ViewOf(alarm));
  return views;
}

Result<std::vector<RemediationView>> Api::Remediations() const {
  grpc::ClientContext context;
  SetDeadline(context);
  const v1::ListRemediationsRequest request;
  v1::ListRemediationsResponse response;
  const grpc::Status status = impl_->remediations->ListRemediations(&context, request, &response);
  if (!status.ok()) return UnavailableError("ListRemediations: " + status.error_message());
  std::vector<RemediationView> views;
  for (const v1::RemediationStatus& remediation : response.remediations()) {
    views.push_back(ViewOf(remediation));
  }
  return views;
}

}  // namespace liveops::sandbox
