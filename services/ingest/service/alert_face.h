#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "services/ingest/service/alerts.h"
#include "services/ingest/service/http_face.h"
#include "services/ingest/source/cloudwatch_alarm/sns_signature.h"

namespace liveops::ingest {

// A way in by HTTP for alerts that others judge. Answered as an Alertmanager answers: 200 when all
// stand in the log; else a JSON string that says why not.
class AlertFace final : public HttpFace {
 public:
  // What a body told, or a sentence for the log: a request that tells of no alert.
  using Told = std::variant<ForeignAlerts, std::string>;
  using Reader = std::function<Result<Told>(std::string_view body)>;

  // `source`: the word that alarms of it begin with.
  AlertFace(std::shared_ptr<Alerts> alerts, std::string source, Reader reader)
      : alerts_(std::move(alerts)), source_(std::move(source)), reader_(std::move(reader)) {}
  http::Reply Handle(const http::Call& call, const rpc::Peer& peer) override;
  http::Reply Refuse(const http::Call& call, http::Reply reply) override;

 private:
  const std::shared_ptr<Alerts> alerts_;
  const std::string source_;
  const Reader reader_;
};

// Each source's, by the path that it is served under: docs/foreign-alerts.md.
std::unique_ptr<HttpFace> AlertmanagerFace(std::shared_ptr<Alerts> alerts);
std::unique_ptr<HttpFace> DatadogFace(std::shared_ptr<Alerts> alerts);
std::unique_ptr<HttpFace> NewRelicFace(std::shared_ptr<Alerts> alerts);
// `sns`: whose signatures are checked before anything else of a message is believed.
std::unique_ptr<HttpFace> CloudWatchAlarmFace(std::shared_ptr<Alerts> alerts,
                                              cloudwatch_alarm::SnsSettings sns);

// What amtool asks an Alertmanager before it does anything: `GET /api/v2/status`.
class AlertmanagerStatusFace final : public HttpFace {
 public:
  http::Reply Handle(const http::Call& call, const rpc::Peer& peer) override;

 private:
  const std::string started_ = FormatUtc(ToMs(WallClockNow()));  // for people
};
// `GET /api/v2/alerts`: ingest does not know, and says who does.
class AlertmanagerListFace final : public HttpFace {
 public:
  http::Reply Handle(const http::Call& call, const rpc::Peer& peer) override;
};

}  // namespace liveops::ingest
