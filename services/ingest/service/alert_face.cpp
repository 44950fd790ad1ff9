#include "services/ingest/service/alert_face.h"

#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "common/base/text.h"
#include "common/telemetry/log.h"
#include "services/ingest/service/http_parts.h"
#include "services/ingest/source/alertmanager/alertmanager.h"
#include "services/ingest/source/cloudwatch_alarm/cloudwatch_alarm.h"
#include "services/ingest/source/datadog/datadog.h"
#include "services/ingest/source/newrelic/newrelic.h"

namespace liveops::ingest {
namespace {

using nlohmann::json;

constexpr std::size_t kProblemsShown = 20;

http::Reply JsonText(int status, const std::string& text) {
  return {status,
          "application/json",
          json(text).dump(-1, ' ', false, json::error_handler_t::replace) + "\n",
          {}};
}

std::string Joined(const std::vector<std::string>& problems) {
  std::string out;
  for (std::size_t i = 0; i < problems.size() && i < kProblemsShown; ++i)
    out += (i == 0 ? "" : "; ") + problems[i];
  if (problems.size() > kProblemsShown)
    out += "; and " + std::to_string(problems.size() - kProblemsShown) + " more";
  return out;
}

template <typename Read>
std::unique_ptr<HttpFace> FaceOf(std::shared_ptr<Alerts> alerts, const char* source, Read read) {
  return std::make_unique<AlertFace>(alerts, source,
                                     [read](std::string_view body) -> Result<AlertFace::Told> {
                                       auto told = read(body);
                                       if (!told) return told.error();
                                       return AlertFace::Told(*std::move(told));
                                     });
}

// What a person is to do; logged, and never done here.
std::string WaitsFor(const cloudwatch_alarm::Confirmation& asked) {
  log::Warn("sns_subscription_waits",
            {{"topic", Truncate(ScrubUtf8(asked.topic), 300)},
             {"token", Truncate(ScrubUtf8(asked.token), 1000)},
             {"how", "aws sns confirm-subscription --topic-arn TOPIC --token TOKEN"}});
  return "the subscription waits for a person: see docs/foreign-alerts.md";
}

// That SNS sent it, where certificates are pinned.
Status CheckSns(const Alerts& alerts, const cloudwatch_alarm::SnsSettings& sns,
                std::string_view body) {
  if (sns.certificates.empty()) return {};
  const Result<RealTime> now = alerts.Now();
  if (!now) return now.error();
  Status checked = cloudwatch_alarm::CheckSigned(body, sns, *now);
  if (!checked) log::Warn("sns_message_refused", {{"why", checked.error().message}});
  return checked;
}

}  // namespace

http::Reply AlertFace::Handle(const http::Call& call, const rpc::Peer& peer) {
  const std::string encoding = call.header("Content-Encoding");
  if (!encoding.empty() && !SameWord(encoding, "identity")) {
    alerts_->CountUnreadable();
    return JsonText(415, ContentFault("encoding", encoding) + "; alerts come without one");
  }
  Result<Told> told = reader_(call.body);
  if (!told) {
    // What comes again is not refused for good.
    if (told.error().code != ErrorCode::kUnavailable) alerts_->CountUnreadable();
    return JsonText(HttpStatusOf(told.error().code), told.error().message);
  }
  if (const auto* sentence = std::get_if<std::string>(&*told)) return JsonText(200, *sentence);
  ForeignAlerts& alerts = std::get<ForeignAlerts>(*told);
  // Who may write one service alone means it.
  for (ForeignAlert& alert : alerts.alerts) {
    if (peer.services.size() == 1 && !alerts_->NamesService(alert))
      alert.service = *peer.services.begin();
  }
  Answered<Alerts::Answer> answered;
  alerts_->Take(source_, std::move(alerts), call.body.size(), peer, call.header("traceparent"),
                answered.Keep());
  const Result<Alerts::Answer> answer = answered.Wait();
  if (!answer) return JsonText(HttpStatusOf(answer.error().code), answer.error().message);
  if (answer->problems.empty()) return {200, "", "", {}};
  return JsonText(400, Joined(answer->problems));
}

http::Reply AlertFace::Refuse(const http::Call& call, http::Reply reply) {
  // SNS shows its name and password only when it was refused without them.
  const bool asks = reply.status == 401 && call.header("Authorization").empty() &&
                    !call.header("X-Amz-Sns-Message-Type").empty();
  if (!asks) alerts_->CountUnreadable();  // whoever it is, it pages nobody
  http::Reply said = JsonText(reply.status, std::string(Trim(reply.body)));
  said.headers = std::move(reply.headers);
  return said;
}

std::unique_ptr<HttpFace> AlertmanagerFace(std::shared_ptr<Alerts> alerts) {
  return FaceOf(std::move(alerts), "alertmanager", alertmanager::Read);
}
std::unique_ptr<HttpFace> DatadogFace(std::shared_ptr<Alerts> alerts) {
  return FaceOf(std::move(alerts), "datadog", datadog::Read);
}
std::unique_ptr<HttpFace> NewRelicFace(std::shared_ptr<Alerts> alerts) {
  return FaceOf(std::move(alerts), "newrelic", newrelic::Read);
}
std::unique_ptr<HttpFace> CloudWatchAlarmFace(std::shared_ptr<Alerts> alerts,
                                              cloudwatch_alarm::SnsSettings sns) {
  return std::make_unique<AlertFace>(
      alerts, "cloudwatch",
      [alerts, sns = std::move(sns)](std::string_view body) -> Result<AlertFace::Told> {
        if (const Status s = CheckSns(*alerts, sns, body); !s) return s.error();
        auto told = cloudwatch_alarm::Read(body);
        if (!told) return told.error();
        if (const auto* asked = std::get_if<cloudwatch_alarm::Confirmation>(&*told))
          return AlertFace::Told(WaitsFor(*asked));
        return AlertFace::Told(std::get<ForeignAlerts>(*std::move(told)));
      });
}

http::Reply AlertmanagerStatusFace::Handle(const http::Call&, const rpc::Peer&) {
  const json status = {
      {"cluster", {{"status", "disabled"}}},
      {"config",
       {{"original",
         "# LiveOps takes alerts; who is told stands in plans: liveopsctl plan show\n"}}},
      {"uptime", started_},
      {"versionInfo",
       {{"branch", ""},
        {"buildDate", ""},
        {"buildUser", ""},
        {"goVersion", ""},
        {"revision", ""},
        {"version", "LiveOps"}}}};
  return {200, "application/json", status.dump(), {}};
}

http::Reply AlertmanagerListFace::Handle(const http::Call&, const rpc::Peer&) {
  return JsonText(400, "ingest takes alerts and does not keep them; ask: liveopsctl alarms list");
}

}  // namespace liveops::ingest
