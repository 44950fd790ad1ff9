#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <map>
#include <mutex>
#include <optional>

#include "common/rpc/server.h"
#include "liveops/v1/alarms.grpc.pb.h"
#include "liveops/v1/ingest.grpc.pb.h"
#include "liveops/v1/notifications.grpc.pb.h"
#include "liveops/v1/plans.grpc.pb.h"
#include "liveops/v1/remediations.grpc.pb.h"
#include "liveops/v1/status.grpc.pb.h"
#include "services/liveopsctl/client/backend.h"
#include "services/liveopsctl/client/failure.h"

namespace liveops::ctl {
namespace {

// The service gives a replay a minute, and the questions around it some time.
constexpr Duration kReplayTimeMax{180'000};

class GrpcBackend : public Backend {
 public:
  GrpcBackend(const Settings& settings, Duration timeout)
      : settings_(settings), timeout_(timeout) {}

  Result<v1::ApplyPlanResponse> ApplyPlan(const v1::ApplyPlanRequest& request) override {
    return Call<v1::ApplyPlanResponse>(Server::kEvaluation, "ApplyPlan", true,
                                       [&](auto* context, auto* response) {
                                         return v1::Plans::NewStub(Channel(Server::kEvaluation))
                                             ->ApplyPlan(context, request, response);
                                       });
  }
  Result<v1::GetPlanResponse> GetPlan(const v1::GetPlanRequest& request) override {
    return Call<v1::GetPlanResponse>(Server::kEvaluation, "GetPlan", false,
                                     [&](auto* context, auto* response) {
                                       return v1::Plans::NewStub(Channel(Server::kEvaluation))
                                           ->GetPlan(context, request, response);
                                     });
  }
  Result<v1::ListPlansResponse> ListPlans(const v1::ListPlansRequest& request) override {
    return Call<v1::ListPlansResponse>(Server::kEvaluation, "ListPlans", false,
                                       [&](auto* context, auto* response) {
                                         return v1::Plans::NewStub(Channel(Server::kEvaluation))
                                             ->ListPlans(context, request, response);
                                       });
  }

  Result<v1::ListAlarmsResponse> ListAlarms(const v1::ListAlarmsRequest& request) override {
    return Call<v1::ListAlarmsResponse>(Server::kEvaluation, "ListAlarms", false,
                                        [&](auto* context, auto* response) {
                                          return v1::Alarms::NewStub(Channel(Server::kEvaluation))
                                              ->ListAlarms(context, request, response);
                                        });
  }
  Result<v1::ExplainAlarmResponse> ExplainAlarm(const v1::ExplainAlarmRequest& request) override {
    return Call<v1::ExplainAlarmResponse>(Server::kEvaluation, "ExplainAlarm", false,
                                          [&](auto* context, auto* response) {
                                            return v1::Alarms::NewStub(Channel(Server::kEvaluation))
                                                ->ExplainAlarm(context, request, response);
                                          });
  }

  Result<v1::PastAlarm> ExplainAlarmAt(
      const v1::ExplainAlarmAtRequest& request,
      const std::function<void(const v1::ReplayProgress&)>& on_progress,
      Cancellation& cancellation) override {
    const CallSite site = Site(Server::kEvaluation, "ExplainAlarmAt", false);
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::max(timeout_, kReplayTimeMax));
    const auto stub = v1::Alarms::NewStub(Channel(Server::kEvaluation));
    const auto reader = stub->ExplainAlarmAt(&context, request);
    cancellation.Bind([&context] { context.TryCancel(); });
    v1::ExplainAlarmAtResponse response;
    std::optional<v1::PastAlarm> answer;
    while (reader->Read(&response)) {
      if (response.has_progress()) on_progress(response.progress());
      if (response.has_answer()) answer = std::move(*response.mutable_answer());
    }
    cancellation.Bind({});
    const grpc::Status status = reader->Finish();
    if (!status.ok()) return Explain(site, status);
    if (!answer) return InternalError(site.service + " ended the replay without an answer");
    return std::move(*answer);
  }

  Status WatchAlarms(const v1::WatchAlarmsRequest& request,
                     const std::function<bool(const v1::AlarmStatus&)>& on_alarm,
                     Cancellation& cancellation) override {
    grpc::ClientContext context;
    const auto stub = v1::Alarms::NewStub(Channel(Server::kEvaluation));
    const auto reader = stub->WatchAlarms(&context, request);
    cancellation.Bind([&context] { context.TryCancel(); });
    v1::WatchAlarmsResponse response;
    bool wanted = true;
    while (wanted && reader->Read(&response)) wanted = on_alarm(response.alarm());
    cancellation.Bind({});
    if (!wanted) context.TryCancel();
    const grpc::Status status = reader->Finish();
    if (!wanted || cancellation.cancelled()) return {};
    if (status.ok())
      return UnavailableError(Site(Server::kEvaluation, "WatchAlarms", false).service +
                              " ended the stream");
    return Explain(Site(Server::kEvaluation, "WatchAlarms", false), status);
  }

  Result<v1::AcknowledgeResponse> Acknowledge(const v1::AcknowledgeRequest& request) override {
    return Call<v1::AcknowledgeResponse>(
        Server::kNotifier, "Acknowledge", true, [&](auto* context, auto* response) {
          return v1::Notifications::NewStub(Channel(Server::kNotifier))
              ->Acknowledge(context, request, response);
        });
  }

  Result<v1::ListRemediationsResponse> ListRemediations(
      const v1::ListRemediationsRequest& request) override {
    return Call<v1::ListRemediationsResponse>(
        Server::kRemediation, "ListRemediations", false, [&](auto* context, auto* response) {
          return v1::Remediations::NewStub(Channel(Server::kRemediation))
              ->ListRemediations(context, request, response);
        });
  }
  Result<v1::GetRemediationResponse> GetRemediation(
      const v1::GetRemediationRequest& request) override {
    return Call<v1::GetRemediationResponse>(
        Server::kRemediation, "GetRemediation", false, [&](auto* context, auto* response) {
          return v1::Remediations::NewStub(Channel(Server::kRemediation))
              ->GetRemediation(context, request, response);
        });
  }
  Result<v1::ApproveRemediationResponse> ApproveRemediation(
      const v1::ApproveRemediationRequest& request) override {
    return Call<v1::ApproveRemediationResponse>(
        Server::kRemediation, "ApproveRemediation", true, [&](auto* context, auto* response) {
          return v1::Remediations::NewStub(Channel(Server::kRemediation))
              ->ApproveRemediation(context, request, response);
        });
  }
  Result<v1::DenyRemediationResponse> DenyRemediation(
      const v1::DenyRemediationRequest& request) override {
    return Call<v1::DenyRemediationResponse>(
        Server::kRemediation, "DenyRemediation", true, [&](auto* context, auto* response) {
          return v1::Remediations::NewStub(Channel(Server::kRemediation))
              ->DenyRemediation(context, request, response);
        });
  }

  Result<v1::WriteResponse> Write(const v1::WriteRequest& request) override {
    return Call<v1::WriteResponse>(
        Server::kIngest, "Write", true, [&](auto* context, auto* response) {
          return v1::Ingest::NewStub(Channel(Server::kIngest))->Write(context, request, response);
        });
  }
  Result<v1::ReportDeploymentResponse> ReportDeployment(
      const v1::ReportDeploymentRequest& request) override {
    return Call<v1::ReportDeploymentResponse>(Server::kIngest, "ReportDeployment", true,
                                              [&](auto* context, auto* response) {
                                                return v1::Ingest::NewStub(Channel(Server::kIngest))
                                                    ->ReportDeployment(context, request, response);
                                              });
  }

  Result<v1::DecommissionResponse> Decommission(const v1::DecommissionRequest& request) override {
    return Call<v1::DecommissionResponse>(Server::kIngest, "Decommission", true,
                                          [&](auto* context, auto* response) {
                                            return v1::Ingest::NewStub(Channel(Server::kIngest))
                                                ->Decommission(context, request, response);
                                          });
  }

  Result<v1::ListEmittersResponse> ListEmitters(const v1::ListEmittersRequest& request) override {
    return Call<v1::ListEmittersResponse>(Server::kIngest, "ListEmitters", false,
                                          [&](auto* context, auto* response) {
                                            return v1::Emitters::NewStub(Channel(Server::kIngest))
                                                ->ListEmitters(context, request, response);
                                          });
  }

  Result<v1::ListSlowestSpansResponse> ListSlowestSpans(
      const v1::ListSlowestSpansRequest& request) override {
    return Call<v1::ListSlowestSpansResponse>(Server::kIngest, "ListSlowestSpans", false,
                                              [&](auto* context, auto* response) {
                                                return v1::Spans::NewStub(Channel(Server::kIngest))
                                                    ->ListSlowestSpans(context, request, response);
                                              });
  }

  Result<v1::GetStatusResponse> GetStatus(Server server) override {
    return Call<v1::GetStatusResponse>(server, "GetStatus", false,
                                       [&](auto* context, auto* response) {
                                         return v1::Status::NewStub(Channel(server))
                                             ->GetStatus(context, v1::GetStatusRequest(), response);
                                       });
  }

 private:
  template <typename Response, typename F>
  Result<Response> Call(Server server, const char* method, bool changes, F&& call) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + timeout_);
    Response response;
    const grpc::Status status = call(&context, &response);
    if (status.ok()) return response;
    return Explain(Site(server, method, changes), status);
  }

  std::shared_ptr<grpc::Channel> Channel(Server server) {
    const std::lock_guard<std::mutex> lock(mutex_);
    std::shared_ptr<grpc::Channel>& channel = channels_[server];
    if (!channel)
      channel = rpc::Connect(AddressOf(server), {settings_.ca, settings_.cert, settings_.key});
    return channel;
  }

  std::string AddressOf(Server server) const {
    const auto found = settings_.addresses.find(server);
    return found == settings_.addresses.end() ? "" : found->second;
  }
  CallSite Site(Server server, const char* method, bool changes) const {
    return {ServerName(server), AddressOf(server), method, settings_.has_identity(), changes};
  }
  static Error Explain(const CallSite& site, const grpc::Status& status) {
    return ExplainFailure(site, static_cast<int>(status.error_code()), status.error_message());
  }

  const Settings settings_;
  const Duration timeout_;
  std::mutex mutex_;
  std::map<Server, std::shared_ptr<grpc::Channel>> channels_;
};

}  // namespace

std::unique_ptr<Backend> ConnectBackend(const Settings& settings, Duration timeout) {
  return std::make_unique<GrpcBackend>(settings, timeout);
}

}  // namespace liveops::ctl
